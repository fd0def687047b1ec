//! `cargo bench -p benches [-- --quick]`: the table in the README.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use benches::driver::callers;
use benches::lists::{listed, raw_listed};
use benches::pure;
use benches::raw::{RawSqlite, memory_per_second};
use benches::table::Table;
use benches::workload::{Kind, Workload};
use counterfoil::store::{Filter, Order, PaymentStore, Query, Sort};
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use tokio::runtime::Runtime;

const CALLERS: [usize; 3] = [1, 64, 512];

/// How much is measured, and for how long.
struct Size {
    payments: u64,
    over: Duration,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let size = if quick {
        Size { payments: 2_000, over: Duration::from_millis(200) }
    } else {
        Size { payments: 100_000, over: Duration::from_secs(5) }
    };
    let runtime = Runtime::new()?;
    rules(&size);
    memory(&runtime, &size);
    for kind in [Kind::Transition, Kind::Create] {
        sqlite(&runtime, &size, kind)?;
    }
    lists(&runtime, &size)
}

fn rules(size: &Size) {
    let workload = Workload::new(Kind::Transition, 1);
    let table = Table::titled("The rules alone, one thread, no store");
    let decided = pure::decide(&workload, size.over);
    table.rate("decide, seal and evolve", decided, decided);
    table.rate("evolve", pure::evolve(&workload, size.over), decided);
}

fn memory(runtime: &Runtime, size: &Size) {
    let table =
        Table::titled(&format!("Memory: transitions of {} payments, uniformly random", size.payments));
    let workload = Arc::new(Workload::new(Kind::Transition, size.payments));
    let raw = memory_per_second(&workload, size.payments, size.over);
    table.rate("raw engine: map and lock", raw, raw);
    let store: Arc<dyn PaymentStore> = Arc::new(MemoryStore::new());
    preload(runtime, &store, &workload);
    for count in CALLERS {
        let measured = callers(runtime, &store, &workload, count, size.over);
        table.line("memory", &count.to_string(), measured, raw);
    }
}

fn sqlite(runtime: &Runtime, size: &Size, kind: Kind) -> Result<(), Box<dyn std::error::Error>> {
    let title = match kind {
        Kind::Transition => format!("SQLite: transitions of {} payments, uniformly random", size.payments),
        Kind::Create => format!("SQLite: creations with an idempotency key, beside {}", size.payments),
    };
    let table = Table::titled(&title);
    let folder = tempfile::tempdir()?;
    let workload = Arc::new(Workload::new(kind, size.payments));
    let raw = RawSqlite::new(folder.path(), size.payments)?.per_second(&workload, kind, size.over)?;
    table.rate("raw engine: one transaction", raw, raw);
    let store = open(folder.path())?;
    preload(runtime, &store, &workload);
    for count in CALLERS {
        let measured = callers(runtime, &store, &workload, count, size.over);
        table.line("sqlite", &count.to_string(), measured, raw);
    }
    runtime.block_on(store.close())?;
    Ok(())
}

fn lists(runtime: &Runtime, size: &Size) -> Result<(), Box<dyn std::error::Error>> {
    let table = Table::titled(&format!("SQLite: payments listed of {}", size.payments));
    let folder = tempfile::tempdir()?;
    let workload = Arc::new(Workload::new(Kind::Create, size.payments));
    let store = open(folder.path())?;
    preload(runtime, &store, &workload);
    let scope = workload.scope();
    let page = |limit| Query::new(Filter::default(), limit);
    let file = folder.path().join("payments.db");
    let raw = raw_listed(&file, 1_000, true, size.over)?;
    table.rate("raw engine: pages of 1,000", raw, raw);
    table.rate(
        "by cursor, pages of 1,000",
        listed(runtime, &*store, scope, &page(1_000), true, size.over),
        raw,
    );
    let raw = raw_listed(&file, 50, false, size.over)?;
    table.rate("raw engine: newest 50", raw, raw);
    for (what, query) in [
        ("newest 50", page(50)),
        ("newest 50, counted", page(50).counted()),
        ("50 largest amounts", page(50).sorted(Sort::Amount, Order::Descending)),
    ] {
        table.rate(what, listed(runtime, &*store, scope, &query, false, size.over), raw);
    }
    Ok(runtime.block_on(store.close())?)
}

fn open(folder: &Path) -> Result<Arc<dyn PaymentStore>, Box<dyn std::error::Error>> {
    Ok(Arc::new(SqliteStore::open(folder.join("payments.db"))?))
}

/// Creates the payments by many callers at once, so that they share their commits.
fn preload(runtime: &Runtime, store: &Arc<dyn PaymentStore>, workload: &Arc<Workload>) {
    let mut commands = workload.preload().peekable();
    while commands.peek().is_some() {
        let group: Vec<_> = commands.by_ref().take(2_048).map(|c| execute(runtime, store, c)).collect();
        for task in group {
            runtime.block_on(task).expect("creating does not panic");
        }
    }
}

fn execute(
    runtime: &Runtime,
    store: &Arc<dyn PaymentStore>,
    command: counterfoil::command::Command,
) -> tokio::task::JoinHandle<()> {
    let store = store.clone();
    runtime.spawn(async move {
        store.execute(command).await.expect("a creation is legal");
    })
}
