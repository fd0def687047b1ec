//! Refunds and attempts that were made elsewhere, through a ledger.

use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::claim::RequestField;
use counterfoil::clock::Clock;
use counterfoil::command::{About, Receipt, Rejection, Told};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{
    Ledger, LedgerError, NewAttempt, NewPayment, NewRecordedRefund, NewRefund, NewTopUp, Notification,
};
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::payment::{OperationId, Payment, PaymentMethod};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{
    caller, credits, evidence, gateway, gateway_operation, invoice, key, money, other_gateway, second,
    succeeded, usd, wallet,
};

struct Shop {
    ledger: Ledger,
    sandbox: Arc<Sandbox>,
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new() -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::named(gateway()).with_clock(clock.clone()));
        let ledger = Ledger::new(Arc::new(MemoryStore::new()))
            .with_gateway(sandbox.clone())
            .with_gateway(Arc::new(Sandbox::named(other_gateway())))
            .with_clock(clock.clone());
        Shop { ledger, sandbox, clock }
    }

    async fn create(&self, method: PaymentMethod) -> Arc<Payment> {
        self.make(NewPayment::new(usd(100), invoice("inv_1"), method)).await
    }

    async fn make(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().clone()
    }

    async fn card(&self) -> PaymentId {
        self.create(PaymentMethod::Card(None)).await.id()
    }

    async fn record(&self, id: PaymentId, new: NewRecordedRefund) -> Result<Receipt, LedgerError> {
        self.ledger.record_refund(&caller("acme"), id, new).await
    }

    async fn record_attempt(&self, id: PaymentId, new: NewAttempt) -> Result<Receipt, LedgerError> {
        self.ledger.record_attempt(&caller("acme"), id, new).await
    }

    async fn refused(&self, id: PaymentId, new: NewRecordedRefund) -> Rejection {
        self.record(id, new).await.unwrap_err().rejection().unwrap().clone()
    }

    /// What the last event of a payment says that it is, and where it moved money: how much more each account holds.
    async fn last_event(&self, id: PaymentId) -> (&'static str, Vec<(String, i64)>) {
        let history = self.ledger.history(&caller("acme").scope, &StreamId::Payment(id), 0, usize::MAX).await;
        let history = history.unwrap();
        let event = history.last().unwrap();
        let mut postings: Vec<_> =
            event.postings().iter().map(|posting| (posting.account.to_string(), posting.minor)).collect();
        postings.sort();
        (event.body().kind(), postings)
    }
}

/// The postings of a refund of so many cents of invoice 1 to `account`.
fn to(account: &AccountId, cents: i64) -> Vec<(String, i64)> {
    let mut postings =
        vec![(AccountId::destination(&invoice("inv_1")).to_string(), -cents), (account.to_string(), cents)];
    postings.sort();
    postings
}

#[tokio::test]
async fn recorded_refund_succeeds_at_once_and_calls_no_gateway() {
    let shop = Shop::new();
    let id = shop.card().await;
    let calls = shop.sandbox.calls();
    let at = shop.clock.now();
    shop.clock.advance(std::time::Duration::from_secs(60));
    let done = shop.record(id, NewRecordedRefund::of(usd(30)).made_at(at)).await.unwrap();
    let (payment, refund) = (done.payment().unwrap(), done.operation().unwrap());
    assert_eq!((done.replayed, refund.status()), (false, OperationStatus::Succeeded));
    let charge = payment.attempts().next().unwrap().id;
    assert_eq!((refund.gateway.as_ref(), refund.parent().map(OperationId::Attempt)), (None, Some(charge)));
    assert_eq!((payment.status(), payment.refundable()), (PaymentStatus::PartiallyRefunded, usd(70)));
    assert_eq!(payment.refunded_at(), Some(at));
    assert_eq!(shop.last_event(id).await, ("refund.recorded", to(&AccountId::offline(), 30)));

    let by_dashboard = NewRecordedRefund::all().with_gateway(gateway());
    let done = shop.record(id, by_dashboard).await.unwrap();
    let (payment, refund) = (done.payment().unwrap(), done.operation().unwrap());
    assert_eq!((refund.amount, refund.gateway.clone()), (usd(70), Some(gateway())));
    assert_eq!(refund.parent().map(OperationId::Attempt), Some(charge), "of the only charge there");
    assert_eq!(payment.status(), PaymentStatus::Refunded);
    assert_eq!(shop.last_event(id).await.1, to(&AccountId::gateway(&gateway()), 70));
    assert_eq!(shop.sandbox.calls(), calls);
    verify(shop.ledger.store().as_ref()).await.unwrap();
}

