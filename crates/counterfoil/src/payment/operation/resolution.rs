//! What an operator decides about an operation: what became of it, in place of all that was reported, or which
//! operation an external one is.

use std::collections::BTreeSet;

use super::super::evidence::{Evidence, Outcome};
use super::super::method::PaymentMethodType;
use super::super::operation_id::OperationId;
use super::super::reports::{ReportSubject, Reports};
use super::{Operation, OperationKind, Origin};
use crate::clock::Timestamp;
use crate::event::{Decision, Reported, Resolved};
use crate::id::AttemptId;
use crate::money::Money;
use crate::text::Message;

/// What the gateway reported of an operation that an operator has resolved. What the operator said is no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SetAside {
    /// What was known when it was last resolved: a repetition of that is no news.
    pub(crate) known: Reports,
    /// What was reported for the first time since.
    pub(crate) since: Reports,
}

impl SetAside {
    pub(super) fn largest(&self) -> Option<i64> {
        self.known.largest().max(self.since.largest())
    }
}

/// What is known, beside reports, of what an external capture or refund is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Allocation {
    /// The attempt that an operator said it is of.
    pub(crate) of: Option<AttemptId>,
    /// The parents that its gateway had reported by then.
    pub(crate) parents: BTreeSet<AttemptId>,
    /// Which operation an operator or its gateway said it is.
    pub(crate) stated: Option<Stated>,
    /// Whether it may be one that was requested here: it moves nothing then, and its amount is reserved. It follows
    /// from the other operations.
    pub(crate) may_be_requested: bool,
}

impl Allocation {
    /// An operation that an operator allocates counts by itself.
    fn allocate(&mut self, of: AttemptId) {
        self.of = Some(of);
        self.stated = self.stated.filter(|stated| *stated == Stated::Another);
    }
}

/// Which operation an operator, or its gateway, said that an external one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stated {
    /// It is none of the operations that were requested here.
    Another,
    /// It is this operation, which was requested here: it counts nothing by itself.
    SameAs(OperationId),
}

impl Operation {
    /// Whether an operator has resolved it.
    pub(crate) fn is_resolved(&self) -> bool {
        self.set_aside.is_some()
    }

    /// Whether it is a possible duplicate of an operation that was requested here, or was said to be that one: it
    /// moves nothing by itself.
    #[must_use]
    pub fn is_set_apart(&self) -> bool {
        self.allocation.may_be_requested || self.same_as().is_some()
    }

    /// Applies what an operator decided: what it is of, or what became of it.
    pub(crate) fn apply_decision(&mut self, resolved: &Resolved) {
        match &resolved.decision {
            Decision::Allocated { of } => {
                self.allocation.allocate(*of);
                self.allocation.parents.clone_from(&self.reports.parents);
            }
            Decision::SameAs { operation } => self.state_same_as(*operation),
            Decision::Another {} => self.allocation.stated = Some(Stated::Another),
            decision => {
                self.apply_outcome(decision, &resolved.note, resolved.occurred_at);
                self.ended_payment = resolved.closes.is_some();
            }
        }
    }

    /// Whether it is an operator's to decide about: a gateway carries it out, or it was written down. Credits move in our
    /// own books only.
    pub(crate) fn is_for_operators(&self, method: PaymentMethodType) -> bool {
        self.gateway.is_some() || (self.origin == Origin::Recorded && method != PaymentMethodType::Credits)
    }

    /// Whether it was said which operation it is.
    pub(crate) fn is_stated(&self) -> bool {
        self.allocation.stated.is_some()
    }

    /// The requested or recorded operation that an operator, or its gateway, said it is: it counts nothing by itself.
    #[must_use]
    pub fn same_as(&self) -> Option<OperationId> {
        match self.allocation.stated {
            Some(Stated::SameAs(id)) => Some(id),
            _ => None,
        }
    }

