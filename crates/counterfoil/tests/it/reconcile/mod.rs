//! A settlement report against the ledger: each kind of difference, and a report that is applied twice. INVARIANTS 48.

mod entries;
mod payments;
mod whole;

use std::sync::Arc;

use counterfoil::account::{AccountId, GatewayEntry, GatewayEntryKind, GatewayTotals};
use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::event::{Hash, StreamId};
use counterfoil::ledger::reconcile::{
    Difference, DifferenceKind, Reconcile, Reconciled, ReportRow, RowKind, UnreadableRow,
};
use counterfoil::ledger::{
    Ledger, NewCapture, NewPayment, NewRecordedRefund, NewRefund, NewVoid, Notification,
};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    Destination, DisputeWord, DisputeWordKind, Evidence, Operation, Payment, PaymentMethod, Review,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::OperationStatus;
use counterfoil::store::Position;
use counterfoil::text::{GatewayName, GatewayOperationId};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;

struct Books {
    ledger: Ledger,
    caller: Caller,
    gateway: GatewayName,
}

type Row = Result<ReportRow, UnreadableRow>;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn noon() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn row(kind: RowKind, name: &str, amount: &str) -> ReportRow {
    ReportRow::new(kind, name.parse().unwrap(), usd(amount), noon())
}

/// With the gateway's name of the attempt that it is of.
fn of(row: ReportRow, attempt: &Operation) -> ReportRow {
    let gateway_attempt_id = attempt.gateway_operation_id().cloned();
    row.about(About { gateway_attempt_id, ..About::default() })
}

/// With our own id of the payment.
fn about(row: ReportRow, payment: &Payment) -> ReportRow {
    row.about(About { payment: Some(payment.id()), ..About::default() })
}

/// The row with another amount.
fn of_amount(mut row: ReportRow, amount: Money) -> ReportRow {
    row.amount = amount;
    row
}

/// So many minutes later: in the period of another report.
fn later(mut row: ReportRow, minutes: u64) -> ReportRow {
    row.occurred_at = noon().saturating_add(std::time::Duration::from_secs(60 * minutes));
    row
}

fn attempt(payment: &Payment) -> &Operation {
    payment.attempts().next().unwrap()
}

fn name(payment: &Payment) -> &GatewayOperationId {
    attempt(payment).gateway_operation_id().unwrap()
}

/// The row of a payment's charge as the gateway made it.
fn charge(payment: &Payment) -> ReportRow {
    ReportRow::new(RowKind::Charge, name(payment).clone(), payment.terms().amount, noon())
}

impl Books {
    fn new() -> Books {
        let scope = Scope::new("acme".parse().unwrap(), "production".parse().unwrap());
        Books {
            ledger: Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new())),
            caller: Caller::new(scope, "gateway:sandbox".parse().unwrap()),
            gateway: "sandbox".parse().unwrap(),
        }
    }

    async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&self.caller, new).await.unwrap().payment().unwrap().clone()
    }

    /// A payment of 100 by this card of the sandbox.
    fn by(card: &str) -> NewPayment {
        let card = PaymentMethod::Card(Some(card.parse().unwrap()));
        NewPayment::new(usd("100"), Destination::invoice("inv_1".parse().unwrap()), card)
    }

    async fn paid(&self) -> Arc<Payment> {
        self.create(Books::by("pm_1")).await
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(&self.caller.scope, payment.id()).await.unwrap().unwrap()
    }

    async fn reconcile(&self, rows: impl IntoIterator<Item = Row>, how: Reconcile) -> Reconciled {
        self.ledger.reconcile(&self.caller, &self.gateway, rows, how).await.unwrap()
    }

    async fn digest(&self) -> Hash {
        verify(self.ledger.store().as_ref()).await.unwrap().digest
    }

    /// The only difference of a report of these rows, which is found in a dry run that writes nothing, and again when
    /// the report is applied, and settled then or not.
    async fn one(&self, rows: &[ReportRow], is_settled: bool) -> Difference {
        let rows = || rows.iter().cloned().map(Row::Ok);
        let before = self.digest().await;
        let [found] = only(self.reconcile(rows(), Reconcile::dry_run()).await);
        assert_eq!(self.digest().await, before, "a dry run writes nothing");
        assert!(!found.is_settled);
        let [applied] = only(self.reconcile(rows(), Reconcile::applying()).await);
        assert_eq!((&applied.kind, &applied.row, applied.payment), (&found.kind, &found.row, found.payment));
        assert_eq!(applied.is_settled, is_settled);
        let after = self.digest().await;
        let again = self.reconcile(rows(), Reconcile::applying()).await;
        assert_eq!((again.written, self.digest().await), (0, after), "a second application writes nothing");
        assert_eq!(again.differences.is_empty(), is_settled, "{:?}", again.differences);
        applied
    }

    async fn notify(&self, id: &str, about: About, told: Told) {
        let notification = Notification::new(self.gateway.clone(), id.parse().unwrap(), about, told);
        self.ledger.notify(&self.caller, notification).await.unwrap();
    }

    async fn totals(&self) -> GatewayTotals {
        let account = self.ledger.gateway_account(&self.caller.scope, &self.gateway).await.unwrap();
        account.map_or(GatewayTotals::default(), |account| account.gateway_totals(Currency::USD))
    }
}

#[track_caller]
fn only(found: Reconciled) -> [Difference; 1] {
    found.differences.try_into().unwrap_or_else(|all| panic!("not one difference: {all:#?}"))
}
