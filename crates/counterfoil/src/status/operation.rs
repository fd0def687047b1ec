//! The operation's graph: an attempt, and later a capture, void or refund.

use super::graph::{Causes, Graph, Row};
use crate::word::words;

words! {
    /// Where an operation at a gateway stands.
    OperationStatus, "operation status" {
        /// Written down, then sent; or answered "pending".
        Processing = 1, "PROCESSING";
        /// The payer must act.
        RequiresAction = 2, "REQUIRES_ACTION";
        /// Nobody here knows. Never retried, only asked about.
        Unknown = 3, "UNKNOWN";
        /// Done.
        Succeeded = 4, "SUCCEEDED";
        /// Refused.
        Failed = 5, "FAILED";
        /// Given up before it was done.
        Canceled = 6, "CANCELED";
        /// Certainly never reached the gateway.
        NotSent = 7, "NOT_SENT";
        /// Was done, and undone by the gateway.
        Reversed = 8, "REVERSED";
        /// It is recorded and waits to be sent. Its gateway was not called yet.
        Queued = 9, "QUEUED";
    }
}

use OperationStatus::{
    Canceled, Failed, NotSent, Processing, Queued, RequiresAction, Reversed, Succeeded, Unknown,
};

/// Precedence, not arrival, decides (INVARIANTS 27): once anything was heard of an operation, silence says nothing.
const ROWS: &[Row<OperationStatus>] = &[
    (None, &[Processing, Queued], Causes::C),
    (None, &[Succeeded, Failed], Causes::CE),
    (Some(Queued), &[Processing, Canceled], Causes::C),
    // After a restore from a backup, the event that sent it may be lost.
    (
        Some(Queued),
        &[Processing, RequiresAction, Unknown, Succeeded, Failed, Canceled, NotSent, Reversed],
        Causes::E,
    ),
    (Some(Processing), &[RequiresAction, Succeeded, Failed, NotSent, Canceled], Causes::E),
    (Some(Processing), &[Unknown], Causes::ET),
    (Some(RequiresAction), &[Processing, Succeeded, Failed], Causes::E),
    (Some(RequiresAction), &[Canceled], Causes::CET),
    (Some(Unknown), &[Processing, RequiresAction, Succeeded, Failed, NotSent, Canceled], Causes::E),
    (Some(Succeeded), &[Reversed, Failed], Causes::E),
    // That it was undone can be heard before that it was done.
    (Some(Processing), &[Reversed], Causes::E),
    (Some(RequiresAction), &[Reversed], Causes::E),
    (Some(Unknown), &[Reversed], Causes::E),
    (Some(Failed), &[Reversed], Causes::E),
    (Some(Canceled), &[Reversed], Causes::E),
    (Some(NotSent), &[Reversed], Causes::E),
    (Some(Failed), &[Succeeded], Causes::E),
    (Some(Canceled), &[Failed, Succeeded], Causes::E),
    (Some(NotSent), &[Processing, RequiresAction, Canceled, Failed, Succeeded], Causes::E),
    // A return can be canceled, and a larger amount can be reported than what was returned. A refund that was declined as
    // well is a failed one then.
    (Some(Reversed), &[Succeeded, Failed], Causes::E),
    // An operator decides, whatever was known.
    (Some(Processing), &[Succeeded, Failed, NotSent, Reversed], Causes::R),
    (Some(RequiresAction), &[Succeeded, Failed, NotSent, Reversed], Causes::R),
    (Some(Unknown), &[Succeeded, Failed, NotSent, Reversed], Causes::R),
    (Some(Succeeded), &[Failed, NotSent, Reversed], Causes::R),
    (Some(Failed), &[Succeeded, NotSent, Reversed], Causes::R),
    (Some(Canceled), &[Succeeded, Failed, NotSent, Reversed], Causes::R),
    (Some(NotSent), &[Succeeded, Failed, Reversed], Causes::R),
    (Some(Reversed), &[Succeeded, Failed, NotSent], Causes::R),
    // An operator takes back that an external operation was this one, which stands as it did without that.
    (Some(Succeeded), &[Processing, RequiresAction, Unknown, Canceled], Causes::R),
    (Some(Failed), &[Processing, RequiresAction, Unknown, Canceled], Causes::R),
    (Some(Reversed), &[Processing, RequiresAction, Unknown, Canceled], Causes::R),
    (Some(NotSent), &[Processing, RequiresAction, Unknown, Canceled], Causes::R),
];

impl OperationStatus {
    /// The graph that every operation moves along.
    pub const GRAPH: Graph<OperationStatus> =
        Graph { name: "operation", rows: ROWS, nodes: OperationStatus::ALL };

    /// Whether it may still move money without being asked again.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Queued) || self.is_under_way()
    }

    /// Whether its gateway may know of it and its outcome is open.
    #[must_use]
    pub const fn is_under_way(self) -> bool {
        matches!(self, Processing | RequiresAction | Unknown)
    }
}
