//! Lists: the same as the reference store's, and each payment once however the books move meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use counterfoil::account::Account;
use counterfoil::command::Command;
use counterfoil::id::PaymentId;
use counterfoil::payment::{Attention, Destination, DestinationType, PaymentMethod, PaymentMethodType};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{
    Due, Feed, Filter, LedgerId, Order, Page, PageCursor, PaymentStore, Position, Query, Sort, Start,
    StoreErrorKind,
};
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::population::*;
use crate::support::*;

/// How many payments there are at the start of the long walk.
const MANY: usize = 100_000;

fn filters() -> impl Strategy<Value = Filter> {
    let destination = (rarely(select(DestinationType::ALL)), rarely(select(&NAMES[..])));
    let way =
        (rarely(select(PaymentMethodType::ALL)), rarely(select(PaymentStatus::ALL)), rarely(currencies()));
    let gateway = (rarely(select(&GATEWAYS[..])), rarely(select(&NAMES[..])), rarely(select(&NAMES[..])));
    let when = (rarely(0..6_u8), rarely(0..6_u8), prop::bool::weighted(0.2));
    let ids = option::weighted(0.1, vec(0..80_usize, 0..9));
    let wanted = (rarely(select(Attention::ALL)), ids);
    (destination, way, gateway, when, wanted).prop_map(|(destination, way, gateway, when, wanted)| {
        let mut filter = Filter::default();
        filter.destination_type = destination.0;
        filter.destination_id = destination.1.map(|name| name.parse().unwrap());
        (filter.method, filter.status, filter.currency) = way;
        filter.gateway = gateway.0.map(|name| name.parse().unwrap());
        filter.gateway_payment_id = gateway.1.map(|name| name.parse().unwrap());
        filter.gateway_tracking_id = gateway.2.map(|name| name.parse().unwrap());
        (filter.created_from, filter.created_to) = (when.0.map(time), when.1.map(time));
        filter.archived = when.2;
        filter.attention = wanted.0;
        filter.ids = wanted.1.map(|numbers| numbers.into_iter().map(payment_id).collect());
        filter
    })
}

fn rarely<S: Strategy>(some: S) -> impl Strategy<Value = Option<S::Value>> {
    option::weighted(0.12, some)
}

fn queries() -> impl Strategy<Value = Query> {
    let starts = prop_oneof![
        3 => Just(Start::Offset(0)),
        1 => (0..9_u64).prop_map(Start::Offset),
        1 => Just(Start::Offset(u64::MAX)),
        1 => any_cursor().prop_map(Start::After),
    ];
    let limits = prop_oneof![Just(0), 1..9_usize, Just(100), Just(usize::MAX)];
    let sorts = (select(Sort::ALL), select(Order::ALL));
    (filters(), sorts, starts, limits, any::<bool>()).prop_map(
        |(filter, (sort, order), start, limit, count)| {
            let query = Query::new(filter, limit).sorted(sort, order);
            let query = if count { query.counted() } else { query };
            match start {
                Start::Offset(offset) => query.skipping(offset),
                Start::After(cursor) => query.after(cursor),
            }
        },
    )
}

/// Also such as no list has given: a client may send whatever has the form.
fn any_cursor() -> impl Strategy<Value = PageCursor> {
    let place = prop_oneof!["[0-7][0-9a-hjkmnp-tv-z]{25}", "0{22}[0-9a-f]{4}", Just("0".repeat(26))];
    (1..4_u8, 1..3_u8, place, "[0-7][0-9a-hjkmnp-tv-z]{25}")
        .prop_map(|(sort, order, key, id)| format!("{sort}{order}{key}{id}").parse().unwrap())
}

/// Every page of a list from `query` on.
async fn pages(store: &dyn PaymentStore, query: &Query) -> Vec<Page> {
    let mut pages = vec![];
    let mut query = query.clone();
    loop {
        let page = store.list(&scope("acme"), &query).await.unwrap();
        let next = page.next;
        pages.push(page);
        let Some(next) = next else { return pages };
        query = query.after(next);
    }
}

