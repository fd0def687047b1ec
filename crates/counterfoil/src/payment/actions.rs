//! What may be done about a payment now, up to which amount, and why not.

use serde::Serialize;

use super::{Operation, Payment, WayBack};
use crate::clock::Timestamp;
use crate::command::Policy;
use crate::gateway::CaptureReversals;
use crate::money::Money;
use crate::status::{Action, OperationStatus, PaymentStatus, allowed, depends_on_policy};

/// Whether something may be asked of a payment now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Possible {
    /// The action that may or may not be taken.
    pub action: Action,
    /// Whether the payment allows the action now.
    pub allowed: bool,
    /// Up to which amount, where one is asked for: that much is accepted, one minor unit more is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_amount: Option<Money>,
    /// Whether it takes another instrument than the payment's own: the own one was tried last, or its money was returned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_another_instrument: bool,
    /// Why not, in plain words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Payment {
    /// What may be asked of it at `now` under `policy`, with gateways that can reverse these captures: every action,
    /// with the exact amount it may be asked for, or the reason why not. A [`Ledger`](crate::ledger::Ledger::actions)
    /// knows all of that. What depends on more than that (whether its destination can be paid, say) is not checked.
    ///
    /// ```
    /// # use counterfoil::ledger::{Ledger, NewPayment};
    /// # use counterfoil::money::{Currency, Money};
    /// # use counterfoil::payment::{Destination, PaymentMethod};
    /// # use counterfoil::scope::{Caller, Scope};
    /// # use counterfoil::status::Action;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let ledger = Ledger::new(std::sync::Arc::new(counterfoil_memory::MemoryStore::new()));
    /// # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
    /// # let invoice = Destination::invoice("inv_1".parse()?);
    /// # let amount = Money::parse("99.50", Currency::USD)?;
    /// # let new = NewPayment::new(amount, invoice, PaymentMethod::Offline);
    /// # let payment = ledger.create(&caller, new).await?.payment().unwrap().clone();
    /// let actions = ledger.actions(&payment);
    /// let refund = actions.iter().find(|possible| possible.action == Action::Refund).unwrap();
    /// assert_eq!(refund.max_amount, Some(amount));
    /// let capture = actions.iter().find(|possible| possible.action == Action::Capture).unwrap();
    /// assert_eq!(capture.reason.as_deref(), Some("nothing is held: the payment is SUCCEEDED"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn actions(&self, now: Timestamp, policy: &Policy, reversals: &CaptureReversals) -> Vec<Possible> {
        Action::ALL.iter().map(|action| self.possible(*action, now, policy, reversals)).collect()
    }

    fn possible(
        &self,
        action: Action,
        now: Timestamp,
        policy: &Policy,
        reversals: &CaptureReversals,
    ) -> Possible {
        let reason = self.why_not(action, now, policy, reversals);
        let allowed = reason.is_none();
        let max_amount = if allowed { self.max_amount(action) } else { None };
        let reopens = allowed && depends_on_policy(self.status(), action);
        let needs_another_instrument = reopens && self.needs_another_instrument();
        Possible { action, allowed, max_amount, needs_another_instrument, reason }
    }

    fn max_amount(&self, action: Action) -> Option<Money> {
        match action {
            Action::Capture => Some(self.capturable()),
            Action::Refund => Some(self.refundable_at_once()),
            Action::Void if self.status() == PaymentStatus::Succeeded => Some(self.captured()),
            Action::Void => Some(self.capturable()).filter(|amount| !amount.is_zero()),
            _ => None,
        }
    }

    fn why_not(
        &self,
        action: Action,
        now: Timestamp,
        policy: &Policy,
        reversals: &CaptureReversals,
    ) -> Option<String> {
        let status = self.status();
        // What is marked is settled all the same.
        if self.archived_at().is_some() && !matches!(action, Action::Archive | Action::Resolve) {
            return Some("it is archived".to_owned());
        }
        if !allowed(status, action) {
            return Some(match action {
                Action::Capture => format!("nothing is held: the payment is {status}"),
                Action::Refund => format!("there is no money to give back: the payment is {status}"),
                _ => format!("the payment is {status}"),
            });
        }
        match action {
            Action::Process if depends_on_policy(status, action) => self.why_not_reopened(policy),
            Action::Capture => self.why_no_capture(),
            Action::Refund if self.refundable_at_once().is_zero() => Some(self.why_no_refund()),
            Action::Void => self.why_no_void(reversals),
            Action::Fail => self.why_not_closed(),
            Action::Resolve => self.why_not_resolved(now),
            _ => None,
        }
    }

    fn why_not_reopened(&self, policy: &Policy) -> Option<String> {
        if !self.terms.method.kind().needs_gateway() {
            Some("the payment is FAILED".to_owned())
        } else if policy.process_failed {
            None
        } else {
            Some("the payment is FAILED, and processing failed payments again is not enabled".to_owned())
        }
    }

    /// Whether its own instrument cannot open it again.
    fn needs_another_instrument(&self) -> bool {
        let own = self.instrument();
        self.gateway_payment_id().is_none() && (self.was_tried_last(own) || self.was_returned(own))
    }

    fn why_no_capture(&self) -> Option<String> {
        if !self.capturable().is_zero() {
            None
        } else if self.held().is_zero() {
            Some("nothing is held".to_owned())
        } else {
            Some("all that is held is being captured or released".to_owned())
        }
    }

    fn why_no_refund(&self) -> String {
        if !self.disputed().is_zero() {
            "what is not refunded is disputed".to_owned()
        } else if self.is_reserved() {
            "all of it is being given back".to_owned()
        } else if self.refundable().is_zero() {
            "all of it was given back".to_owned()
        } else {
            "it is not known by which charge the rest came".to_owned()
        }
    }

    fn why_no_void(&self, reversals: &CaptureReversals) -> Option<String> {
        match self.status() {
            PaymentStatus::Succeeded if !self.disputed().is_zero() => Some("it is disputed".to_owned()),
            PaymentStatus::Succeeded if self.is_reserved() => {
                Some("some of it is being given back".to_owned())
            }
            PaymentStatus::Succeeded if self.live_attempt().is_some() => {
                Some("an attempt of it is under way".to_owned())
            }
            PaymentStatus::Succeeded => self.why_not_undone(reversals),
            PaymentStatus::Initiated | PaymentStatus::Pending | PaymentStatus::RequiresAction => {
                self.why_not_closed()
            }
            _ => self.why_no_capture(),
        }
    }

    /// Why money that is all there, and free, cannot be taken back.
    fn why_not_undone(&self, reversals: &CaptureReversals) -> Option<String> {
        let Some(way) = self.way_back(self.captured()) else {
            return Some("it came in several charges, each of which can be refunded".to_owned());
        };
        let WayBack::Charge(attempt) = way else { return None };
        let reason = self.void_target(attempt, reversals).err()?;
        Some(format!("{reason}; use a refund"))
    }

    fn why_not_closed(&self) -> Option<String> {
        let under_way = |attempt: &Operation| {
            attempt.status().is_live() && attempt.status() != OperationStatus::RequiresAction
        };
        self.attempts().any(under_way).then(|| "an attempt of it is under way".to_owned())
    }

    fn why_not_resolved(&self, now: Timestamp) -> Option<String> {
        if !self.reviews().is_empty() {
            return None;
        }
        let live = self.operations().iter().filter(|operation| operation.status().is_under_way());
        let open = live.filter(|operation| operation.gateway.is_some());
        // Of several, each is settled by itself, and so from the first one's time on.
        let from = open.map(|operation| operation.runs_until().filter(|until| *until > now)).min();
        match from {
            Some(None) => None,
            Some(Some(until)) => Some(format!("its outcome may still come by itself until {until}")),
            None => Some("no outcome is open, and nothing is marked for review".to_owned()),
        }
    }
}
