//! Many at once.

use counterfoil::command::Receipt;
use counterfoil::ledger::{LedgerError, NewCapture, NewRefund};
use counterfoil::status::OperationStatus;
use counterfoil_testkit::fixtures::usd;

use crate::support::{Shop, cents, ledger_amounts};

/// INVARIANTS 31.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn forty_refunds_of_seven_on_a_hundred_are_fourteen() {
    let shop = Shop::new();
    let payment = shop.pay("any").await;
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (ledger, caller, id) = (shop.ledger.clone(), shop.caller.clone(), payment.id());
            tokio::spawn(async move { ledger.refund(&caller, id, NewRefund::of(usd(7))).await })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(is_done(&task.await.unwrap()));
    }
    let payment = shop.now(&payment).await;
    assert_eq!((done, payment.refunds().count(), shop.sandbox.calls()), (14, 14, 15));
    assert!(payment.refunds().all(|refund| refund.status() == OperationStatus::Succeeded));
    assert_eq!(ledger_amounts(&payment), cents([100, 0, 98]));
    assert_eq!(shop.gateway_amounts(&payment), cents([100, 0, 98]));
}

/// INVARIANTS 31.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_captures_of_sixty_on_a_hold_of_a_hundred_are_one() {
    let shop = Shop::new();
    let payment = shop.hold("any").await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (ledger, caller, id) = (shop.ledger.clone(), shop.caller.clone(), payment.id());
            let capture = NewCapture::of(usd(60)).keeping_the_rest();
            tokio::spawn(async move { ledger.capture(&caller, id, capture).await })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += usize::from(is_done(&task.await.unwrap()));
    }
    let payment = shop.now(&payment).await;
    assert_eq!((done, shop.sandbox.calls()), (1, 2));
    assert_eq!(ledger_amounts(&payment), cents([60, 40, 0]));
    assert_eq!(shop.gateway_amounts(&payment), cents([60, 40, 0]));
}

/// What was not is refused by the ledger's own rules, and in no other way.
fn is_done(answer: &Result<Receipt, LedgerError>) -> bool {
    if let Err(error) = answer {
        assert!(error.rejection().is_some(), "{error}");
    }
    answer.is_ok()
}
