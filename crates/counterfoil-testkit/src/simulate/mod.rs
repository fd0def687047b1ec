//! A billing service in a bad week, simulated.
//!
//! Two machines each run a [`Ledger`](counterfoil::ledger::Ledger) over one store and one
//! [gateway](counterfoil_sandbox::Sandbox):
//!
//! * Clients request payments, captures, refunds and voids. They repeat requests with the same key, also at two machines at
//!   once.
//! * Both machines do what is due.
//! * The gateway sends notifications, out of order and more than once.
//! * An operator resolves unknown outcomes, as the gateway's books say or by guessing. The operator works through the
//!   reviews, or dismisses them in haste, and sets a status or records money by hand.
//!
//! Meanwhile everything goes wrong that may: every [`Trouble`]. At each call of the store and of the gateway, other tasks
//! may run first, or the machine may crash. Every committed event is checked against the [laws](crate::laws). At the end
//! nothing goes wrong any more, what is due is done, and the operator works through the lists. Then the gateway's books must
//! agree with the ledger.
//!
//! Of the [invariants](counterfoil::docs::invariants), 1, 3, 7, 8, 10, 11, 13, 14, 16, 18 to 21, 24, 25, 27 to 30, 32, 38,
//! 40 to 44, 46 and 47 are checked, and a failure names the one that is broken. [`verify`](counterfoil::verify::verify)
//! checks 9 and 35 at the end. 45 (it does not matter who does what is due, or how often) follows from 25 and 46. The others
//! have tests of their own.
//!
//! The books are compared operation by operation. An operation that has not moved here what it moved at its gateway is
//! stuck, and its payment is listed; or an operator has resolved it, and a review of that is open; or an operator has
//! dismissed that review, and the gateway has not reported a new end since. So a wrong resolution may stand until the
//! gateway reports the outcome. The report corrects the books or opens a review.
//!
//! Nothing is left to chance: one seed runs the same way each time, if the store answers at once, as the memory store does.
//! A failure is reduced, and reported with the line of code that repeats it.
//!
//! ```
//! use counterfoil_memory::MemoryStore;
//! use counterfoil_testkit::simulate::{Setup, Simulation};
//!
//! let setup = Setup::over(MemoryStore::new);
//! for seed in 1..=10 {
//!     let report = Simulation::seeded(seed).run(&setup).unwrap_or_else(|failure| panic!("{failure}"));
//!     assert_eq!(report.trace, Simulation::seeded(seed).run(&setup).unwrap().trace);
//! }
//! ```
//!
//! A service of one's own takes part in it as well: see [`Setup::serving`].

mod ask;
mod client;
mod dice;
mod gateway;
mod machine;
mod notifications;
mod operator;
mod reconcile;
mod run;
mod service;
mod settle;
mod shrink;
mod store;
mod transcript;
mod trouble;
mod watch;
mod world;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use counterfoil::event::Hash;
use counterfoil::gateway::Gateway;
use counterfoil::ledger::LedgerError;
use counterfoil::store::PaymentStore;
use counterfoil_sandbox::Sandbox;

use crate::run::words;
use run::Run;
use service::Service;
pub use service::Till;
pub use trouble::Trouble;
use trouble::Troubles;

/// How many steps a simulation has, unless it is told otherwise.
const STEPS: u64 = 200;

/// What is simulated: the same for every seed.
pub struct Setup {
    store: Box<dyn Fn() -> Arc<dyn PaymentStore>>,
    gateway: Box<dyn Fn(Arc<Sandbox>) -> Arc<dyn Gateway>>,
    service: Option<Service>,
}

impl Setup {
    /// Over a store, made anew for each run: it must be empty.
    #[must_use]
    pub fn over<S: PaymentStore>(store: impl Fn() -> S + 'static) -> Setup {
        let store = Box::new(move || Arc::new(store()) as Arc<dyn PaymentStore>);
        Setup { store, gateway: Box::new(|sandbox| sandbox), service: None }
    }

    /// Through a gateway of one's own, that stands before the sandbox.
    #[must_use]
    pub fn through<G: Gateway>(mut self, gateway: impl Fn(Arc<Sandbox>) -> G + 'static) -> Setup {
        self.gateway = Box::new(move |sandbox| Arc::new(gateway(sandbox)));
        self
    }

