//! Committing, alone and together.

use std::fs;
use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::command::Rejection;
use counterfoil::money::Currency;
use counterfoil::payment::PaymentMethod;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{ExecuteError, Key, Lookup, PaymentStore, Record, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteOptions;
use tokio::task::JoinSet;

use crate::support::*;

/// INVARIANTS 9 and 31.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_take_more_than_there_is() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    store.execute(maker.top_up("w", 10)).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (store, command) = (store.clone(), maker.create(PaymentMethod::Credits(wallet("w")), 1));
        tasks.spawn(async move { store.execute(command).await.unwrap() });
    }
    let made = tasks.join_all().await;
    let status = |status| made.iter().filter(|receipt| receipt.payment().unwrap().status() == status).count();
    assert_eq!((status(PaymentStatus::Succeeded), status(PaymentStatus::Failed)), (10, 54));
    let account = AccountId::wallet(&wallet("w"));
    let state = store.read(&[Key::Account(scope("acme"), account.clone())]).await.unwrap();
    let Lookup::Present(found) = state.account(&scope("acme"), &account) else { panic!("no wallet") };
    assert!(found.balance(Currency::USD).is_zero());
    assert_eq!(verify(&*store).await.unwrap().payments, 64);
}

/// INVARIANTS 35.
#[tokio::test]
async fn what_is_committed_together_is_read_together() {
    let place = Place::new();
    let store = place.open();
    let writing = std::thread::spawn({
        let store = store.clone();
        move || {
            let maker = Maker::new("acme");
            for _ in 0..300 {
                let both = [maker.top_up("a", 1), maker.top_up("b", 1)];
                assert!(store.execute_batch(&both).iter().all(Result::is_ok));
            }
        }
    });
    let keys = ["a", "b"].map(|id| Key::Account(scope("acme"), AccountId::wallet(&wallet(id))));
    while !writing.is_finished() {
        let state = store.read(&keys).await.unwrap();
        let [a, b] = keys.each_ref().map(|key| state.get(key).map(Record::version));
        assert_eq!(a, b);
    }
    writing.join().unwrap();
}

/// INVARIANTS 20 and 21.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_is_one_payment_however_many_ask_at_once() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let mut tasks = JoinSet::new();
    for number in 0..64 {
        let minor = if number % 8 == 0 { 2 } else { 1 };
        let (store, command) =
            (store.clone(), maker.create_as(PaymentMethod::Offline, minor, true, Some(key("k"))));
        tasks.spawn(async move { (minor, store.execute(command).await) });
    }
    let answers = tasks.join_all().await;
    let winner = answers.iter().find_map(|(minor, answer)| answer.as_ref().ok().map(|_| *minor)).unwrap();
    let mut fresh = 0;
    for (minor, answer) in &answers {
        match answer {
            Ok(receipt) => {
                assert_eq!(*minor, winner);
                fresh += u32::from(!receipt.replayed);
            }
            Err(ExecuteError::Rejected(Rejection::KeyMismatch { .. })) => assert_ne!(*minor, winner),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(fresh, 1);
    assert_eq!(verify(&*store).await.unwrap().payments, 1);
}

/// INVARIANTS 15, 23 and 33.
#[tokio::test]
async fn what_is_rejected_or_was_there_before_leaves_every_byte_as_it_was() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let made = maker.create_as(PaymentMethod::Offline, 5, true, Some(key("k")));
    store.execute(made.clone()).await.unwrap();
    let watch = raw(&place.path());
    let moment = || {
        let version: i64 = watch.pragma_query_value(None, "data_version", |row| row.get(0)).unwrap();
        (version, fs::read(place.path()).unwrap(), fs::read(place.beside("wal")).unwrap())
    };
    let before = moment();
    let stranger = Maker::new("a tenant that was never seen");
    let rejected = [
        maker.create(PaymentMethod::Offline, 0),
        maker.create_as(PaymentMethod::Offline, 6, true, Some(key("k"))),
        maker.process(created(&made)),
        stranger.process(created(&made)),
    ];
    for command in &rejected {
        let answer = store.execute(command.clone()).await;
        assert!(matches!(answer, Err(ExecuteError::Rejected(_))), "{answer:?}");
    }
    let batch = store.execute_batch(&rejected);
    assert!(batch.iter().all(|answer| matches!(answer, Err(ExecuteError::Rejected(_)))), "{batch:?}");
    assert!(store.execute(made).await.unwrap().replayed);
    assert!(moment() == before, "not a byte");
}

/// INVARIANTS 33.
#[test]
fn a_batch_is_answered_in_order_and_its_rejections_harm_nobody() {
    let place = Place::new();
    let store = SqliteOptions::default().with_group_limit(3).open(place.path()).unwrap();
    let maker = Maker::new("acme");
    let good = maker.create_as(PaymentMethod::Credits(wallet("w")), 5, false, None);
    let batch = [
        good.clone(),
        maker.create(PaymentMethod::Offline, 0),
        maker.top_up("w", 7),
        maker.process(created(&good)),
        good,
        maker.create(PaymentMethod::Credits(wallet("w")), 3),
        maker.create(PaymentMethod::Credits(wallet("w")), 2),
    ];
    let answers = store.execute_batch(&batch);
    let said: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Ok(receipt) => (receipt.payment().map(|payment| payment.status()), receipt.replayed),
            Err(ExecuteError::Rejected(Rejection::AmountNotPositive)) => (None, true),
            Err(other) => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (Some(PaymentStatus::Pending), false),
        (None, true),
        (None, false),
        (Some(PaymentStatus::Succeeded), false),
        (Some(PaymentStatus::Succeeded), true),
        (Some(PaymentStatus::Failed), false),
        (Some(PaymentStatus::Succeeded), false),
    ];
    assert_eq!(said, expected);
    assert!(store.execute_batch(&[]).is_empty());
}

#[tokio::test]
async fn while_a_foreign_program_writes_commits_are_refused_and_then_go_on() {
    let place = Place::new();
    let store = SqliteOptions::default().with_busy_timeout(Duration::ZERO).open(place.path()).unwrap();
    let maker = Maker::new("acme");
    let foreign = raw(&place.path());
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let command = maker.top_up("w", 1);
    assert_eq!(not_committed(&store.execute(command.clone()).await), Some(StoreErrorKind::Busy));
    foreign.execute_batch("ROLLBACK").unwrap();
    assert!(!store.execute(command).await.unwrap().replayed);
}

#[tokio::test]
async fn the_log_is_kept_short_and_readers_do_not_mind() {
    let place = Place::new();
    let store = SqliteOptions::default().with_checkpoint_pages(50).open(place.path()).unwrap();
    let maker = Maker::new("acme");
    for _ in 0..200 {
        store.execute(maker.create(PaymentMethod::Offline, 1)).await.unwrap();
    }
    let log = fs::metadata(place.beside("wal")).unwrap().len();
    assert!(log < 100 * 4_120, "{log} bytes");
    assert_eq!(verify(&store).await.unwrap().payments, 200);
}
