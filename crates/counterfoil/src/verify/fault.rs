//! What can be wrong with the books.

use crate::codec::Damage;
use crate::event::StreamId;
use crate::id::PaymentId;
use crate::payment::IllegalMove;
use crate::scope::Scope;
use crate::store::StoreError;

/// Why the books were not found good.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The store could not be read.
    #[error("the books could not be read")]
    Store(#[from] StoreError),
    /// Something is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Events are gone that were there when the head was kept.
    #[error("there are {found} events, and were {kept} when the head was kept")]
    Shorter {
        /// How many there were.
        kept: u64,
        /// How many there are.
        found: u64,
    },
    /// Events are not those that were there when the head was kept, or not in their order.
    #[error("the first {kept} events are not those of which the head was kept")]
    Other {
        /// How many there were.
        kept: u64,
    },
}

/// Where the first thing is wrong; its source says what.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{scope}: {stream}, event {sequence}")]
pub struct Fault {
    /// Whose books.
    pub scope: Scope,
    /// In which stream.
    pub stream: StreamId,
    /// At which event; 0 when it is not about one.
    pub sequence: u64,
    /// What is wrong.
    #[source]
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The event's bytes are not what was ever written.
    #[error("it cannot be read")]
    Unreadable(#[source] StoreError),
    /// An event is missing, repeated, or another stream's.
    #[error("it is not the event that belongs here")]
    OutOfPlace,
    /// The hash is not that of the event following the one before it.
    #[error("its hash does not follow from the event before it")]
    Hash,
    /// The event does not follow from the state before it.
    #[error("{0}")]
    Evolve(Damage),
    /// Its time is not later than that of the event before it.
    #[error("it is not later than the event before it")]
    Time,
    /// It moved a status where no edge of the graph leads for its cause.
    #[error(transparent)]
    Move(IllegalMove),
    /// Its postings do not sum to zero.
    #[error("its postings do not sum to zero")]
    Unbalanced,
    /// What it posts is not what it moves.
    #[error("its postings do not come to what it moves")]
    Postings,
    /// A name it took is not there, or is another's.
    #[error("the claim of {0:?} does not point to it")]
    Claim(Box<str>),
    /// The stored row is not what the events make.
    #[error("the stored row is not what the events make")]
    Row,
    /// The stored row, or that of a name it took, is not what was ever written.
    #[error("what is stored of it cannot be read")]
    UnreadableRow(#[source] StoreError),
    /// What a destination comes to is not the sum over its payments.
    #[error("its totals are not what its payments come to")]
    Totals,
    /// The feed tells of it twice, or before its time, or of another event in its place.
    #[error("the feed tells of it out of order")]
    Feed,
    /// The feed does not tell of it.
    #[error("the feed does not tell of it")]
    NotFed,
    /// The feed tells of a stream that is not listed.
    #[error("the feed tells of it, and its stream is not listed")]
    Unlisted,
    /// The head is not the last event, or does not stand in its order.
    #[error("the head is not the last event, or not in its order")]
    Head,
    /// A wallet entered something else than a payment posted to it, so its balance is not the sum of its
    /// postings.
    #[error("{payment} posted {posted} minor units, the wallet entered {entered}")]
    Balance {
        /// Which payment.
        payment: PaymentId,
        /// The sum of its postings to the wallet.
        posted: i128,
        /// The sum of what the wallet entered for it.
        entered: i128,
    },
}

#[cfg(test)]
mod tests {
    use super::Problem;

    macro_rules! all {
        ($($problem:ident)+) => {{
            // One that is missing below does not compile.
            let _: fn(&Problem) = |problem| match problem { $(Problem::$problem { .. } => (),)+ };
            [$(stringify!($problem)),+]
        }};
    }

    /// INVARIANTS 39: each is found by a test, which makes one and says at which event it has to be found.
    #[test]
    fn every_problem_has_a_test() {
        let tests = include_str!("../../tests/it/verify_each.rs");
        let all = all!(
            Unreadable OutOfPlace Hash Evolve Time Move Unbalanced Postings Claim Row UnreadableRow Totals Feed NotFed
            Unlisted Head Balance
        );
        for problem in all {
            let named = [format!(" is!({problem}), "), format!("Problem::{problem}(")];
            assert!(named.iter().any(|name| tests.contains(name)), "no test makes {problem}");
        }
    }
}
