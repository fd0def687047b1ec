//! More than the store can write: what it takes is done as fast as ever, and the rest is refused at once.
//!
//! A case is a file under as much as it can write, then twice that, then ten times that. Nothing that was acknowledged
//! is lost, nothing that was refused is there, the queue keeps to its limit, and the process does not grow, over however
//! many cases: many of them are a soak. How fast it is, is counted and not judged: that is the machine's.
#![allow(clippy::disallowed_methods, reason = "load is offered by a real clock")]

mod load;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use counterfoil::event::Body;
use counterfoil::store::{PaymentStore, Position};
use counterfoil::verify::verify;
use counterfoil_sqlite::{SqliteOptions, SqliteStore};
use load::{Load, Offered, Sum};
use tokio::runtime::Builder;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::process::Size;
use crate::run::Order;
use crate::work::words;

/// How many may wait. Fewer than by default, so that there are too many soon.
const QUEUE: usize = 512;
/// How many callers make the most of the store: each waits for its answer.
const CALLERS: u64 = 256;
/// How long each load is offered.
const LASTS: Duration = Duration::from_secs(1);
/// How late a refusal may come. It takes microseconds, but the machine may have more to do than this.
const EARLY: Duration = Duration::from_secs(2);
/// Less than this part of what it can do, and it has collapsed, whatever else the machine does.
const COLLAPSE: u64 = 10;
/// How many times as much is offered, and what is counted.
const LOADS: [(u64, &str, &str); 2] = [
    (2, "acknowledged at twice as much", "refused at twice as much"),
    (10, "acknowledged at ten times as much", "refused at ten times as much"),
];
/// How much larger the process may become.
const GROWTH: Size = Size { kib: 64 * 1_024, descriptors: 8 };

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "overload",
    about: "twice and ten times of what the store can write: the rest is refused early, nothing lost, nothing grows",
    full: 1_200,
    sitting: Order::first(24),
    slice: 1,
    parallel: false,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

fn case(_: u64) -> Result<Counts, String> {
    let folder = tempfile::tempdir().map_err(words)?;
    let path = folder.path().join("books.db");
    let runtime = Builder::new_multi_thread().enable_time().build().map_err(words)?;
    // A small cache: the process shall have grown all it will when the first load is over.
    let options = SqliteOptions::default().with_queue_limit(QUEUE).with_cache_kib(4_096);
    let store = Arc::new(options.open(&path).map_err(words)?);
    let mut load = Load::new(store.clone());
    let mut counts = Counts::from([("cases", 1)]);

    let most = runtime.block_on(load.most(CALLERS, LASTS))?;
    counts.add("acknowledged at most", most.done);
    let before = Size::now()?;
    for (times, done, refused) in LOADS {
        let offered = load.offer(&runtime, times * most.done, LASTS, QUEUE)?;
        counts.add(done, offered.done);
        counts.add(refused, offered.refused);
        counts.add("could not even be offered", offered.beyond);
        judge(times, most.done, offered)?;
        Size::now()?.within(before, GROWTH, "while it has too much to do")?;
    }
    runtime.block_on(end(&store, load.acknowledged()))?;
    drop((load, store, runtime));
    soak()?;
    Ok(counts)
}

/// What does not depend on the machine.
fn judge(times: u64, most: u64, offered: Offered) -> Result<(), String> {
    if offered.slowest_refusal > EARLY {
        return Err(format!("a refusal took {:?}", offered.slowest_refusal));
    }
    if times == 10 && offered.refused == 0 {
        return Err(format!("nothing was refused of {times} times {most}"));
    }
    if offered.done < most / COLLAPSE {
        return Err(format!("of {times} times {most} it did only {}", offered.done));
    }
    Ok(())
}

/// Everything that was acknowledged is there, and nothing else.
async fn end(store: &SqliteStore, acknowledged: Sum) -> Result<(), String> {
    let mut position = Position::START;
    let mut found = Sum::default();
    loop {
        let feed = store.feed(None, position, 1_000).await.map_err(words)?;
        if feed.next == position {
            break;
        }
        position = feed.next;
        for entry in &feed.entries {
            match entry.event.body() {
                Body::ToppedUp(top_up) => found.add(top_up.top_up.as_uuid().as_u128()),
                other => return Err(format!("nobody asked for {other:?}")),
            }
        }
    }
    if found != acknowledged {
        return Err(format!("acknowledged: {acknowledged:?}; in the books: {found:?}"));
    }
    verify(store).await.map_err(words)?;
    store.close().await.map_err(words)
}

/// After each case the process is as large as after the first one.
fn soak() -> Result<(), String> {
    static FIRST: Mutex<Option<Size>> = Mutex::new(None);
    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Size::now()?;
    now.within(*first.get_or_insert(now), GROWTH, "from case to case")
}
