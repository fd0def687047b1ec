//! The example `feed_worker`, killed at whatever moment while others write.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use counterfoil::command::Receipt;
use counterfoil::ledger::{Ledger, NewPayment, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::PaymentMethod;
use counterfoil::status::PaymentStatus;
use counterfoil::store::PaymentStore;
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

/// How often the worker is killed.
const KILLS: u64 = 64;
/// How many write at the same time, in half as many scopes.
const CALLERS: u64 = 8;
/// Fails a test that would hang; nothing that is asserted depends on how long it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is effected: tenant, stream, sequence, currency, minor units.
type Line = (String, String, i64, String, i64);

/// INVARIANTS 40.
#[test]
fn a_worker_that_is_killed_again_and_again_has_each_effect_exactly_once() {
    let place = Place::new();
    let writers = Writers::start(place.open());
    let effects = place.folder().join("effects.db");
    for round in 0..KILLS {
        let worker = Worker::start(&place.path(), &effects, &[]);
        // Every other time wherever it is by then, also before its first transaction.
        let batches = if round % 2 == 0 { 0 } else { 1 + mixed(round) % 3 };
        worker.kill_after(batches, Duration::from_micros(mixed(round + KILLS) % 30_000));
    }
    let expected = writers.stop();
    Worker::start(&place.path(), &effects, &["--until", &expected.len().to_string()]).finish();
    check(&effects, expected);
}

/// INVARIANTS 40.
#[test]
fn worker_rebuilds_its_effects_after_a_restore() {
    let place = Place::new();
    let effects = place.folder().join("effects.db");
    let run =
        |until: usize| Worker::start(&place.path(), &effects, &["--until", &until.to_string()]).finish();
    let mut kept = offline_payments(&place, 3);
    let backup = std::fs::read(place.path()).unwrap();
    let lost = offline_payments(&place, 2);
    run(kept.len() + lost.len());
    check(&effects, [&kept[..], &lost].concat());

    std::fs::write(place.path(), backup).unwrap();
    SqliteStore::begin_era(place.path()).unwrap();
    kept.extend(offline_payments(&place, 3));
    run(kept.len());
    check(&effects, kept);
}

/// Creates `count` payments, and closes the store. Returns the lines that the worker writes for them.
fn offline_payments(place: &Place, count: i64) -> Vec<Line> {
    let store = place.open();
    let (ledger, caller) = (Ledger::new(store.clone()), caller("acme"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut lines = Vec::new();
        for minor in 1..=count {
            let new = NewPayment::new(usd(minor), invoice(), PaymentMethod::Offline);
            lines.push(line(&caller.scope, &ledger.create(&caller, new).await.unwrap(), minor));
        }
        store.close().await.unwrap();
        lines
    })
}

fn check(effects: &Path, mut expected: Vec<Line>) {
    let file = raw(effects);
    let mut all =
        file.prepare("SELECT tenant, stream, sequence, currency, minor FROM line ORDER BY number").unwrap();
    let lines =
        all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    let mut lines: Vec<Line> = lines.unwrap().collect::<Result<_, _>>().unwrap();
    let mut last = BTreeMap::new();
    for (_, stream, sequence, ..) in &lines {
        let before = last.insert(stream.clone(), *sequence);
        assert!(before.is_none_or(|before| before < *sequence), "{stream} goes back to {sequence}");
    }
    lines.sort();
    expected.sort();
    assert!(lines == expected, "{} lines where there should be {}, or others", lines.len(), expected.len());

    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for (.., currency, minor) in expected {
        *sums.entry(currency).or_default() += minor;
    }
    let mut totals = file.prepare("SELECT currency, minor FROM total").unwrap();
    let totals = totals.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(totals.collect::<Result<BTreeMap<String, i64>, _>>().unwrap(), sums);
}

/// The example as a process of its own.
struct Worker {
    child: Child,
    /// What it says: a line for each transaction.
    said: Receiver<String>,
}

impl Worker {
    fn start(books: &Path, effects: &Path, more: &[&str]) -> Worker {
        let mut process = Process::new(example());
        let mut child = process.args([books, effects]).args(more).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, said) = mpsc::channel();
        // Ends with the process.
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Worker { child, said }
    }

    /// Kills it when it has told of so many transactions, and a while later.
    fn kill_after(mut self, batches: u64, later: Duration) {
        for batch in 0..batches {
            if let Err(silence) = self.said.recv_timeout(PATIENCE) {
                self.child.kill().unwrap();
                panic!("{silence} after {batch} batches: {}", self.child.wait().unwrap());
            }
        }
        thread::sleep(later);
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it ended by itself: {status}");
    }

    /// Lets it come to its end.
    fn finish(mut self) {
        let mut last = String::new();
        while let Ok(line) = self.said.recv_timeout(PATIENCE) {
            last = line;
        }
        // Nothing, if it has ended.
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}, after {last:?}");
    }
}

/// Beside the folder of this very program, where `cargo test` puts it: unless it is given a filter, then only
/// `cargo build --examples` does.
fn example() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().and_then(Path::parent).unwrap().join("examples/feed_worker");
    assert!(path.exists(), "{} is missing: cargo build -p counterfoil-sqlite --examples", path.display());
    path
}

/// Callers that make and refund payments until they are stopped.
struct Writers {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Line>>,
}

impl Writers {
    fn start(store: Arc<SqliteStore>) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let (ledger, stopped) = (Ledger::new(store), stop.clone());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
            runtime.block_on(async {
                let callers = (0..CALLERS).map(|caller| write(ledger.clone(), caller, stopped.clone()));
                let callers: tokio::task::JoinSet<_> = callers.collect();
                callers.join_all().await.concat()
            })
        });
        Writers { stop, thread }
    }

    /// What they were told is done.
    fn stop(self) -> Vec<Line> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().unwrap()
    }
}

async fn write(ledger: Ledger, number: u64, stopped: Arc<AtomicBool>) -> Vec<Line> {
    let caller = caller(&format!("tenant {}", number / 2));
    let mut lines = Vec::new();
    let mut turn = number;
    while !stopped.load(Ordering::Acquire) {
        turn += CALLERS;
        let currency = [Currency::USD, Currency::EUR, Currency::JPY][usize::try_from(turn % 3).unwrap()];
        let minor = i64::try_from(1 + mixed(turn) % 100_000).unwrap();
        let amount = Money::from_minor(minor, currency).unwrap();
        let new = NewPayment::new(amount, invoice(), PaymentMethod::Offline);
        let made = ledger.create(&caller, new).await.unwrap();
        lines.push(line(&caller.scope, &made, minor));
        // What is refunded has two effects, and those of others come between them.
        if turn % 5 < 2 {
            tokio::task::yield_now().await;
            let id = made.payment().unwrap().id();
            let refunded = ledger.update(&caller, id, Update::to(PaymentStatus::Refunded)).await.unwrap();
            lines.push(line(&caller.scope, &refunded, -minor));
        }
    }
    lines
}

fn line(scope: &counterfoil::scope::Scope, receipt: &Receipt, minor: i64) -> Line {
    let currency = receipt.payment().unwrap().terms().amount.currency();
    let (tenant, stream) = (scope.tenant().to_string(), receipt.stream.to_string());
    let sequence = receipt.sequence.try_into().unwrap();
    (tenant, stream, sequence, currency.code().to_owned(), minor)
}

/// Any number from any number, the same in every run: the finalizer of `SplitMix64`.
fn mixed(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