#[tokio::test]
async fn recorded_refund_of_cash_belongs_to_the_cash() {
    let shop = Shop::new();
    let payment = shop.create(PaymentMethod::Offline).await;
    let done = shop.record(payment.id(), NewRecordedRefund::of(usd(1))).await.unwrap();
    let cash = payment.attempts().next().unwrap().id;
    assert_eq!(done.operation().unwrap().parent().map(OperationId::Attempt), Some(cash));
    let at_gateway = NewRecordedRefund::of(usd(1)).with_gateway(gateway());
    let refused = shop.refused(payment.id(), at_gateway).await;
    assert!(matches!(refused, Rejection::NotAtGateway(_)), "{refused:?}");
}

/// INVARIANTS 4, 5, 6, 33.
#[tokio::test]
async fn recorded_refund_that_cannot_be_is_refused_and_writes_nothing() {
    let shop = Shop::new();
    let id = shop.card().await;
    shop.ledger.top_up(&caller("acme"), NewTopUp::new(wallet("main"), usd(100))).await.unwrap();
    let wallet = shop.create(credits("main")).await.id();
    let open =
        shop.make(NewPayment::new(usd(100), invoice("inv_2"), PaymentMethod::Card(None)).recorded_only());
    let open = open.await.id();
    let before = verify(shop.ledger.store().as_ref()).await.unwrap();
    let of = |amount: Money| NewRecordedRefund::of(amount);
    let exceeds = Rejection::ExceedsRefundable { payment: id, refundable: usd(100) };
    assert_eq!(shop.refused(id, of(usd(101))).await, exceeds);
    assert_eq!(shop.refused(id, of(usd(0))).await, Rejection::AmountNotPositive);
    let yen = shop.refused(id, of(money(1, Currency::JPY))).await;
    assert!(matches!(yen, Rejection::Money(MoneyError::CurrencyMismatch { .. })), "{yen:?}");
    let future = shop.clock.now().successor();
    assert_eq!(shop.refused(id, of(usd(1)).made_at(future)).await, Rejection::InFuture(future));
    let unknown: counterfoil::text::GatewayName = "no-gateway".parse().unwrap();
    let there = of(usd(1)).with_gateway(unknown.clone());
    assert_eq!(shop.refused(id, there).await, Rejection::UnknownGateway(unknown));
    let credits = shop.refused(wallet, of(usd(1))).await;
    assert!(matches!(credits, Rejection::NotRecordable(_)), "{credits:?}");
    let unpaid = shop.refused(open, of(usd(1))).await;
    assert!(matches!(unpaid, Rejection::NotAllowed { .. }), "{unpaid:?}");
    assert_eq!(verify(shop.ledger.store().as_ref()).await.unwrap(), before);
    shop.record(id, of(usd(100))).await.unwrap();
}

/// INVARIANTS 29.
#[tokio::test]
async fn one_gateway_refund_id_is_one_refund() {
    let shop = Shop::new();
    let (id, other) = (shop.card().await, shop.card().await);
    let named = |cents, gateway| {
        let new = NewRecordedRefund::of(usd(cents)).with_gateway(gateway);
        new.with_gateway_refund_id(gateway_operation("re_1"))
    };
    let first = shop.record(id, named(5, gateway())).await.unwrap();
    let again = shop.record(id, named(5, gateway())).await.unwrap();
    assert_eq!((again.replayed, again.sequence), (true, first.sequence));
    let taken = Rejection::GatewayIdTaken(StreamId::Payment(id));
    assert_eq!(shop.refused(id, named(6, gateway())).await, taken, "another amount is another refund");
    assert_eq!(shop.refused(other, named(5, gateway())).await, taken);
    let elsewhere = shop.refused(other, named(5, other_gateway())).await;
    assert_eq!(elsewhere, Rejection::NothingCameBy(other_gateway()), "it gave back what never came by it");

    // Its webhook tells of the same refund, and it counts once.
    let refunded = evidence(succeeded(Some(usd(5))), 1).with_gateway_operation_id(gateway_operation("re_1"));
    let about = About { payment: Some(id), ..About::default() };
    let told = Notification::new(gateway(), "n_1".parse().unwrap(), about, Told::Refund(refunded));
    let told = shop.ledger.notify(&caller("acme"), told).await.unwrap();
    assert_eq!(told.payment().unwrap().refunded(), usd(5));
    verify(shop.ledger.store().as_ref()).await.unwrap();
}

