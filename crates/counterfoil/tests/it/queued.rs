//! Operations that are written down first and sent later.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::Clock;
use counterfoil::command::{About, Rejection, Resolution, Told, UnknownReference};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::ledger::{
    Ledger, NewCapture, NewPayment, NewRefund, NewResolution, NewVoid, Notification, Processing, Update,
};
use counterfoil::payment::{Evidence, Operation, OperationId, Payment, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, card, gateway_operation, instrument, invoice, key, usd};

struct Shop {
    ledger: Ledger,
    sandbox: Arc<Sandbox>,
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new() -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()));
        let store = Arc::new(MemoryStore::new());
        let ledger = Ledger::new(store).with_gateway(sandbox.clone()).with_clock(clock.clone());
        Shop { ledger, sandbox, clock }
    }

    async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().clone()
    }

    async fn send(&self, payment: &Payment, operation: OperationId) -> Arc<Payment> {
        let sent = self.ledger.send(&caller("acme"), payment.id(), operation).await.unwrap();
        sent.payment().unwrap().clone()
    }

    async fn cancel(&self, payment: &Payment, operation: OperationId) -> Arc<Payment> {
        let canceled = self.ledger.cancel(&caller("acme"), payment.id(), operation).await.unwrap();
        canceled.payment().unwrap().clone()
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(payment.scope(), payment.id()).await.unwrap().unwrap()
    }
}

fn hundred() -> NewPayment {
    NewPayment::new(usd(100), invoice("inv_1"), card())
}

/// The last operation, and whether it is queued.
fn last(payment: &Payment) -> (OperationId, bool) {
    payment.operations().last().map(|last| (last.id, last.is_queued())).unwrap()
}

fn status(payment: &Payment, operation: OperationId) -> OperationStatus {
    payment.operation(operation).map(Operation::status).unwrap()
}

/// INVARIANTS 25.
#[tokio::test]
async fn every_kind_of_operation_can_be_queued_and_reaches_its_gateway_when_it_is_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let held = shop.create(hundred().captured_later().queued()).await;
    let (attempt, is_queued) = last(&held);
    assert!(is_queued && held.status() == PaymentStatus::Processing);
    assert_eq!(shop.sandbox.calls(), 0);
    let held = shop.send(&held, attempt).await;
    assert_eq!((held.status(), shop.sandbox.calls()), (PaymentStatus::Authorized, 1));

    let capture = NewCapture::of(usd(60)).keeping_the_rest().queued();
    shop.ledger.capture(&me, held.id(), capture).await.unwrap();
    let queued = shop.now(&held).await;
    let (capture, is_queued) = last(&queued);
    assert!(is_queued);
    assert_eq!((queued.held(), queued.capturable()), (usd(100), usd(40)), "it reserves what it asks for");
    let captured = shop.send(&queued, capture).await;
    assert_eq!((captured.captured(), captured.held()), (usd(60), usd(40)));

    shop.ledger.void(&me, held.id(), NewVoid::new().queued()).await.unwrap();
    let queued = shop.now(&held).await;
    let (void, is_queued) = last(&queued);
    assert!(is_queued);
    assert_eq!((queued.held(), queued.capturable()), (usd(40), usd(0)));
    assert_eq!(shop.send(&queued, void).await.held(), usd(0));

    shop.ledger.refund(&me, held.id(), NewRefund::of(usd(20)).queued()).await.unwrap();
    let queued = shop.now(&held).await;
    let (refund, is_queued) = last(&queued);
    assert!(is_queued);
    assert_eq!((queued.refunded(), queued.refundable()), (usd(0), usd(40)));
    assert_eq!(shop.send(&queued, refund).await.refunded(), usd(20));
    assert_eq!(shop.sandbox.calls(), 4);

    let recorded = shop.create(hundred().recorded_only()).await;
    shop.ledger.process(&me, recorded.id(), Processing::default().queued()).await.unwrap();
    let queued = shop.now(&recorded).await;
    let (attempt, is_queued) = last(&queued);
    assert!(is_queued);
    assert_eq!(shop.send(&queued, attempt).await.status(), PaymentStatus::Succeeded);
}

