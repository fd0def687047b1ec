//! What is owed for a destination.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder};
use super::receipt::{Receipt, Subject};
use super::view::{Halt, View};
use crate::account::{Account, AccountId, Owed};
use crate::event::Body;
use crate::payment::Destination;
use crate::status::Cause;

/// Registers what is owed for a destination, instead of what was registered before. What its payments come to is kept
/// either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The invoice or customer for which an amount is owed.
    pub destination: Destination,
    /// The amount due in all, the number of the destination, and whether it is payable.
    pub owed: Owed,
}

impl Register {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let id = AccountId::destination(&self.destination);
        let account: Option<&Arc<Account>> = view.account(&id)?;
        if let Some(known) = account.filter(|account| account.owed() == Some(&self.owed)) {
            let subject = Subject::Account(known.clone());
            return Err(Halt::Same(Box::new(Receipt::replay(subject, known.version()))));
        }
        let mut recorder = Recorder::new(command, view);
        let entry = Entry::new(Cause::Command, Body::Registered(self.owed.clone()));
        let after = recorder.account(id, account.map(AsRef::as_ref), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Account(after), sequence))
    }
}
