//! Queued operations: recorded first, sent to their gateway later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::account::Owed;
use counterfoil::clock::Clock;
use counterfoil::command::{About, Policy, Rejection, Resolution, Told, UnknownReference};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::ledger::{
    Ledger, NewCapture, NewPayment, NewRefund, NewResolution, NewVoid, Notification, Processing, Update,
};
use counterfoil::payment::{Evidence, FailureClass, Operation, OperationId, Outcome, Payment, Work};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{
    caller, canceled, card, evidence, failed, gateway_operation, gateway_payment, instrument, invoice, key,
    not_sent, pending, reversed, usd,
};

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
async fn every_kind_of_operation_can_be_queued_and_sent() {
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
    assert_eq!(
        (queued.held(), queued.capturable()),
        (usd(100), usd(40)),
        "a queued capture reserves its amount"
    );
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
async fn run_due_sends_a_queued_attempt_and_nothing_queries_it_before() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued().with_idempotency_key(key("k"))).await;
    let (attempt, _) = last(&payment);
    assert_eq!(payment.next_due(), Some((shop.clock.now(), Work::Send { operation: attempt })));
    assert!(
        shop.ledger.inquire(&me, payment.id()).await.unwrap().is_none(),
        "a queued attempt is not queried"
    );
    let again = shop.ledger.create(&me, hundred().with_idempotency_key(key("k"))).await.unwrap();
    assert!(again.replayed && last(again.payment().unwrap()).1, "a repeated request sends nothing");
    assert_eq!(shop.sandbox.calls(), 0);

    let run = shop.ledger.run_due(10).await.unwrap();
    assert_eq!((run.done, shop.sandbox.calls()), (1, 1));
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Succeeded);
    let late = shop.ledger.send(&me, payment.id(), attempt).await.unwrap();
    assert!(late.replayed && shop.sandbox.calls() == 1);
}

/// INVARIANTS 11, 25: a canceled attempt does not change the schedule of retries.
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
async fn attempt_of_an_expired_payment_is_canceled_instead_of_sent() {
    let shop = Shop::new();
    let expires = shop.clock.now().saturating_add(Duration::from_secs(60));
    let payment = shop.create(hundred().expiring_at(expires).queued()).await;
    shop.clock.set(expires);
    // The first run cancels the attempt, the second one ends the payment.
    for expected in [PaymentStatus::Pending, PaymentStatus::Voided] {
        assert_eq!(shop.ledger.run_due(10).await.unwrap().done, 1);
        assert_eq!(shop.now(&payment).await.status(), expected);
    }
    assert_eq!(shop.sandbox.calls(), 0);
}

