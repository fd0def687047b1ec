//! The same books as the reference store's, whatever is asked.

use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::event::StreamId;
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::payment::{PaymentMethod, PaymentMethodType};
use counterfoil::store::{Cursor, Head, PaymentStore};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;

use crate::support::*;

/// Everything that can be asked for, in two scopes that use the same names.
async fn play(store: Arc<dyn PaymentStore>) -> Vec<String> {
    let ledger = counted_ledger(store);
    let mut said = Vec::new();
    for tenant in ["zebra", "acme", "Äther"] {
        let caller = caller(tenant);
        let credits = PaymentMethod::Credits(wallet("w"));
        for round in 0..3 {
            let top_up = NewTopUp::new(wallet("w"), usd(100)).with_idempotency_key(key("once"));
            said.push(format!("{:?}", ledger.top_up(&caller, top_up).await));
            let top_up = NewTopUp::new(wallet(&format!("w{round}")), usd(5));
            said.push(format!("{:?}", ledger.top_up(&caller, top_up).await));
            for (minor, method) in
                [(70, credits.clone()), (0, PaymentMethod::Offline), (9, PaymentMethod::Offline)]
            {
                let new = NewPayment::new(usd(minor), invoice(), method);
                said.push(format!("{:?}", ledger.create(&caller, new).await));
            }
            let card = PaymentMethod::new(PaymentMethodType::Card, None).unwrap();
            for method in [card, PaymentMethod::Offline, credits.clone()] {
                let name = format!("{}-{}", method.kind(), round / 2);
                let new = NewPayment::new(usd(20), invoice(), method).recorded_only();
                let made = ledger.create(&caller, new.with_idempotency_key(key(&name))).await;
                said.push(format!("{made:?}"));
                let Some(id) = made.ok().and_then(|receipt| receipt.payment().map(|p| p.id())) else {
                    continue;
                };
                said.push(format!("{:?}", ledger.process(&caller, id, Processing::default()).await));
                said.push(format!("{:?}", ledger.archive(&caller, id).await));
                said.push(format!("{:?}", ledger.payment(&caller.scope, id).await));
                said.push(format!("{:?}", ledger.history(&caller.scope, &StreamId::Payment(id), 1, 5).await));
                said.push(format!("{:?}", ledger.payment(&scope("nobody"), id).await));
            }
        }
        said.push(format!("{:?}", ledger.wallet(&caller.scope, &wallet("w")).await));
    }
    said
}

async fn all_heads(store: &dyn PaymentStore, page: usize) -> Vec<Head> {
    let (mut heads, mut cursor) = (Vec::new(), Cursor::START);
    loop {
        let more = store.heads(&cursor, page).await.unwrap();
        assert!(more.len() <= page);
        let Some(last) = more.last() else { return heads };
        cursor = Cursor::behind(last);
        heads.extend(more);
    }
}

/// INVARIANTS 34.
#[tokio::test]
async fn equal_commands_give_equal_answers_and_equal_books() {
    let place = Place::new();
    let (sqlite, memory) = (place.open(), Arc::new(MemoryStore::new()));
    let (ours, reference) = (play(sqlite.clone()).await, play(memory.clone()).await);
    for (ours, reference) in ours.iter().zip(&reference) {
        assert_eq!(ours, reference);
    }
    assert_eq!(ours.len(), reference.len());
    assert_eq!(verify(&*sqlite).await.unwrap(), verify(&*memory).await.unwrap());
}

/// INVARIANTS 37.
#[tokio::test]
async fn heads_come_in_the_same_order_however_they_are_paged() {
    let place = Place::new();
    let (sqlite, memory) = (place.open(), Arc::new(MemoryStore::new()));
    play(sqlite.clone()).await;
    play(memory.clone()).await;
    let all = all_heads(&*memory, usize::MAX).await;
    assert!(all.len() > 30);
    for page in [1, 2, 7, 1_000, usize::MAX] {
        assert_eq!(all_heads(&*sqlite, page).await, all, "pages of {page}");
    }
    assert_eq!(sqlite.heads(&Cursor::START, 0).await.unwrap(), []);
}

#[tokio::test]
async fn histories_are_paged_forwards() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let top_ups: Vec<_> = (0..50).map(|_| maker.top_up("w", 1)).collect();
    assert!(store.execute_batch(&top_ups).iter().all(Result::is_ok));
    let card = PaymentMethod::new(PaymentMethodType::Card, None).unwrap();
    let create = maker.create_as(card, 5, false, None);
    store.execute(create.clone()).await.unwrap();
    store.execute(maker.archive(created(&create))).await.unwrap();

    let streams =
        [(StreamId::Account(AccountId::wallet(&wallet("w"))), 50), (StreamId::Payment(created(&create)), 2)];
    for (stream, length) in streams {
        for (after, limit) in
            [(0, 1), (0, 50), (1, 7), (49, 9), (50, 1), (0, usize::MAX), (u64::MAX, 1), (0, 0)]
        {
            let page = store.history(&scope("acme"), &stream, after, limit).await.unwrap();
            let sequences: Vec<u64> = page.iter().map(|event| event.sequence()).collect();
            let expected: Vec<u64> = (1..=length).filter(|n| *n > after).take(limit).collect();
            assert_eq!(sequences, expected, "{stream} behind {after}, {limit}");
        }
        assert_eq!(store.history(&scope("other"), &stream, 0, 9).await.unwrap(), []);
    }
}
