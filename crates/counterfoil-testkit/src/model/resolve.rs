//! A person's word.

use counterfoil::claim::ClaimKind;
use counterfoil::command::{Command, Rejection, Resolution, Resolve};
use counterfoil::money::{Money, MoneyError};
use counterfoil::payment::{Evidence, OperationId, Outcome};

use super::evidence::Said;
use super::names::Fields;
use super::payment::Payment;
use super::record::recorded_failure;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn resolve(&mut self, command: &Command, resolve: &Resolve) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let own = (ClaimKind::Update, resolve.update.to_string());
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, resolve.payment)?.clone();
        let outcome = outcome(resolve, payment.asked.amount)?;
        match outcome {
            None => payment.dismiss(command)?,
            Some(outcome) => {
                let id = payment.meant_by(resolve.operation)?;
                let until = payment.operation(id).and_then(super::operation::Operation::runs_until);
                if let Some(until) = until.filter(|until| *until > command.at) {
                    return Err(Rejection::InFlight { payment: resolve.payment, until });
                }
                let evidence = Evidence::new(outcome, command.at);
                if !self.word(command, &mut payment, id, &evidence, Said::ByHand(command.at)) {
                    return Ok(unchanged(&payment));
                }
            }
        }
        self.names.take(scope, Some(own), &stream(&payment), payment.version, Fields::new());
        Ok(self.keep(scope, payment))
    }
}

/// `None`: nothing is to be done about what was marked.
fn outcome(resolve: &Resolve, asked: Money) -> Result<Option<Outcome>, Rejection> {
    let note = resolve.note.clone();
    Ok(Some(match resolve.resolution {
        Resolution::Succeeded { amount: Some(amount) } if amount.is_zero() => {
            return Err(Rejection::AmountNotPositive);
        }
        Resolution::Succeeded { amount: Some(amount) } if amount.currency() != asked.currency() => {
            let (expected, got) = (asked.currency(), amount.currency());
            return Err(MoneyError::CurrencyMismatch { expected, got }.into());
        }
        Resolution::Succeeded { amount } => Outcome::Succeeded { reported: amount },
        Resolution::Failed => Outcome::Failed(recorded_failure(Some(note))),
        Resolution::NotSent => Outcome::NotSent { error_message: note },
        _ => return Ok(None),
    }))
}

impl Payment {
    fn dismiss(&mut self, command: &Command) -> Result<(), Rejection> {
        let reviews = self.reviews();
        if reviews.is_empty() {
            return Err(Rejection::NothingToResolve { payment: self.asked.payment });
        }
        self.dismissed.extend(reviews);
        self.happened(command.at, None);
        Ok(())
    }

    /// The one that is named; else the one that is open, if there is but one.
    fn meant_by(&self, named: Option<OperationId>) -> Result<OperationId, Rejection> {
        let at_gateway = || self.operations.iter().filter(|own| own.gateway.is_some());
        if let Some(id) = named {
            let known = at_gateway().find(|own| own.id == id).ok_or(Rejection::OperationNotFound(id))?;
            let settled = !known.is_live() && self.reviews().is_empty();
            let nothing = Rejection::NothingToResolve { payment: self.asked.payment };
            return if settled { Err(nothing) } else { Ok(id) };
        }
        let open: Vec<_> = at_gateway().filter(|own| own.is_live()).collect();
        match open[..] {
            [one] => Ok(one.id),
            [] if self.reviews().is_empty() => {
                Err(Rejection::NothingToResolve { payment: self.asked.payment })
            }
            [] => Err(Rejection::NoneOpen { payment: self.asked.payment }),
            _ => Err(Rejection::SeveralOpen { payment: self.asked.payment }),
        }
    }
}
