//! Disputes, as the gateway's books have them.

use counterfoil::command::{About, Told};
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{DisputeWord, DisputeWordKind};
use counterfoil::scope::Scope;
use counterfoil::text::{GatewayDisputeId, NotificationId};

use crate::outbox::{Letter, Pen};

/// That a payer wants money back, by way of the bank.
#[derive(Debug)]
pub(crate) struct Dispute {
    pub(crate) scope: Scope,
    pub(crate) payment: PaymentId,
    pub(crate) id: GatewayDisputeId,
    pub(crate) amount: Money,
    said: Vec<DisputeWordKind>,
}

impl Dispute {
    pub(crate) fn new(scope: Scope, payment: PaymentId, id: GatewayDisputeId, amount: Money) -> Dispute {
        Dispute { scope, payment, id, amount, said: Vec::new() }
    }

    /// What it has of the payment's money, or may have, in minor units.
    pub(crate) fn reserves(&self) -> i64 {
        let withdrawn =
            self.was(DisputeWordKind::FundsWithdrawn) && !self.was(DisputeWordKind::FundsReinstated);
        if withdrawn || !self.was(DisputeWordKind::Won) { self.amount.minor() } else { 0 }
    }

    /// Goes on with it, and tells so; `None`: that cannot come now.
    pub(crate) fn go_on(&mut self, kind: DisputeWordKind, pen: Pen<'_>) -> Option<Letter> {
        let may = match kind {
            DisputeWordKind::Opened | DisputeWordKind::FundsWithdrawn => true,
            DisputeWordKind::FundsReinstated => self.was(DisputeWordKind::FundsWithdrawn),
            _ => !self.was(DisputeWordKind::Won) && !self.was(DisputeWordKind::Lost),
        };
        if !may || self.was(kind) {
            return None;
        }
        self.said.push(kind);
        let about = About {
            payment: Some(self.payment),
            gateway_dispute_id: Some(self.id.clone()),
            ..About::default()
        };
        let word = DisputeWord::new(kind, pen.now).with_amount(self.amount);
        let what = format!("{}_{}", self.id, kind.as_str());
        let mut letter = pen.write(&self.scope, &what, about, Told::Dispute(word))?;
        let moves = matches!(kind, DisputeWordKind::FundsWithdrawn | DisputeWordKind::FundsReinstated);
        if let Some(funds) = NotificationId::new(what).ok().filter(|_| moves) {
            letter.notification = letter.notification.with_funds(funds);
        }
        Some(letter)
    }

    fn was(&self, kind: DisputeWordKind) -> bool {
        self.said.contains(&kind)
    }
}
