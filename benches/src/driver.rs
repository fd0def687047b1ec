//! Many callers at once, and what they had to wait for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use counterfoil::store::PaymentStore;
use tokio::runtime::Runtime;

use crate::workload::Workload;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Commands that were answered, per second.
    pub per_second: u64,
    /// Half of the callers waited no longer.
    pub p50: Duration,
    /// All but one in a hundred waited no longer.
    pub p99: Duration,
}

impl Measured {
    /// From the waits of everybody, over this long.
    #[must_use]
    pub fn new(mut waits: Vec<Duration>, over: Duration) -> Measured {
        waits.sort_unstable();
        let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
        Measured { per_second: per_second(waits.len(), over), p50: at(50), p99: at(99) }
    }
}

/// So many in this time, per second.
#[must_use]
pub fn per_second(count: usize, over: Duration) -> u64 {
    let count = u128::try_from(count).unwrap_or(0);
    u64::try_from(count * 1_000_000_000 / over.as_nanos().max(1)).unwrap_or(u64::MAX)
}

#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock: that is what it is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets `callers` tasks execute commands of `workload` for as long as `over`, each waiting for its answer before
/// it asks again.
///
/// # Panics
///
/// If a command is refused or fails: then there is nothing worth measuring.
#[must_use]
pub fn callers(
    runtime: &Runtime,
    store: &Arc<dyn PaymentStore>,
    workload: &Arc<Workload>,
    callers: usize,
    over: Duration,
) -> Measured {
    let start = now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| runtime.spawn(call(store.clone(), workload.clone(), caller, start + over)))
        .collect();
    let waits: Vec<Duration> =
        tasks.into_iter().flat_map(|task| runtime.block_on(task).expect("a caller does not panic")).collect();
    Measured::new(waits, start.elapsed())
}

async fn call(
    store: Arc<dyn PaymentStore>,
    workload: Arc<Workload>,
    caller: usize,
    until: Instant,
) -> Vec<Duration> {
    let mut commands = workload.commands(caller);
    let mut waits = Vec::new();
    loop {
        let command = commands.next_command();
        let asked = now();
        if asked >= until {
            return waits;
        }
        store.execute(command).await.expect("every command of a workload is legal");
        waits.push(asked.elapsed());
    }
}
