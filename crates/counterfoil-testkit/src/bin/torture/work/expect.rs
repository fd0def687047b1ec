//! What is to come of each operation of a round, whatever happens in between.

use counterfoil::event::{Body, Event, StartResult};

use super::Op;

/// How many operations a round has.
pub(crate) const ROUND: u64 = TABLE.len() as u64;

/// What is to come of an operation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expect {
    /// It writes one of these sets of events.
    Writes(&'static [&'static [&'static str]]),
    /// It writes this, or is refused where the wallet could not pay.
    WritesOrRefused(&'static [&'static [&'static str]]),
    /// It repeats the operation so many before it, and writes nothing.
    Repeats(u64),
    /// It says nothing new, and writes nothing.
    ChangesNothing,
    /// It is refused.
    Refused,
}

use Expect::{ChangesNothing, Refused, Repeats, Writes, WritesOrRefused};

/// In the order of a round.
const TABLE: [Expect; 17] = [
    Writes(&[&["wallet.topped_up"]]),
    Writes(&[&["payment.created", "wallet.debited"], &["payment.created, unpaid"]]),
    Repeats(2),
    WritesOrRefused(&[&["refund.started", "wallet.credited"]]),
    Writes(&[&["payment.created"]]),
    Writes(&[&["attempt.reported"]]),
    Repeats(2),
    Writes(&[&["refund.started"]]),
    Writes(&[&["refund.reported"]]),
    Refused,
    ChangesNothing,
    Refused,
    Writes(&[&["payment.created"]]),
    Writes(&[&["attempt.reported"]]),
    Writes(&[&["capture.started"]]),
    Writes(&[&["capture.reported"]]),
    Writes(&[&["payment.created"]]),
];

impl Op {
    pub(super) fn expect(self) -> Expect {
        TABLE[self.place()]
    }

    /// Whether `kinds`, sorted, are all the events that it writes.
    pub(super) fn is_whole(self, kinds: &[&str]) -> bool {
        match self.expect() {
            Writes(sets) | WritesOrRefused(sets) => sets.contains(&kinds),
            Repeats(_) | ChangesNothing | Refused => kinds.is_empty(),
        }
    }
}

/// What kind of event it is, as the table calls it.
pub(super) fn kind(event: &Event) -> &'static str {
    match event.body() {
        Body::Created(created)
            if created
                .attempt
                .as_ref()
                .is_some_and(|start| matches!(start.result, StartResult::Failed(_))) =>
        {
            "payment.created, unpaid"
        }
        body => body.kind(),
    }
}