/// Otherwise the payer would be charged twice.
#[tokio::test]
async fn attempt_of_a_payment_that_was_paid_meanwhile_is_canceled_instead_of_sent() {
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
async fn operator_cannot_resolve_a_queued_operation() {
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

/// INVARIANTS 26: a report without our id is about an operation that was sent. A report with our id is applied, because
/// a restore from a backup may have lost the event that sent the attempt.
#[tokio::test]
async fn report_is_about_a_queued_attempt_only_if_it_has_our_id() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let payment = shop.create(hundred().queued()).await;
    let (attempt, _) = last(&payment);
    let evidence = Evidence::succeeded(shop.clock.now()).with_gateway_operation_id(gateway_operation("ch_1"));
    let told = Told::Attempt(evidence);
    let about = |operation| About { payment: Some(payment.id()), operation, ..About::default() };
    let gateway = counterfoil_sandbox::NAME;
    let notification = |id: &str, operation| {
        Notification::new(gateway.parse().unwrap(), id.parse().unwrap(), about(operation), told.clone())
    };
    let unknown = shop.ledger.notify(&me, notification("n_1", None)).await.unwrap_err();
    let unknown_name = UnknownReference::Unknown { field: "gateway_operation_id" };
    assert_eq!(unknown.rejection(), Some(&Rejection::NothingKnown(unknown_name)));

    shop.ledger.notify(&me, notification("n_2", Some(attempt))).await.unwrap();
    let paid = shop.now(&payment).await;
    assert_eq!((paid.status(), paid.captured()), (PaymentStatus::Succeeded, usd(100)));
    assert!(shop.ledger.send(&me, payment.id(), attempt).await.unwrap().replayed);
    assert_eq!(shop.sandbox.calls(), 0, "the payer is not charged again");
}

#[tokio::test]
async fn refund_reported_before_a_queued_refund_was_sent_is_another_refund() {
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
    assert_eq!(
        (both.refunded(), both.refundable()),
        (usd(30), usd(40)),
        "the queued refund still reserves its amount"
    );

    let sent = shop.send(both, ours).await;
    assert_eq!(sent.refunded(), usd(60));
    assert!(sent.reviews().is_empty(), "neither is a possible duplicate of the other");
}

#[tokio::test]
async fn void_reported_before_a_queued_void_was_sent_is_another_void() {
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

/// A line to the sandbox that loses the first refund. An inquiry can be made to fail the test.
#[derive(Debug)]
struct Line {
    sandbox: Arc<Sandbox>,
    finality: Finality,
    takes_inquiries: bool,
    refunds: AtomicUsize,
}

impl Line {
    fn to(sandbox: &Arc<Sandbox>, finality: Finality) -> Line {
        Line { sandbox: sandbox.clone(), finality, takes_inquiries: true, refunds: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Gateway for Line {
    fn name(&self) -> &GatewayName {
        self.sandbox.name()
    }

    fn finality(&self) -> Finality {
        self.finality
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.sandbox.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.sandbox.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        if self.refunds.fetch_add(1, Ordering::Relaxed) == 0 {
            return evidence(not_sent(), 1);
        }
        self.sandbox.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.sandbox.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        assert!(self.takes_inquiries, "queried about {}, which was never sent", inquiry.operation);
        self.sandbox.inquire(inquiry).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.sandbox.look_up(payment).await
    }
}

/// INVARIANTS 25: an inquiry, a repeated creation and a poll do not query the gateway.
#[tokio::test]
async fn no_gateway_is_queried_about_a_queued_attempt() {
    let clock = Arc::new(ManualClock::default());
    let line = Line { takes_inquiries: false, ..Line::to(&Arc::default(), Finality::After(Duration::ZERO)) };
    let ledger =
        Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(line)).with_clock(clock.clone());
    let (me, new) = (caller("acme"), hundred().queued().with_idempotency_key(key("k")));
    let payment = ledger.create(&me, new.clone()).await.unwrap().payment().unwrap().clone();
    clock.advance(Duration::from_secs(100_000));
    assert!(ledger.inquire(&me, payment.id()).await.unwrap().is_none());
    assert!(ledger.create(&me, new).await.unwrap().replayed);
    let poll = Work::Poll { operation: last(&payment).0, polls: 0 };
    let desk = counterfoil_testkit::Desk::new(1);
    desk.clock().set(clock.now());
    let poll = desk.poll(&me, payment.id(), poll);
    assert!(ledger.store().execute(poll).await.unwrap().replayed, "a poll is not due");
}

fn steered(name: &str) -> NewPayment {
    let method = counterfoil::payment::PaymentMethod::Card(Some(instrument(name)));
    NewPayment::new(usd(100), invoice("inv_1"), method)
}

impl Shop {
    /// The payment once its gateway has sent this notification.
    async fn notify(&self, payment: &Payment, told: Told) -> Arc<Payment> {
        let about = About { payment: Some(payment.id()), ..About::default() };
        let gateway = counterfoil_sandbox::NAME.parse().unwrap();
        let notification = Notification::new(gateway, "n_1".parse().unwrap(), about, told);
        let notified = self.ledger.notify(&caller("acme"), notification).await.unwrap();
        notified.payment().unwrap().clone()
    }

    /// Sends the last operation of the payment, which must be canceled instead, without a call of the gateway.
    async fn assert_canceled(&self, payment: &Payment, why: &str) {
        let (operation, is_queued) = last(payment);
        assert!(is_queued, "{why}");
        let calls = self.sandbox.calls();
        let sent = self.send(payment, operation).await;
        assert_eq!(status(&sent, operation), OperationStatus::Canceled, "{why}");
        let said = sent.operation(operation).and_then(Operation::error_message).map(ToString::to_string);
        assert!(said.as_deref().is_some_and(|said| said.contains(why)), "{said:?} has no {why:?}");
        assert_eq!(self.sandbox.calls(), calls, "{why}");
    }
}

fn said(outcome: Outcome, cents: i64, name: &str) -> Evidence {
    evidence(outcome, 5).with_amount(Some(usd(cents))).with_gateway_operation_id(gateway_operation(name))
}

/// INVARIANTS 4, 12: what would not be accepted now is not sent either.
#[tokio::test]
async fn capture_refund_or_void_without_its_amount_is_canceled_instead_of_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let gone = "no longer available";

    let held = shop.create(hundred().captured_later()).await;
    let queued = shop.ledger.void(&me, held.id(), NewVoid::new().queued()).await.unwrap();
    shop.notify(&held, Told::Capture(said(Outcome::Succeeded, 100, "cap_1"))).await;
    shop.assert_canceled(queued.payment().unwrap(), gone).await;

    let held = shop.create(hundred().captured_later()).await;
    let queued = shop.ledger.capture(&me, held.id(), NewCapture::all().queued()).await.unwrap();
    shop.notify(&held, Told::Authorization(evidence(reversed(), 5))).await;
    shop.assert_canceled(queued.payment().unwrap(), gone).await;

    for told in [
        Told::Returned(evidence(reversed(), 5)),
        Told::Refund(said(Outcome::Succeeded, 100, "re_1")),
        Told::Refund(said(Outcome::Succeeded, 1, "re_2")),
    ] {
        let paid = shop.create(hundred()).await;
        let queued = shop.ledger.refund(&me, paid.id(), NewRefund::all().queued()).await.unwrap();
        shop.notify(&paid, told).await;
        shop.assert_canceled(queued.payment().unwrap(), gone).await;
    }
    let paid = shop.create(hundred()).await;
    let part = shop.ledger.refund(&me, paid.id(), NewRefund::of(usd(60)).queued()).await.unwrap();
    shop.notify(&paid, Told::Refund(said(Outcome::Succeeded, 40, "re_3"))).await;
    let (refund, _) = last(part.payment().unwrap());
    assert_eq!(shop.send(&paid, refund).await.refunded(), usd(100), "what is there still is given back");
}

/// INVARIANTS 16, 17.
#[tokio::test]
async fn attempt_that_would_not_be_started_now_is_canceled_instead_of_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let queued = shop.create(hundred().queued()).await;
    let change = Update::default().with_gateway_payment_id(gateway_payment("pi_1"));
    shop.ledger.update(&me, queued.id(), change).await.unwrap();
    shop.assert_canceled(&queued, "was created at its gateway").await;

    for (outcome, why) in
        [(pending(), "another attempt is under way"), (failed(FailureClass::Hard), "the payment has ended")]
    {
        let unsent = shop.create(steered("pm_sandbox_down")).await;
        let (first, _) = last(&unsent);
        let how = Processing::default().with_instrument(instrument("pm_other")).queued();
        let queued = shop.ledger.process(&me, unsent.id(), how).await.unwrap();
        shop.ledger.report(&me, unsent.id(), first, evidence(outcome, 5)).await.unwrap();
        shop.assert_canceled(queued.payment().unwrap(), why).await;
    }

    let owed = |payable| Owed { amount_due: usd(100), payable, number: None };
    shop.ledger.register(&me, invoice("inv_2"), owed(true)).await.unwrap();
    let two = |method| NewPayment::new(usd(100), invoice("inv_2"), method);
    let first = shop.create(two(card()).queued()).await;
    shop.ledger.register(&me, invoice("inv_2"), owed(false)).await.unwrap();
    shop.assert_canceled(&first, "not payable").await;
    shop.ledger.register(&me, invoice("inv_2"), owed(true)).await.unwrap();
    let second = shop.create(two(card()).queued()).await;
    // Cash is taken whatever is reserved.
    shop.create(two(counterfoil::payment::PaymentMethod::Offline)).await;
    shop.assert_canceled(&second, "inv_2").await;
}

/// INVARIANTS 17: until that is known, it stays queued.
#[tokio::test]
async fn attempt_for_an_invoice_in_doubt_waits() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let queued = shop.create(hundred().queued()).await;
    let (attempt, _) = last(&queued);
    let unknown = shop.create(steered("pm_sandbox_timeout_unknown")).await;
    let refused = shop.ledger.send(&me, queued.id(), attempt).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::DestinationInDoubt { .. })));
    assert!(last(&*shop.now(&queued).await).1);

    shop.clock.advance(Duration::from_secs(3_600));
    let settled = NewResolution::new(Resolution::Failed, "not on the statement".parse().unwrap());
    shop.ledger.resolve(&me, unknown.id(), settled).await.unwrap();
    assert_eq!(shop.send(&queued, attempt).await.status(), PaymentStatus::Succeeded);
}

