//! Random numbers that are the same in every run.

/// The sequence known as `SplitMix64`.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Another sequence for every seed.
    pub(crate) const fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number less than `sides`.
    pub(crate) const fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// What is chosen by them.
impl Dice {
    /// Any number.
    pub(crate) const fn number(&mut self) -> u64 {
        self.roll(u64::MAX)
    }

    /// A place among so many, of which there is one at least.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let place = self.roll(u64::try_from(count).expect("a count"));
        usize::try_from(place).expect("less than a count")
    }

    /// Whether it is the one time out of so many.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Dice that go their own way from here.
    pub(crate) const fn fork(&mut self) -> Dice {
        Dice(self.number())
    }
}
