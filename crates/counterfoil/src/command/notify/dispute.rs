//! How a notification about a dispute is decided.

use super::super::change::Entry;
use super::super::view::{Halt, View};
use super::{EventWriter, Notify, UnknownReference, unknown_id};
use crate::claim::{ClaimKey, Fingerprint};
use crate::event::{Body, Disputed};
use crate::id::DisputeId;
use crate::payment::{Dispute, DisputeWord, Operation, Payment};
use crate::status::Cause;
use crate::text::NotificationId;

impl Notify {
    /// A dispute is of its payment, whatever else is named. But what is named must be of that payment too.
    fn require_known(&self, view: &View<'_>, payment: &Payment) -> Result<(), Halt> {
        self.parent(view, payment)?;
        let there = |operation: &Operation| operation.gateway.as_ref() == Some(&self.gateway);
        match self.about.operation {
            Some(id) if !payment.operation(id).is_some_and(there) => Err(unknown_id(id).into()),
            _ => Ok(()),
        }
    }

    pub(super) fn dispute(
        &self,
        view: &View<'_>,
        word: &DisputeWord,
        writer: &mut EventWriter<'_>,
    ) -> Result<(), Halt> {
        let payment = writer.after.clone();
        let called = self.about.gateway_dispute_id.as_ref().ok_or(UnknownReference::Unnamed)?;
        self.require_known(view, &payment)?;
        let key = ClaimKey::gateway_dispute(view.scope, &self.gateway, called);
        let claim = view.claim(&key)?;
        let own =
            |dispute: &&Dispute| dispute.gateway == self.gateway && dispute.gateway_dispute_id == *called;
        let known = payment.disputes().iter().find(own);
        if known.is_none() && claim.is_some() {
            // It is about another payment.
            return Err(UnknownReference::Conflicting.into());
        }
        let new = || {
            let (gateway, called) = (self.gateway.clone(), called.clone());
            Dispute::new(DisputeId::new(self.id), gateway, called, payment.terms().amount, word.occurred_at)
        };
        let before = known.cloned().unwrap_or_else(new);
        let mut after = before.clone();
        let movement = self.funds.clone().filter(|_| word.kind.moves_funds());
        after.apply_report(word, movement.as_ref().map(NotificationId::as_str));
        if known.is_some() && after == before {
            return Ok(());
        }
        let (gateway, gateway_dispute_id) = (self.gateway.clone(), called.clone());
        let disputed =
            Disputed { dispute: before.id, gateway, gateway_dispute_id, movement, word: word.clone() };
        let taking = known.is_none().then(|| (key, Fingerprint::default()));
        writer.write(Entry::new(Cause::Evidence, Body::Disputed(disputed)).claiming(taking))
    }
}
