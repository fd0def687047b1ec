//! Hiding a payment that came to nothing.

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::process::require_allowed;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::event::Body;
use crate::id::PaymentId;
use crate::status::{Action, Cause};

/// Hides a payment that came to nothing: it takes no more commands and is not listed, but it can still be
/// read, and its key still answers. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The payment to archive.
    pub payment: PaymentId,
}

impl Archive {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let payment = view.payment(self.payment)?;
        if payment.archived_at().is_some() {
            return Err(Halt::unchanged(payment));
        }
        require_allowed(payment, Action::Archive)?;
        if let Some(queued) = payment.operations().iter().find(|operation| operation.is_queued()) {
            return Err(Rejection::Queued { payment: payment.id(), operation: queued.id }.into());
        }
        Recorder::one(command, view, payment, Entry::new(Cause::Command, Body::Archived {}))
    }
}
