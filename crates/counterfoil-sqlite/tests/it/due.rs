//! What is due, and who waits for a person.

use std::collections::BTreeSet;
use std::time::Duration;

use counterfoil::clock::{Clock, SystemClock, Timestamp};
use counterfoil::command::{Command, Poll, Request};
use counterfoil::money::Money;
use counterfoil::payment::{Attention, Outcome, PaymentMethod, Work};
use counterfoil::store::{Due, Filter, PaymentStore, Query};
use counterfoil_sqlite::SqliteStore;

use crate::population::time;
use crate::support::*;

const TENANTS: [&str; 4] = ["zebra", "Äther", "acme", "acm"];

fn start(maker: &Maker, at: Timestamp) -> Command {
    Command { at, ..maker.create(PaymentMethod::Card(None), 7) }
}

/// Attempts that nobody has heard of: each is due when its lease ends. Many of them at the same time.
fn attempts() -> (Vec<Command>, BTreeSet<Due>) {
    let (mut commands, mut due) = (Vec::new(), BTreeSet::new());
    for tenant in TENANTS {
        let maker = Maker::new(tenant);
        for number in 0..9 {
            let start = start(&maker, time(number % 3));
            let at = start.at.saturating_add(Duration::from_secs(60));
            due.insert(Due { at, scope: scope(tenant), payment: created(&start) });
            commands.push(start);
        }
    }
    (commands, due)
}

async fn check(store: &SqliteStore, due: &BTreeSet<Due>) {
    for seconds in [0, 59, 60, 61, 255] {
        let all: Vec<Due> = due.iter().filter(|due| due.at <= time(seconds)).cloned().collect();
        for limit in (0..=all.len() + 1).chain([usize::MAX]) {
            let found = store.due(time(seconds), limit).await.unwrap();
            assert_eq!(found, all[..limit.min(all.len())], "by {seconds}, at most {limit}");
        }
    }
}

/// INVARIANTS 47.
#[tokio::test]
async fn what_waits_longest_comes_first_whosever_it_is() {
    let place = Place::new();
    let (commands, due) = attempts();
    let store = place.open();
    assert!(store.execute_batch(&commands).iter().all(Result::is_ok));
    check(&store, &due).await;
    check(&SqliteStore::open_read_only(place.path()).unwrap(), &due).await;
    store.close().await.unwrap();
    check(&place.open(), &due).await;
    raw(&place.path()).execute_batch("UPDATE counterfoil_watermark SET position = 0").unwrap();
    check(&place.open(), &due).await;
}

#[tokio::test]
async fn what_is_done_with_is_due_no_more() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let (one, other) = (start(&maker, time(0)), start(&maker, time(1)));
    let succeeded = maker.report(&one, Outcome::Succeeded);
    let pending = Command { at: time(70), ..maker.report(&other, Outcome::Pending) };
    let due = async |seconds| {
        let found = store.due(time(seconds), 9).await.unwrap();
        found.into_iter().map(|due| (due.at, due.payment)).collect::<Vec<_>>()
    };
    assert!(store.execute_batch(&[one.clone(), other.clone()]).iter().all(Result::is_ok));
    assert_eq!(due(99).await, [(time(60), created(&one)), (time(61), created(&other))]);
    store.execute(succeeded).await.unwrap();
    assert_eq!(due(99).await, [(time(61), created(&other))]);
    store.execute(pending).await.unwrap();
    assert_eq!(due(70).await, []);
    assert_eq!(due(99).await, [(time(71), created(&other))]);
    let indexed =
        "SELECT count(*) FROM counterfoil_payment INDEXED BY counterfoil_payment_due WHERE due_at > 0";
    let indexed: i64 = raw(&place.path()).query_row(indexed, [], |row| row.get(0)).unwrap();
    assert_eq!(indexed, 1, "what is done with is not in the index");
}

/// INVARIANTS 47.
#[tokio::test]
async fn lists_find_who_waits_for_a_person() {
    let place = Place::new();
    let store = place.open();
    for tenant in ["acme", "zebra"] {
        let maker = Maker::new(tenant);
        let [fine, more, stuck, both] = [(); 4].map(|()| start(&maker, SystemClock.now()));
        let usd = |minor| Some(Money::from_minor(minor, counterfoil::money::Currency::USD).unwrap());
        let moved = |start, minor| maker.report_of(start, Outcome::Succeeded, usd(minor));
        let commands = [
            [fine.clone(), more.clone(), stuck.clone(), both.clone()],
            [moved(&fine, 7), moved(&more, 9), give_up(&maker, &stuck), give_up(&maker, &both)],
        ];
        assert!(store.execute_batch(commands.as_flattened()).iter().all(Result::is_ok));
        for (attention, expected) in [
            (Attention::Review, vec![created(&more)]),
            (Attention::Stuck, vec![created(&stuck), created(&both)]),
        ] {
            assert_eq!(
                waiting(&store, tenant, attention).await,
                BTreeSet::from_iter(expected),
                "{attention}"
            );
        }
        // A late word: it is settled, but it was more than was asked for.
        store.execute(moved(&both, 8)).await.unwrap();
        let review = BTreeSet::from([created(&more), created(&both)]);
        assert_eq!(waiting(&store, tenant, Attention::Review).await, review);
        assert_eq!(waiting(&store, tenant, Attention::Stuck).await, BTreeSet::from([created(&stuck)]));
    }
}

/// The gateway is asked in vain, for the last time.
fn give_up(maker: &Maker, start: &Command) -> Command {
    let Request::Create(create) = &start.request else { panic!("{start:?}") };
    let operation = create.process.unwrap().into();
    let poll = Poll { payment: create.payment, work: Work::Poll { operation, polls: 0 }, resend: false };
    let policy = counterfoil::command::Policy::default().with_polls([]).into();
    let at = start.at.saturating_add(Duration::from_secs(61));
    Command { at, policy, ..maker.command(Request::Poll(poll)) }
}

async fn waiting(
    store: &SqliteStore,
    tenant: &str,
    attention: Attention,
) -> BTreeSet<counterfoil::id::PaymentId> {
    let mut filter = Filter::default();
    filter.attention = Some(attention);
    let page = store.list(&scope(tenant), &Query::new(filter, 9).counted()).await.unwrap();
    assert_eq!(page.total, Some(page.payments.len() as u64));
    page.payments.iter().map(|payment| payment.id()).collect()
}
