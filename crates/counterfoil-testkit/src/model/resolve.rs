//! What an operator decides.

use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Rejection, Resolution, Resolve};
use counterfoil::destinations::Known as Host;
use counterfoil::id::DisputeId;
use counterfoil::money::{Money, MoneyError};
use counterfoil::payment::{Evidence, OperationId, Origin, Outcome, PaymentMethod};
use counterfoil::text::Message;

use super::dispute::Dispute;
use super::names::Fields;
use super::operation::{About, Operation, Report, Stated};
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
        check_amount(&resolve.resolution, payment.asked.amount)?;
        let news = match resolve.resolution {
            Resolution::Dismissed => payment.dismiss(command)?,
            Resolution::Won { dispute } => payment.decide_dispute(command, dispute, |_| None)?,
            Resolution::Lost { dispute, amount } => payment
                .decide_dispute(command, dispute, |known| Some(amount.unwrap_or_else(|| known.all())))?,
            _ => self.decide_operation(command, &mut payment, resolve)?,
        };
        if !news {
            return Ok(unchanged(&payment));
        }
        self.names.take(scope, Some(own), &stream(&payment), payment.version, Fields::new());
        Ok(self.keep(scope, payment))
    }

    fn decide_operation(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        resolve: &Resolve,
    ) -> Result<bool, Rejection> {
        let id = payment.resolved(resolve.operation)?;
        let known = payment.operation(id).expect("it is there");
        if let Some(until) = known.runs_until().filter(|until| *until > command.at) {
            return Err(Rejection::InFlight { payment: resolve.payment, until });
        }
        if known.is_resolved_as(&resolve.resolution) {
            return Ok(false);
        }
        payment.check_fit(known, &resolve.resolution, command.at)?;
        Ok(self.decide(command, payment, id, resolve.resolution, Some(&resolve.note), command.at))
    }

    /// An operator decides about an operation. Whether that changes anything about it.
    pub(super) fn decide(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        id: OperationId,
        resolution: Resolution,
        note: Option<&Message>,
        at: Timestamp,
    ) -> bool {
        let moment = payment.moment(command.at);
        let place = payment.operations.iter().position(|own| own.id == id).expect("it is there");
        let fails = resolution == Resolution::Failed && payment.ends_with(&payment.operations[place]);
        let own = &mut payment.operations[place];
        let stated = match resolution {
            Resolution::SameAs { operation } => Some(Stated::SameAs(operation)),
            Resolution::Another => Some(Stated::Another),
            // What is allocated is not another one's.
            Resolution::Allocated { .. } => own.stated.filter(|stated| *stated == Stated::Another),
            _ => own.stated,
        };
        let allocated = match resolution {
            Resolution::Allocated { attempt } => Some(attempt),
            _ => own.allocated,
        };
        let news = match resolution {
            Resolution::SameAs { .. } | Resolution::Another | Resolution::Allocated { .. } => {
                (own.stated, own.allocated) != (stated, allocated)
            }
            _ => own.decide(own.says(resolution, note, at)) || own.ended != fails,
        };
        if !news {
            return false;
        }
        let was_same = own.same_as();
        (own.stated, own.allocated) = (stated, allocated);
        own.touched = moment;
        let (is_same, reports) = (own.same_as(), own.reports_for_requested());
        let decides = !matches!(
            resolution,
            Resolution::SameAs { .. } | Resolution::Another | Resolution::Allocated { .. }
        );
        own.ended = if decides { fails } else { own.ended };
        if matches!(resolution, Resolution::Allocated { .. }) {
            own.parents_then = own.parents();
        }
        for requested in [was_same, is_same].into_iter().flatten() {
            let same = payment.operations.iter_mut().find(|own| own.id == requested);
            let same = same.expect("it fits");
            same.forget(id);
            same.touched = moment;
        }
        if let Some(requested) = is_same {
            let same = payment.operations.iter_mut().find(|own| own.id == requested);
            same.expect("it fits").reports.extend(reports);
        }
        self.happened(command, payment, &Host::Unasked, Some(at));
        true
    }
}

fn check_amount(resolution: &Resolution, asked: Money) -> Result<(), Rejection> {
    match *resolution {
        Resolution::Succeeded { amount: Some(amount) }
        | Resolution::Returned { amount: Some(amount) }
        | Resolution::Lost { amount: Some(amount), .. } => {
            let (expected, got) = (asked.currency(), amount.currency());
            if amount.is_zero() {
                Err(Rejection::AmountNotPositive)
            } else if expected != got {
                Err(MoneyError::CurrencyMismatch { expected, got }.into())
            } else {
                Ok(())
            }
        }
        _ => Ok(()),
    }
}

impl Operation {
    /// Whether an operator said before what it is in these words.
    fn is_resolved_as(&self, resolution: &Resolution) -> bool {
        match *resolution {
            Resolution::SameAs { operation } => self.same_as() == Some(operation),
            Resolution::Another => self.stated == Some(Stated::Another),
            Resolution::Allocated { attempt } => {
                self.allocated == Some(attempt) && !self.is_same_as_another()
            }
            _ => false,
        }
    }

