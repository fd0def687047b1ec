//! The payment's graph.

use super::graph::{Causes, Graph, Row};
use crate::word::words;

words! {
    /// Where a payment stands. Derived from its facts, never assigned.
    PaymentStatus, "payment status" {
        /// Recorded, nothing sent to a gateway.
        Initiated = 1, "INITIATED";
        /// Accepted, no live attempt: waiting for its next one.
        Pending = 2, "PENDING";
        /// An attempt is in flight, or its outcome is unknown.
        Processing = 3, "PROCESSING";
        /// The payer must act: 3-D Secure, a payment link.
        RequiresAction = 4, "REQUIRES_ACTION";
        /// Money is held, nothing captured.
        Authorized = 5, "AUTHORIZED";
        /// Some money is captured and a hold remains.
        PartiallyCaptured = 6, "PARTIALLY_CAPTURED";
        /// Captured, nothing refunded.
        Succeeded = 7, "SUCCEEDED";
        /// Captured more than was asked for or due.
        Overpaid = 8, "OVERPAID";
        /// Some of the captured money is refunded.
        PartiallyRefunded = 9, "PARTIALLY_REFUNDED";
        /// All of the captured money is refunded.
        Refunded = 10, "REFUNDED";
        /// Ended without money.
        Failed = 11, "FAILED";
        /// Cancelled, expired, or its hold released; no money kept.
        Voided = 12, "VOIDED";
    }
}

use PaymentStatus::{
    Authorized, Failed, Initiated, Overpaid, PartiallyCaptured, PartiallyRefunded, Pending, Processing,
    Refunded, RequiresAction, Succeeded, Voided,
};

/// By command and by the clock this is the law. By evidence it is a record: the moves that derived statuses make when
/// facts arrive, held against every state that is reached by the walk in `command/reach`. An operator's resolution moves
/// a payment where evidence may, and back to `PENDING`. Nothing leads back to `INITIATED`; by evidence, to `PENDING` only
/// what had no money and no hold.
const ROWS: &[Row<PaymentStatus>] = &[
    (None, &[Initiated, Pending, Processing, Succeeded, Overpaid, Failed], Causes::C),
    (Some(Initiated), &[Pending, Processing, Succeeded, Overpaid, Failed], Causes::C),
    (Some(Initiated), &[Voided], Causes::CT),
    (Some(Pending), &[Processing, Succeeded, Overpaid], Causes::C),
    // Money that is written down after a gateway told that it gave some back.
    (Some(Pending), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(Pending), &[Failed, Voided], Causes::CT),
    // A queued attempt is canceled. The payment returns to the status that it has without the attempt.
    (Some(Processing), &[Pending, Failed, Voided], Causes::C),
    (Some(RequiresAction), &[Voided], Causes::CT),
    // With another instrument, where a policy allows it.
    (Some(Failed), &[Processing], Causes::C),
    (Some(Authorized), &[Voided], Causes::T),
    (Some(PartiallyCaptured), &[Succeeded, Overpaid], Causes::T),
    (Some(PartiallyCaptured), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(Succeeded), &[PartiallyRefunded, Refunded, Voided], Causes::C),
    (Some(Overpaid), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(PartiallyRefunded), &[Refunded], Causes::C),
    (Some(Pending), &[Processing, RequiresAction], Causes::E),
    (Some(Pending), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(Pending), &[Failed, Voided], Causes::E),
    (Some(Processing), &[Pending, RequiresAction], Causes::E),
    (Some(Processing), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(Processing), &[PartiallyCaptured, Failed, Voided], Causes::E),
    (Some(RequiresAction), &[Pending, Processing], Causes::E),
    (Some(RequiresAction), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(RequiresAction), &[PartiallyCaptured, Failed, Voided], Causes::E),
    (Some(Authorized), &[Processing, RequiresAction], Causes::E),
    (Some(Authorized), &[PartiallyCaptured, Succeeded, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(Authorized), &[Failed, Voided], Causes::E),
    (Some(PartiallyCaptured), &[Processing, RequiresAction, Voided, Failed], Causes::E),
    (Some(PartiallyCaptured), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(Succeeded), &[Processing, RequiresAction], Causes::E),
    // A capture that was reported with more, as it stands now, may be ours: it counts no more.
    (Some(Succeeded), &[Authorized, PartiallyCaptured, Overpaid, PartiallyRefunded, Refunded], Causes::E),
    (Some(Succeeded), &[Failed, Voided], Causes::E),
    (Some(Overpaid), &[Processing, RequiresAction], Causes::E),
    (Some(Overpaid), &[Authorized, PartiallyCaptured, Succeeded, PartiallyRefunded, Refunded], Causes::E),
    (Some(Overpaid), &[Failed, Voided], Causes::E),
    (Some(PartiallyRefunded), &[Processing, RequiresAction], Causes::E),
    (Some(PartiallyRefunded), &[Authorized, PartiallyCaptured, Succeeded, Overpaid, Refunded], Causes::E),
    (Some(PartiallyRefunded), &[Failed, Voided], Causes::E),
    (Some(Refunded), &[Processing, RequiresAction], Causes::E),
    (Some(Refunded), &[Authorized, PartiallyCaptured, Succeeded, Overpaid, PartiallyRefunded], Causes::E),
    (Some(Refunded), &[Failed, Voided], Causes::E),
    (Some(Failed), &[Processing, RequiresAction, PartiallyCaptured], Causes::E),
    (Some(Failed), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded, Voided], Causes::E),
    (Some(Voided), &[Processing, RequiresAction, PartiallyCaptured], Causes::E),
    (Some(Voided), &[Authorized, Succeeded, Overpaid, PartiallyRefunded, Refunded, Failed], Causes::E),
    // What an attempt brought that failed before the payment was opened again went back, and the next attempt was never sent.
    (Some(Succeeded), &[Pending], Causes::E),
    (Some(Overpaid), &[Pending], Causes::E),
    (Some(PartiallyRefunded), &[Pending], Causes::E),
    (Some(Refunded), &[Pending], Causes::E),
    // What an operator decides beyond what evidence may: that nothing moved after all.
    (Some(Authorized), &[Pending], Causes::R),
    (Some(PartiallyCaptured), &[Pending], Causes::R),
    (Some(Failed), &[Pending], Causes::R),
    (Some(Voided), &[Pending], Causes::R),
];

impl PaymentStatus {
    /// The graph that every payment moves along.
    pub const GRAPH: Graph<PaymentStatus> = Graph { name: "payment", rows: ROWS, nodes: PaymentStatus::ALL };
}