/// INVARIANTS 25, 47.
#[tokio::test]
async fn what_nobody_sends_is_sent_when_due_work_runs_and_asked_about_only_afterwards() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued().with_idempotency_key(key("k"))).await;
    let (attempt, _) = last(&payment);
    assert_eq!(payment.next_due(), Some((shop.clock.now(), Work::Send { operation: attempt })));
    assert!(shop.ledger.inquire(&me, payment.id()).await.unwrap().is_none(), "nothing was sent");
    let again = shop.ledger.create(&me, hundred().with_idempotency_key(key("k"))).await.unwrap();
    assert!(again.replayed && last(again.payment().unwrap()).1, "a repetition sends nothing");
    assert_eq!(shop.sandbox.calls(), 0);

    let run = shop.ledger.run_due(10).await.unwrap();
    assert_eq!((run.done, shop.sandbox.calls()), (1, 1));
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Succeeded);
    let late = shop.ledger.send(&me, payment.id(), attempt).await.unwrap();
    assert!(late.replayed && shop.sandbox.calls() == 1);
}

/// INVARIANTS 11, 25: what is canceled leaves no trace in the schedule of retries.
#[tokio::test]
async fn canceled_attempt_leaves_the_payment_as_it_was_before() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued()).await;
    let (attempt, _) = last(&payment);
    let canceled = shop.cancel(&payment, attempt).await;
    assert_eq!(canceled.status(), PaymentStatus::Pending);
    assert_eq!(status(&canceled, attempt), OperationStatus::Canceled);
    assert_eq!(canceled.next_due(), None);
    assert!(shop.ledger.cancel(&me, payment.id(), attempt).await.unwrap().replayed);
    assert!(shop.ledger.send(&me, payment.id(), attempt).await.unwrap().replayed);
    assert_eq!(shop.sandbox.calls(), 0);

    let paid = shop.ledger.process(&me, payment.id(), Processing::default()).await.unwrap();
    let paid = paid.payment().unwrap();
    assert_eq!(paid.status(), PaymentStatus::Succeeded);
    let refused = shop.ledger.cancel(&me, payment.id(), last(paid).0).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::NotQueued { .. })));
}

#[tokio::test]
async fn attempt_of_a_payment_whose_time_has_run_out_is_canceled_instead_of_sent() {
    let shop = Shop::new();
    let expires = shop.clock.now().saturating_add(Duration::from_secs(60));
    let payment = shop.create(hundred().expiring_at(expires).queued()).await;
    shop.clock.set(expires);
    // First the attempt is canceled, then the payment ends.
    for expected in [PaymentStatus::Pending, PaymentStatus::Voided] {
        assert_eq!(shop.ledger.run_due(10).await.unwrap().done, 1);
        assert_eq!(shop.now(&payment).await.status(), expected);
    }
    assert_eq!(shop.sandbox.calls(), 0);
}

/// A second charge would be the payer's loss.
#[tokio::test]
async fn attempt_of_a_payment_that_has_money_by_now_is_canceled_instead_of_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let declining = counterfoil::payment::PaymentMethod::Card(Some(instrument("pm_sandbox_decline")));
    let retrying = shop.ledger.clone().with_policy(counterfoil_testkit::fixtures::retrying());
    let new = NewPayment::new(usd(100), invoice("inv_1"), declining);
    let declined = retrying.create(&me, new).await.unwrap().payment().unwrap().clone();
    let how = Processing::default().with_instrument(instrument("pm_other")).queued();
    let queued = retrying.process(&me, declined.id(), how).await.unwrap().payment().unwrap().clone();
    let (first, (second, is_queued)) = (queued.operations()[0].id, last(&queued));
    assert!(is_queued);

    // The gateway reports that the first attempt was paid after all.
    let paid = Evidence::succeeded(shop.clock.now());
    shop.ledger.report(&me, queued.id(), first, paid).await.unwrap();
    let sent = shop.send(&queued, second).await;
    assert_eq!(status(&sent, second), OperationStatus::Canceled);
    assert_eq!((sent.captured(), shop.sandbox.calls()), (usd(100), 1));
}

