//! Nothing at all, as much as can be asked for, and much at once.

use counterfoil::account::AccountId;
use counterfoil::clock::Timestamp;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::store::{Cursor, Filter, Health, Key, Order, Position, Query, Sort};
use uuid::Uuid;

use super::trial::{Trial, card_payment, ok};
use crate::fixtures::wallet;

pub(super) async fn an_empty_store_has_nothing_to_show(trial: &mut Trial) {
    let (store, scope) = (&trial.store, &trial.caller.scope);
    let stream = StreamId::Payment(PaymentId::new(Uuid::nil()));
    assert!(ok(store.history(scope, &stream, 0, 10).await).is_empty());
    assert_eq!(ok(store.heads(&Cursor::START, 10).await), []);
    assert_eq!(ok(store.due(Timestamp::MAX, 10).await), []);
    for of in [None, Some(scope)] {
        let feed = ok(store.feed(of, Position::START, 10).await);
        assert_eq!((feed.entries.len(), feed.next), (0, Position::START));
    }
    for sort in Sort::ALL {
        for order in Order::ALL {
            let query = Query::new(Filter::default(), 10).sorted(*sort, *order).counted();
            let page = ok(store.list(scope, &query).await);
            assert_eq!((page.payments.len(), page.total, page.next), (0, Some(0), None), "{sort} {order}");
        }
    }
    let status = store.status();
    assert_eq!((status.health, status.queued, status.rows_behind), (Health::Ok, 0, 0));
}

/// The largest limit and the farthest start are numbers like any other.
pub(super) async fn the_largest_limits_show_everything(trial: &mut Trial) {
    let (payment, _) = trial.charging().await;
    trial.charging().await;
    trial.top_up("w", 1).await;
    let (store, scope) = (&trial.store, &trial.caller.scope);
    let stream = StreamId::Payment(payment);
    for limit in [usize::MAX, usize::MAX >> 1, (usize::MAX >> 1) + 1] {
        assert_eq!(ok(store.history(scope, &stream, 0, limit).await).len(), 1, "{limit}");
        assert!(ok(store.history(scope, &stream, u64::MAX, limit).await).is_empty(), "{limit}");
        assert_eq!(ok(store.heads(&Cursor::START, limit).await).len(), 3, "{limit}");
        assert_eq!(ok(store.due(Timestamp::MAX, limit).await).len(), 2, "{limit}");
        assert_eq!(ok(store.feed(None, Position::START, limit).await).entries.len(), 3, "{limit}");
        assert_eq!(ok(store.feed(Some(scope), Position::START, limit).await).entries.len(), 3, "{limit}");
        let query = Query::new(Filter::default(), limit).counted();
        let page = ok(store.list(scope, &query).await);
        assert_eq!((page.payments.len(), page.total, page.next), (2, Some(2), None), "{limit}");
        for offset in [2, u64::MAX >> 1, u64::MAX] {
            let page = ok(store.list(scope, &query.clone().skipping(offset)).await);
            assert_eq!((page.payments.len(), page.total, page.next), (0, Some(2), None), "{offset}");
        }
    }
    let nothing = ok(store.list(scope, &Query::new(Filter::default(), 0).counted()).await);
    assert_eq!((nothing.payments.len(), nothing.total), (0, Some(2)));
}

pub(super) async fn many_keys_are_read_at_once(trial: &mut Trial) {
    let mut there = Vec::new();
    for _ in 0..20 {
        there.push(trial.recorded(card_payment()).await);
    }
    trial.top_up("w", 1).await;
    let scope = trial.caller.scope.clone();
    let mut keys: Vec<Key> = there.iter().map(|id| Key::Payment(scope.clone(), *id)).collect();
    keys.push(Key::Account(scope.clone(), AccountId::wallet(&wallet("w"))));
    keys.extend(
        (1..1_500).map(|nobody| Key::Payment(scope.clone(), PaymentId::new(Uuid::from_u128(nobody)))),
    );
    keys.extend(
        (1..1_500).map(|name| Key::Account(scope.clone(), AccountId::wallet(&wallet(&name.to_string())))),
    );
    let state = trial.read(&keys).await;
    assert_eq!(state.len(), keys.len());
    let present: Vec<&Key> = keys.iter().filter(|key| state.get(key).is_some()).collect();
    assert_eq!(present, keys.iter().take(21).collect::<Vec<_>>());
}
