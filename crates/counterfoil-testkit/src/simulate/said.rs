//! What was said of each operation, by whom, and in which order: what a person took upon himself, and what must be shown
//! to a person.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::command::{Command, Request, Told};
use counterfoil::event::{Body, Decision, Event, Start, StartResult};
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Operation, OperationId, Origin, Outcome, Payment, Review};
use counterfoil::scope::Scope;
use counterfoil::status::{Cause, OperationStatus};

use crate::laws::{Broken, Sums, law};

/// All that was said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Rises with everything that is said.
    moment: u64,
    operations: BTreeMap<OperationId, OfOne>,
    dismissed: BTreeMap<(Scope, PaymentId), u64>,
}

/// What was said of one operation.
#[derive(Debug, Default)]
struct OfOne {
    /// Whether a person wrote it down as having happened elsewhere.
    by_hand: bool,
    /// When a person last said what became of it.
    person: Option<u64>,
    /// When it was first said to have come to an end, by whomever.
    ends: BTreeMap<End, u64>,
    /// The kinds of them that were written down.
    kinds: BTreeSet<Kind>,
}

/// Ends of one kind go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It was done, whether or not it was undone since.
    Done,
    Failed,
    Canceled,
}

/// What an operation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// It was done, with so much.
    Moved(i64),
    Failed,
    Canceled,
    Reversed,
}

impl End {
    /// `None`: it is none yet.
    fn of(said: &Evidence, asked: Money) -> Option<End> {
        match said.outcome {
            Outcome::Succeeded => Some(End::Moved(said.amount.unwrap_or(asked).minor())),
            Outcome::Failed(_) => Some(End::Failed),
            Outcome::Canceled { .. } => Some(End::Canceled),
            Outcome::Reversed { .. } => Some(End::Reversed),
            _ => None,
        }
    }

    /// What an operator decided that it came to.
    fn decided(decision: &Decision, asked: Money) -> Option<End> {
        match decision {
            Decision::Succeeded { amount } => Some(End::Moved(amount.unwrap_or(asked).minor())),
            Decision::Failed { .. } => Some(End::Failed),
            Decision::Returned { .. } => Some(End::Reversed),
            _ => None,
        }
    }

    const fn kind(self) -> Kind {
        match self {
            End::Moved(_) | End::Reversed => Kind::Done,
            End::Failed => Kind::Failed,
            End::Canceled => Kind::Canceled,
        }
    }
}

impl Said {
    /// A command that was executed: a gateway's word in it was heard, whether or not it was news.
    pub(super) fn hear(&mut self, command: &Command, payment: Option<&Payment>) {
        let (echoed, said) = match &command.request {
            Request::Report(report) => (Some(report.operation), Some(&report.evidence)),
            Request::Notify(notify) => (notify.about.operation, evidence(&notify.told)),
            _ => return,
        };
        let (Some(payment), Some(said)) = (payment, said) else { return };
        let operation = echoed.map_or_else(|| called(payment, said), |id| payment.operation(id));
        let Some(operation) = operation else { return };
        if let Some(end) = End::of(said, operation.amount) {
            self.moment += 1;
            self.operations.entry(operation.id).or_default().ends.entry(end).or_insert(self.moment);
        }
    }

    /// 3, 27, 28, 30: what does not fit is marked anew, whatever was dismissed before; and so is a person's word.
    pub(super) fn see(
        &mut self,
        before: Option<&Payment>,
        event: &Event,
        after: &Payment,
    ) -> Result<(), Broken> {
        self.moment += 1;
        match event.body() {
            Body::Started(start) => self.started(start, event),
            Body::Created(created) => created.attempt.iter().for_each(|start| self.started(start, event)),
            Body::Closed(closing) => {
                for id in &closing.cancels {
                    self.operations.entry(*id).or_default().kinds.insert(Kind::Canceled);
                }
            }
            Body::Canceled(canceled) => {
                self.operations.entry(canceled.operation).or_default().kinds.insert(Kind::Canceled);
            }
            Body::Dismissed(_) => {
                self.dismissed.insert((event.scope().clone(), after.id()), self.moment);
            }
            Body::Reported(reported) => {
                let own = self.operations.entry(reported.operation).or_default();
                let was = before.and_then(|before| before.operation(reported.operation));
                let is = after.operation(reported.operation);
                if let (Some(was), Some(is)) = (was, is) {
                    own.reported(&reported.evidence, was, is, after)?;
                }
            }
            Body::Resolved(resolved) => {
                let own = self.operations.entry(resolved.operation).or_default();
                own.person = Some(self.moment);
                let is = after.operation(resolved.operation);
                if let Some(is) = is {
                    own.ends
                        .extend(End::decided(&resolved.decision, is.amount).map(|end| (end, self.moment)));
                    let is_outcome = !matches!(
                        resolved.decision,
                        Decision::Allocated { .. } | Decision::SameAs { .. } | Decision::Another {}
                    );
                    law("46", !is_outcome || is_marked(after, is), || {
                        format!("a resolution of {}, and no review is open", is.id)
                    })?;
                }
            }
            _ => {}
        }
        let Some(before) = before else { return Ok(()) };
        let exceeds_more = Sums::of(after).exceeding() > Sums::of(before).exceeding();
        let shown = event.cause() != Cause::Evidence || after.reviews().contains(&Review::Exceeded);
        law("3", !exceeds_more || shown, || {
            format!("of {} more went back than there is, and no review is open", after.id())
        })
    }