#[tokio::test]
async fn machine_without_the_gateway_leaves_an_operation_queued() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let paid = shop.create(hundred()).await;
    shop.ledger.refund(&me, paid.id(), NewRefund::of(usd(30)).queued()).await.unwrap();
    shop.clock.advance(Duration::from_secs(1));
    let other = Ledger::new(shop.ledger.store().clone()).with_clock(shop.clock.clone());
    let run = other.run_due(10).await.unwrap();
    assert!(matches!(run.failed[0].rejection(), Some(Rejection::UnknownGateway(_))), "{:?}", run.failed);
    assert_eq!(shop.ledger.run_due(10).await.unwrap().done, 1);
    assert_eq!(shop.now(&paid).await.refunded(), usd(30));
}

/// INVARIANTS 24, 47: its caller did not wait for the answer, so a failure must not pass unseen.
#[tokio::test]
async fn queued_refund_whose_gateway_cannot_be_reached_goes_on_or_is_listed() {
    for (finality, goes_on) in [(Finality::After(Duration::ZERO), true), (Finality::Never, false)] {
        let (shop, me) = (Shop::new(), caller("acme"));
        let line = Arc::new(Line::to(&shop.sandbox, finality));
        let store = shop.ledger.store().clone();
        let ledger = Ledger::new(store).with_gateway(line).with_clock(shop.clock.clone());
        let paid = ledger.create(&me, hundred()).await.unwrap().payment().unwrap().clone();
        ledger.refund(&me, paid.id(), NewRefund::of(usd(30)).queued()).await.unwrap();
        for _ in 0..30 {
            shop.clock.advance(Duration::from_secs(86_400));
            ledger.run_due(10).await.unwrap();
        }
        let refunded = shop.now(&paid).await;
        assert_eq!((refunded.refunded() == usd(30), refunded.is_stuck()), (goes_on, !goes_on));
    }
}

