//! What the gateway tells of its own accord.

use std::collections::BTreeSet;

use counterfoil::ledger::{NewCapture, NewRefund};
use counterfoil::status::PaymentStatus;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::usd;

use crate::support::{Shop, ledger_amounts};

#[tokio::test]
async fn by_default_only_what_comes_later_is_told() {
    let shop = Shop::new();
    shop.pay("any").await;
    shop.pay("pm_sandbox_decline").await;
    assert!(shop.sandbox.take_notifications().is_empty());
    shop.pay("pm_sandbox_pending").await;
    assert_eq!(shop.sandbox.take_notifications().len(), 1);
    assert!(shop.sandbox.take_notifications().is_empty(), "they are taken once");
}

/// INVARIANTS 26 and 29.
#[tokio::test]
async fn everything_is_told_on_demand_and_twice_told_is_told_once() {
    let shop = Shop::at(Sandbox::new().with_notifications());
    let payment = shop.hold("pm_sandbox_pending").await;
    shop.deliver().await;
    shop.ledger.capture(&shop.caller, payment.id(), NewCapture::of(usd(60))).await.unwrap();
    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(10))).await.unwrap();
    let before = shop.now(&payment).await;
    assert_eq!(before.status(), PaymentStatus::PartiallyRefunded);

    let told = shop.sandbox.take_notifications();
    let names: BTreeSet<_> = told.iter().map(|(_, told)| told.notification.clone()).collect();
    assert_eq!((told.len(), names.len()), (2, 2), "a capture and a refund");
    for (scope, notification) in told.into_iter().rev().cycle().take(4) {
        shop.hand_over(scope, notification).await;
    }
    let after = shop.now(&payment).await;
    assert_eq!(after.status(), before.status());
    assert_eq!(ledger_amounts(&after), shop.gateway_amounts(&after));
}

#[tokio::test]
async fn a_silent_gateway_is_heard_by_its_notification() {
    let shop = Shop::at(Sandbox::new().with_notifications());
    let payment = shop.pay("pm_sandbox_timeout_paid").await;
    assert_eq!(payment.status(), PaymentStatus::Processing);
    assert_eq!(shop.deliver().await, 1);
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Succeeded);
}
