//! What a test plays: the payer, the payer's bank, the card network.

use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{DisputeWordKind, FailureClass, Outcome};
use counterfoil::text::{GatewayDisputeId, Message};

use crate::Sandbox;
use crate::books::takes;
use crate::course::{DONE, no};
use crate::dispute::Dispute;
use crate::entry::Entry;
use crate::outbox::{Letter, Pen};

impl Sandbox {
    /// The payer acts: pays, or does not. What is asked about later says so, and a notification does. `false`: nothing
    /// of this payment waits for the payer.
    pub fn act(&self, payment: PaymentId, success: bool) -> bool {
        let end = if success {
            DONE
        } else {
            no(FailureClass::Soft, "authentication_failed", "the payer did not approve")
        };
        self.change(payment, |entry, pen| {
            if !matches!(entry.end, Outcome::RequiresAction { .. }) {
                return None;
            }
            entry.end = end.clone();
            pen.told(entry)
        })
    }

    /// A bank takes back all that was taken for the payment. `false`: there is nothing.
    pub fn bank_return(&self, payment: PaymentId) -> bool {
        self.change(payment, |entry, pen| {
            if !takes(entry) || entry.moved(pen.now) == 0 {
                return None;
            }
            entry.end = Outcome::Reversed { error_message: Message::lossy("the bank took it back") };
            entry.lift();
            pen.returned(entry)
        })
    }

    /// The payer disputes so much of what was taken, by a chargeback. `None`: nothing was taken.
    pub fn open_dispute(&self, payment: PaymentId, amount: Money) -> Option<GatewayDisputeId> {
        let pen = self.pen();
        let state = &mut *self.state();
        let scope =
            state.books.of_payment(payment).find(|entry| entry.moved(pen.now) > 0)?.asked.scope.clone();
        let number = state.books.disputes.iter().filter(|dispute| dispute.payment == payment).count() + 1;
        let id = pen.dispute_id(&payment.to_string(), number)?;
        let mut dispute = Dispute::new(scope, payment, id.clone(), amount);
        state.outbox.letters.extend(dispute.go_on(DisputeWordKind::Opened, pen));
        state.books.disputes.push(dispute);
        Some(id)
    }

    /// The gateway takes the disputed money. `false`, as of the following: there is no such dispute, or it was done.
    pub fn withdraw(&self, dispute: &GatewayDisputeId) -> bool {
        self.go_on(dispute, DisputeWordKind::FundsWithdrawn)
    }

    /// The host wins the dispute; it may have lost it before.
    pub fn win(&self, dispute: &GatewayDisputeId) -> bool {
        self.go_on(dispute, DisputeWordKind::Won)
    }

    /// The host loses it; it may have won it before.
    pub fn lose(&self, dispute: &GatewayDisputeId) -> bool {
        self.go_on(dispute, DisputeWordKind::Lost)
    }

    /// The gateway gives back what it took for it.
    pub fn reinstate(&self, dispute: &GatewayDisputeId) -> bool {
        self.go_on(dispute, DisputeWordKind::FundsReinstated)
    }

    fn go_on(&self, dispute: &GatewayDisputeId, kind: DisputeWordKind) -> bool {
        let pen = self.pen();
        let state = &mut *self.state();
        let known = state.books.disputes.iter_mut().find(|known| known.id == *dispute);
        let letter = known.and_then(|dispute| dispute.go_on(kind, pen));
        let told = letter.is_some();
        state.outbox.letters.extend(letter);
        told
    }

    /// Changes entries of a payment, as far as `change` does, and tells of it. Whether it changed any.
    fn change(&self, payment: PaymentId, change: impl Fn(&mut Entry, Pen<'_>) -> Option<Letter>) -> bool {
        let pen = self.pen();
        let state = &mut *self.state();
        let entries = state.books.entries_mut().filter(|entry| entry.asked.payment == payment);
        let told: Vec<_> = entries.filter_map(|entry| change(entry, pen)).collect();
        let any = !told.is_empty();
        state.outbox.letters.extend(told);
        any
    }
}
