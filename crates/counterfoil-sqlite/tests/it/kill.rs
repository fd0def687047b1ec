//! kill -9 at whatever moment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, NewPayment};
use counterfoil::money::Currency;
use counterfoil::payment::PaymentMethod;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Key, Lookup, PaymentStore, Query};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::sandbox::Sandbox;

use crate::support::*;

const CHILD: &str = "COUNTERFOIL_KILL";
const ACKNOWLEDGED: &str = "acknowledged ";
/// After how many acknowledged payments the child is killed, round by round, always on the same file.
const ROUNDS: [usize; 6] = [1, 7, 40, 150, 333, 900];

/// INVARIANTS 35 and 41.
#[test]
fn nothing_that_was_acknowledged_is_lost_and_nothing_is_half_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    if let Some(path) = std::env::var_os(CHILD) {
        return runtime.block_on(write_for_ever(Arc::new(SqliteStore::open(path).unwrap())));
    }
    let place = Place::new();
    let mut acknowledged = Vec::new();
    for round in ROUNDS {
        acknowledged.extend(killed_after(round, &place.path()));
        let store = place.open();
        runtime.block_on(check(&store, &acknowledged));
    }
    assert!(acknowledged.len() >= ROUNDS.iter().sum());
}

/// Lets a child write until it has acknowledged `count` payments, kills it, and returns all of them.
fn killed_after(count: usize, path: &Path) -> Vec<PaymentId> {
    let name = "kill::nothing_that_was_acknowledged_is_lost_and_nothing_is_half_there";
    let mut child = again_as_child(name, CHILD, path).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = Vec::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The last line may be cut off: then nobody was told.
        if let Some(id) = line.strip_prefix(ACKNOWLEDGED).and_then(|rest| rest.strip_suffix('\n')) {
            acknowledged.push(id.parse().unwrap());
        }
        line.clear();
        if acknowledged.len() == count {
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success(), "it was killed");
    assert!(acknowledged.len() >= count, "it wrote for too short a time");
    acknowledged
}

async fn write_for_ever(store: Arc<SqliteStore>) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let store = store.clone();
        tasks.spawn(async move {
            let maker = Maker::new(&format!("tenant {}", task % 3));
            loop {
                store.execute(maker.top_up("w", 2)).await.unwrap();
                let create = maker.create(PaymentMethod::Credits(wallet("w")), 1);
                store.execute(create.clone()).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "{ACKNOWLEDGED}{}", created(&create)).unwrap();
                out.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}

async fn check(store: &SqliteStore, acknowledged: &[PaymentId]) {
    verify(store).await.unwrap();
    for tenant in ["tenant 0", "tenant 1", "tenant 2"] {
        // One cent each.
        let all = Query::new(Filter::default(), 0).counted();
        let payments = store.list(&scope(tenant), &all).await.unwrap().total.unwrap();
        let invoice = account(store, tenant, &invoice()).await;
        let paid = invoice.map_or(0, |invoice| invoice.totals(Currency::USD).paid);
        assert_eq!(paid, i128::from(payments), "{tenant}: its payments and their sum are one");
    }
    let scopes = [0, 1, 2].map(|number| scope(&format!("tenant {number}")));
    for id in acknowledged {
        let keys = scopes.clone().map(|scope| Key::Payment(scope, *id));
        let state = store.read(&keys).await.unwrap();
        let found = scopes.iter().filter_map(|scope| match state.payment(scope, *id) {
            Lookup::Present(payment) => Some(payment.status()),
            _ => None,
        });
        assert_eq!(found.collect::<Vec<_>>(), [PaymentStatus::Succeeded], "{id}");
    }
}

const QUEUES: &str = "COUNTERFOIL_QUEUES";

/// INVARIANTS 25.
#[test]
fn payment_queued_by_a_killed_process_is_sent_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let caller = caller("acme");
    let ledger =
        |store: Arc<SqliteStore>, gateway: &Arc<Sandbox>| Ledger::new(store).with_gateway(gateway.clone());
    if let Some(path) = std::env::var_os(QUEUES) {
        runtime.block_on(async {
            let ledger = ledger(Arc::new(SqliteStore::open(path).unwrap()), &Arc::new(Sandbox::new()));
            let new = NewPayment::new(usd(995), invoice(), PaymentMethod::Card(None)).queued();
            let queued = ledger.create(&caller, new).await.unwrap();
            println!("{ACKNOWLEDGED}{}", queued.payment().unwrap().id());
            std::future::pending::<()>().await;
        });
    }
    let place = Place::new();
    let name = "kill::payment_queued_by_a_killed_process_is_sent_once";
    let mut child = again_as_child(name, QUEUES, &place.path()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let id = lines.map_while(Result::ok).find_map(|line| Some(line.split_once(ACKNOWLEDGED)?.1.to_owned()));
    child.kill().unwrap();
    child.wait().unwrap();
    let id: PaymentId = id.expect("the child queued a payment").parse().unwrap();

    let gateway = Arc::new(Sandbox::new());
    let ledger = ledger(place.open(), &gateway);
    runtime.block_on(async {
        let attempt = ledger.payment(&caller.scope, id).await.unwrap().unwrap().operations()[0].id;
        let at_once = || ledger.send(&caller, id, attempt);
        let (run, one, other) = tokio::join!(ledger.run_due(10), at_once(), at_once());
        let sent = [run.unwrap().done == 1, !one.unwrap().replayed, !other.unwrap().replayed];
        assert_eq!(sent.into_iter().filter(|sent| *sent).count(), 1, "one of them sent it: {sent:?}");
        assert_eq!(gateway.calls(), 1);
        let payment = ledger.payment(&caller.scope, id).await.unwrap().unwrap();
        assert_eq!((payment.status(), payment.captured()), (PaymentStatus::Succeeded, usd(995)));
    });
}
