//! A payment whose money came in several charges: one refund is of one of them.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Policy, Recorded, Rejection, Resolution, Told};
use counterfoil::ledger::{
    Ledger, NewAttempt, NewCapture, NewPayment, NewRefund, NewResolution, NewVoid, Notification, Processing,
    Update,
};
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Payment, PaymentMethod, RetrySchedule, Review};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, gateway_payment, instrument, invoice, usd};

struct Shop {
    ledger: Ledger,
    gateways: [Arc<Sandbox>; 2],
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new(policy: Policy) -> Shop {
        let clock = Arc::new(ManualClock::default());
        let gateways = ["a", "b"].map(|name| {
            Arc::new(Sandbox::named(name.parse().unwrap()).with_clock(clock.clone()).with_notifications())
        });
        let mut ledger =
            Ledger::new(Arc::new(MemoryStore::new())).with_clock(clock.clone()).with_policy(policy);
        for gateway in &gateways {
            ledger = ledger.with_gateway(gateway.clone());
        }
        Shop { ledger, gateways, clock }
    }

    async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().clone()
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(payment.scope(), payment.id()).await.unwrap().unwrap()
    }

    async fn say(&self, payment: &Payment, resolution: Resolution) {
        let said = NewResolution::new(resolution, "seen there".parse().unwrap());
        self.ledger.resolve(&caller("acme"), payment.id(), said).await.unwrap();
    }

    async fn deliver(&self) {
        for (_, told) in self.gateways.iter().flat_map(|gateway| gateway.take_notifications()) {
            self.ledger.notify(&caller("acme"), told).await.unwrap();
        }
    }

    /// Money that gateway `a` tells of under a name.
    async fn tell(&self, payment: &Payment, name: &str, told: fn(Evidence) -> Told, cents: i64) {
        let evidence = Evidence::succeeded(Timestamp::EPOCH).with_amount(usd(cents));
        let evidence = evidence.with_gateway_operation_id(name.parse().unwrap());
        let about = About { payment: Some(payment.id()), ..About::default() };
        let notification =
            Notification::new("a".parse().unwrap(), name.parse().unwrap(), about, told(evidence));
        self.ledger.notify(&caller("acme"), notification).await.unwrap();
    }

    async fn may(&self, payment: &Payment, action: Action) -> Option<Money> {
        let actions = self.ledger.actions(&*self.now(payment).await);
        actions.into_iter().find(|possible| possible.action == action).unwrap().max_amount
    }

    /// What became of a refund of all that one may be of.
    async fn refund_all(&self, payment: &Payment) -> OperationStatus {
        let all = NewRefund::of(self.may(payment, Action::Refund).await.unwrap());
        let receipt = self.ledger.refund(&caller("acme"), payment.id(), all).await.unwrap();
        receipt.operation().unwrap().status()
    }

    /// A charge by gateway `a` that nobody here knows of, and another one; then the first is told of.
    async fn charged_twice(&self, new: NewPayment, second: &str) -> Arc<Payment> {
        let payment = self.create(new.with_gateway("a".parse().unwrap())).await;
        self.clock.advance(Duration::from_secs(1));
        self.say(&payment, Resolution::NotSent).await;
        let second =
            Update::default().with_gateway(second.parse().unwrap()).with_instrument(instrument("pm_other"));
        self.ledger.update(&caller("acme"), payment.id(), second).await.unwrap();
        self.ledger.process(&caller("acme"), payment.id(), Processing::default()).await.unwrap();
        self.deliver().await;
        self.say(&payment, Resolution::Dismissed).await;
        self.now(&payment).await
    }

    /// So much by bank, and so much by gateway `a`.
    async fn by_bank_and_by_gateway(&self, bank: i64, there: i64) -> Arc<Payment> {
        let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None)).recorded_only();
        let payment = self.create(new).await;
        let bank = NewAttempt::new(Recorded::Succeeded { amount: Some(usd(bank)) });
        self.ledger.record_attempt(&caller("acme"), payment.id(), bank).await.unwrap();
        let named = Update::default()
            .with_gateway("a".parse().unwrap())
            .with_gateway_payment_id(gateway_payment("gp_1"));
        self.ledger.update(&caller("acme"), payment.id(), named).await.unwrap();
        self.tell(&payment, "ch_1", Told::Attempt, there).await;
        self.now(&payment).await
    }

    fn calls(&self) -> usize {
        self.gateways.iter().map(|gateway| gateway.calls()).sum()
    }
}

fn card(name: &str) -> NewPayment {
    NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(Some(instrument(name))))
}

/// INVARIANTS 4, 46: each refund is of one charge, and what `actions` names is accepted there, until all is back.
#[tokio::test]
async fn what_can_be_refunded_at_once_is_of_one_charge() {
    for second in ["a", "b"] {
        let shop = Shop::new(Policy::default());
        let payment = shop.charged_twice(card("pm_sandbox_timeout_paid"), second).await;
        assert_eq!((payment.refundable(), payment.refundable_at_once()), (usd(200), usd(100)));
        let too_much = NewRefund::of(usd(101));
        let refused = shop.ledger.refund(&caller("acme"), payment.id(), too_much).await.unwrap_err();
        let most = Rejection::ExceedsRefundable { payment: payment.id(), refundable: usd(100) };
        assert_eq!(refused.rejection(), Some(&most));
        for _ in 0..2 {
            shop.ledger.refund(&caller("acme"), payment.id(), NewRefund::of(usd(60))).await.unwrap();
        }
        for _ in 0..2 {
            assert_eq!(shop.may(&payment, Action::Refund).await, Some(usd(40)));
            assert_eq!(shop.refund_all(&payment).await, OperationStatus::Succeeded);
        }
        assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Refunded);
        let there = shop.gateways.iter().filter_map(|gateway| gateway.refunded(payment.id()));
        assert_eq!(there.map(Money::minor).sum::<i64>(), 200);
    }
}