    /// With a service of one's own among the clients. It serves one order after the other, under whatever goes wrong;
    /// where that is in doubt, or its machine crashed, the same order again. In the end each order that was served must
    /// have come to what `expect` says.
    ///
    /// Others pay as the same tenant: the simulator's own clients, whose invoices, customers, wallets and keys have names
    /// that begin with `sim-`. They and the operator go by the payments that they made themselves, so what a
    /// service finds under names of its own is its own doing, the gateway's, or time's. What it asks the ledger for
    /// without a name, all payments of the tenant say, are theirs too.
    ///
    /// ```
    /// # use counterfoil::ledger::NewPayment;
    /// # use counterfoil::store::{Filter, Query};
    /// # use counterfoil_memory::MemoryStore;
    /// # use counterfoil_testkit::fixtures::{card, invoice, key, usd};
    /// # use counterfoil_testkit::simulate::{Setup, Simulation, Till};
    /// let setup = Setup::over(MemoryStore::new).serving(
    ///     |till: Till| async move {
    ///         let order = format!("order-{}", till.order);
    ///         let new = NewPayment::new(usd(995), invoice(&order), card()).with_idempotency_key(key(&order));
    ///         till.ledger.create(&till.caller, new).await.map(drop)
    ///     },
    ///     |till| async move {
    ///         let mut filter = Filter::default();
    ///         filter.destination_id = format!("order-{}", till.order).parse().ok();
    ///         let made = till.ledger.list(&till.caller.scope, &Query::new(filter, 10)).await.unwrap();
    ///         let count = made.payments.len();
    ///         if count <= 1 { Ok(()) } else { Err(format!("it was paid {count} times")) }
    ///     },
    /// );
    /// for seed in 1..=5 {
    ///     Simulation::seeded(seed).run(&setup).unwrap_or_else(|failure| panic!("{failure}"));
    /// }
    /// ```
    #[must_use]
    pub fn serving<S, E>(
        mut self,
        serve: impl Fn(Till) -> S + 'static,
        expect: impl Fn(Till) -> E + 'static,
    ) -> Setup
    where
        S: Future<Output = Result<(), LedgerError>> + 'static,
        E: Future<Output = Result<(), String>> + 'static,
    {
        self.service = Some(Service::new(serve, expect));
        self
    }

    fn store(&self) -> Arc<dyn PaymentStore> {
        (self.store)()
    }

    fn gateway(&self, sandbox: Arc<Sandbox>) -> Arc<dyn Gateway> {
        (self.gateway)(sandbox)
    }

    fn service(&self) -> Option<Service> {
        self.service.clone()
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("service", &self.service).finish_non_exhaustive()
    }
}

/// One way that it may go. Its `Debug` form is the expression that makes it again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Simulation {
    seed: u64,
    steps: u64,
    troubles: Troubles,
    tells: bool,
}

impl Simulation {
    /// The one of this seed: 200 steps, and all kinds of trouble that it has.
    #[must_use]
    pub const fn seeded(seed: u64) -> Simulation {
        Simulation { seed, steps: STEPS, troubles: Troubles::ALL, tells: false }
    }

    /// With so many steps. A step is a turn that a task has, up to its next call of the store or of the gateway.
    #[must_use]
    pub const fn with_steps(mut self, steps: u64) -> Simulation {
        self.steps = steps;
        self
    }

    /// Without this kind of trouble.
    #[must_use]
    pub const fn without(mut self, trouble: Trouble) -> Simulation {
        self.troubles = self.troubles.without(trouble);
        self
    }

    /// Runs it.
    ///
    /// # Errors
    ///
    /// What did not hold, of the smallest simulation that was found to fail, with its story.
    pub fn run(self, setup: &Setup) -> Result<Report, Failure> {
        self.run_once(setup).map_err(|failure| {
            let smallest = shrink::shrink(failure, setup);
            let told = Simulation { tells: true, ..smallest.simulation };
            // It goes the same way once more, if the store does.
            told.run_once(setup).err().unwrap_or(smallest)
        })
    }

    /// Runs it, and leaves what fails as it is.
    fn run_once(self, setup: &Setup) -> Result<Report, Failure> {
        let mut run = Run::new(&self, setup);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            run.play(self.steps);
            let broken = run.world.broken().map_or(Ok(()), Err);
            let digest = broken.and_then(|()| run.world.finish(run.settle()));
            // What broke first may be why the rest does not hold either.
            run.world.broken().map_or(digest, Err)
        }));
        let ended = ended.unwrap_or_else(|panic| Err(words(panic.as_ref())));
        match ended {
            Ok(digest) => Ok(Report::of(&run, self.steps, digest)),
            Err(what) => Err(Failure { simulation: self, what, story: run.world.take_story() }),
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Simulation::seeded({})", self.seed)?;
        if self.steps != STEPS {
            write!(f, ".with_steps({})", self.steps)?;
        }
        self.troubles.missing().try_for_each(|trouble| write!(f, ".without(Trouble::{trouble:?})"))
    }
}

/// What happened in a simulation in which everything held.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many steps it had.
    pub steps: u64,
    /// How many payments there were.
    pub payments: u64,
    /// How many events.
    pub events: u64,
    /// How many commands the store executed.
    pub commands: u64,
    /// How often the gateway was asked to move money.
    pub calls: u64,
    /// The number of the operator's requests that succeeded.
    pub written: u64,
    /// How often what struck.
    pub troubles: Vec<(Trouble, u64)>,
    /// A number that is the same when everything went the same way.
    pub trace: u64,
    /// The digest of the books in the end.
    pub digest: Hash,
}

impl Report {
    fn of(run: &Run, steps: u64, digest: Hash) -> Report {
        Report {
            steps,
            payments: run.watch.payments().len() as u64,
            events: run.watch.events(),
            commands: run.watch.commands(),
            calls: run.gateway.calls(),
            written: run.operator.done(),
            troubles: run.world.struck().collect(),
            trace: run.world.trace(),
            digest,
        }
    }
}

/// Something that did not hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The simulation in which it did not: the smallest that was found.
    pub simulation: Simulation,
    /// What.
    pub what: String,
    /// What had happened, line by line.
    pub story: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        writeln!(f, "repeat it: {:?}", self.simulation)?;
        self.story.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Error for Failure {}
