//! The process that is killed.

use std::io::{Write, stdout};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::store::PaymentStore;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::defect;
use crate::work::{Op, ROUND, Said, Told, round};

/// Pages of log after which they are copied into the file: few, so that it happens all the time.
const CHECKPOINT: u32 = 100;

/// `DEFECT PATH LIMIT FIRST…`: writes to the file, one writer for each `FIRST`, which is the number of its next operation,
/// until `LIMIT` answers are out. Then it closes the store.
pub(crate) fn work(args: &[String]) {
    let [defect, path, limit, first @ ..] = args else { panic!("DEFECT PATH LIMIT FIRST…") };
    let limit = limit.parse().expect("a limit");
    let first: Vec<u64> = first.iter().map(|first| first.parse().expect("a number")).collect();
    let runtime = Builder::new_multi_thread().worker_threads(4).build().expect("a runtime");
    runtime.block_on(async {
        let opened = defect::named(defect).with_checkpoint_pages(CHECKPOINT).open(path);
        let store = Arc::new(opened.unwrap_or_else(|error| panic!("{error:?}")));
        let answers = Arc::new(AtomicU64::new(0));
        let mut writers = JoinSet::new();
        for (writer, first) in (0..).zip(first) {
            let (store, answers) = (store.clone(), answers.clone());
            writers.spawn(async move { write(&*store, writer, first, &answers, limit).await });
        }
        writers.join_all().await;
        store.close().await.expect("a store that closes");
    });
    exit(0);
}

/// A writer waits for each answer, and says what it is.
async fn write(store: &dyn PaymentStore, writer: u16, first: u64, answers: &AtomicU64, limit: u64) {
    let mut commands = Vec::new();
    for number in first.. {
        if answers.load(Ordering::Relaxed) >= limit {
            return;
        }
        let place = usize::try_from(number % ROUND).expect("a small number");
        if commands.is_empty() || place == 0 {
            commands = round(writer, number / ROUND);
        }
        let op = Op { writer, number };
        tell(op, Said::Asked);
        let answer = store.execute(commands[place].clone()).await;
        tell(op, Said::of(&answer));
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// A line is written at once, so the parent has all of it or nothing.
fn tell(op: Op, said: Said) {
    writeln!(stdout().lock(), "{}", Told { op, said }).expect("a parent that listens");
}