/// Without a gateway's name, its id of a refund is one of the payment's gateway.
#[tokio::test]
async fn gateway_refund_id_alone_means_the_payments_gateway() {
    let shop = Shop::new();
    let id = shop.card().await;
    let named = NewRecordedRefund::of(usd(5)).with_gateway_refund_id(gateway_operation("re_1"));
    let done = shop.record(id, named).await.unwrap();
    assert_eq!(done.operation().unwrap().gateway, Some(gateway()));
}

/// INVARIANTS 20, 21: refunds that are made and refunds that are recorded share their keys.
#[tokio::test]
async fn key_of_a_recorded_refund_is_bound_to_all_that_was_asked() {
    let shop = Shop::new();
    let id = shop.card().await;
    let new = || NewRecordedRefund::of(usd(5)).with_idempotency_key(key("back"));
    let first = shop.record(id, new()).await.unwrap();
    let again = shop.record(id, new()).await.unwrap();
    assert_eq!((first.replayed, again.replayed, again.sequence), (false, true, first.sequence));
    let fields = |rejection| match rejection {
        Rejection::KeyMismatch { fields, .. } => fields,
        other => panic!("{other:?}"),
    };
    for (other, field) in [
        (new().with_gateway(gateway()), RequestField::PaymentGateway),
        (new().with_gateway_refund_id(gateway_operation("re_1")), RequestField::GatewayRefundId),
        (new().made_at(second(1)), RequestField::OccurredAt),
        (new().with_reason("broken".parse().unwrap()), RequestField::Reason),
    ] {
        assert_eq!(fields(shop.refused(id, other).await), [field]);
    }
    let made = NewRefund::of(usd(5)).with_idempotency_key(key("back"));
    let refused = shop.ledger.refund(&caller("acme"), id, made).await.unwrap_err();
    assert_eq!(fields(refused.rejection().unwrap().clone()), [RequestField::Recorded]);
}

/// INVARIANTS 4, 31: what went back elsewhere cannot be refunded by the gateway once more.
#[tokio::test]
async fn recorded_refund_leaves_less_for_the_gateway() {
    let shop = Shop::new();
    let id = shop.card().await;
    shop.record(id, NewRecordedRefund::of(usd(30))).await.unwrap();
    let refund = |cents| NewRefund::of(usd(cents));
    let refused = shop.ledger.refund(&caller("acme"), id, refund(71)).await.unwrap_err();
    let exceeds = Rejection::ExceedsRefundable { payment: id, refundable: usd(70) };
    assert_eq!(refused.rejection(), Some(&exceeds));
    assert_eq!(shop.refused(id, NewRecordedRefund::of(usd(71))).await, exceeds);
    let done = shop.ledger.refund(&caller("acme"), id, refund(70)).await.unwrap();
    assert_eq!(done.payment().unwrap().status(), PaymentStatus::Refunded);
    assert_eq!(shop.sandbox.refunded(id), Some(usd(70)));
}

#[tokio::test]
async fn recorded_attempt_is_at_the_named_gateway_or_at_none() {
    let shop = Shop::new();
    let open = || async {
        let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None));
        shop.make(new.with_gateway(gateway()).recorded_only()).await.id()
    };
    for (new, at) in [
        (NewAttempt::succeeded(), None),
        (NewAttempt::succeeded().with_gateway(other_gateway()), Some(other_gateway())),
        (NewAttempt::succeeded().with_gateway_attempt_id(gateway_operation("ch_1")), Some(gateway())),
    ] {
        let id = open().await;
        let done = shop.record_attempt(id, new).await.unwrap();
        assert_eq!(done.operation().unwrap().gateway, at);
        let account = at.map_or_else(AccountId::offline, |gateway| AccountId::gateway(&gateway));
        let (kind, postings) = shop.last_event(id).await;
        assert_eq!((kind, postings), ("attempt.recorded", to(&account, -100)));
    }
    let id = open().await;
    let unknown: counterfoil::text::GatewayName = "no-gateway".parse().unwrap();
    let there = NewAttempt::succeeded().with_gateway(unknown.clone());
    let refused = shop.record_attempt(id, there).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::UnknownGateway(unknown)));
    verify(shop.ledger.store().as_ref()).await.unwrap();
}
