//! What payers and banks do.

use counterfoil::ledger::NewRefund;
use counterfoil::payment::{DisputeStatus, Review};
use counterfoil::status::PaymentStatus;
use counterfoil_testkit::fixtures::usd;

use crate::support::{Shop, cents, ledger_amounts};

/// INVARIANTS 43.
#[tokio::test]
async fn a_dispute_takes_money_and_gives_it_back() {
    let shop = Shop::new();
    let payment = shop.pay("any").await;
    assert_eq!(shop.sandbox.open_dispute(shop.pay("pm_sandbox_decline").await.id(), usd(1)), None);
    let dispute = shop.sandbox.open_dispute(payment.id(), usd(60)).unwrap();
    assert!(!shop.sandbox.reinstate(&dispute), "nothing was taken yet");
    assert!(shop.sandbox.withdraw(&dispute));
    assert!(!shop.sandbox.withdraw(&dispute), "once");

    shop.ledger.refund(&shop.caller, payment.id(), NewRefund::of(usd(41))).await.unwrap();
    let refused = shop.now(&payment).await;
    assert_eq!(refused.refunds().last().unwrap().failure().unwrap().code.as_str(), "charge_disputed");
    assert_eq!(shop.deliver().await, 2);
    let disputed = shop.now(&payment).await;
    assert_eq!((disputed.disputed(), disputed.refundable()), (usd(60), usd(40)));

    assert!(shop.sandbox.win(&dispute) && !shop.sandbox.win(&dispute));
    assert!(shop.sandbox.reinstate(&dispute));
    shop.deliver().await;
    let won = shop.now(&payment).await;
    assert_eq!(won.disputes()[0].status(), DisputeStatus::Won);
    assert_eq!((won.disputed(), won.refundable()), (usd(0), usd(100)));
    assert!(won.reviews().is_empty());
}

#[tokio::test]
async fn what_is_lost_stays_with_the_payer() {
    let shop = Shop::new();
    let payment = shop.pay("any").await;
    let dispute = shop.sandbox.open_dispute(payment.id(), usd(100)).unwrap();
    assert!(shop.sandbox.withdraw(&dispute) && shop.sandbox.lose(&dispute) && !shop.sandbox.lose(&dispute));
    shop.deliver().await;
    let lost = shop.now(&payment).await;
    assert_eq!((lost.disputes()[0].status(), lost.refundable()), (DisputeStatus::Lost, usd(0)));
    assert_eq!((lost.disputed(), lost.charged_back()), (usd(100), usd(100)));
}

/// INVARIANTS 43: in whatever order its gateway tells of it.
#[tokio::test]
async fn a_dispute_lost_and_then_won_frees_the_payment() {
    for later in [1, 0] {
        let shop = Shop::new();
        let payment = shop.pay("any").await;
        let dispute = shop.sandbox.open_dispute(payment.id(), usd(60)).unwrap();
        assert!(shop.sandbox.withdraw(&dispute) && shop.sandbox.lose(&dispute));
        shop.wait(later).await;
        assert!(shop.sandbox.win(&dispute) && shop.sandbox.reinstate(&dispute));
        let decided = if later > 0 { DisputeStatus::Won } else { DisputeStatus::Lost };
        shop.deliver().await;
        let free = shop.now(&payment).await;
        assert_eq!(free.disputes()[0].status(), decided, "at one time it is lost");
        assert_eq!((free.disputed(), free.charged_back(), free.refundable()), (usd(0), usd(0), usd(100)));
        assert_eq!(free.reviews(), [Review::Contradiction].into());
        assert_eq!(shop.sandbox.disputed(payment.id()), None);
        shop.ledger.refund(&shop.caller, payment.id(), NewRefund::default()).await.unwrap();
        assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Refunded);
    }
}

#[tokio::test]
async fn a_bank_takes_back_what_was_paid() {
    let shop = Shop::new();
    let payment = shop.pay("any").await;
    assert!(shop.sandbox.bank_return(payment.id()));
    assert!(!shop.sandbox.bank_return(payment.id()), "once");
    assert_eq!(shop.gateway_amounts(&payment), cents([0, 0, 0]));
    assert_eq!(shop.sandbox.taken(payment.id()), Some(usd(100)));
    shop.deliver().await;
    let payment = shop.now(&payment).await;
    assert_eq!(payment.status(), PaymentStatus::Failed);
    assert_eq!(ledger_amounts(&payment), shop.gateway_amounts(&payment));
}
