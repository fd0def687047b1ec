//! Scripts: what callers do to the books, as plain data.
//!
//! A script is made of any bytes, so one generator serves property tests (which shrink the bytes), the
//! fuzzer (which mutates them) and seeded runs. It becomes plain commands before anything is executed: what
//! it does depends on no answer, so it is the same on every store.

mod bytes;
mod compile;
mod step;

use counterfoil::command::Command;
use proptest::prelude::{Strategy, any};

pub use step::{Place, Step};

/// How many bytes make a step.
pub const STEP: usize = 8;

/// What callers do, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// What is done, in order.
    pub steps: Vec<Step>,
}

impl Script {
    /// The script that `bytes` spell, [`STEP`] of them a step. Every text spells one; a rest that is too
    /// short for a step is left out. All zeros are the plainest step, so a shrunk script is a plain one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Script {
        let (steps, _) = bytes.as_chunks::<STEP>();
        Script { steps: steps.iter().copied().map(Step::from_bytes).collect() }
    }

    /// A script of so many steps, another one for every seed.
    #[must_use]
    pub fn seeded(seed: u64, steps: usize) -> Script {
        let mut state = seed;
        let words = std::iter::repeat_with(|| split_mix(&mut state));
        Script { steps: words.take(steps).map(|word| Step::from_bytes(word.to_be_bytes())).collect() }
    }

    /// Any script of 1 to `most` steps.
    pub fn any(most: usize) -> impl Strategy<Value = Script> {
        let steps = proptest::collection::vec(any::<[u8; STEP]>(), 1..=most);
        steps.prop_map(|steps| Script { steps: steps.into_iter().map(Step::from_bytes).collect() })
    }

    /// The commands that it consists of, with their ids and times.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        compile::commands(&self.steps)
    }
}

/// The next number of the sequence known as `SplitMix64`.
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_script() {
        assert_eq!(Script::from_bytes(&[]), Script::default());
        assert_eq!(Script::from_bytes(&[255; 7]), Script::default());
        assert_eq!(Script::from_bytes(&[255; 23]).steps.len(), 2);
        assert!(matches!(Script::from_bytes(&[0; 8]).steps[..], [Step::Create { .. }]));
    }

    #[test]
    fn seeded_scripts_use_every_kind_of_step_and_make_equal_commands_each_time() {
        let script = Script::seeded(1, 500);
        let kinds: std::collections::HashSet<_> = script.steps.iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 20);
        assert_ne!(script, Script::seeded(2, 500));
        let text = |script: &Script| format!("{:?}", script.commands());
        assert_eq!(text(&script), text(&script));
    }
}
