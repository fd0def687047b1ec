//! What gateways answer, and what they say when they are asked.

use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Discover, Rejection, Report as GatewayReport};
use counterfoil::destinations::Known as Host;
use counterfoil::payment::{Evidence, OperationId, Origin, Outcome};
use counterfoil::text::{GatewayName, GatewayOperationId};

use super::names::{Name, kind_of_name, of_operation, operation_name};
use super::operation::{About, Operation, Report, Stated};
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn report(&mut self, command: &Command, report: &GatewayReport) -> Result<Answer, Rejection> {
        let mut payment = self.payment(&command.caller.scope, report.payment)?.clone();
        let known = payment.operation(report.operation).filter(|operation| operation.gateway.is_some());
        let known = known.ok_or(Rejection::OperationNotFound(report.operation))?;
        let meant = known.id;
        let news = self.reported(command, &mut payment, meant, Report::new(report.evidence.clone()));
        Ok(if news { self.keep(&command.caller.scope, payment) } else { unchanged(&payment) })
    }

    /// A report about an operation of `payment`. Whether it says anything new.
    pub(super) fn reported(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        id: OperationId,
        mut report: Report,
    ) -> bool {
        let scope = &command.caller.scope;
        let place = payment.operations.iter().position(|own| own.id == id).expect("it is there");
        let before = payment.operations[place].clone();
        report.evidence = before.for_sure(&report.evidence);
        if before.is_external() && goes_on(&report.evidence) {
            return false;
        }
        let name = name_in(&report, &before).filter(|_| !is_known_as(&before, &report));
        let holder = name.as_ref().and_then(|name| self.names.holder(scope, name));
        let another = holder.filter(|(_, of)| *of != Some(&*id.to_string()));
        let same = another.and_then(|(stream_of, of)| {
            let own = payment.named(of).filter(|_| *stream_of == stream(payment))?;
            payment.is_same(own, &before).then_some(own.id)
        });
        report.clash = another.is_some() && same.is_none();
        let ends = is_declined(&report.evidence) && payment.ends_with(&before);
        let mut after = before.clone();
        let moment = payment.moment(command.at);
        if let Some(same) = same {
            let external = payment.operations.iter_mut().find(|own| own.id == same).expect("it is there");
            external.stated = Some(Stated::SameAs(id));
            external.touched = moment;
            after.reports.extend(external.reports_for_requested());
        }
        after.hear(report.clone(), moment);
        let outcome = &report.evidence.outcome;
        if !matches!(outcome, Outcome::NotSent { .. } | Outcome::Canceled { .. }) {
            // Books that were restored may not know that it was sent.
            after.sent = after.sent.or(Some(payment.version + 1));
        }
        if let Some(whole) = &payment.changed.gateway_payment_id {
            after.forget_stand_in(whole.as_str());
        }
        let all = |own: &Operation| {
            let names: Vec<_> = own.names().into_iter().cloned().collect();
            let sized = own.is_sized_by_reports() && own.told_amount().is_some();
            (own.known(), own.news(), names, own.parents(), own.ended, sized)
        };
        after.ended |= ends;
        if all(&after) == all(&before) && same.is_none() {
            return false;
        }
        let free = name.filter(|_| holder.is_none());
        let requested = after.same_as();
        payment.operations[place] = after;
        if let Some(requested) = requested {
            let requested = payment.operations.iter_mut().find(|own| own.id == requested);
            requested.expect("it is there").hear(Report { of: Some(id), parent: None, ..report }, moment);
        }
        self.happened(command, payment, &Host::Unasked, None);
        self.names.take(scope, free, &stream(payment), payment.version, of_operation(id));
        true
    }

    /// What a gateway says of a payment that was created there is one more report about an attempt, or a first one.
    pub(super) fn discover(&mut self, command: &Command, discover: &Discover) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let mut payment = self.payment(scope, discover.payment)?.clone();
        let id = OperationId::Attempt(discover.attempt);
        let Some(whole) = payment.changed.gateway_payment_id.clone() else {
            return Err(Rejection::OperationNotFound(id));
        };
        if whole != discover.gateway_payment_id || payment.operation(id).is_some() {
            return Ok(unchanged(&payment));
        }
        if discover.evidence.is_success() && !payment.is_money(&discover.evidence) {
            let kept = payment.keep_misfit(&discover.evidence, whole.as_str(), command.at);
            return Ok(if kept { self.keep(scope, payment) } else { unchanged(&payment) });
        }
        let given = discover.evidence.gateway_operation_id.as_ref();
        let called = given.cloned().unwrap_or_else(|| stand_in(whole.as_str()));
        let name = operation_name(ClaimKind::GatewayAttempt, Some(&discover.gateway), &called);
        let known = match self.names.holder(scope, &name) {
            Some((other, of)) => {
                let own = payment.named(of).filter(|_| *other == stream(&payment));
                Some(own.ok_or(Rejection::GatewayIdTaken(other.clone()))?.id)
            }
            None => match payment.attempt_meant(&discover.gateway, given.is_some()) {
                Ok(meant) => meant,
                Err(_) => return Ok(unchanged(&payment)),
            },
        };
        let outcome = &discover.evidence.outcome;
        let came_to_be_known = matches!(outcome, Outcome::Succeeded | Outcome::Failed(_));
        let is_undone = matches!(outcome, Outcome::Canceled { .. } | Outcome::Reversed { .. });
        let says_something = came_to_be_known || (is_undone && known.is_some());
        let news = if !says_something {
            false
        } else if let Some(known) = known {
            self.reported(command, &mut payment, known, Report::new(discover.evidence.clone()))
        } else {
            let evidence = discover.evidence.clone().with_gateway_operation_id(called);
            let first = Report::new(evidence);
            let mut own = payment.begin(id, payment.asked.amount, command.at);
            own.gateway = Some(discover.gateway.clone());
            own.instrument = payment.instrument().cloned();
            self.first_reported(command, &mut payment, own, first, Some(name));
            true
        };
        Ok(if news { self.keep(scope, payment) } else { unchanged(&payment) })
    }

    /// An operation that a gateway reported first.
    pub(super) fn first_reported(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        mut own: Operation,
        report: Report,
        name: Option<Name>,
    ) {
        let (scope, id) = (&command.caller.scope, own.id);
        own.origin = Origin::External;
        own.authorizes = own.is_attempt() && report.about == About::Authorization;
        if own.is_attempt() {
            payment.accepted = true;
            own.ended = is_declined(&report.evidence) && payment.ends_with(&own);
        }
        own.reports.push(report);
        payment.operations.push(own);
        self.happened(command, payment, &Host::Unasked, None);
        self.names.take(scope, name, &stream(payment), payment.version, of_operation(id));
    }

    /// Something happened to `payment`. What it took beyond what is due is decided anew when it took more or less.
    pub(super) fn happened(
        &self,
        command: &Command,
        payment: &mut Payment,
        host: &Host,
        said: Option<Timestamp>,
    ) {
        payment.settle();
        let more = payment.taken() - payment.taken_before;
        if more != 0 {
            payment.excess = self.excess(payment, host, payment.captured_before, more);
        }
        payment.happened(command.at, said);
    }
}