#[tokio::test]
async fn operator_cannot_decide_about_what_was_never_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued()).await;
    let (attempt, _) = last(&payment);
    let queued = Rejection::Queued { payment: payment.id(), operation: attempt };
    for resolution in [Resolution::Succeeded { amount: None }, Resolution::Failed, Resolution::NotSent] {
        let new = NewResolution::new(resolution, "seen there".parse().unwrap()).about(attempt);
        let refused = shop.ledger.resolve(&me, payment.id(), new).await.unwrap_err();
        assert_eq!(refused.rejection(), Some(&queued));
    }
    for to in [PaymentStatus::Succeeded, PaymentStatus::Failed] {
        let refused = shop.ledger.update(&me, payment.id(), Update::to(to)).await.unwrap_err();
        assert_eq!(refused.rejection(), Some(&queued));
    }
    let unnamed = NewResolution::new(Resolution::Failed, "seen there".parse().unwrap());
    let refused = shop.ledger.resolve(&me, payment.id(), unnamed).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::NothingToResolve { .. })));
}

/// INVARIANTS 26: a report without our id is about what was sent. With our id it counts: restored books may not know any
/// more that the attempt was sent.
#[tokio::test]
async fn report_is_about_a_queued_attempt_only_where_it_has_our_id() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued()).await;
    let (attempt, _) = last(&payment);
    let paid = || {
        Told::Attempt(
            Evidence::succeeded(shop.clock.now()).with_gateway_operation_id(gateway_operation("ch_1")),
        )
    };
    let about = |operation| About { payment: Some(payment.id()), operation, ..About::default() };
    let gateway = counterfoil_sandbox::NAME;
    let notification = |id: &str, operation| {
        Notification::new(gateway.parse().unwrap(), id.parse().unwrap(), about(operation), paid())
    };
    let unknown = shop.ledger.notify(&me, notification("n_1", None)).await.unwrap_err();
    let unknown_name = UnknownReference::Unknown { field: "gateway_operation_id" };
    assert_eq!(unknown.rejection(), Some(&Rejection::NothingKnown(unknown_name)));

    shop.ledger.notify(&me, notification("n_2", Some(attempt))).await.unwrap();
    let paid = shop.now(&payment).await;
    assert_eq!((paid.status(), paid.captured()), (PaymentStatus::Succeeded, usd(100)));
    assert!(shop.ledger.send(&me, payment.id(), attempt).await.unwrap().replayed);
    assert_eq!(shop.sandbox.calls(), 0, "it is not charged again");
}

/// What a gateway made before a refund was sent cannot be that refund.
#[tokio::test]
async fn refund_that_was_made_at_the_gateway_before_ours_was_sent_is_another_one() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred()).await;
    shop.ledger.refund(&me, payment.id(), NewRefund::of(usd(30)).queued()).await.unwrap();
    let (ours, _) = last(&*shop.now(&payment).await);
    let evidence = Evidence::succeeded(shop.clock.now()).with_amount(Some(usd(30)));
    let told = Told::Refund(evidence.with_gateway_operation_id(gateway_operation("re_1")));
    let about = About { payment: Some(payment.id()), ..About::default() };
    let gateway = counterfoil_sandbox::NAME.parse().unwrap();
    let notification = Notification::new(gateway, "n_1".parse().unwrap(), about, told);
    let both = shop.ledger.notify(&me, notification).await.unwrap();
    let both = both.payment().unwrap();
    assert_eq!((both.refunded(), both.refundable()), (usd(30), usd(40)), "ours is reserved beside it");

    let sent = shop.send(both, ours).await;
    assert_eq!(sent.refunded(), usd(60));
    assert!(sent.reviews().is_empty(), "neither is taken for the other");
}

