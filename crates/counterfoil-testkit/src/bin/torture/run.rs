//! Running a campaign's cases: on every core if they may, until one fails or all are done.
#![allow(clippy::disallowed_methods, reason = "how long a run takes is told by a real clock")]

use std::any::Any;
use std::fmt;
use std::num::NonZero;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::campaign::{Campaign, Counts};
use crate::say;

/// How often a long run says how far it is.
const PROGRESS: Duration = Duration::from_secs(30);

/// Which cases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) first: u64,
    pub(crate) count: u64,
}

impl Order {
    /// So many, from the first one on.
    pub(crate) const fn first(count: u64) -> Order {
        Order { first: 1, count }
    }

    /// Behind the last case.
    pub(crate) const fn end(self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

/// What a campaign that found nothing did.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) order: Order,
    pub(crate) counts: Counts,
    pub(crate) took: Duration,
}

/// What a case found.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) seed: u64,
    pub(crate) what: String,
}

/// What the threads of a run share.
struct Shared {
    next: AtomicU64,
    end: AtomicU64,
    counts: Mutex<Counts>,
    fault: Mutex<Option<Fault>>,
}

/// Runs the cases. The first case that fails, by its number, ends it.
pub(crate) fn run(campaign: &Campaign, order: Order) -> Result<Report, Fault> {
    let started = Instant::now();
    let shared = Shared {
        next: AtomicU64::new(order.first),
        end: AtomicU64::new(order.end()),
        counts: Mutex::default(),
        fault: Mutex::default(),
    };
    let threads = if campaign.parallel { thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    thread::scope(|scope| {
        for place in 0..threads {
            let shared = &shared;
            scope.spawn(move || work(campaign, order, shared, place == 0));
        }
    });
    let fault = shared.fault.into_inner().unwrap_or_else(PoisonError::into_inner);
    let counts = shared.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    fault.map_or_else(|| Ok(Report { order, counts, took: started.elapsed() }), Err)
}

fn work(campaign: &Campaign, order: Order, shared: &Shared, tells: bool) {
    let mut told = Instant::now();
    loop {
        let seed = shared.next.fetch_add(1, Ordering::SeqCst);
        if seed >= shared.end.load(Ordering::SeqCst) {
            return;
        }
        match outcome(campaign, seed) {
            Ok(counts) => shared.counts.lock().unwrap_or_else(PoisonError::into_inner).add_all(&counts),
            Err(what) => shared.note(Fault { seed, what }),
        }
        if tells && told.elapsed() > PROGRESS {
            told = Instant::now();
            say(&format!("{}: {} of {} cases", campaign.name, seed - order.first + 1, order.count));
        }
    }
}

impl Shared {
    /// Cases behind the one that failed are not begun any more; one before it may still fail, and count.
    fn note(&self, fault: Fault) {
        self.end.fetch_min(fault.seed, Ordering::SeqCst);
        let mut first = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|first| fault.seed < first.seed) {
            *first = Some(fault);
        }
    }
}

fn outcome(campaign: &Campaign, seed: u64) -> Result<Counts, String> {
    let case = campaign.case;
    catch_unwind(move || case(seed)).unwrap_or_else(|panic| Err(words(panic.as_ref())))
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic without words").to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Order { first, count } = self.order;
        let cases = if count == 1 { "case" } else { "cases" };
        write!(f, "nothing lost in {count} {cases} (seeds {first} to {})", self.order.end() - 1)?;
        for (what, count) in self.counts.iter() {
            write!(f, ", {count} {what}")?;
        }
        write!(f, "; {} s", self.took.as_secs())
    }
}
