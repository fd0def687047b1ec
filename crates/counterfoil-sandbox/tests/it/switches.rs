//! What an instrument makes of a charge.

use counterfoil::command::Policy;
use counterfoil::ledger::{NewPayment, Processing};
use counterfoil::payment::{PaymentMethod, RetrySchedule};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{invoice, usd};

use crate::support::{Shop, cents, ledger_amounts, new};

#[tokio::test]
async fn each_switch_answers_and_ends_as_its_table_says() {
    for (card, answered, ends, charges) in [
        ("anything_else", PaymentStatus::Succeeded, PaymentStatus::Succeeded, 1),
        ("pm_sandbox_decline", PaymentStatus::Failed, PaymentStatus::Failed, 0),
        ("pm_sandbox_decline_hard", PaymentStatus::Failed, PaymentStatus::Failed, 0),
        ("pm_sandbox_decline_once", PaymentStatus::Failed, PaymentStatus::Failed, 0),
        ("pm_sandbox_pending", PaymentStatus::Processing, PaymentStatus::Succeeded, 1),
        ("pm_sandbox_action", PaymentStatus::RequiresAction, PaymentStatus::RequiresAction, 0),
        ("pm_sandbox_timeout_paid", PaymentStatus::Processing, PaymentStatus::Succeeded, 1),
        ("pm_sandbox_timeout_declined", PaymentStatus::Processing, PaymentStatus::Failed, 0),
        ("pm_sandbox_timeout_unknown", PaymentStatus::Processing, PaymentStatus::Processing, 0),
        ("pm_sandbox_overpaid", PaymentStatus::Overpaid, PaymentStatus::Overpaid, 1),
        ("pm_sandbox_capture_timeout", PaymentStatus::Succeeded, PaymentStatus::Succeeded, 1),
        ("pm_sandbox_refund_fails", PaymentStatus::Succeeded, PaymentStatus::Succeeded, 1),
    ] {
        let shop = Shop::new();
        let payment = shop.pay(card).await;
        assert_eq!(payment.status(), answered, "{card}");
        for seconds in [2, 6, 16] {
            shop.wait(seconds).await;
        }
        let payment = shop.now(&payment).await;
        assert_eq!(payment.status(), ends, "{card}");
        assert_eq!((shop.sandbox.calls(), shop.sandbox.charges()), (1, charges), "{card}");
        assert_eq!(shop.gateway_amounts(&payment), ledger_amounts(&payment), "{card}");
    }
}

/// INVARIANTS 25.
#[tokio::test]
async fn what_timed_out_but_was_charged_is_found_charged_once() {
    let shop = Shop::new();
    let payment = shop.pay("pm_sandbox_timeout_paid").await;
    assert_eq!(payment.attempts().last().unwrap().status(), OperationStatus::Unknown);
    shop.wait(2).await;
    let payment = shop.now(&payment).await;
    assert_eq!((payment.status(), payment.attempts().count()), (PaymentStatus::Succeeded, 1));
    assert_eq!((shop.sandbox.calls(), shop.sandbox.charges()), (1, 1));
}

#[tokio::test]
async fn what_is_pending_settles_by_its_notification_or_by_time() {
    for by_notification in [true, false] {
        let shop = Shop::new();
        let payment = shop.pay("pm_sandbox_pending").await;
        shop.wait(2).await;
        assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Processing, "asked too early");
        assert_eq!(shop.sandbox.captured(payment.id()), None);
        if by_notification {
            assert_eq!(shop.deliver().await, 1);
        } else {
            shop.wait(5).await;
        }
        assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Succeeded);
        assert_eq!(shop.sandbox.captured(payment.id()), Some(usd(100)));
    }
}

#[tokio::test]
async fn a_card_that_declines_once_is_charged_by_the_next_attempt() {
    let shop = Shop::new();
    let day = std::time::Duration::from_secs(86_400);
    let policy = Policy::default().with_retries(RetrySchedule::new([day]).unwrap());
    let ledger = shop.ledger.clone().with_policy(policy);
    let shop = Shop { ledger, ..shop };
    let payment = shop.pay("pm_sandbox_decline_once").await;
    assert_eq!(payment.status(), PaymentStatus::Pending);
    shop.wait(86_400).await;
    let payment = shop.now(&payment).await;
    assert_eq!((payment.status(), payment.attempts().count()), (PaymentStatus::Succeeded, 2));
    let other = shop.pay("pm_sandbox_decline_once").await;
    assert_eq!(other.status(), PaymentStatus::Pending, "another payment is declined once more");
}

#[tokio::test]
async fn the_payer_acts_and_the_gateway_tells() {
    for (success, ends) in [(true, PaymentStatus::Succeeded), (false, PaymentStatus::Failed)] {
        for asked in [true, false] {
            let shop = Shop::new();
            let link = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::PaymentLink(None));
            let payment = shop.create(link.with_gateway("sandbox".parse().unwrap())).await;
            assert_eq!(payment.status(), PaymentStatus::RequiresAction);
            shop.wait(2).await;
            assert_eq!(shop.now(&payment).await.status(), PaymentStatus::RequiresAction);
            assert!(shop.sandbox.act(payment.id(), success));
            assert!(!shop.sandbox.act(payment.id(), !success), "once");
            if asked {
                shop.wait(5).await;
            } else {
                assert_eq!(shop.deliver().await, 1);
            }
            assert_eq!(shop.now(&payment).await.status(), ends);
        }
    }
}

#[tokio::test]
async fn a_token_takes_effect_once_and_a_payment_that_is_down_takes_none() {
    let shop = Shop::new();
    let payment = shop.create(new("pm_sandbox_down").recorded_only()).await;
    let sent = shop.ledger.process(&shop.caller, payment.id(), Processing::default()).await.unwrap();
    let attempt = sent.payment().unwrap().attempts().last().unwrap().status();
    assert_eq!((attempt, shop.sandbox.charges()), (OperationStatus::NotSent, 0));
    assert_eq!(shop.gateway_amounts(&payment), cents([0, 0, 0]));
}

#[tokio::test]
async fn two_gateways_have_two_books() {
    let shop = Shop::new();
    let other = std::sync::Arc::new(Sandbox::named("other".parse().unwrap()));
    let ledger = shop.ledger.clone().with_gateway(other.clone());
    let shop = Shop { ledger, ..shop };
    shop.create(new("any").with_gateway("other".parse().unwrap())).await;
    assert_eq!((shop.sandbox.calls(), other.calls()), (0, 1));
}
