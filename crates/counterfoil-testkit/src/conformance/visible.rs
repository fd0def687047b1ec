//! What others see, and when.

use counterfoil::claim::{ClaimKey, ClaimKind};
use counterfoil::clock::Timestamp;
use counterfoil::command::Command;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::scope::Scope;
use counterfoil::store::{Cursor, Filter, Key, PaymentStore, Position, Query};

use super::trial::{Trial, card_payment, ok};
use crate::desk::created;
use crate::fixtures::key;

/// A name is taken in the same moment in which what it names is made.
pub(super) async fn a_name_is_seen_with_what_it_names(trial: &mut Trial) {
    let scope = trial.caller.scope.clone();
    let named = |at: usize| {
        let command =
            trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key(&at.to_string())));
        let name = ClaimKey { scope: scope.clone(), kind: ClaimKind::CreateKey, name: at.to_string().into() };
        let keys = [Key::Claim(name), Key::Payment(scope.clone(), created(&command))];
        (command, keys)
    };
    let (commands, keys): (Vec<Command>, Vec<[Key; 2]>) = (0..50).map(named).unzip();
    let store = trial.store.clone();
    let writer = tokio::spawn(async move {
        for command in commands {
            ok(store.execute(command).await);
            tokio::task::yield_now().await;
        }
    });
    loop {
        let over = writer.is_finished();
        let state = trial.read(keys.as_flattened()).await;
        let mut taken = 0;
        for both in &keys {
            let [name, payment] = both.each_ref().map(|key| state.get(key).is_some());
            assert_eq!(name, payment, "both, or neither");
            taken += usize::from(name);
        }
        if over {
            assert_eq!(taken, keys.len());
            break;
        }
        tokio::task::yield_now().await;
    }
    ok(writer.await);
}

/// Whoever has been answered finds what was done, whichever way they look.
pub(super) async fn what_is_answered_is_seen_by_every_read(trial: &mut Trial) {
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let commands: Vec<Command> =
            (0..10).map(|_| trial.desk.create(&trial.caller, card_payment())).collect();
        let (store, scope) = (trial.store.clone(), trial.caller.scope.clone());
        tasks.push(tokio::spawn(async move {
            for command in commands {
                let before = ok(store.feed(None, Position::START, usize::MAX).await).next;
                ok(store.execute(command.clone()).await);
                assert_seen(&*store, &scope, created(&command), before).await;
            }
        }));
    }
    for task in tasks {
        ok(task.await);
    }
}

async fn assert_seen(store: &dyn PaymentStore, scope: &Scope, payment: PaymentId, before: Position) {
    let (key, stream) = (Key::Payment(scope.clone(), payment), StreamId::Payment(payment));
    assert!(ok(store.read(std::slice::from_ref(&key)).await).get(&key).is_some(), "read");
    assert_eq!(ok(store.history(scope, &stream, 0, 10).await).len(), 1, "its history");
    let mut filter = Filter::default();
    filter.ids = Some(vec![payment]);
    assert_eq!(ok(store.list(scope, &Query::new(filter, 10)).await).payments.len(), 1, "the list");
    let heads = ok(store.heads(&Cursor::START, 1_000).await);
    assert!(heads.iter().any(|head| head.stream == stream), "the heads");
    let due = ok(store.due(Timestamp::MAX, 1_000).await);
    assert!(due.iter().any(|due| due.payment == payment), "what is due");
    let feed = ok(store.feed(Some(scope), before, usize::MAX).await);
    assert!(feed.entries.iter().any(|entry| *entry.event.stream() == stream), "the feed");
    ok(store.news(before).await);
}