    fn started(&mut self, start: &Start, event: &Event) {
        let own = self.operations.entry(start.operation).or_default();
        if let StartResult::Recorded(evidence) = &start.result {
            own.by_hand = event.cause() == Cause::Command;
            own.kinds.extend(End::of(evidence, start.amount).map(End::kind));
        }
    }

    /// Whether a person wrote it down as having happened elsewhere.
    pub(super) fn is_by_hand(&self, operation: OperationId) -> bool {
        self.operations.get(&operation).is_some_and(|own| own.by_hand)
    }

    /// Whether anybody ever dismissed what was marked of a payment.
    pub(super) fn was_dismissed(&self, payment: &Payment) -> bool {
        self.dismissed.contains_key(&(payment.scope().clone(), payment.id()))
    }

    /// Whether it is on record that a person took it upon himself that an operation stands otherwise than at its gateway,
    /// which says `there` of it: a person said what became of it, somebody dismissed that, and the gateway has told nothing
    /// since but what somebody had said by then. `all`: the operation, and what was reported as another one and is it.
    pub(super) fn is_taken_on(
        &self,
        payment: &Payment,
        all: &[&Operation],
        there: Option<&Evidence>,
    ) -> bool {
        let dismissed = self.dismissed.get(&(payment.scope().clone(), payment.id())).copied().unwrap_or(0);
        let known = || all.iter().filter_map(|own| Some((own, self.operations.get(&own.id)?)));
        let told = known().filter_map(|(own, said)| said.ends.get(&End::of(there?, own.amount)?)).min();
        let is_said = known().any(|(_, said)| said.person.is_some_and(|person| person < dismissed));
        is_said && told.is_none_or(|told| *told < dismissed)
    }
}

impl OfOne {
    /// What was reported now, which moved it from `was` to `is`.
    fn reported(
        &mut self,
        evidence: &Evidence,
        was: &Operation,
        is: &Operation,
        payment: &Payment,
    ) -> Result<(), Broken> {
        let end = End::of(evidence, is.amount).map(End::kind);
        let is_new = end.is_some_and(|end| self.kinds.insert(end));
        let contradicts = is_new && self.kinds.len() > 1;
        let marked = is_marked(payment, is);
        let what = |what: &str| format!("{} of {}: {what}, and no review is open", is.id, payment.id());
        law("27", !contradicts || marked, || what("two ends that exclude each other"))?;
        let late = is_over_without(was.status()) && is.status() == OperationStatus::Succeeded;
        law("28", !late || marked, || what("a late success"))?;
        let other = is.moved() != was.moved() && is.moved().is_some_and(|moved| moved != is.amount);
        let is_sized = is.origin == Origin::External && !is.id.is_attempt();
        law("30", is_sized || !other || marked, || what("another amount"))?;
        Ok(())
    }
}

/// Whether a review is open that is about this operation.
pub(super) fn is_marked(payment: &Payment, operation: &Operation) -> bool {
    let open = payment.reviews();
    let is_doubted = operation.is_set_apart() && open.contains(&Review::Unallocated);
    is_doubted || operation.reviews().iter().any(|review| open.contains(review))
}

fn is_over_without(status: OperationStatus) -> bool {
    matches!(status, OperationStatus::Failed | OperationStatus::Canceled | OperationStatus::NotSent)
}

/// The operation that a report without our id was about: it has its name now.
fn called<'a>(payment: &'a Payment, evidence: &Evidence) -> Option<&'a Operation> {
    let name = evidence.gateway_operation_id.as_ref()?;
    payment.operations().iter().find(|own| own.gateway_operation_id() == Some(name))
}

/// What is told of an operation.
pub(super) fn evidence(told: &Told) -> Option<&Evidence> {
    match told {
        Told::Attempt(evidence)
        | Told::Authorization(evidence)
        | Told::Capture(evidence)
        | Told::Refund(evidence)
        | Told::Void(evidence)
        | Told::Returned(evidence) => Some(evidence),
        _ => None,
    }
}