    /// Says that it is this operation, which was requested here.
    pub(crate) fn state_same_as(&mut self, operation: OperationId) {
        self.allocation.stated = Some(Stated::SameAs(operation));
    }

    /// Whether its gateway reported another parent than the one that an operator said, after that.
    pub(super) fn is_allocated_otherwise(&self) -> bool {
        let Allocation { of: Some(of), parents, .. } = &self.allocation else { return false };
        self.reports.parents.iter().any(|parent| parent != of && !parents.contains(parent))
    }

    /// Applies all that was reported of an external operation that is this one.
    pub(crate) fn absorb(&mut self, reports: &Reports) {
        let alone = Some(Box::new(self.clone()));
        let reports = &reports.clone().asking(self.amount.minor());
        if let Some(aside) = &mut self.set_aside {
            aside.since.merge(reports);
        }
        self.reports.merge(reports);
        self.alone = alone;
    }

    /// Applies a report of the external operation that is this one.
    pub(crate) fn apply_report_of_same(&mut self, reported: &Reported, all: Money) {
        let alone = self.alone.take();
        self.apply_evidence(&reported.subject, &reported.evidence, all, reported.gateway_id_clash);
        self.alone = alone;
    }

    /// Undoes [`absorb`](Self::absorb): the operation counts on its own again.
    pub(crate) fn stand_alone(&mut self) {
        if let Some(alone) = self.alone.take() {
            (self.reports, self.set_aside) = (alone.reports, alone.set_aside);
        }
    }

    /// Sets aside all that is known and applies what an operator says became of it instead. Its names stay.
    fn apply_outcome(&mut self, decision: &Decision, note: &Message, at: Timestamp) {
        if let Some(alone) = &mut self.alone {
            alone.apply_outcome(decision, note, at);
        }
        let known = match self.set_aside.take() {
            Some(mut aside) => {
                aside.known.merge(&aside.since);
                aside.known
            }
            None => self.reports.clone(),
        };
        let subject = self.decided_subject(&known);
        let asked = self.amount.minor();
        let brought = self.reports.charged(asked).or(known.charged(asked));
        let brought = brought.and_then(|brought| self.money(brought));
        self.reports = self.reports.names();
        let asked = self.amount;
        let mut say = |outcome, amount| {
            let evidence = Evidence { amount, ..Evidence::new(outcome, at) };
            self.reports.add(asked, &subject, &evidence, false);
        };
        let says_how_much = matches!(decision, Decision::Succeeded { .. } | Decision::Returned { .. });
        match decision {
            Decision::Succeeded { amount } => say(Outcome::Succeeded, *amount),
            Decision::Failed { failure } => say(Outcome::Failed(failure.clone()), None),
            Decision::NotSent {} => say(Outcome::NotSent { error_message: note.clone() }, None),
            Decision::Returned { amount } => {
                say(Outcome::Succeeded, brought);
                say(Outcome::Reversed { error_message: note.clone() }, *amount);
            }
            Decision::Allocated { .. } | Decision::SameAs { .. } | Decision::Another {} => {}
        }
        self.reports.is_sized |= says_how_much && self.is_sized_by_reports();
        self.set_aside = Some(Box::new(SetAside { known, since: Reports::default() }));
    }

    /// What a decision is about: the hold of an attempt that was to hold, or of an external one that was reported to hold,
    /// unless it was charged.
    fn decided_subject(&self, known: &Reports) -> ReportSubject {
        let asked = self.amount.minor();
        let was_charged = self.was_charged() || known.charged(asked).is_some();
        let was_held = self.reports.held().or(known.held()).is_some();
        let authorizes = match self.origin {
            Origin::External => was_held,
            _ => matches!(self.kind, OperationKind::Authorization { .. }) || was_held,
        };
        if self.id.is_attempt() && authorizes && !was_charged {
            ReportSubject::Authorization
        } else {
            ReportSubject::Operation
        }
    }
}
