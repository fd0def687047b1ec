//! Chance that follows from a seed.

use crate::script::split_mix;

/// Chance that goes the same way each time: all of it follows from a seed, and what it is about.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Those of `seed` for one purpose. What one purpose takes moves nothing of another's.
    #[must_use]
    pub(super) fn new(seed: u64, about: u64) -> Dice {
        let mut state = seed ^ about.wrapping_mul(0xd6e8_feb8_6659_fd93);
        Dice(split_mix(&mut state))
    }

    /// Any number.
    pub(super) fn any(&mut self) -> u64 {
        split_mix(&mut self.0)
    }

    /// One of `0..sides`; 0 if there are none.
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.any().checked_rem(sides).unwrap_or(0)
    }

    /// Whether what happens once in so many times happens now.
    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of a list; `None` if it is empty.
    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        let place = self.below(among.len() as u64);
        among.get(usize::try_from(place).unwrap_or(0))
    }
}
