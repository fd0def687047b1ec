//! The model's payments: everything is worked out anew from all that was ever heard.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::command::Create;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Failure, OperationId, Outcome, Review};
use counterfoil::scope::Caller;
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{GatewayName, GatewayOperationId, Message, PaymentUrl};

use super::facts::{AttemptFacts, PaymentFacts};

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) asked: Create,
    pub(super) asked_by: Caller,
    pub(super) asked_at: Timestamp,
    pub(super) submitted: bool,
    pub(super) refused: bool,
    pub(super) archived: bool,
    pub(super) attempts: Vec<Attempt>,
    pub(super) version: u64,
    pub(super) succeeded_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    pub(super) updated_at: Timestamp,
}

impl Payment {
    /// In minor units, at most as many as [`Money`] can say.
    pub(super) fn captured(&self) -> i64 {
        self.attempts.iter().filter_map(Attempt::paid).sum::<i64>().min(Money::MAX_MINOR)
    }

    pub(super) fn status(&self) -> PaymentStatus {
        let (captured, asked) = (self.captured(), self.asked.amount.minor());
        let mut live = self.attempts.iter().map(Attempt::status).filter(|status| status.is_live());
        if captured > asked {
            PaymentStatus::Overpaid
        } else if captured > 0 {
            PaymentStatus::Succeeded
        } else if let Some(status) = live.next() {
            match status {
                OperationStatus::RequiresAction => PaymentStatus::RequiresAction,
                _ => PaymentStatus::Processing,
            }
        } else if self.refused {
            PaymentStatus::Failed
        } else if self.submitted {
            PaymentStatus::Pending
        } else {
            PaymentStatus::Initiated
        }
    }

    /// Notes that something happened to it.
    pub(super) fn happened(&mut self, at: Timestamp) {
        self.version += 1;
        self.updated_at = if self.version == 1 { at } else { at.max(self.updated_at.successor()) };
        match self.status() {
            PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut self.succeeded_at,
            PaymentStatus::Failed => &mut self.failed_at,
            _ => return,
        }
        .get_or_insert(self.updated_at);
    }

    pub(super) fn facts(&self) -> PaymentFacts {
        let currency = self.asked.amount.currency();
        let money = |minor| Money::from_minor(minor, currency).expect("checked when it was heard");
        let attempts = self.attempts.iter().zip(1..).map(|(attempt, number)| AttemptFacts {
            id: attempt.id,
            number,
            status: attempt.status(),
            moved: attempt.paid().map(money),
        });
        PaymentFacts {
            status: self.status(),
            captured: money(self.captured()),
            attempts: attempts.collect(),
            reviews: self.attempts.iter().flat_map(Attempt::reviews).collect(),
            archived: self.archived,
            version: self.version,
            succeeded_at: self.succeeded_at,
            failed_at: self.failed_at,
            updated_at: self.updated_at,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) id: OperationId,
    pub(super) sequence: u64,
    pub(super) amount: Money,
    pub(super) gateway: Option<GatewayName>,
    pub(super) heard: Vec<Heard>,
}

/// Something that was said about an attempt.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) evidence: Evidence,
    /// Whether the gateway's id in it is another attempt's.
    pub(super) clash: bool,
}

/// All that counts of what was heard: hearing something that leaves it as it is changes nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    paid: Option<i64>,
    refused: Option<Failure>,
    going_on: Option<GoingOn>,
    not_sent: Option<Message>,
    unknown: Option<Message>,
    gateway_ids: BTreeSet<GatewayOperationId>,
    reviews: BTreeSet<Review>,
}

/// When, whether the payer must act, and where.
type GoingOn = (Timestamp, bool, Option<PaymentUrl>);