/// Its own void is not the one that is queued here.
#[tokio::test]
async fn void_that_was_made_at_the_gateway_before_ours_was_sent_is_another_one() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let held = shop.create(hundred().captured_later()).await;
    shop.ledger.void(&me, held.id(), NewVoid::new().queued()).await.unwrap();
    let (ours, _) = last(&*shop.now(&held).await);
    let evidence = Evidence::succeeded(shop.clock.now()).with_amount(Some(usd(40)));
    let told = Told::Void(evidence.with_gateway_operation_id(gateway_operation("v_1")));
    let about = About { payment: Some(held.id()), ..About::default() };
    let gateway = counterfoil_sandbox::NAME.parse().unwrap();
    let notification = Notification::new(gateway, "n_1".parse().unwrap(), about, told);
    let both = shop.ledger.notify(&me, notification).await.unwrap();
    let both = both.payment().unwrap();
    assert_eq!((both.voids().count(), both.held()), (2, usd(60)));
    assert_eq!(status(both, ours), OperationStatus::Queued);
}

/// INVARIANTS 17: the schedule begins with the first attempt that is sent.
#[tokio::test]
async fn canceled_attempt_does_not_begin_the_schedule_of_retries() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let retrying = shop.ledger.clone().with_policy(counterfoil_testkit::fixtures::retrying());
    let declining = counterfoil::payment::PaymentMethod::Card(Some(instrument("pm_sandbox_decline")));
    let new = NewPayment::new(usd(100), invoice("inv_1"), declining).queued();
    let payment = retrying.create(&me, new).await.unwrap().payment().unwrap().clone();
    retrying.cancel(&me, payment.id(), last(&payment).0).await.unwrap();
    shop.clock.advance(Duration::from_secs(3_600));
    let declined = retrying.process(&me, payment.id(), Processing::default()).await.unwrap();
    let declined = declined.payment().unwrap();
    let first = counterfoil_testkit::fixtures::RETRIES[0];
    let started = declined.operations()[1].created_at;
    assert_eq!(declined.next_attempt_at(), Some(started.saturating_add(first)));
}

/// A gateway that must not be asked.
#[derive(Debug)]
struct Unasked(Sandbox);

#[async_trait]
impl Gateway for Unasked {
    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    fn finality(&self) -> Finality {
        Finality::After(Duration::ZERO)
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.0.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.0.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.0.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.0.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        panic!("asked about {}, which was never sent", inquiry.operation)
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.0.look_up(payment).await
    }
}

/// INVARIANTS 25: neither by an inquiry, nor by a repetition of the creation, nor by a poll.
#[tokio::test]
async fn no_gateway_is_asked_about_what_is_queued() {
    let clock = Arc::new(ManualClock::default());
    let ledger = Ledger::new(Arc::new(MemoryStore::new()))
        .with_gateway(Arc::new(Unasked(Sandbox::new())))
        .with_clock(clock.clone());
    let (me, new) = (caller("acme"), hundred().queued().with_idempotency_key(key("k")));
    let payment = ledger.create(&me, new.clone()).await.unwrap().payment().unwrap().clone();
    clock.advance(Duration::from_secs(100_000));
    assert!(ledger.inquire(&me, payment.id()).await.unwrap().is_none());
    assert!(ledger.create(&me, new).await.unwrap().replayed);
    let poll = Work::Poll { operation: last(&payment).0, polls: 0 };
    let desk = counterfoil_testkit::Desk::new(1);
    desk.clock().set(clock.now());
    let poll = desk.poll(&me, payment.id(), poll);
    assert!(ledger.store().execute(poll).await.unwrap().replayed, "a poll of it is not due");
}
