//! What an operator decides about an operation: what became of it, in place of all that was reported, or which
//! operation an external one is.

use super::super::evidence::{Evidence, Outcome};
use super::super::operation_id::OperationId;
use super::super::reports::{ReportSubject, Reports};
use super::{Operation, OperationKind};
use crate::clock::Timestamp;
use crate::event::{Decision, Reported};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Allocation {
    /// The attempt that an operator said it is of.
    pub(crate) of: Option<AttemptId>,
    /// Which operation an operator said it is.
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

/// Which operation an operator said that an external capture or refund is.
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
    pub(crate) fn apply_decision(&mut self, decision: &Decision, note: &Message, at: Timestamp) {
        match decision {
            Decision::Allocated { of } => self.allocation.allocate(*of),
            Decision::SameAs { operation } => self.allocation.stated = Some(Stated::SameAs(*operation)),
            Decision::Another {} => self.allocation.stated = Some(Stated::Another),
            decision => self.apply_outcome(decision, note, at),
        }
    }

    /// The requested operation that an operator said it is.
    pub(crate) fn same_as(&self) -> Option<OperationId> {
        match self.allocation.stated {
            Some(Stated::SameAs(id)) => Some(id),
            _ => None,
        }
    }

    /// Applies all that was reported of an external operation that is this one.
    pub(crate) fn absorb(&mut self, reports: &Reports) {
        let alone = Some(Box::new(self.clone()));
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

    /// Undoes [`absorb`](Self::absorb).
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
        let authorizes = matches!(self.kind, OperationKind::Authorization { .. }) && !self.was_charged();
        let subject = if authorizes || self.is_hold() {
            ReportSubject::Authorization
        } else {
            ReportSubject::Operation
        };
        let known = match self.set_aside.take() {
            Some(mut aside) => {
                aside.known.merge(&aside.since);
                aside.known
            }
            None => self.reports.clone(),
        };
        let asked = self.amount.minor();
        let brought = self.reports.charged(asked).or(known.charged(asked));
        let brought = brought.and_then(|brought| self.money(brought));
        self.reports = self.reports.names();
        let asked = self.amount;
        let mut say = |outcome, amount| {
            let evidence = Evidence { amount, ..Evidence::new(outcome, at) };
            self.reports.add(asked, &subject, &evidence, false);
        };
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
        self.set_aside = Some(Box::new(SetAside { known, since: Reports::default() }));
    }
}
