//! Following the feed through the ledger.

use std::sync::Arc;

use counterfoil::ledger::{Ledger, NewPayment, NewTopUp};
use counterfoil::payment::PaymentMethod;
use counterfoil::store::{PaymentStore, Position, StoreErrorKind};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, invoice, usd, wallet};

/// INVARIANTS 36, 40.
#[tokio::test]
async fn a_follower_meets_what_happens_in_its_scope_and_sleeps_in_between() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new()));
    let (ours, other) = (caller("acme"), caller("globex"));
    let follower = tokio::spawn({
        let (ledger, scope) = (ledger.clone(), ours.scope.clone());
        async move {
            let (mut after, mut met) = (Position::START, Vec::new());
            while met.len() < 20 {
                ledger.news(after).await.unwrap();
                let feed = ledger.feed(&scope, after, 3).await.unwrap();
                met.extend(feed.entries.into_iter().map(|entry| entry.event));
                after = feed.next;
            }
            met
        }
    });
    for _ in 0..10 {
        let cash = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Offline);
        ledger.create(&other, cash.clone()).await.unwrap();
        ledger.create(&ours, cash).await.unwrap();
        ledger.top_up(&ours, NewTopUp::new(wallet("w"), usd(1))).await.unwrap();
        tokio::task::yield_now().await;
    }
    let met = follower.await.unwrap();
    assert!(met.iter().all(|event| *event.scope() == ours.scope));
    let wallets: Vec<u64> =
        met.iter().filter(|event| event.terms().is_none()).map(|event| event.sequence()).collect();
    assert_eq!(wallets, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_for_news_is_told_that_the_store_was_closed() {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(store.clone());
    let waiting = tokio::spawn(async move { ledger.news(Position::START).await });
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), StoreErrorKind::Closed);
}