async fn feeds(store: &dyn PaymentStore, limit: usize) -> Vec<Feed> {
    let scopes = [scope("acme"), scope("zebra"), scope("nobody")];
    let mut feeds = vec![];
    for scope in scopes.iter().map(Some).chain([None]) {
        let mut after = Position::START;
        loop {
            let feed = store.feed(scope, after, limit).await.unwrap();
            let end = feed.next == after;
            after = feed.next;
            feeds.push(feed);
            if end {
                break;
            }
        }
    }
    feeds
}

/// The ledger id of the file.
fn ledger_id(place: &Place) -> LedgerId {
    let ledger = "SELECT ledger FROM counterfoil_era";
    let bits: i64 = raw(&place.path()).query_row(ledger, [], |row| row.get(0)).unwrap();
    LedgerId::new(bits.cast_unsigned())
}

/// What is due by and by, and what all destinations come to.
async fn work(store: &dyn PaymentStore, limit: usize) -> (Vec<Vec<Due>>, Vec<Option<Arc<Account>>>) {
    let (mut due, mut sums) = (vec![], vec![]);
    for seconds in [0, 3, 6, 41, 200] {
        for limit in [0, limit, usize::MAX] {
            due.push(store.due(time(seconds), limit).await.unwrap());
        }
    }
    for name in NAMES {
        for to in [Destination::invoice, Destination::customer] {
            sums.push(account(store, "acme", &to(name.parse().unwrap())).await);
        }
    }
    (due, sums)
}

