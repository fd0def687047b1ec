//! What an operation does, and how the ledger came to know of it. Neither ever changes.

use serde::{Serialize, Serializer};

use super::super::retry::Retry;
use crate::id::{AttemptId, CaptureId};
use crate::money::Money;
use crate::word::words;

/// What an operation does. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationKind {
    /// An attempt that takes money.
    Charge {
        /// When the next attempt is due should this one be declined, if ever.
        retry: Option<Retry>,
        /// Whether the schedule of retries made it, not a caller.
        is_scheduled: bool,
    },
    /// An attempt that holds money for captures.
    Authorization {
        /// When the next attempt is due should this one be declined, if ever.
        retry: Option<Retry>,
        /// Whether the schedule of retries made it, not a caller.
        is_scheduled: bool,
    },
    /// A capture: it takes money that an authorization holds.
    Capture {
        /// The attempt that holds the money. `None`: the capture is not allocated.
        of: Option<AttemptId>,
        /// Of a final capture: what of the hold is released with it.
        releases: Option<Money>,
    },
    /// Captured money given back.
    Refund {
        /// The attempt that brought the money. `None`: the refund is not allocated, or of money that came by no gateway.
        of: Option<AttemptId>,
    },
    /// A hold released, or captured money given back as if it had never been captured.
    Void {
        /// The attempt that holds or brought the money. `None`: of money that came by no gateway.
        of: Option<AttemptId>,
        /// What it gives back.
        target: VoidTarget,
    },
}

impl OperationKind {
    /// The name of the kind, as in `charge` or `refund`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            OperationKind::Charge { .. } => "charge",
            OperationKind::Authorization { .. } => "authorization",
            OperationKind::Capture { .. } => "capture",
            OperationKind::Refund { .. } => "refund",
            OperationKind::Void { .. } => "void",
        }
    }

    /// The attempt that a capture, a refund or a void is of.
    #[must_use]
    pub const fn parent(self) -> Option<AttemptId> {
        match self {
            OperationKind::Charge { .. } | OperationKind::Authorization { .. } => None,
            OperationKind::Capture { of, .. }
            | OperationKind::Refund { of }
            | OperationKind::Void { of, .. } => of,
        }
    }

    /// The schedule that an attempt was started under.
    #[must_use]
    pub const fn retry(self) -> Option<Retry> {
        match self {
            OperationKind::Charge { retry, .. } | OperationKind::Authorization { retry, .. } => retry,
            _ => None,
        }
    }

    /// Whether the schedule of retries made an attempt, not a caller.
    #[must_use]
    pub const fn is_scheduled(self) -> bool {
        match self {
            OperationKind::Charge { is_scheduled, .. }
            | OperationKind::Authorization { is_scheduled, .. } => is_scheduled,
            _ => false,
        }
    }

    /// Of a final capture: what of the hold is released with it.
    #[must_use]
    pub const fn releases(self) -> Option<Money> {
        match self {
            OperationKind::Capture { releases, .. } => releases,
            _ => None,
        }
    }

    /// What a void gives back.
    #[must_use]
    pub const fn void_target(self) -> Option<VoidTarget> {
        match self {
            OperationKind::Void { target, .. } => Some(target),
            _ => None,
        }
    }

    /// Of a void that reverses a capture: that capture.
    #[must_use]
    pub const fn reversed_capture(self) -> Option<CaptureId> {
        match self.void_target() {
            Some(VoidTarget::Capture(capture)) => Some(capture),
            _ => None,
        }
    }

    pub(crate) const fn with_retry(mut self, follows: Option<Retry>) -> OperationKind {
        if let OperationKind::Charge { retry, .. } | OperationKind::Authorization { retry, .. } = &mut self {
            *retry = follows;
        }
        self
    }

    pub(crate) const fn with_parent(mut self, parent: Option<AttemptId>) -> OperationKind {
        match &mut self {
            OperationKind::Charge { .. } | OperationKind::Authorization { .. } => {}
            OperationKind::Capture { of, .. }
            | OperationKind::Refund { of }
            | OperationKind::Void { of, .. } => *of = parent,
        }
        self
    }
}

impl Serialize for OperationKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields {
            kind: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            attempt_id: Option<AttemptId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            releases: Option<String>,
            #[serde(flatten)]
            retry: Option<Retry>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            scheduled: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            capture_id: Option<CaptureId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            void_type: Option<&'static str>,
        }
        Fields {
            kind: self.as_str(),
            attempt_id: self.parent(),
            releases: self.releases().map(|amount| amount.amount_text().to_string()),
            retry: self.retry(),
            scheduled: self.is_scheduled(),
            capture_id: self.reversed_capture(),
            void_type: self.void_target().map(VoidTarget::as_str),
        }
        .serialize(to)
    }
}

/// What a void gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VoidTarget {
    /// The rest of a hold.
    Hold,
    /// A charge, as if it had never been made.
    Charge,
    /// This capture of a hold, as if it had never been made.
    Capture(CaptureId),
}

impl VoidTarget {
    /// Whether the hold is released or captured money goes back, by its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            VoidTarget::Hold => "release",
            VoidTarget::Charge | VoidTarget::Capture(_) => "reversal",
        }
    }
}

words! {
    /// How the ledger came to know of an operation. It never changes.
    Origin, "origin" {
        /// It was asked for here.
        Requested = 1, "requested";
        /// It happened elsewhere, and the host wrote it down.
        Recorded = 2, "recorded";
        /// A gateway reported it first.
        External = 3, "external";
    }
}
