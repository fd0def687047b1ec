//! What is proved of the books, on a store that says something else than what it was given. INVARIANTS 9, 38, 39, 40.

use std::sync::Arc;

use counterfoil::account::{Account, AccountId};
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::ledger::{Ledger, NewPayment, NewTopUp};
use counterfoil::payment::PaymentMethod;
use counterfoil::store::{Head, Record};
use counterfoil::verify::{Fault, Problem, Verified, VerifyError, verify, verify_against};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, credits, invoice, usd, wallet};

use crate::liar::{Liar, Lies};

/// A wallet with two top-ups that pays an invoice, cash for another one, and a third that is registered only.
pub(crate) async fn books() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(store.clone());
    let caller = caller("acme");
    for _ in 0..2 {
        ledger.top_up(&caller, NewTopUp::new(wallet("w"), usd(1_000))).await.unwrap();
    }
    ledger.create(&caller, NewPayment::new(usd(500), invoice("inv_1"), credits("w"))).await.unwrap();
    let cash = NewPayment::new(usd(1_000), invoice("inv_2"), PaymentMethod::Offline);
    ledger.create(&caller, cash).await.unwrap();
    let owed = counterfoil::account::Owed { amount_due: usd(7), number: None, payable: true };
    ledger.register(&caller, invoice("inv_3"), owed).await.unwrap();
    store
}

async fn proved(lies: Lies) -> Result<Verified, VerifyError> {
    let store = Arc::into_inner(books().await).unwrap();
    verify(&Liar { store, lies }).await
}

