//! Captures, refunds and voids: what the gateway does, and what its books refuse.

use std::time::Duration;

use counterfoil::clock::Clock;
use counterfoil::ledger::{NewCapture, NewRefund, NewVoid};
use counterfoil::payment::{Payment, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::usd;

use crate::support::{Shop, cents, ledger_amounts, new};

fn last(payment: &Payment) -> OperationStatus {
    payment.operations().last().unwrap().status()
}

#[tokio::test]
async fn a_hold_is_captured_in_parts_and_the_last_releases_the_rest() {
    let shop = Shop::new();
    let payment = shop.hold("any").await;
    assert_eq!(shop.gateway_amounts(&payment), cents([0, 100, 0]));
    let part = NewCapture::of(usd(30)).keeping_the_rest();
    shop.ledger.capture(&shop.caller, payment.id(), part).await.unwrap();
    assert_eq!(shop.gateway_amounts(&payment), cents([30, 70, 0]));
    shop.ledger.capture(&shop.caller, payment.id(), NewCapture::of(usd(20))).await.unwrap();
    assert_eq!(shop.gateway_amounts(&payment), cents([50, 0, 0]));
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(5))).await.unwrap();
    assert_eq!(shop.gateway_amounts(&payment), cents([50, 0, 5]));
    let payment = shop.now(&payment).await;
    assert_eq!(shop.gateway_amounts(&payment), ledger_amounts(&payment));
    assert_eq!(shop.sandbox.taken(payment.id()), Some(usd(50)));
}

#[tokio::test]
async fn a_void_releases_a_hold_or_takes_a_charge_back() {
    for held in [true, false] {
        let shop = Shop::new();
        let payment = if held { shop.hold("any").await } else { shop.pay("any").await };
        shop.ledger.void(&shop.caller, payment.id(), NewVoid::default()).await.unwrap();
        let payment = shop.now(&payment).await;
        assert_eq!((payment.status(), last(&payment)), (PaymentStatus::Voided, OperationStatus::Succeeded));
        assert_eq!(shop.gateway_amounts(&payment), cents([0, 0, 0]));
        assert_eq!(shop.sandbox.taken(payment.id()), Some(usd(100)).filter(|_| !held));
    }
}

/// INVARIANTS 25: it happened, the call timed out, and it is found to have happened, once.
#[tokio::test]
async fn what_is_done_but_times_out_is_found_done() {
    for (card, what, amounts) in [
        ("pm_sandbox_capture_timeout", "capture", [60, 0, 0]),
        ("pm_sandbox_refund_timeout", "refund", [100, 0, 60]),
        ("pm_sandbox_void_timeout", "void", [0, 0, 0]),
    ] {
        let shop = Shop::new();
        let payment = if what == "refund" { shop.pay(card).await } else { shop.hold(card).await };
        let (caller, id) = (&shop.caller, payment.id());
        match what {
            "capture" => shop.ledger.capture(caller, id, NewCapture::of(usd(60))).await,
            "refund" => shop.ledger.refund(caller, id, NewRefund::of(usd(60))).await,
            _ => shop.ledger.void(caller, id, NewVoid::default()).await,
        }
        .unwrap();
        assert_eq!(last(&*shop.now(&payment).await), OperationStatus::Unknown, "{card}");
        assert_eq!(shop.gateway_amounts(&payment), cents(amounts), "{card}");
        shop.wait(2).await;
        let payment = shop.now(&payment).await;
        assert_eq!((last(&payment), shop.sandbox.calls()), (OperationStatus::Succeeded, 2), "{card}");
        assert_eq!(ledger_amounts(&payment), cents(amounts), "{card}");
    }
}

/// INVARIANTS 8.
#[tokio::test]
async fn a_refund_that_fails_later_leaves_its_amount_refundable() {
    for asked in [true, false] {
        let shop = Shop::new();
        let payment = shop.pay("pm_sandbox_refund_fails").await;
        shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(70))).await.unwrap();
        let open = shop.now(&payment).await;
        assert_eq!((last(&open), open.refundable()), (OperationStatus::Processing, usd(30)));
        if asked {
            shop.wait(4).await;
        } else {
            assert_eq!(shop.deliver().await, 1);
        }
        let failed = shop.now(&payment).await;
        assert_eq!((last(&failed), failed.refundable()), (OperationStatus::Failed, usd(100)));
        assert_eq!(failed.status(), PaymentStatus::Succeeded);
        assert_eq!(shop.gateway_amounts(&failed), cents([100, 0, 0]));
    }
}

#[tokio::test]
async fn a_refund_that_bounces_makes_a_refunded_payment_succeeded_again() {
    let shop = Shop::new();
    let payment = shop.pay("pm_sandbox_refund_bounces").await;
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::all()).await.unwrap();
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Refunded);
    assert_eq!(shop.sandbox.refunded(payment.id()), Some(usd(100)));
    assert_eq!(shop.deliver().await, 1);
    let payment = shop.now(&payment).await;
    assert_eq!(payment.status(), PaymentStatus::Succeeded);
    assert!(payment.reviews().contains(&Review::RefundBounced));
    assert_eq!(shop.gateway_amounts(&payment), cents([100, 0, 0]));
}

#[tokio::test]
async fn the_gateway_refuses_what_its_books_do_not_have() {
    let shop = Shop::new();
    let payment = shop.hold("any").await;
    shop.ledger.capture(&shop.caller, payment.id(), NewCapture::of(usd(60))).await.unwrap();
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(50))).await.unwrap();
    assert!(shop.sandbox.bank_return(payment.id()), "what the ledger is not told of yet");
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(10))).await.unwrap();
    let payment = shop.now(&payment).await;
    let refused = payment.operations().last().unwrap().failure().unwrap();
    assert_eq!(refused.code.as_str(), "charge_already_refunded");
}

#[tokio::test]
async fn a_hold_runs_out_at_the_gateway_too() {
    let shop = Shop::at(Sandbox::new().with_notifications());
    let until = shop.clock.now().saturating_add(Duration::from_secs(60));
    let payment = shop.create(new("any").captured_later().expiring_at(until)).await;
    shop.clock.advance(Duration::from_secs(60));
    assert_eq!(shop.sandbox.held(payment.id()), None);
    shop.ledger.capture(&shop.caller, payment.id(), NewCapture::all()).await.unwrap();
    let late = shop.now(&payment).await;
    let refused = late.operations().last().unwrap().failure().unwrap();
    assert_eq!(refused.code.as_str(), "authorization_expired");
    shop.wait(0).await;
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Voided);
    let told = shop.sandbox.take_notifications();
    let ids: Vec<_> = told.iter().map(|(_, told)| told.notification.as_str().to_owned()).collect();
    assert!(ids.last().unwrap().ends_with("_expired"), "{ids:?}");
    assert!(shop.sandbox.take_notifications().is_empty(), "told once");
}

#[tokio::test]
async fn the_books_of_an_earlier_run_are_the_callers_word() {
    let shop = Shop::new();
    let payment = shop.pay("any").await;
    let again = std::sync::Arc::new(Sandbox::new().with_clock(shop.clock.clone()));
    let ledger = shop.ledger.clone().with_gateway(again.clone());
    let refund = ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(40))).await.unwrap();
    assert_eq!(refund.payment().unwrap().status(), PaymentStatus::PartiallyRefunded);
    assert_eq!(again.refunded(payment.id()), Some(usd(40)));
}
