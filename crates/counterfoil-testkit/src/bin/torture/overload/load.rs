//! Offering commands to a store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use counterfoil::clock::Clock;
use counterfoil::command::{Command, Request, TopUp};
use counterfoil::id::TopUpId;
use counterfoil::scope::Caller;
use counterfoil::store::{ExecuteError, PaymentStore, StoreErrorKind};
use counterfoil::text::WalletId;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, usd, wallet};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use uuid::Uuid;

/// How often there are new commands.
const TICK: Duration = Duration::from_millis(1);
/// So many may be on their way; the rest is beyond what can be asked for.
const UNDER_WAY: u64 = 20_000;

/// Which numbers, in little room: how many, their sum, and that of their squares.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    count: u64,
    total: u128,
    squares: u128,
}

impl Sum {
    pub(super) const fn add(&mut self, number: u128) {
        self.count += 1;
        self.total = self.total.wrapping_add(number);
        self.squares = self.squares.wrapping_add(number.wrapping_mul(number));
    }
}

/// What came of a load.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Offered {
    pub(super) done: u64,
    pub(super) refused: u64,
    /// What the machine could not even ask for.
    pub(super) beyond: u64,
    pub(super) slowest_refusal: Duration,
}

/// Commands for a store, each with a number of its own.
#[derive(Debug)]
pub(super) struct Load {
    callers: Arc<Callers>,
}

/// What all callers share.
#[derive(Debug)]
struct Callers {
    store: Arc<SqliteStore>,
    caller: Caller,
    wallets: Vec<WalletId>,
    next: AtomicU64,
    under_way: AtomicU64,
    told: Mutex<ToldAll>,
}

#[derive(Debug, Default)]
struct ToldAll {
    now: Offered,
    acknowledged: Sum,
    surprise: Option<String>,
}

impl Load {
    pub(super) fn new(store: Arc<SqliteStore>) -> Load {
        let wallets = (0..64).map(|number| wallet(&format!("wallet-{number}"))).collect();
        let (next, under_way) = (AtomicU64::new(1), AtomicU64::new(0));
        let callers =
            Callers { store, caller: caller("acme"), wallets, next, under_way, told: Mutex::default() };
        Load { callers: Arc::new(callers) }
    }

    /// What was acknowledged so far.
    pub(super) fn acknowledged(&self) -> Sum {
        self.callers.told.lock().unwrap_or_else(PoisonError::into_inner).acknowledged
    }

    /// So many callers, each of whom waits for its answer and asks for the next thing.
    pub(super) async fn most(&mut self, callers: u64, lasts: Duration) -> Result<Offered, String> {
        let end = Instant::now() + lasts;
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let callers = self.callers.clone();
            tasks.spawn(async move {
                while Instant::now() < end {
                    callers.ask().await;
                }
            });
        }
        tasks.join_all().await;
        self.take()
    }

    /// As many commands as are asked for, evenly over the time, whatever the answers. Comes back when all are answered.
    pub(super) fn offer(
        &mut self,
        runtime: &Runtime,
        commands: u64,
        lasts: Duration,
        queue: usize,
    ) -> Result<Offered, String> {
        let began = Instant::now();
        let (mut offered, mut beyond, mut longest) = (0, 0, 0);
        while began.elapsed() < lasts {
            let due = share(commands, began.elapsed(), lasts);
            for _ in offered..due {
                if self.callers.under_way.load(Ordering::Relaxed) < UNDER_WAY {
                    self.callers.under_way.fetch_add(1, Ordering::Relaxed);
                    let callers = self.callers.clone();
                    runtime.spawn(async move {
                        callers.ask().await;
                        callers.under_way.fetch_sub(1, Ordering::Relaxed);
                    });
                } else {
                    beyond += 1;
                }
            }
            offered = due;
            longest = longest.max(self.callers.store.status().queued);
            thread::sleep(TICK);
        }
        while self.callers.under_way.load(Ordering::Relaxed) > 0 {
            thread::sleep(TICK);
        }
        if longest > queue {
            return Err(format!("{longest} were waiting, and {queue} may"));
        }
        Ok(Offered { beyond, ..self.take()? })
    }

    /// What came of it since the last time.
    fn take(&self) -> Result<Offered, String> {
        let mut told = self.callers.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.surprise.take() {
            Some(surprise) => Err(surprise),
            None => Ok(std::mem::take(&mut told.now)),
        }
    }
}

impl Callers {
    async fn ask(&self) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let asked = Instant::now();
        let answer = self.store.execute(self.command(number)).await;
        let took = asked.elapsed();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(_) => {
                told.now.done += 1;
                told.acknowledged.add(number.into());
            }
            Err(ExecuteError::NotCommitted(error)) if error.kind() == StoreErrorKind::Overloaded => {
                told.now.refused += 1;
                told.now.slowest_refusal = told.now.slowest_refusal.max(took);
            }
            other => told.surprise = Some(format!("{number} was answered {other:?}")),
        }
    }

    /// A top-up with this number for its id.
    fn command(&self, number: u64) -> Command {
        let place = usize::try_from(number).unwrap_or(0) % self.wallets.len();
        let (top_up, wallet) = (TopUpId::new(Uuid::from_u128(number.into())), self.wallets[place].clone());
        Command {
            caller: self.caller.clone(),
            at: ManualClock::default().now(),
            policy: Arc::default(),
            gateways: Arc::default(),
            request: Request::TopUp(TopUp { top_up, wallet, amount: usd(1), idempotency_key: None }),
        }
    }
}

/// So much of `all` is due.
fn share(all: u64, gone: Duration, lasts: Duration) -> u64 {
    let due = u128::from(all) * gone.as_nanos() / lasts.as_nanos().max(1);
    u64::try_from(due).unwrap_or(all).min(all)
}