#[track_caller]
pub(crate) fn fault(found: Result<Verified, VerifyError>) -> Fault {
    match found {
        Err(VerifyError::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whoever_tells_the_truth_is_believed() {
    let verified = proved(Lies::default()).await.unwrap();
    assert_eq!((verified.payments, verified.accounts, verified.events), (2, 2, 6));
    assert_eq!(verified.head.events(), 6);
}

#[tokio::test]
async fn a_feed_that_is_not_the_streams_is_found() {
    type Found = fn(&Problem) -> bool;
    type Lie = fn(&mut Vec<Arc<Event>>);
    let missing: Found = |problem| matches!(problem, Problem::NotFed);
    let wrong: Found = |problem| matches!(problem, Problem::Feed);
    let lies: [(&str, Lie, Found); 6] = [
        ("the last one is missing", |events| drop(events.pop()), missing),
        ("the first one is missing", |events| drop(events.remove(0)), wrong),
        ("the only one of a stream is missing", |events| drop(events.remove(2)), missing),
        ("one is told twice", |events| events.push(events[5].clone()), wrong),
        ("two are told in the wrong order", |events| events.swap(0, 1), wrong),
        ("nothing is told", Vec::clear, missing),
    ];
    for (what, lie, found) in lies {
        let fault = fault(proved(Lies { journal: Some(lie), ..Lies::default() }).await);
        assert!(found(&fault.problem), "{what}: {:?}", fault.problem);
    }
}

/// With its rows and its claims: nothing but the feed knows of it.
#[tokio::test]
async fn a_stream_that_is_not_listed_is_found() {
    let lie = Some::<fn(&mut Vec<Head>)>(|heads| {
        heads.retain(|head| !matches!(&head.stream, StreamId::Account(id) if id.is_destination()));
    });
    let fault = fault(proved(Lies { heads: lie, ..Lies::default() }).await);
    assert!(matches!(fault.problem, Problem::Unlisted), "{:?}", fault.problem);
    assert_eq!(fault.stream.to_string(), "destination:INVOICE:inv_3");
}

#[tokio::test]
async fn a_stream_that_is_listed_as_shorter_than_it_is_is_found() {
    let lie = Some::<fn(&mut Vec<Head>)>(|heads| heads.iter_mut().for_each(|head| head.version -= 1));
    assert!(proved(Lies { heads: lie, ..Lies::default() }).await.is_err());
}

/// The totals of what is paid that no payment made.
#[tokio::test]
async fn totals_of_a_destination_without_payments_are_found() {
    let lie = Some::<fn(Record) -> Option<Record>>(|record| {
        let Record::Account(account) = &record else { return Some(record) };
        if account.id().as_str() != "destination:INVOICE:inv_3" {
            return Some(record);
        }
        // The field behind the last one: totals, of one currency, in five numbers.
        let mut row = account.encode_row();
        row.extend([9, 83]);
        row.extend(b"USD");
        row.extend([[0; 15].as_slice(), &[1], &[0; 64]].concat());
        let (scope, id) = (account.scope().clone(), account.id().clone());
        Some(Record::Account(Arc::new(Account::decode_row(scope, id, &row).unwrap())))
    });
    let fault = fault(proved(Lies { row: lie, ..Lies::default() }).await);
    assert!(matches!(fault.problem, Problem::Totals), "{:?}", fault.problem);
}

#[tokio::test]
async fn claims_and_rows_that_are_not_there_are_found() {
    let no_claim = Some::<fn(Record) -> Option<Record>>(|record| match record {
        Record::Claim(_) => None,
        other => Some(other),
    });
    let found = fault(proved(Lies { row: no_claim, ..Lies::default() }).await);
    assert!(matches!(found.problem, Problem::Claim(_)), "{:?}", found.problem);
    let no_wallet = Some::<fn(Record) -> Option<Record>>(|record| match record {
        Record::Account(account) if account.id() == &AccountId::wallet(&wallet("w")) => None,
        other => Some(other),
    });
    let found = fault(proved(Lies { row: no_wallet, ..Lies::default() }).await);
    assert!(matches!(found.problem, Problem::Row), "{:?}", found.problem);
}

/// An event whose postings sum to zero, and whose hash is right, and that moves another amount than it says.
#[tokio::test]
async fn postings_of_another_amount_are_found() {
    let lie = Some::<fn(&mut Vec<Arc<Event>>)>(|events| {
        for event in events {
            // 1,000 as it is posted, from one account to the other; and 500.
            let [from, to, less, more] = [[0xcf, 0x0f], [0xd0, 0x0f], [0xe7, 0x07], [0xe8, 0x07]];
            let mut bytes = event.bytes().to_vec();
            let end = bytes.len() - 2;
            let Some(first) = bytes.windows(2).rposition(|pair| pair == from) else { continue };
            if bytes[end..] == to {
                bytes[end..].copy_from_slice(&more);
                bytes[first..first + 2].copy_from_slice(&less);
                *event = Arc::new(Event::decode(&bytes, Hash::ZERO.link(&bytes)).unwrap());
            }
        }
    });
    let fault = fault(proved(Lies { history: lie, ..Lies::default() }).await);
    assert!(matches!(fault.problem, Problem::Postings), "{:?}", fault.problem);
    assert_eq!(fault.sequence, 1);
}

#[tokio::test]
async fn books_that_have_only_grown_agree_with_the_head_that_was_kept() {
    let store = books().await;
    let kept = verify(&*store).await.unwrap().head;
    assert_eq!(verify_against(&*store, &kept).await.unwrap().head, kept);
    let cash = NewPayment::new(usd(1), invoice("inv_4"), PaymentMethod::Offline);
    Ledger::new(store.clone()).create(&caller("globex"), cash).await.unwrap();
    let later = verify_against(&*store, &kept).await.unwrap().head;
    assert_eq!(later.events(), kept.events() + 1);
    assert_ne!(later, kept);
}

/// INVARIANTS 39: a last event that is gone with all that it made, and books that were made anew.
#[tokio::test]
async fn books_that_are_not_the_same_any_more_do_not_agree_with_the_head_that_was_kept() {
    let kept = verify(&*books().await).await.unwrap().head;
    let shorter = MemoryStore::new();
    let found = verify_against(&shorter, &kept).await.unwrap_err();
    assert!(matches!(found, VerifyError::Shorter { kept: 6, found: 0 }), "{found:?}");
    let found = verify_against(&*books().await, &kept).await.unwrap_err();
    assert!(matches!(found, VerifyError::Other { kept: 6 }), "its ids and times are others: {found:?}");
}

/// What is written meanwhile is no fault, and is not counted as if all of it had been read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn books_are_proved_while_they_grow() {
    let store = books().await;
    let kept = verify(&*store).await.unwrap().head;
    let writing = tokio::spawn({
        let ledger = Ledger::new(store.clone());
        async move {
            let caller = caller("acme");
            for number in 0..300 {
                let destination = invoice(&format!("late_{}", number % 7));
                ledger.top_up(&caller, NewTopUp::new(wallet("w"), usd(3))).await.unwrap();
                ledger.create(&caller, NewPayment::new(usd(3), destination, credits("w"))).await.unwrap();
            }
        }
    });
    let mut beside = 0;
    while !writing.is_finished() {
        verify_against(&*store, &kept).await.unwrap();
        beside += 1;
    }
    writing.await.unwrap();
    assert!(beside > 1);
    assert_eq!(verify_against(&*store, &kept).await.unwrap().events, 6 + 300 * 3);
}