/// INVARIANTS 44.
#[tokio::test]
async fn canceled_attempt_leaves_the_schedule_as_it_was() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let ledger = shop.ledger.clone().with_policy(counterfoil_testkit::fixtures::retrying());
    for steered in [steered("pm_sandbox_decline"), steered("pm_sandbox_down")] {
        let declined = ledger.create(&me, steered).await.unwrap().payment().unwrap().clone();
        let due = declined.next_due();
        assert!(due.is_some());
        let how = Processing::default().with_instrument(instrument("pm_other")).queued();
        let queued = ledger.process(&me, declined.id(), how).await.unwrap().payment().unwrap().clone();
        let canceled = shop.cancel(&queued, last(&queued).0).await;
        assert_eq!(canceled.next_due().map(|(at, _)| at), due.map(|(at, _)| at));
    }
}

/// INVARIANTS 44: the delays count from the moment when the attempt was sent.
#[tokio::test]
async fn schedule_of_retries_begins_when_the_attempt_is_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let ledger = shop.ledger.clone().with_policy(counterfoil_testkit::fixtures::retrying());
    let queued = ledger.create(&me, steered("pm_sandbox_decline").queued()).await.unwrap();
    let queued = queued.payment().unwrap().clone();
    shop.clock.advance(Duration::from_secs(30 * 86_400));
    let at = shop.clock.now();
    let sent = ledger.send(&me, queued.id(), last(&queued).0).await.unwrap();
    let first = counterfoil_testkit::fixtures::RETRIES[0];
    assert_eq!(sent.payment().unwrap().next_attempt_at(), Some(at.saturating_add(first)));
}

