//! A fee or a payout of a gateway.

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::Subject;
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::{AccountId, GatewayEntry, GatewayEntryKind};
use crate::claim::{ClaimKey, Fingerprint, RequestField};
use crate::event::Body;
use crate::scope::Scope;
use crate::status::Cause;
use crate::text::GatewayName;

/// Records a fee or a payout of a gateway, once under each name. The account `gateway:NAME` comes to be with the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordGatewayEntry {
    /// The gateway that reports it.
    pub gateway: GatewayName,
    /// Whether it is a fee or a payout.
    pub kind: GatewayEntryKind,
    /// Its name, amount and time.
    pub entry: GatewayEntry,
}

impl RecordGatewayEntry {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let id = AccountId::gateway(&self.gateway);
        let taking = self.taking(view.scope);
        let repeated = view.unless_repeated(Some(&taking), [view.account_key(&id)]);
        repeated.map_err(|halt| self.name_difference(halt))?;
        if self.entry.amount.is_zero() {
            return Err(Rejection::AmountNotPositive.into());
        }
        let account = view.account(&id)?;
        let body = Body::of_gateway(self.kind, self.entry.clone());
        let postings = self.entry.postings(self.kind, &self.gateway);
        let entry = Entry::new(Cause::Evidence, body).claiming([taking]).posting(postings);
        let mut recorder = Recorder::new(command, view);
        let after = recorder.account(id, account.map(AsRef::as_ref), entry)?;
        let sequence = after.version();
        Ok(recorder.finish(Subject::Account(after), sequence))
    }

    /// The name that it takes. Its time and its payment are not compared: a later report may say more about both.
    fn taking(&self, scope: &Scope) -> Taking {
        let GatewayEntry { name, amount, is_reversed, .. } = &self.entry;
        let direction: &[u8] = if *is_reversed { b"reversed" } else { b"made" };
        let fingerprint = Fingerprint::default()
            .with(RequestField::Amount, &amount.minor().to_be_bytes())
            .with(RequestField::Currency, amount.currency().code().as_bytes())
            .with(RequestField::NotificationType, direction);
        (ClaimKey::gateway_entry(scope, &self.gateway, self.kind, name), fingerprint)
    }

    /// A name that is taken with other contents is rejected in the words of this command.
    fn name_difference(&self, halt: Halt) -> Halt {
        match halt {
            Halt::Rejected(Rejection::KeyMismatch { fields, .. }) => {
                let (gateway, name) = (self.gateway.clone(), self.entry.name.clone());
                Rejection::GatewayEntryDiffers { gateway, kind: self.kind, name, fields }.into()
            }
            halt => halt,
        }
    }
}
