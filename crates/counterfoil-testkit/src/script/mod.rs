//! Scripts: what callers do to the books, as plain data.
//!
//! A script is made of any bytes, so one generator serves property tests (which shrink the bytes), the
//! fuzzer (which mutates them) and seeded runs. It becomes plain commands before anything is executed: what
//! it does depends on no answer, so it is the same on every store.

mod bytes;
mod compile;

use counterfoil::command::Command;
use counterfoil::destinations::Known;
use counterfoil::ledger::{NewAttempt, NewPayment, NewTopUp, Processing, Update};
use counterfoil::payment::Evidence;
use counterfoil::scope::Caller;
use counterfoil::text::{GatewayName, GatewayPaymentId};
use proptest::prelude::{Strategy, any};

/// How many bytes make a step.
pub const STEP: usize = 8;

/// What callers do, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// One thing that is done.
///
/// A payment or operation is meant by its place among those that the script asked for so far, whether they
/// came to be or not; places wrap around. A `caller` of `None` is the one who asked for the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Asks for a payment.
    Create {
        /// Who asks.
        caller: Caller,
        /// For what.
        new: NewPayment,
        /// What the host knows of what is paid.
        known: Known,
        /// Whether there is a gateway at all.
        gateway: bool,
    },
    /// Asks for the next attempt.
    Process {
        /// Who asks.
        caller: Option<Caller>,
        /// For which payment.
        payment: usize,
        /// How.
        how: Processing,
        /// What the host knows of what is paid.
        known: Known,
        /// Whether there is a gateway at all.
        gateway: bool,
    },
    /// Writes down an attempt that was made elsewhere.
    RecordAttempt {
        /// Who asks.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// What became of it.
        new: NewAttempt,
    },
    /// A gateway says something.
    Report {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// About which of its operations.
        operation: usize,
        /// What.
        evidence: Evidence,
    },
    /// A gateway says something about a payment that was made there.
    Discover {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// Who says so.
        gateway: GatewayName,
        /// Of which of its payments.
        name: GatewayPaymentId,
        /// What.
        evidence: Evidence,
    },
    /// Changes names and notes of a payment, or its status.
    Update {
        /// Who asks.
        caller: Option<Caller>,
        /// Which payment.
        payment: usize,
        /// To what.
        update: Update,
    },
    /// Hides a payment.
    Archive {
        /// Who asks.
        caller: Option<Caller>,
        /// Which payment.
        payment: usize,
    },
    /// Puts credits into a wallet.
    TopUp {
        /// Who asks.
        caller: Caller,
        /// For what.
        new: NewTopUp,
    },
    /// Executes an earlier command once more, to the letter.
    Again {
        /// Which of them.
        command: usize,
    },
    /// Moves the clock, back too.
    Clock {
        /// By how many seconds.
        seconds: i64,
    },
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
        let script = Script::seeded(1, 200);
        let kinds: std::collections::HashSet<_> = script.steps.iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 10);
        assert_ne!(script, Script::seeded(2, 200));
        let text = |script: &Script| format!("{:?}", script.commands());
        assert_eq!(text(&script), text(&script));
    }
}
