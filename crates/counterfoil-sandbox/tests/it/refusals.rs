//! What a caller asks for that has lost its books, or never had the right ones.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::id::{AttemptId, IdSource, RefundId};
use counterfoil::ledger::{NewCapture, NewRefund, NewVoid};
use counterfoil::payment::{Evidence, OperationId, Outcome};
use counterfoil::text::GatewayName;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::SeededIds;
use counterfoil_testkit::fixtures::usd;

use crate::support::Shop;

/// Hands everything on, and keeps what was last asked for about money that is there.
#[derive(Debug)]
struct Spy(Arc<Sandbox>, Mutex<Option<Modification>>);

impl Spy {
    fn note(&self, asked: &Modification) {
        *self.1.lock().unwrap() = Some(asked.clone());
    }

    /// What was asked for, under a token of its own, and of so much.
    fn again(&self, number: u64, cents: i64) -> Modification {
        let mut asked = self.1.lock().unwrap().clone().unwrap();
        let id = RefundId::new(SeededIds::new(number).next(Timestamp::EPOCH));
        (asked.token, asked.amount) = (id.to_string(), usd(cents));
        asked
    }
}

#[async_trait]
impl Gateway for Spy {
    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    fn finality(&self) -> Finality {
        self.0.finality()
    }

    fn can_reverse_captures(&self) -> bool {
        self.0.can_reverse_captures()
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.0.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.note(capture);
        self.0.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.note(refund);
        self.0.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.note(void);
        self.0.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.0.inquire(inquiry).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.0.look_up(payment).await
    }
}

fn spied() -> (Shop, Arc<Spy>) {
    let shop = Shop::at(Sandbox::new().with_notifications());
    let spy = Arc::new(Spy(shop.sandbox.clone(), Mutex::default()));
    let ledger = shop.ledger.clone().with_gateway(spy.clone());
    (Shop { ledger, ..shop }, spy)
}

fn code(evidence: &Evidence) -> &str {
    match &evidence.outcome {
        Outcome::Succeeded => "done",
        Outcome::Failed(failure) => failure.code.as_str(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn more_than_is_held_is_not_captured() {
    let (shop, spy) = spied();
    let payment = shop.hold("any").await;
    let part = NewCapture::of(usd(30)).keeping_the_rest();
    shop.ledger.capture(&shop.caller, payment.id(), part).await.unwrap();
    for (number, cents, expected) in
        [(2, 71, "amount_too_large"), (3, 70, "done"), (4, 1, "already_captured"), (3, 70, "done")]
    {
        let answer = shop.sandbox.capture(&spy.again(number, cents)).await;
        assert_eq!(code(&answer), expected, "{cents}");
    }
    assert_eq!(shop.sandbox.captured(payment.id()), Some(usd(100)));
    assert_eq!(shop.sandbox.take_notifications().len(), 5, "a token that is sent again is no news");
}

#[tokio::test]
async fn more_than_was_captured_is_not_refunded() {
    let (shop, spy) = spied();
    let payment = shop.pay("any").await;
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(30))).await.unwrap();
    for (number, cents, expected) in
        [(2, 71, "amount_too_large"), (3, 70, "done"), (4, 1, "charge_already_refunded"), (3, 70, "done")]
    {
        let answer = shop.sandbox.refund(&spy.again(number, cents)).await;
        assert_eq!(code(&answer), expected, "{cents}");
    }
    assert_eq!(shop.sandbox.refunded(payment.id()), Some(usd(100)));
}

#[tokio::test]
async fn what_is_gone_is_not_voided() {
    for held in [true, false] {
        let (shop, spy) = spied();
        let payment = if held { shop.hold("any").await } else { shop.pay("any").await };
        shop.ledger.void(&shop.caller, payment.id(), NewVoid::default()).await.unwrap();
        let answer = shop.sandbox.void(&spy.again(2, 100)).await;
        assert_eq!(code(&answer), if held { "already_voided" } else { "charge_not_whole" });
        assert_eq!(shop.sandbox.held(payment.id()).or(shop.sandbox.captured(payment.id())), None);
    }
}

#[tokio::test]
async fn of_what_was_never_charged_nothing_is_refunded() {
    let (shop, spy) = spied();
    let payment = shop.pay("any").await;
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(30))).await.unwrap();
    let mut asked = spy.again(2, 10);
    asked.attempt = OperationId::Attempt(AttemptId::new(SeededIds::new(3).next(Timestamp::EPOCH)));
    let answer = shop.sandbox.refund(&asked).await;
    assert_eq!(code(&answer), "charge_not_found", "the gateway calls another charge so");
}

/// What a gateway needs to know: which capture, what the gateway calls it, of which hold, and that none is released.
#[tokio::test]
async fn reversal_names_its_capture() {
    let (shop, spy) = spied();
    let payment = shop.hold("any").await;
    let captured = shop.ledger.capture(&shop.caller, payment.id(), NewCapture::of(usd(60))).await.unwrap();
    shop.ledger.void(&shop.caller, payment.id(), NewVoid::default()).await.unwrap();
    let asked = spy.1.lock().unwrap().clone().unwrap();
    let (capture, hold) = (captured.operation().unwrap(), payment.attempts().next().unwrap());
    assert_eq!((asked.holds, asked.amount, asked.reverses), (false, usd(60), Some(capture.id)));
    assert_eq!((asked.attempt, asked.gateway_attempt_id.as_ref()), (hold.id, hold.gateway_operation_id()));
    assert!(asked.gateway_capture_id.is_some());
    assert_eq!(asked.gateway_capture_id.as_ref(), capture.gateway_operation_id());
    assert_eq!(shop.sandbox.captured(payment.id()), None);
}

/// Captured money is no hold, and no charge: without the name of its capture nothing is taken back.
#[tokio::test]
async fn captured_hold_is_neither_released_nor_voided_as_a_charge() {
    let (shop, spy) = spied();
    let payment = shop.hold("any").await;
    shop.ledger.capture(&shop.caller, payment.id(), NewCapture::all()).await.unwrap();
    shop.ledger.void(&shop.caller, payment.id(), NewVoid::default()).await.unwrap();
    let mut asked = spy.again(2, 100);
    asked.reverses = None;
    assert_eq!(code(&shop.sandbox.void(&asked).await), "capture_not_found");
    let mut asked = spy.again(3, 100);
    asked.holds = true;
    assert_eq!(code(&shop.sandbox.void(&asked).await), "already_voided");
    let cannot = Sandbox::new().without_capture_reversals();
    assert_eq!(code(&cannot.void(&spy.again(4, 100)).await), "capture_not_reversible");
}
