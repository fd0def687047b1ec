//! One operation in the gateway's books.

use counterfoil::clock::Timestamp;
use counterfoil::gateway::{Charge, Modification};
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{CaptureMethod, OperationId, Outcome};
use counterfoil::scope::Scope;
use counterfoil::text::GatewayOperationId;

use crate::behaviour::Behaviour;
use crate::course::{Course, Lifts, Veil};

/// What the gateway is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) scope: Scope,
    pub(crate) payment: PaymentId,
    pub(crate) operation: OperationId,
    pub(crate) token: String,
    pub(crate) amount: Money,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Money is taken.
    Charge(Option<Behaviour>),
    /// Money is held, until then at most.
    Hold(Option<Behaviour>, Option<Timestamp>),
    /// Held money is taken; with the last of them the rest is released.
    Capture { of: Attempt, is_final: bool },
    /// Taken money goes back.
    Refund { of: Attempt },
    /// Held money is released.
    Release { of: Attempt },
    /// A charge is taken back as if it had never been, or the capture of a hold is, which was sent with this token.
    Undo { of: Attempt, capture: Option<String> },
}

/// The attempt that a capture, a refund or a void is about.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// The token that it was sent with.
    pub(crate) token: String,
    /// Whether the caller names it as only this gateway can have named it.
    pub(crate) is_vouched: bool,
}

impl Asked {
    pub(crate) fn charge(charge: &Charge, behaviour: Option<Behaviour>) -> Asked {
        Asked {
            scope: charge.scope.clone(),
            payment: charge.payment,
            operation: charge.operation,
            token: charge.token.clone(),
            amount: charge.amount,
            kind: match charge.capture_method {
                CaptureMethod::Manual => Kind::Hold(behaviour, charge.expires_at),
                _ => Kind::Charge(behaviour),
            },
        }
    }

    /// `own_id`: what this gateway calls an operation that was sent with a token.
    pub(crate) fn modification(
        asked: &Modification,
        own_id: impl FnOnce(&str) -> Option<GatewayOperationId>,
    ) -> Asked {
        let token = asked.attempt.to_string();
        let named = asked.gateway_attempt_id.is_some() && asked.gateway_attempt_id == own_id(&token);
        let of = Attempt { token, is_vouched: named || asked.gateway_payment_id.is_some() };
        Asked {
            scope: asked.scope.clone(),
            payment: asked.payment,
            operation: asked.operation,
            token: asked.token.clone(),
            amount: asked.amount,
            kind: match asked.operation {
                OperationId::Capture(_) => Kind::Capture { of, is_final: asked.is_final },
                OperationId::Void(_) if asked.holds => Kind::Release { of },
                OperationId::Void(_) => {
                    Kind::Undo { of, capture: asked.reverses.map(|capture| capture.to_string()) }
                }
                _ => Kind::Refund { of },
            },
        }
    }

    /// The attempt that it is about, if it is none itself.
    pub(crate) fn of(&self) -> Option<&Attempt> {
        match &self.kind {
            Kind::Charge(_) | Kind::Hold(..) => None,
            Kind::Capture { of, .. } | Kind::Refund { of } | Kind::Release { of } | Kind::Undo { of, .. } => {
                Some(of)
            }
        }
    }

    pub(crate) fn behaviour(&self) -> Option<Behaviour> {
        match self.kind {
            Kind::Charge(behaviour) | Kind::Hold(behaviour, _) => behaviour,
            _ => None,
        }
    }
}

/// An operation that the gateway has heard of.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) asked: Asked,
    /// How it ended, or where it stands while only somebody else can end it.
    pub(crate) end: Outcome,
    /// The amount that is reported with a success, where it is not what was asked for.
    pub(crate) amount: Option<Money>,
    pub(crate) veil: Option<Veil>,
    /// Whether it is said already that the hold ran out.
    pub(crate) expiry_told: bool,
}

impl Entry {
    /// `None`: the gateway never hears of it.
    pub(crate) fn new(asked: Asked, course: &Course) -> Option<Entry> {
        let (end, veil) = (course.end.clone()?, course.veil.clone());
        Some(Entry { asked, end, amount: course.amount, veil, expiry_told: false })
    }

    /// What is said of it; `None`: that it is not known.
    pub(crate) fn said(&self, now: Timestamp) -> Option<&Outcome> {
        match &self.veil {
            Some(veil) if !is_over(veil, now) => veil.says.as_ref(),
            _ => Some(&self.end),
        }
    }

    /// What is said of it to somebody who asks: every question brings it nearer to the truth.
    pub(crate) fn answer(&mut self, now: Timestamp) -> Option<Outcome> {
        let said = self.said(now).cloned();
        if let Some(Veil { lifts: Lifts::AfterQuestions(left), .. }) = &mut self.veil {
            *left = left.saturating_sub(1);
        }
        said
    }

    pub(crate) fn lift(&mut self) {
        self.veil = None;
    }

    /// The amount that is reported with `outcome`.
    pub(crate) fn reported(&self, outcome: &Outcome) -> Option<Money> {
        self.amount.filter(|_| matches!(outcome, Outcome::Succeeded))
    }

    /// What it has moved, in minor units, as far as it is said.
    pub(crate) fn moved(&self, now: Timestamp) -> i64 {
        self.said(now).map_or(0, |said| self.moved_by(said))
    }

    /// What it has moved once or will have, whether or not it is said already.
    pub(crate) fn bound(&self, now: Timestamp) -> i64 {
        self.ever_moved(now).max(self.moved_by(&self.end))
    }

    /// What it moved once, whatever became of that.
    pub(crate) fn ever_moved(&self, now: Timestamp) -> i64 {
        match self.said(now) {
            Some(Outcome::Reversed { .. }) => self.asked.amount.minor(),
            _ => self.moved(now),
        }
    }

    fn moved_by(&self, outcome: &Outcome) -> i64 {
        match outcome {
            Outcome::Succeeded => self.amount.unwrap_or(self.asked.amount).minor(),
            _ => 0,
        }
    }

    /// Whether it is a hold that has run out.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        matches!(self.asked.kind, Kind::Hold(_, Some(until)) if until <= now)
    }
}

fn is_over(veil: &Veil, now: Timestamp) -> bool {
    match veil.lifts {
        Lifts::At(time) => time <= now,
        Lifts::AfterQuestions(left) => left == 0,
        Lifts::WhenNotified => false,
    }
}