/// What the property below rests on: lists of a population are seldom empty, and filters meet something.
#[test]
fn the_population_has_all_that_filters_ask_for() {
    let place = Place::new();
    let store = place.open();
    let byte = |place: usize| {
        let mixed = (place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        u8::try_from((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56).unwrap()
    };
    let steps: Vec<[u8; 8]> = (0..2_000).map(|step| std::array::from_fn(|at| byte(step * 8 + at))).collect();
    store.execute_batch(&commands(&steps));
    let raw = raw(&place.path());
    let count = |condition: &str| -> i64 {
        let sql = format!(
            "SELECT count(*) FROM counterfoil_listing NATURAL JOIN counterfoil_payment WHERE {condition}"
        );
        raw.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    for condition in [
        "archived = 1",
        "gateway_payment_id NOTNULL",
        "gateway_tracking_id NOTNULL",
        "gateway NOTNULL",
        "due_at NOTNULL",
        "attention = 1",
        "attention = 2",
    ] {
        assert!(count(condition) > 5, "{condition}: {}", count(condition));
    }
    for column in
        ["status", "updated_at", "created_at", "currency", "method", "amount", "gateway", "destination_id"]
    {
        assert!(count(&format!("true GROUP BY true HAVING count(DISTINCT {column}) > 2")) > 0, "{column}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// INVARIANTS 34, 36, 37, 38 and 40.
    #[test]
    fn lists_and_feeds_and_work_are_those_of_the_memory_store(
        steps in vec(any::<[u8; 8]>(), 0..120),
        queries in vec(queries(), 60),
        limit in 1..9_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let place = Place::new();
        let sqlite = place.open();
        let memory = MemoryStore::with_ledger_id(ledger_id(&place));
        let commands = commands(&steps);
        runtime.block_on(async {
            for command in commands {
                let ours = sqlite.execute(command.clone()).await;
                assert_eq!(ours.is_ok(), memory.execute(command).await.is_ok());
            }
            for query in &queries {
                assert_eq!(pages(&*sqlite, query).await, pages(&memory, query).await, "{query:?}");
                let nobody = scope("nobody");
                let (ours, reference) = (sqlite.list(&nobody, query).await, memory.list(&nobody, query).await);
                assert_eq!(ours.unwrap(), reference.unwrap());
            }
            assert_eq!(feeds(&*sqlite, limit).await, feeds(&memory, limit).await);
            assert_eq!(work(&*sqlite, limit).await, work(&memory, limit).await);
            sqlite.close().await.unwrap();
            let behind = format!("UPDATE counterfoil_watermark SET position = position * {} / 9", limit - 1);
            raw(&place.path()).execute_batch(&behind).unwrap();
            assert_eq!(work(&*place.open(), limit).await, work(&memory, limit).await);
        });
    }
}

/// Payments that can be archived, created in no order of their ids, many at the same time.
fn many(maker: &Maker, count: usize) -> Vec<Command> {
    let card = PaymentMethod::Card(None);
    let create = |number: usize| {
        let at = time(u8::try_from(number * 37 % 101).unwrap());
        Command { at, ..maker.create_as(card.clone(), 1, false, None) }
    };
    (0..count).map(create).collect()
}

/// INVARIANTS 37.
#[tokio::test]
async fn a_long_walk_meets_each_payment_once_while_others_come_and_go() {
    let place = Place::new();
    let store = place.open();
    let maker = Maker::new("acme");
    let commands = many(&maker, MANY);
    assert!(store.execute_batch(&commands).iter().all(Result::is_ok));
    let ids: Vec<PaymentId> = commands.iter().map(created).collect();
    let archived: BTreeSet<PaymentId> = ids.iter().copied().step_by(37).collect();
    let adding = beside(&store, many(&maker, 1_000).chunks(10).map(<[Command]>::to_vec).collect());
    let archiving = archived.iter().map(|id| maker.archive(*id)).collect::<Vec<_>>();
    let archiving = beside(&store, archiving.chunks(27).map(<[Command]>::to_vec).collect());
    let mut met = BTreeSet::new();
    let mut query = Query::new(Filter::default(), 1_000);
    loop {
        let page = store.list(&scope("acme"), &query).await.unwrap();
        assert!(page.payments.iter().all(|payment| met.insert(payment.id())), "one is met twice");
        let Some(next) = page.next else { break };
        query = query.after(next);
        // While they do it, the next page is read.
        let _ = (adding.0.send(()), archiving.0.send(()));
    }
    drop((adding.0, archiving.0));
    assert!(adding.1.join().unwrap() > 90 && archiving.1.join().unwrap() > 90, "they were there");
    for id in ids.iter().filter(|id| !archived.contains(id)) {
        assert!(met.contains(id), "{id} is missed");
    }
}

/// A thread that executes the next of `groups` whenever it is told to. It ends with how many it did.
fn beside(store: &Arc<SqliteStore>, groups: Vec<Vec<Command>>) -> (Sender<()>, JoinHandle<usize>) {
    let store = store.clone();
    let (go, gone) = channel();
    let thread = thread::spawn(move || {
        let done = groups.iter().zip(gone).map(|(group, ())| store.execute_batch(group));
        done.inspect(|answers| assert!(answers.iter().all(Result::is_ok))).count()
    });
    (go, thread)
}

/// INVARIANTS 36, even then.
#[tokio::test]
async fn what_a_damaged_listing_shows_is_refused() {
    let all = Query::new(Filter::default(), 100);
    let mut cards = Filter::default();
    cards.method = Some(PaymentMethodType::Card);
    let mut archived = Filter::default();
    archived.archived = true;
    for (change, query) in [
        ("archived = 1", Query::new(archived, 100)),
        ("created_at = created_at + 50000000", all.clone()),
        ("amount = zeroblob(16)", all.clone().sorted(Sort::Amount, Order::Descending)),
        ("id = randomblob(16)", all.clone()),
        ("scope = 2", all.clone()),
        ("method = 1", Query::new(cards, 100)),
    ] {
        let place = Place::new();
        let store = place.open();
        let maker = Maker::new("acme");
        let foreign = Maker::new("zebra").create(PaymentMethod::Offline, 1);
        let offline = [1, 2, 3, 4].map(|minor| maker.create(PaymentMethod::Offline, minor));
        assert!(store.execute_batch(&[&offline[..], &[foreign]].concat()).iter().all(Result::is_ok));
        let tamper = format!("UPDATE counterfoil_listing SET {change} WHERE stream = 2");
        raw(&place.path()).execute_batch(&tamper).unwrap();
        let tenant = if change == "scope = 2" { "zebra" } else { "acme" };
        let refused = store.list(&scope(tenant), &query).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{change}");
    }
}
