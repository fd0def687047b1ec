//! Walking all streams.

use counterfoil::event::StreamId;
use counterfoil::ledger::{NewPayment, NewTopUp};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::{Cursor, Head};

use super::trial::{Trial, card_payment, ok};
use crate::fixtures::{caller, credits, invoice, scope, usd, wallet};

/// Names whose order differs between bytes, UTF-16, alphabets and case folding.
const NAMES: [&str; 16] = [
    "acme",
    "ACME",
    "Acme",
    "acme ",
    "acme!",
    "acme-b",
    "acme_b",
    "acme1",
    "acme10",
    "acme2",
    "Ärger",
    "éa",
    "e\u{301}a",
    "中文",
    "\u{ff5e}",
    "😀",
];

async fn fill(trial: &Trial) {
    let actor = caller("acme").actor;
    for (at, name) in NAMES.iter().enumerate() {
        // The other way round in every second scope, so that no order of writing is the right one.
        let names = if at % 2 == 0 { [NAMES[at], NAMES[15 - at]] } else { [NAMES[15 - at], NAMES[at]] };
        for environment in ["production", "Production"] {
            let caller = Caller::new(scope(name, environment), actor.clone());
            for wallet_name in names {
                let new = NewTopUp::new(wallet(wallet_name), usd(1));
                trial.done(&trial.desk.top_up(&caller, new)).await;
            }
            trial.done(&trial.desk.create(&caller, card_payment())).await;
        }
    }
}

pub(super) async fn heads_are_sorted_as_bytes(trial: &mut Trial) {
    fill(trial).await;
    let heads = trial.heads().await;
    assert_eq!(heads.len(), NAMES.len() * 2 * 3);
    assert!(heads.is_sorted_by(|one, next| bytes(one) < bytes(next)), "{heads:#?}");
}

/// The order of the contract: tenant, environment, payments by id, accounts by name.
fn bytes(head: &Head) -> (&[u8], &[u8], bool, Vec<u8>) {
    let scope: &Scope = &head.scope;
    let (is_account, name) = match &head.stream {
        StreamId::Payment(id) => (false, id.as_uuid().as_bytes().to_vec()),
        StreamId::Account(id) => (true, id.as_str().as_bytes().to_vec()),
    };
    (scope.tenant().as_str().as_bytes(), scope.environment().as_str().as_bytes(), is_account, name)
}

pub(super) async fn any_page_size_meets_each_stream_once(trial: &mut Trial) {
    fill(trial).await;
    let all = trial.heads().await;
    for limit in [1, 2, 3, 7, all.len() - 1, all.len(), all.len() + 1] {
        let mut paged: Vec<Head> = Vec::new();
        loop {
            let cursor = paged.last().map_or(Cursor::START, Cursor::behind);
            let page = ok(trial.store.heads(&cursor, limit).await);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            paged.extend(page);
            assert!(paged.len() <= all.len(), "something came twice");
        }
        assert_eq!(paged, all, "in pages of {limit}");
    }
    assert!(ok(trial.store.heads(&Cursor::START, 0).await).is_empty());
}

pub(super) async fn heads_tell_the_last_event(trial: &mut Trial) {
    trial.top_up("w", 100).await;
    let new = NewPayment::new(usd(100), invoice("inv_1"), credits("w"));
    trial.done(&trial.desk.create(&trial.caller, new)).await;
    let heads = trial.heads().await;
    assert_eq!(heads.iter().map(|head| head.version).collect::<Vec<_>>(), [1, 2]);
    for head in heads {
        let events = trial.history(&head.scope, &head.stream).await;
        let last = events.last().expect("a stream has an event");
        assert_eq!((last.sequence(), last.hash()), (head.version, head.hash));
    }
}

pub(super) async fn paging_misses_nothing_that_was_there(trial: &mut Trial) {
    fill(trial).await;
    let before = trial.heads().await;
    let actor = caller("acme").actor;
    let writers: Vec<Vec<_>> = (0..2)
        .map(|_| {
            let callers = NAMES.iter().map(|name| Caller::new(scope(name, "production"), actor.clone()));
            callers.map(|caller| trial.desk.create(&caller, card_payment())).collect()
        })
        .collect();
    let store = trial.store.clone();
    let reader = tokio::spawn(async move {
        let mut met: Vec<Head> = Vec::new();
        loop {
            let cursor = met.last().map_or(Cursor::START, Cursor::behind);
            let page = ok(store.heads(&cursor, 3).await);
            if page.is_empty() {
                return met;
            }
            met.extend(page);
            tokio::task::yield_now().await;
        }
    });
    for answer in trial.together_in_order(writers).await {
        ok(answer);
    }
    let met = ok(reader.await);
    assert!(met.is_sorted_by(|one, next| bytes(one) < bytes(next)), "each once, in order");
    let missed: Vec<&Head> = before.iter().filter(|head| !met.contains(head)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}