impl Payment {
    /// Whether `external` is `own`, which the gateway calls by the same name and by our id. Something else may have been
    /// said before.
    fn is_same(&self, external: &Operation, own: &Operation) -> bool {
        let alike = std::mem::discriminant(&external.id) == std::mem::discriminant(&own.id);
        let taken = self.operations.iter().any(|other| other.same_as() == Some(own.id));
        let free = external.is_sized_by_reports() && external.stated.is_none() && !taken;
        alike && free && !own.is_external()
    }

    /// The operation that a taken name is the name of.
    pub(super) fn named(&self, of: Option<&str>) -> Option<&Operation> {
        self.operations.iter().find(|own| Some(&*own.id.to_string()) == of)
    }

    /// The attempt there that a report is about which names none that is known: the only nameless one, or without a
    /// name the only one that may have been sent.
    pub(super) fn attempt_meant(
        &self,
        gateway: &GatewayName,
        is_named: bool,
    ) -> Result<Option<OperationId>, Rejection> {
        use counterfoil::status::OperationStatus::NotSent;
        let may_be = |own: &&Operation| {
            let is_meant = if is_named { self.is_nameless(own) } else { own.status() != NotSent };
            own.is_attempt() && own.is_at(gateway) && own.sent.is_some() && is_meant
        };
        only(self.operations.iter().filter(may_be))
    }

    /// Whether its gateway gave it no name. The name of its payment only stands in for one.
    fn is_nameless(&self, own: &Operation) -> bool {
        let whole = self.changed.gateway_payment_id.as_ref().filter(|_| own.is_external());
        own.names().into_iter().all(|name| whole.is_some_and(|whole| whole.as_str() == name.as_str()))
    }

    pub(super) fn is_money(&self, evidence: &Evidence) -> bool {
        let amount = evidence.amount.unwrap_or(self.asked.amount);
        let counts = amount.currency() == self.asked.amount.currency() && !amount.is_zero();
        evidence.is_success() && counts
    }
}

/// Whether that is no end. Of an external operation it is no news.
fn goes_on(evidence: &Evidence) -> bool {
    matches!(
        evidence.outcome,
        Outcome::Pending | Outcome::RequiresAction { .. } | Outcome::NotSent { .. } | Outcome::Unknown { .. }
    )
}

/// The only one of them; none where there is none. Of several it cannot be said which is meant.
pub(super) fn only<'a>(
    mut among: impl Iterator<Item = &'a Operation>,
) -> Result<Option<OperationId>, Rejection> {
    match (among.next(), among.next()) {
        (one, None) => Ok(one.map(|own| own.id)),
        _ => Err(Rejection::NothingKnown(counterfoil::command::UnknownReference::Several)),
    }
}

pub(super) fn stand_in(whole: &str) -> GatewayOperationId {
    whole.parse().expect("no id is longer than another")
}

fn is_declined(evidence: &Evidence) -> bool {
    matches!(evidence.outcome, Outcome::Failed(_))
}

/// The gateway's name in a report: of the operation, or of the return.
fn name_in(report: &Report, own: &Operation) -> Option<Name> {
    let (kind, called) = match &report.about {
        About::Return(called) => (ClaimKind::GatewayReturn, called.as_ref()),
        _ => (kind_of_name(own.id), report.evidence.gateway_operation_id.as_ref()),
    };
    Some(operation_name(kind, own.gateway.as_ref(), called?))
}

fn is_known_as(own: &Operation, report: &Report) -> bool {
    report.evidence.gateway_operation_id.as_ref().is_some_and(|called| own.names().contains(called))
}
