//! Disputes, as the gateway's books have them.

use counterfoil::clock::Timestamp;
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
    /// What was said, and when.
    said: Vec<(DisputeWordKind, Timestamp)>,
}

impl Dispute {
    pub(crate) fn new(scope: Scope, payment: PaymentId, id: GatewayDisputeId, amount: Money) -> Dispute {
        Dispute { scope, payment, id, amount, said: Vec::new() }
    }

    /// What it has of the payment's money, or may have, in minor units.
    pub(crate) fn reserves(&self) -> i64 {
        let reinstated = self.was(DisputeWordKind::FundsReinstated);
        let withdrawn = self.was(DisputeWordKind::FundsWithdrawn) && !reinstated;
        let [won, lost] = [DisputeWordKind::Won, DisputeWordKind::Lost].map(|end| self.at(end));
        let is_free = match (won, lost) {
            (None, None) => false,
            (won, lost) if won > lost => !withdrawn,
            _ => reinstated,
        };
        if is_free { 0 } else { self.amount.minor() }
    }

    /// Goes on with it, and tells so; `None`: that cannot come now. An end may be corrected, once.
    pub(crate) fn go_on(&mut self, kind: DisputeWordKind, pen: Pen<'_>) -> Option<Letter> {
        let too_soon = kind == DisputeWordKind::FundsReinstated && !self.was(DisputeWordKind::FundsWithdrawn);
        if too_soon || self.was(kind) {
            return None;
        }
        self.said.push((kind, pen.now));
        let about = About {
            payment: Some(self.payment),
            gateway_dispute_id: Some(self.id.clone()),
            ..About::default()
        };
        let word = DisputeWord::new(kind, pen.now).with_amount(self.amount);
        let what = format!("{}_{}", self.id, kind.as_str());
        let mut letter = pen.write(&self.scope, &what, about, Told::Dispute(word))?;
        if let Some(funds) = NotificationId::new(what).ok().filter(|_| kind.moves_funds()) {
            letter.notification = letter.notification.with_funds(funds);
        }
        Some(letter)
    }

    fn was(&self, kind: DisputeWordKind) -> bool {
        self.at(kind).is_some()
    }

    fn at(&self, kind: DisputeWordKind) -> Option<Timestamp> {
        self.said.iter().find(|(said, _)| *said == kind).map(|(_, at)| *at)
    }
}
