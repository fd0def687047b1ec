//! What can go wrong.

use std::fmt;

macro_rules! troubles {
    ($($(#[$doc:meta])+ $name:ident, $words:literal;)+) => {
        /// Something that goes wrong in a simulation, of a kind that can be left out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Trouble {
            $($(#[$doc])+ $name,)+
        }

        impl Trouble {
            /// All kinds.
            pub const ALL: &'static [Trouble] = &[$(Trouble::$name,)+];

            /// Several of it, in words.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Trouble::$name => $words,)+
                }
            }
        }
    };
}

troubles! {
    /// A command that the store could not take: nothing is written.
    NotCommitted, "commands not committed";
    /// A command that was written, and nobody hears of it.
    LostAnswer, "answers of the store lost";
    /// A command that was not written, and nobody knows.
    LostCommand, "commands lost";
    /// A read that fails.
    FailedRead, "reads failed";
    /// A call, of the store or of a gateway, that takes long, so that others go first.
    Delay, "calls delayed";
    /// Two machines' clocks that differ: one of them steps, back too.
    Skew, "clock steps";
    /// A long time in which nobody did anything.
    Gap, "long gaps";
    /// A machine that stops between any two steps, and is started again.
    Crash, "crashes";
    /// A gateway that is hostile: see [`Sandbox::adversarial`](counterfoil_sandbox::Sandbox::adversarial).
    Adversary, "hostile gateways";
    /// A gateway's answer that comes too late to be heard.
    LateAnswer, "answers of the gateway lost";
    /// A request that is given up, and reaches its gateway later all the same.
    LateRequest, "requests that came late";
    /// A notification that is told twice, or not in its turn.
    Repeated, "notifications repeated";
    /// A bank that takes money back.
    BankReturn, "bank returns";
    /// A payer that disputes a payment.
    Dispute, "words of disputes";
    /// A person who says what became of something, and only guesses.
    Guess, "guesses";
    /// A person who dismisses what is marked for review, and did not look.
    Haste, "hasty dismissals";
    /// A person who sets a status, or writes down money, that the gateway knows nothing of.
    ByHand, "things written down by hand";
    /// A gateway whose notifications come after all else has come to its end.
    LatePost, "weeks without notifications";
    /// A notification that carries the gateway's ids of the operation, and not ours.
    NotEchoed, "notifications without our id";
    /// A notification with the id of an earlier one.
    ReusedId, "notification ids used twice";
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Troubles(u32);

impl Troubles {
    pub(crate) const ALL: Troubles = Troubles(u32::MAX);

    pub(crate) const fn without(self, trouble: Trouble) -> Troubles {
        Troubles(self.0 & !(1 << trouble as u32))
    }

    pub(crate) const fn has(self, trouble: Trouble) -> bool {
        self.0 & (1 << trouble as u32) != 0
    }

    /// Those that are left out.
    pub(crate) fn missing(self) -> impl Iterator<Item = Trouble> {
        Trouble::ALL.iter().copied().filter(move |trouble| !self.has(*trouble))
    }
}

impl fmt::Debug for Troubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Trouble::ALL.iter().filter(|trouble| self.has(**trouble))).finish()
    }
}