/// INVARIANTS 4.
#[tokio::test]
async fn what_was_captured_of_two_holds_goes_back_of_each() {
    let shop = Shop::new(Policy::default());
    let payment = shop.charged_twice(card("pm_sandbox_timeout_paid").captured_later(), "a").await;
    for _ in 0..2 {
        shop.ledger.capture(&caller("acme"), payment.id(), NewCapture::of(usd(80))).await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(shop.may(&payment, Action::Refund).await, Some(usd(80)));
        assert_eq!(shop.refund_all(&payment).await, OperationStatus::Succeeded);
    }
}

/// INVARIANTS 4, 43.
#[tokio::test]
async fn beside_a_disputed_charge_the_other_can_be_refunded() {
    for second in ["a", "b"] {
        let shop = Shop::new(Policy::default());
        let payment = shop.charged_twice(card("pm_sandbox_timeout_paid"), second).await;
        shop.gateways[0].open_dispute(payment.id(), usd(100)).unwrap();
        shop.deliver().await;
        assert_eq!(shop.may(&payment, Action::Refund).await, Some(usd(100)));
        assert_eq!(shop.refund_all(&payment).await, OperationStatus::Succeeded);
        assert_eq!(shop.may(&payment, Action::Refund).await, None);
    }
}

/// INVARIANTS 46: nothing of what a gateway has is said to have gone back without it.
#[tokio::test]
async fn what_came_past_gateways_goes_back_past_them_and_the_rest_does_not() {
    let shop = Shop::new(Policy::default());
    let payment = shop.by_bank_and_by_gateway(100, 100).await;
    shop.tell(&payment, "re_1", Told::Refund, 70).await;
    let back = shop.ledger.refund(&caller("acme"), payment.id(), NewRefund::all()).await.unwrap();
    assert_eq!(back.operation().unwrap().moved(), Some(usd(100)), "all that came by bank");
    assert_eq!((shop.now(&payment).await.refunded(), shop.calls()), (usd(170), 0));
    assert_eq!(shop.may(&payment, Action::Refund).await, Some(usd(30)));
    let rest = shop.ledger.refund(&caller("acme"), payment.id(), NewRefund::all()).await.unwrap();
    assert_eq!(rest.operation().unwrap().gateway.as_ref().unwrap().as_str(), "a");
}

/// INVARIANTS 46: a void takes back one charge whole.
#[tokio::test]
async fn what_came_in_several_ways_is_not_voided() {
    let shop = Shop::new(Policy::default());
    let payment = shop.by_bank_and_by_gateway(60, 40).await;
    shop.say(&payment, Resolution::Dismissed).await;
    assert_eq!(shop.may(&payment, Action::Void).await, None);
    let refused = shop.ledger.void(&caller("acme"), payment.id(), NewVoid::new()).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::NotWhole { payment: payment.id() }));
    let payment = shop.now(&payment).await;
    assert_eq!((payment.status(), shop.calls()), (PaymentStatus::Succeeded, 0));
}

/// INVARIANTS 9, 46: what a gateway declined and then came by bank is nothing that the gateway has.
#[tokio::test]
async fn money_that_came_in_another_way_after_a_decline_is_not_the_gateways() {
    let retries = RetrySchedule::new([Duration::from_secs(60)]).unwrap();
    let shop = Shop::new(Policy::default().with_retries(retries));
    let payment = shop.create(card("pm_sandbox_decline")).await;
    shop.ledger.update(&caller("acme"), payment.id(), Update::to(PaymentStatus::Succeeded)).await.unwrap();
    assert_eq!(shop.now(&payment).await.attempts().last().unwrap().gateway, None);
    let calls = shop.calls();
    assert_eq!(shop.refund_all(&payment).await, OperationStatus::Succeeded);
    assert_eq!(shop.calls(), calls);
}

/// INVARIANTS 28: money that a gateway tells of under another name than ours is another charge.
#[tokio::test]
async fn a_charge_beside_ours_is_counted_and_marked() {
    for (instrument, status) in
        [("pm_1", PaymentStatus::Overpaid), ("pm_sandbox_decline", PaymentStatus::Succeeded)]
    {
        let shop = Shop::new(Policy::default());
        let payment = shop.create(card(instrument).with_gateway("a".parse().unwrap())).await;
        let ours = payment.captured();
        shop.tell(&payment, "ch_other", Told::Attempt, 100).await;
        let payment = shop.now(&payment).await;
        assert_eq!((payment.status(), payment.captured().minor()), (status, ours.minor() + 100));
        assert!(payment.reviews().contains(&Review::Contradiction), "{:?}", payment.reviews());
    }
}
