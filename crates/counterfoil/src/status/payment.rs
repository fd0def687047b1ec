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

/// By command and by the clock this is the law. By evidence it is a record: exactly the moves that derived
/// statuses make when facts arrive, enumerated by the test in `command/reach.rs` from every reachable state.
const ROWS: &[Row<PaymentStatus>] = &[
    (None, &[Initiated, Pending, Processing, Succeeded, Overpaid, Failed], Causes::C),
    (Some(Initiated), &[Pending, Processing, Succeeded, Overpaid, Failed], Causes::C),
    (Some(Initiated), &[Voided], Causes::CT),
    (Some(Pending), &[Processing, Succeeded, Overpaid], Causes::C),
    // Money that is written down after a gateway told that it gave some back.
    (Some(Pending), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(Pending), &[Failed, Voided], Causes::CT),
    (Some(RequiresAction), &[Voided], Causes::CT),
    (Some(Authorized), &[Voided], Causes::T),
    (Some(PartiallyCaptured), &[Succeeded, Overpaid], Causes::T),
    (Some(PartiallyCaptured), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(Succeeded), &[PartiallyRefunded, Refunded, Voided], Causes::C),
    (Some(Overpaid), &[PartiallyRefunded, Refunded], Causes::C),
    (Some(PartiallyRefunded), &[Refunded], Causes::C),
    /*E*/
    (
        Some(Initiated),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Pending),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Processing),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(RequiresAction),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Authorized),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(PartiallyCaptured),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Succeeded),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Overpaid),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(PartiallyRefunded),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Refunded),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Failed),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    (
        Some(Voided),
        &[
            Initiated,
            Pending,
            Processing,
            RequiresAction,
            Authorized,
            PartiallyCaptured,
            Succeeded,
            Overpaid,
            PartiallyRefunded,
            Refunded,
            Failed,
            Voided,
        ],
        Causes::E,
    ),
    /*F*/
];

impl PaymentStatus {
    /// The graph that every payment moves along.
    pub const GRAPH: Graph<PaymentStatus> = Graph { name: "payment", rows: ROWS, nodes: PaymentStatus::ALL };
}