    /// What became of it, as an operator says, in the words of reports.
    fn says(&self, resolution: Resolution, note: Option<&Message>, at: Timestamp) -> Vec<Report> {
        let error_message = note.cloned().unwrap_or_else(|| Message::lossy("set by hand"));
        let was_charged = self.charged().is_some() || self.reported().charged().is_some();
        let was_held = self.known().held().is_some() || self.reported().held().is_some();
        let authorizes = self.is_attempt() && ((self.authorizes && !self.is_external()) || was_held);
        let about = if authorizes && !was_charged { About::Authorization } else { About::Operation };
        let say = |outcome, amount| {
            let mut evidence = Evidence::new(outcome, at);
            evidence.amount = amount;
            Report::about(about.clone(), evidence)
        };
        match resolution {
            Resolution::Succeeded { amount } => {
                vec![say(Outcome::Succeeded, Some(amount.unwrap_or(self.amount())))]
            }
            Resolution::Failed => vec![say(Outcome::Failed(recorded_failure(note.cloned())), None)],
            Resolution::NotSent => vec![say(Outcome::NotSent { error_message }, None)],
            Resolution::Returned { amount } => {
                let brought = self
                    .charged()
                    .or(self.reported().charged())
                    .map(|minor| Money::from_minor(minor, self.asked.currency()).expect("it was money"));
                let brought = Some(brought.unwrap_or(self.amount()));
                vec![say(Outcome::Succeeded, brought), say(Outcome::Reversed { error_message }, amount)]
            }
            other => panic!("{other:?} says nothing of what became of it"),
        }
    }
}

impl Payment {
    /// An operator decides about a dispute what the payer keeps of it. Whether that changes anything about it.
    fn decide_dispute(
        &mut self,
        command: &Command,
        id: DisputeId,
        kept: impl FnOnce(&Dispute) -> Option<Money>,
    ) -> Result<bool, Rejection> {
        let place = self.disputes.iter().position(|known| known.id == id);
        let place = place.ok_or(Rejection::DisputeNotFound(id))?;
        let is_flagged = self.marks_about(&id.to_string()).iter().any(|reviews| !reviews.is_empty());
        let dispute = &mut self.disputes[place];
        if !dispute.is_open() && !is_flagged {
            return Err(Rejection::Settled { payment: self.asked.payment });
        }
        let kept = kept(dispute);
        let news = dispute.decide(kept, command.at);
        if news {
            self.happened(command.at, None);
        }
        Ok(news)
    }

    fn dismiss(&mut self, command: &Command) -> Result<bool, Rejection> {
        let reviews = self.reviews();
        if reviews.is_empty() {
            return Err(Rejection::NothingToResolve { payment: self.asked.payment });
        }
        self.dismissed.extend(reviews);
        self.happened(command.at, None);
        Ok(true)
    }

    /// The one that is named; else the one that is open, if there is but one.
    fn resolved(&self, named: Option<OperationId>) -> Result<OperationId, Rejection> {
        let payment = self.asked.payment;
        let credits = matches!(self.asked.method, PaymentMethod::Credits(_));
        let at_gateway = || {
            let written_down = |own: &Operation| own.origin == Origin::Recorded && !credits;
            self.operations.iter().filter(move |own| own.gateway.is_some() || written_down(own))
        };
        if let Some(id) = named {
            let known = at_gateway().find(|own| own.id == id).ok_or(Rejection::OperationNotFound(id))?;
            if known.is_queued() {
                return Err(Rejection::Queued { payment, operation: id });
            }
            let may_be = self.may_be_resolved(known);
            return if may_be { Ok(id) } else { Err(Rejection::Settled { payment }) };
        }
        let open: Vec<_> = at_gateway().filter(|own| own.status().is_under_way()).collect();
        match open[..] {
            [one] => Ok(one.id),
            [] if self.reviews().is_empty() => Err(Rejection::NothingToResolve { payment }),
            [] => Err(Rejection::NoneOpen { payment }),
            _ => Err(Rejection::SeveralOpen { payment }),
        }
    }

    /// What a gateway settled, and nothing contradicts, stays so.
    fn may_be_resolved(&self, own: &Operation) -> bool {
        let was_decided = own.decided.is_some()
            || own.stated.is_some()
            || own.allocated.is_some()
            || self.operations.iter().any(|other| other.same_as() == Some(own.id));
        let is_flagged = self.marks_about(&own.id.to_string()).iter().any(|reviews| !reviews.is_empty());
        own.status().is_under_way() || was_decided || is_flagged || own.origin == Origin::Recorded
    }

    fn check_fit(&self, own: &Operation, resolution: &Resolution, now: Timestamp) -> Result<(), Rejection> {
        let there = |id: OperationId| self.operation(id).ok_or(Rejection::OperationNotFound(id));
        let fits = match *resolution {
            Resolution::Allocated { attempt } => {
                let same_gateway = there(attempt.into())?.gateway == own.gateway;
                own.is_sized_by_reports() && same_gateway
            }
            Resolution::SameAs { operation } => {
                let same = there(operation)?;
                if let Some(until) = same.runs_until().filter(|until| *until > now) {
                    return Err(Rejection::InFlight { payment: self.asked.payment, until });
                }
                own.is_external_capture_or_refund()
                    && self.requested_like(own).any(|known| known.id == operation)
            }
            Resolution::Another => own.is_external_capture_or_refund(),
            Resolution::Returned { .. } => own.takes(),
            _ => true,
        };
        let resolution = match resolution {
            Resolution::Allocated { .. } => "allocated",
            Resolution::SameAs { .. } => "same_as",
            Resolution::Another => "another",
            _ => "returned",
        };
        if fits { Ok(()) } else { Err(Rejection::Unfit { payment: self.asked.payment, resolution }) }
    }
}
