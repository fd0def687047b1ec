//! What the gateway tells of its own accord.

use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Told};
use counterfoil::ledger::Notification;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Outcome};
use counterfoil::scope::Scope;
use counterfoil::text::{GatewayDisputeId, GatewayName, GatewayOperationId, NotificationId};

use crate::entry::{Asked, Entry, Kind};

/// Notifications that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) letters: Vec<Letter>,
    /// How often they were taken.
    pub(crate) rounds: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) scope: Scope,
    pub(crate) notification: Notification,
    /// The token of an operation that it tells the end of.
    pub(crate) ends: Option<String>,
}

/// Who writes, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen<'a> {
    pub(crate) name: &'a GatewayName,
    pub(crate) now: Timestamp,
}

impl Pen<'_> {
    /// What the gateway says of an operation. One that was not heard of has no name there.
    pub(crate) fn evidence(self, token: &str, outcome: Outcome, amount: Option<Money>) -> Evidence {
        let reached = !matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown { .. });
        let evidence = Evidence::new(outcome, self.now).with_amount(amount);
        match self.operation_id(token) {
            Some(id) if reached => evidence.with_gateway_operation_id(id),
            _ => evidence,
        }
    }

    /// What the gateway calls an operation that was sent with `token`.
    pub(crate) fn operation_id(self, token: &str) -> Option<GatewayOperationId> {
        GatewayOperationId::new(format!("{}_{token}", self.name)).ok()
    }

    /// What is told of a new entry: where it stands first, if all is told, and how it ends.
    pub(crate) fn announce(self, entry: &Entry, tells_all: bool) -> Vec<Letter> {
        let first = entry.veil.as_ref().and_then(|veil| veil.says.clone()).filter(|_| tells_all);
        let end = (tells_all || entry.veil.is_some()).then(|| entry.end.clone());
        let first = first.and_then(|outcome| self.letter(entry, outcome, false));
        first.into_iter().chain(end.and_then(|outcome| self.letter(entry, outcome, true))).collect()
    }

    /// How an operation ended.
    pub(crate) fn told(self, entry: &Entry) -> Option<Letter> {
        self.letter(entry, entry.end.clone(), true)
    }

    /// That an operation stands so.
    pub(crate) fn letter(self, entry: &Entry, outcome: Outcome, ends: bool) -> Option<Letter> {
        let asked = &entry.asked;
        let word = word(&outcome);
        let amount = entry.reported(&outcome);
        let told = told(&asked.kind, self.evidence(&asked.token, outcome, amount));
        let letter = self.about(asked, word, told)?;
        Some(Letter { ends: ends.then(|| asked.token.clone()), ..letter })
    }

    /// That a bank took back what an operation had taken.
    pub(crate) fn returned(self, entry: &Entry) -> Option<Letter> {
        let mut evidence = self.evidence(&entry.asked.token, entry.end.clone(), None);
        evidence.gateway_operation_id = self.operation_id(&format!("{}_return", entry.asked.token));
        self.about(&entry.asked, "returned", Told::Returned(evidence))
    }

    /// Something about an operation, which is told once in this word.
    fn about(self, asked: &Asked, word: &str, told: Told) -> Option<Letter> {
        let about =
            About { payment: Some(asked.payment), operation: Some(asked.operation), ..About::default() };
        self.write(&asked.scope, &format!("{}_{word}", asked.token), about, told)
    }

    /// Names follow from what is told, so a gateway that is started again does not use one twice for different things.
    pub(crate) fn write(self, scope: &Scope, what: &str, about: About, told: Told) -> Option<Letter> {
        let id = NotificationId::new(format!("{}_{what}", self.name)).ok()?;
        let notification = Notification::new(self.name.clone(), id, about, told);
        Some(Letter { scope: scope.clone(), notification, ends: None })
    }

    /// What the gateway calls a dispute.
    pub(crate) fn dispute_id(self, of: &str, number: usize) -> Option<GatewayDisputeId> {
        GatewayDisputeId::new(format!("{}_dispute_{of}_{number}", self.name)).ok()
    }
}

fn told(kind: &Kind, evidence: Evidence) -> Told {
    match kind {
        Kind::Charge(_) => Told::Attempt(evidence),
        Kind::Hold(..) => Told::Authorization(evidence),
        Kind::Capture { .. } => Told::Capture(evidence),
        Kind::Refund { .. } => Told::Refund(evidence),
        Kind::Release { .. } | Kind::Undo { .. } => Told::Void(evidence),
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed(_) => "failed",
        Outcome::Pending => "pending",
        Outcome::RequiresAction { .. } => "requires_action",
        Outcome::Canceled { .. } => "canceled",
        Outcome::Reversed { .. } => "expired",
        _ => "unknown",
    }
}