#[tokio::test]
async fn failed_payment_is_not_opened_again_by_what_is_queued() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let ledger = shop.ledger.clone().with_policy(Policy::default().processing_failed());
    let failed = ledger.create(&me, steered("pm_sandbox_decline")).await.unwrap();
    let how = Processing::default().with_instrument(instrument("pm_other"));
    let refused =
        ledger.process(&me, failed.payment().unwrap().id(), how.clone().queued()).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::NotAllowed { .. })));
    ledger.process(&me, failed.payment().unwrap().id(), how).await.unwrap();
}

/// INVARIANTS 26: in restored books, what was reported of it was sent.
#[tokio::test]
async fn queued_operation_that_was_reported_takes_part_in_the_rules_of_names() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let queued = shop.create(hundred().queued()).await;
    shop.ledger.report(&me, queued.id(), last(&queued).0, evidence(pending(), 5)).await.unwrap();
    let paid = shop.notify(&queued, Told::Attempt(said(Outcome::Succeeded, 100, "ch_1"))).await;
    assert_eq!((paid.attempts().count(), paid.captured()), (1, usd(100)));

    let queued = shop.ledger.refund(&me, paid.id(), NewRefund::of(usd(30)).queued()).await.unwrap();
    let (refund, _) = last(queued.payment().unwrap());
    shop.ledger.report(&me, paid.id(), refund, evidence(pending(), 5)).await.unwrap();
    let about = About { payment: Some(paid.id()), ..About::default() };
    let gateway = counterfoil_sandbox::NAME.parse().unwrap();
    let told = Told::Refund(said(Outcome::Succeeded, 30, "re_1"));
    let notification = Notification::new(gateway, "n_2".parse().unwrap(), about, told);
    let waits = shop.ledger.notify(&me, notification).await.unwrap_err();
    let may_be_ours = Rejection::NothingKnown(UnknownReference::MayBeOurs);
    assert_eq!(waits.rejection(), Some(&may_be_ours));
}

#[tokio::test]
async fn inquiry_is_about_the_attempt_that_was_sent() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let silent = shop.create(steered("pm_sandbox_timeout_paid")).await;
    shop.ledger.report(&me, silent.id(), last(&silent).0, evidence(canceled(), 5)).await.unwrap();
    shop.ledger.process(&me, silent.id(), Processing::default().queued()).await.unwrap();
    let queued = shop.now(&silent).await;
    shop.cancel(&queued, last(&queued).0).await;
    let found = shop.ledger.inquire(&me, silent.id()).await.unwrap().expect("the first one was paid");
    assert_eq!(found.payment().unwrap().captured(), usd(100));
}

#[tokio::test]
async fn payment_with_a_queued_operation_is_not_archived() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let paid = shop.create(hundred()).await;
    shop.ledger.refund(&me, paid.id(), NewRefund::all().queued()).await.unwrap();
    shop.notify(&paid, Told::Returned(evidence(reversed(), 5))).await;
    let refused = shop.ledger.archive(&me, paid.id()).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::Queued { .. })));
}
