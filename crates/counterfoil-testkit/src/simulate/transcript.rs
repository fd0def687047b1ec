//! The transcript of a simulation: what was reported and resolved about each operation, and in which order. From it
//! follows which review items must be open, and which differences from the gateway an operator has accepted.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::command::{Command, Request};
use counterfoil::event::{Body, Decision, Event, Resolved, Start, StartResult};
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Operation, OperationId, Origin, Outcome, Payment, Review};
use counterfoil::scope::Scope;
use counterfoil::status::{Cause, OperationStatus};

use crate::laws::{Broken, Sums, law};

/// The reports and resolutions so far.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// The number of the last report or event.
    moment: u64,
    operations: BTreeMap<OperationId, Record>,
    /// The moment at which the review items of a payment were last dismissed.
    dismissed: BTreeMap<(Scope, PaymentId), u64>,
}

/// The reports and resolutions about one operation.
#[derive(Debug, Default)]
struct Record {
    /// Whether an operator recorded it as made elsewhere.
    is_by_hand: bool,
    /// The moment at which an operator last resolved it.
    resolved: Option<u64>,
    /// The moment at which each end was first reported, or last decided.
    ends: BTreeMap<End, u64>,
    /// The kinds of ends that events recorded.
    kinds: BTreeSet<Kind>,
}

/// A kind of end. Ends of two kinds contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The operation was done, whether or not it was undone since.
    Done,
    Failed,
    Canceled,
}

/// The end of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// The operation moved this amount.
    Moved(i64),
    Failed,
    Canceled,
    Reversed,
}

impl End {
    /// The end that a gateway reported. None if the outcome is still open.
    fn of(evidence: &Evidence, requested: Money) -> Option<End> {
        match evidence.outcome {
            Outcome::Succeeded => Some(End::Moved(evidence.amount.unwrap_or(requested).minor())),
            Outcome::Failed(_) => Some(End::Failed),
            Outcome::Canceled { .. } => Some(End::Canceled),
            Outcome::Reversed { .. } => Some(End::Reversed),
            _ => None,
        }
    }

    /// The end that an operator decided on.
    fn decided(decision: &Decision, requested: Money) -> Option<End> {
        match decision {
            Decision::Succeeded { amount } => Some(End::Moved(amount.unwrap_or(requested).minor())),
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

impl Transcript {
    /// Adds what a gateway reported in a command that was executed, whether or not the command changed anything.
    pub(super) fn add_report(&mut self, command: &Command, payment: Option<&Payment>) {
        let (our_id, evidence) = match &command.request {
            Request::Report(report) => (Some(report.operation), Some(&report.evidence)),
            Request::Notify(notify) => (notify.about.operation, notify.told.evidence()),
            _ => return,
        };
        let (Some(payment), Some(evidence)) = (payment, evidence) else { return };
        let operation = our_id.map_or_else(|| with_gateway_id(payment, evidence), |id| payment.operation(id));
        let Some(operation) = operation else { return };
        if let Some(end) = End::of(evidence, operation.amount) {
            self.moment += 1;
            self.operations.entry(operation.id).or_default().ends.entry(end).or_insert(self.moment);
        }
    }

    /// Adds an event, and checks 3, 27, 28, 30 and 46: a report that contradicts an earlier one opens a review item, whatever
    /// was dismissed before, and so does a resolution.
    pub(super) fn add_event(
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
            Body::Resolved(resolved) => self.resolved(resolved, after)?,
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
            own.is_by_hand = event.cause() == Cause::Command;
            own.kinds.extend(End::of(evidence, start.amount).map(End::kind));
        }
    }

    fn resolved(&mut self, resolved: &Resolved, payment: &Payment) -> Result<(), Broken> {
        let own = self.operations.entry(resolved.operation).or_default();
        own.resolved = Some(self.moment);
        let Some(operation) = payment.operation(resolved.operation) else { return Ok(()) };
        own.ends.extend(End::decided(&resolved.decision, operation.amount).map(|end| (end, self.moment)));
        let is_outcome = !matches!(
            resolved.decision,
            Decision::Allocated { .. } | Decision::SameAs { .. } | Decision::Another {}
        );
        law("46", !is_outcome || is_marked(payment, operation), || {
            format!("a resolution of {}, and no review is open", operation.id)
        })
    }

    /// Whether an operator recorded it as made elsewhere.
    pub(super) fn is_by_hand(&self, operation: OperationId) -> bool {
        self.operations.get(&operation).is_some_and(|own| own.is_by_hand)
    }

    /// Whether an operator ever dismissed the review items of a payment.
    pub(super) fn was_dismissed(&self, payment: &Payment) -> bool {
        self.dismissed.contains_key(&(payment.scope().clone(), payment.id()))
    }

    /// Whether an operator has accepted that an operation differs from its gateway, whose books say `at_gateway` about it:
    /// an operator resolved the operation and dismissed the review later, and the gateway's end was not first reported
    /// after that. `copies` are the operation and the external operations that are the same.
    pub(super) fn is_accepted(
        &self,
        payment: &Payment,
        copies: &[&Operation],
        at_gateway: Option<&Evidence>,
    ) -> bool {
        let dismissed = self.dismissed.get(&(payment.scope().clone(), payment.id())).copied().unwrap_or(0);
        let records = || copies.iter().filter_map(|own| Some((own, self.operations.get(&own.id)?)));
        let end = |own: &Operation| End::of(at_gateway?, own.amount);
        let reported = records().filter_map(|(own, record)| record.ends.get(&end(own)?)).min();
        let is_resolved = records().any(|(_, record)| record.resolved.is_some_and(|at| at < dismissed));
        is_resolved && reported.is_none_or(|at| *at < dismissed)
    }
}

impl Record {
    /// Adds a report that changed the operation from `was` to `is`.
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
        law("27", !contradicts || marked, || what("two ends that contradict each other"))?;
        let late = ended_without_effect(was.status()) && is.status() == OperationStatus::Succeeded;
        law("28", !late || marked, || what("a late success"))?;
        let other = is.moved() != was.moved() && is.moved().is_some_and(|moved| moved != is.amount);
        let is_sized = is.origin == Origin::External && !is.id.is_attempt();
        law("30", is_sized || !other || marked, || what("another amount"))?;
        Ok(())
    }
}

/// Whether a review item about this operation is open.
pub(super) fn is_marked(payment: &Payment, operation: &Operation) -> bool {
    let open = payment.reviews();
    let is_unallocated = operation.is_set_apart() && open.contains(&Review::Unallocated);
    is_unallocated || operation.reviews().iter().any(|review| open.contains(review))
}

fn ended_without_effect(status: OperationStatus) -> bool {
    matches!(status, OperationStatus::Failed | OperationStatus::Canceled | OperationStatus::NotSent)
}

/// The operation that a report without our id was about. After the report, the operation has the gateway id of the report.
fn with_gateway_id<'a>(payment: &'a Payment, evidence: &Evidence) -> Option<&'a Operation> {
    let id = evidence.gateway_operation_id.as_ref()?;
    payment.operations().iter().find(|own| own.gateway_operation_id() == Some(id))
}
