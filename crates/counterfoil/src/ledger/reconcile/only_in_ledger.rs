//! The ledger's side of a reconciliation: what it has in the period of the report, and the report does not.

use std::collections::BTreeSet;

use super::reconciler::Reconciler;
use super::row::{RowKind, identity};
use super::{Difference, DifferenceKind, failed};
use crate::account::{AccountId, GatewayEntryKind};
use crate::event::{Event, StreamId};
use crate::ledger::LedgerError;
use crate::payment::{Operation, Payment};
use crate::status::OperationStatus;
use crate::store::{Filter, Order, Query, Sort};

/// How many payments or events are held at a time.
const PAGE: usize = 1_000;

impl Reconciler<'_> {
    /// Pages through all payments: what each moved at the gateway, and what the gateway owes for it.
    pub(super) async fn payments(&mut self) -> Result<(), LedgerError> {
        let first = Query::new(Filter::default(), PAGE).sorted(Sort::CreatedAt, Order::Ascending);
        let mut query = first.clone();
        loop {
            let page = self.ledger.list(&self.caller.scope, &query).await.map_err(failed)?;
            for payment in &page.payments {
                self.payment(payment);
            }
            self.progress.payments += page.payments.len() as u64;
            self.report_progress();
            let Some(cursor) = page.next else { return Ok(()) };
            query = first.clone().after(cursor);
        }
    }

    fn payment(&mut self, payment: &Payment) {
        self.owe(payment.terms().amount.currency(), payment.owed_by(self.gateway));
        let missing = payment.operations().iter().filter(|operation| self.is_missing(payment, operation));
        let missing: Vec<Difference> = missing.map(|operation| only_in_ledger(payment, operation)).collect();
        self.done.differences.extend(missing);
    }

    /// Whether a report of the period should have the operation, and this one does not.
    fn is_missing(&self, payment: &Payment, operation: &Operation) -> bool {
        let moves = !operation.id.is_void() && !operation.is_hold() && operation.ever_moved().is_some();
        let stands = matches!(operation.status(), OperationStatus::Succeeded | OperationStatus::Reversed);
        operation.gateway.as_ref() == Some(self.gateway)
            && moves
            && stands
            && !operation.is_set_apart()
            && !is_voided(payment, operation)
            && self.is_in_period(operation.created_at)
            && !self.operations.contains(&operation.id)
    }

    /// Reads the fees and payouts of the gateway.
    pub(super) async fn entries(&mut self) -> Result<(), LedgerError> {
        let stream = StreamId::Account(AccountId::gateway(self.gateway));
        let mut after = 0;
        loop {
            let page = self.ledger.history(&self.caller.scope, &stream, after, PAGE).await.map_err(failed)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.sequence();
            for event in &page {
                self.entry_of_ledger(event);
            }
        }
    }

    fn entry_of_ledger(&mut self, event: &Event) {
        let Some((kind, entry)) = event.body().gateway_entry() else { return };
        self.owe(entry.amount.currency(), -i128::from(entry.signed_minor()));
        let row_kind = match kind {
            GatewayEntryKind::Fee => RowKind::Fee,
            GatewayEntryKind::Payout => RowKind::Payout,
        };
        let is_in_report = self.names.contains_key(&identity(row_kind, &entry.name));
        if !is_in_report && self.is_in_period(entry.occurred_at) {
            let name = Some(entry.name.clone());
            let kind = DifferenceKind::OnlyInLedger { what: kind.as_str(), name, amount: entry.amount };
            let (row, operation, is_settled) = (None, None, false);
            let payment = entry.payment;
            let reviews = BTreeSet::new();
            self.done.differences.push(Difference { kind, row, payment, operation, is_settled, reviews });
        }
    }
}

/// Whether a void gave all of it back, so that no gateway settles it.
fn is_voided(payment: &Payment, operation: &Operation) -> bool {
    let is_of = |void: &Operation| {
        let parent = void.parent().map(Into::into);
        parent == Some(operation.id)
            || (parent == operation.parent().map(Into::into) && operation.id.is_capture())
    };
    payment.voids().any(|void| void.is_reversal() && void.moved().is_some() && is_of(void))
}

fn only_in_ledger(payment: &Payment, operation: &Operation) -> Difference {
    let kind = DifferenceKind::OnlyInLedger {
        what: operation.id.noun(),
        name: operation.gateway_operation_id().cloned(),
        amount: operation.ever_moved().unwrap_or(operation.amount),
    };
    let (payment, operation) = (Some(payment.id()), Some(operation.id));
    Difference { kind, row: None, payment, operation, is_settled: false, reviews: BTreeSet::new() }
}
