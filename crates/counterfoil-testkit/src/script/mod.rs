//! Scripts: what callers do to the books, as plain data.
//!
//! A script is made of any bytes, so one generator serves property tests (which shrink the bytes), the
//! fuzzer (which mutates them) and seeded runs. It becomes plain commands before anything is executed: what
//! it does depends on no answer, so it is the same on every store.

mod bytes;
mod compile;
mod smaller;
mod step;

use std::fmt;

use counterfoil::command::Command;
use proptest::prelude::{Strategy, any};

pub use step::{Place, Step};

/// How many bytes make a step.
pub const STEP: usize = 8;

/// What callers do, one after the other.
///
/// Its `Debug` form begins with the expression that makes it again.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Script {
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What spells it.
    bytes: Vec<u8>,
}

impl Script {
    /// The script that `bytes` spell, [`STEP`] of them a step. Every text spells one; a rest that is too
    /// short for a step is left out. All zeros are the plainest step, so a shrunk script is a plain one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Script {
        let (steps, rest) = bytes.as_chunks::<STEP>();
        let bytes = bytes[..bytes.len() - rest.len()].to_vec();
        Script { steps: steps.iter().copied().map(Step::from_bytes).collect(), bytes }
    }

    /// The script that was printed so. Panics at what is not hexadecimal.
    ///
    /// ```
    /// use counterfoil_testkit::Script;
    ///
    /// let script = Script::seeded(7, 20);
    /// let printed: String = script.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    /// assert_eq!(Script::from_hex(&printed), script);
    /// ```
    #[must_use]
    pub fn from_hex(text: &str) -> Script {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8; 2]| Some(digit(&pair[0])? * 16 + digit(&pair[1])?);
        let (pairs, _) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        Script::from_bytes(&bytes.expect("hexadecimal digits"))
    }

    /// The bytes that spell it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A script of so many steps, another one for every seed.
    #[must_use]
    pub fn seeded(seed: u64, steps: usize) -> Script {
        let mut state = seed;
        let words = std::iter::repeat_with(|| split_mix(&mut state));
        let bytes: Vec<u8> = words.take(steps).flat_map(u64::to_be_bytes).collect();
        Script::from_bytes(&bytes)
    }

    /// Any script of 1 to `most` steps.
    pub fn any(most: usize) -> impl Strategy<Value = Script> {
        let steps = proptest::collection::vec(any::<[u8; STEP]>(), 1..=most);
        steps.prop_map(|steps| Script::from_bytes(&steps.concat()))
    }

    /// The commands that it consists of, with their ids and times.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        compile::commands(&self.steps)
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script::from_hex(\"")?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("\"), which is ")?;
        f.debug_list().entries(&self.steps).finish()
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
    use std::collections::HashSet;
    use std::mem::discriminant;

    use super::*;
    use crate::model::Model;
    use crate::run::Answer;

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
        let kinds: HashSet<_> = script.steps.iter().map(discriminant).collect();
        assert_eq!(kinds.len(), 23);
        assert_ne!(script, Script::seeded(2, 500));
        let text = |script: &Script| format!("{:?}", script.commands());
        assert_eq!(text(&script), text(&script));
    }

    /// Of every kind there are some that write, some that were done before, and some that are refused.
    #[test]
    fn short_scripts_have_every_kind_of_command_with_every_kind_of_answer() {
        let (mut asked, mut seen) = (HashSet::new(), HashSet::new());
        for seed in 1..=300 {
            let mut model = Model::default();
            for command in Script::seeded(seed, 50).commands() {
                let kind = discriminant(&command.request);
                asked.insert(kind);
                seen.insert((
                    kind,
                    match model.execute(&command) {
                        Answer::Done { replayed, .. } => u8::from(replayed),
                        Answer::Refused(_) => 2,
                    },
                ));
            }
        }
        assert_eq!(asked.len(), 20);
        for kind in asked {
            assert!(seen.contains(&(kind, 0)), "{kind:?} never wrote");
        }
        // A person's word is seldom repeated to the letter; to register what is owed is never refused.
        let of = |wanted: u8| seen.iter().filter(|(_, answer)| *answer == wanted).count();
        assert!(of(1) >= 16 && of(2) >= 16, "{} were repeated, {} refused", of(1), of(2));
    }
}
