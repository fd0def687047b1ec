//! What may be asked of a payment in each status. Amounts, leases and flags decide the rest.

use super::PaymentStatus::{
    self, Authorized, Failed, Initiated, Overpaid, PartiallyCaptured, PartiallyRefunded, Pending, Refunded,
    RequiresAction, Succeeded,
};
use crate::word::words;

words! {
    /// Something that can be asked of a payment that exists. The table is the whole law; which of these this
    /// version can do is told by [`Request`](crate::command::Request).
    Action, "action" {
        /// Send it (again) to a gateway, or carry it out in our own books.
        Process = 1, "process";
        /// Write down an attempt that was made elsewhere.
        RecordAttempt = 2, "record_attempt";
        /// Accept it without sending it.
        Submit = 3, "submit";
        /// End it without money.
        Fail = 4, "fail";
        /// Take money that is held.
        Capture = 5, "capture";
        /// Cancel it, or release what is held.
        Void = 6, "void";
        /// Give captured money back.
        Refund = 7, "refund";
        /// Hide it from lists.
        Archive = 8, "archive";
        /// Change references or metadata.
        Change = 9, "change";
        /// An operator settles what is unknown or flagged.
        Resolve = 10, "resolve";
    }
}

/// The table: whether `status` allows `action` at all. A [policy](depends_on_policy) may be needed too.
#[must_use]
pub const fn allowed(status: PaymentStatus, action: Action) -> bool {
    match action {
        Action::Process => matches!(status, Initiated | Pending | Failed),
        Action::RecordAttempt | Action::Fail => matches!(status, Initiated | Pending),
        Action::Submit => matches!(status, Initiated),
        Action::Capture => matches!(status, Authorized | PartiallyCaptured | PartiallyRefunded | Refunded),
        Action::Void => matches!(
            status,
            Initiated
                | Pending
                | RequiresAction
                | Succeeded
                | Authorized
                | PartiallyCaptured
                | PartiallyRefunded
                | Refunded
        ),
        Action::Refund => matches!(status, Succeeded | Overpaid | PartiallyCaptured | PartiallyRefunded),
        Action::Archive => matches!(status, Initiated | Failed),
        Action::Change | Action::Resolve => true,
    }
}

/// Whether `status` allows `action` only under a policy that is off by default: a `FAILED` payment can be processed again
/// with another instrument under [`Policy::process_failed`](crate::command::Policy::process_failed).
#[must_use]
pub const fn depends_on_policy(status: PaymentStatus, action: Action) -> bool {
    matches!((status, action), (Failed, Action::Process))
}

impl Action {
    /// Itself as a word in a sentence, followed by "a payment".
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Action::RecordAttempt => "record an attempt of",
            _ => self.as_str(),
        }
    }

    /// The statuses that allow this action under any policy.
    pub fn statuses(self) -> impl Iterator<Item = PaymentStatus> {
        let always =
            move |status: &PaymentStatus| allowed(*status, self) && !depends_on_policy(*status, self);
        PaymentStatus::ALL.iter().copied().filter(always)
    }
}