impl Attempt {
    pub(super) fn known(&self) -> Known {
        Known {
            paid: self.paid(),
            refused: self.most(|evidence| match &evidence.outcome {
                Outcome::Failed(failure) => Some(failure.clone()),
                _ => None,
            }),
            going_on: self.going_on(),
            not_sent: self.most(|evidence| match &evidence.outcome {
                Outcome::NotSent { error_message } => Some(error_message.clone()),
                _ => None,
            }),
            unknown: self.most(|evidence| match &evidence.outcome {
                Outcome::Unknown { error_message } => Some(error_message.clone()),
                _ => None,
            }),
            gateway_ids: self.gateway_ids().cloned().collect(),
            reviews: self.reviews(),
        }
    }

    /// The largest success in its own currency, if it is of anything; one without an amount is of what was
    /// asked for.
    pub(super) fn paid(&self) -> Option<i64> {
        let amounts = self.successes().filter(|amount| amount.currency() == self.amount.currency());
        amounts.map(Money::minor).max().filter(|minor| *minor > 0)
    }

    /// By precedence: succeeded, failed, going on, not sent; unknown only while nothing else was ever said.
    pub(super) fn status(&self) -> OperationStatus {
        let known = self.known();
        let said = [
            known.paid.map(|_| OperationStatus::Succeeded),
            known.refused.map(|_| OperationStatus::Failed),
            known.going_on.map(|(_, acts, _)| {
                if acts { OperationStatus::RequiresAction } else { OperationStatus::Processing }
            }),
            known.not_sent.map(|_| OperationStatus::NotSent),
            known.unknown.map(|_| OperationStatus::Unknown),
        ];
        said.into_iter().flatten().next().unwrap_or(OperationStatus::Processing)
    }

    pub(super) fn reviews(&self) -> BTreeSet<Review> {
        let any = |is: fn(&Outcome) -> bool| self.heard.iter().any(|heard| is(&heard.evidence.outcome));
        let paid = self.paid().is_some();
        let refused = any(|outcome| matches!(outcome, Outcome::Failed(_)));
        let not_sent = any(|outcome| matches!(outcome, Outcome::NotSent { .. }));
        let sent = paid || refused || self.going_on().is_some();
        let own = self.successes().filter(|amount| amount.currency() == self.amount.currency());
        let ids: BTreeSet<_> = self.gateway_ids().collect();
        let reasons = [
            (Review::Contradiction, (paid && refused) || (not_sent && sent)),
            (Review::AmountMismatch, own.clone().any(|amount| amount != self.amount)),
            (Review::CurrencyMismatch, own.count() < self.successes().count()),
            (Review::GatewayIdClash, ids.len() > 1 || self.heard.iter().any(|heard| heard.clash)),
        ];
        reasons.into_iter().filter_map(|(review, holds)| holds.then_some(review)).collect()
    }

    /// What the gateway called it; an id that is another attempt's is not one of them.
    fn gateway_ids(&self) -> impl Iterator<Item = &GatewayOperationId> {
        let own = self.heard.iter().filter(|heard| !heard.clash);
        own.filter_map(|heard| heard.evidence.gateway_operation_id.as_ref())
    }

    fn successes(&self) -> impl Iterator<Item = Money> + Clone {
        self.heard.iter().filter_map(|heard| match heard.evidence.outcome {
            Outcome::Succeeded { reported } => Some(reported.unwrap_or(self.amount)),
            _ => None,
        })
    }

    /// The last that was said of an attempt that goes on, by the gateway's clock.
    fn going_on(&self) -> Option<GoingOn> {
        self.most(|evidence| match &evidence.outcome {
            Outcome::Pending => Some((evidence.occurred_at, false, None)),
            Outcome::RequiresAction { payment_url } => {
                Some((evidence.occurred_at, true, payment_url.clone()))
            }
            _ => None,
        })
    }

    fn most<T: Ord>(&self, pick: impl Fn(&Evidence) -> Option<T>) -> Option<T> {
        self.heard.iter().filter_map(|heard| pick(&heard.evidence)).max()
    }
}
