//! Stopping a flow between any two of its steps, as a crash does.
//!
//! A flow is what a billing service does with a ledger: some commands, some calls of a gateway. A [`Crash`] wraps the
//! store and the gateway, counts what they are asked, and stops for ever before or after the nth of it. Whoever then
//! opens a ledger over the same store and gateway, and [does what is due](counterfoil::ledger::Ledger::run_due), must
//! come to an end that the flow could have had.
//!
//! ```
//! use std::sync::Arc;
//! use counterfoil::ledger::{Ledger, NewPayment};
//! use counterfoil_memory::MemoryStore;
//! use counterfoil_testkit::fixtures::{caller, card, invoice, usd};
//! use counterfoil_testkit::sandbox::Sandbox;
//! use counterfoil_testkit::{block_on, crash::Crash};
//!
//! for step in 0.. {
//!     let (store, sandbox) = (Arc::new(MemoryStore::new()), Arc::new(Sandbox::new()));
//!     let crash = Crash::at(step);
//!     let ledger = Ledger::new(crash.store(store)).with_gateway(crash.gateway(sandbox));
//!     let caller = caller("acme");
//!     let invoice = invoice(&format!("inv_{step}")); // of its own: what became of the last one may be in doubt
//!     let new = NewPayment::new(usd(100), invoice, card());
//!     let done = block_on(crash.run(ledger.create(&caller, new)));
//!     if done.is_some() {
//!         assert_eq!(step, 6, "two commands and one call, stopped before and after each");
//!         break;
//!     }
//!     // Here a ledger over `store` and `sandbox` brings it to its end.
//! }
//! ```

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::payment::Evidence;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Head, Key, Page, PaymentStore, Position, Query, State, StoreError,
    StoreStatus,
};
use counterfoil::text::GatewayName;
use tokio::sync::Notify;

/// A crash that is to happen at a step of a flow. Commands and calls of a gateway are two steps each: before they take
/// effect, and after.
#[derive(Debug, Clone)]
pub struct Crash(Arc<Point>);

#[derive(Debug)]
struct Point {
    at: usize,
    steps: AtomicUsize,
    happened: Notify,
}

impl Crash {
    /// At this step, counted from 0.
    #[must_use]
    pub fn at(step: usize) -> Crash {
        Crash(Arc::new(Point { at: step, steps: AtomicUsize::new(0), happened: Notify::new() }))
    }

    /// `store`, as the flow is to use it.
    #[must_use]
    pub fn store(&self, store: Arc<dyn PaymentStore>) -> Arc<dyn PaymentStore> {
        Arc::new(CrashingStore { crash: self.clone(), inner: store })
    }

    /// `gateway`, as the flow is to use it.
    #[must_use]
    pub fn gateway(&self, gateway: Arc<dyn Gateway>) -> Arc<dyn Gateway> {
        Arc::new(CrashingGateway { crash: self.clone(), inner: gateway })
    }

    /// Runs a flow until it ends, or until the crash: then `None`, and nothing of it goes on.
    pub async fn run<F: Future>(&self, flow: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            done = flow => Some(done),
            () = self.0.happened.notified() => None,
        }
    }

    /// How many steps were taken.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.0.steps.load(Ordering::SeqCst)
    }

    async fn step(&self) {
        if self.0.steps.fetch_add(1, Ordering::SeqCst) == self.0.at {
            self.0.happened.notify_one();
            pending::<()>().await;
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        self.step().await;
        let answer = call.await;
        self.step().await;
        answer
    }
}

#[derive(Debug)]
struct CrashingStore {
    crash: Crash,
    inner: Arc<dyn PaymentStore>,
}

#[async_trait]
impl PaymentStore for CrashingStore {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        self.crash.around(self.inner.execute(command)).await
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.inner.read(keys).await
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.inner.list(scope, query).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.inner.history(scope, stream, after, limit).await
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.inner.feed(scope, after, limit).await
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        self.inner.news(after).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.inner.heads(after, limit).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

#[derive(Debug)]
struct CrashingGateway {
    crash: Crash,
    inner: Arc<dyn Gateway>,
}

#[async_trait]
impl Gateway for CrashingGateway {
    fn name(&self) -> &GatewayName {
        self.inner.name()
    }

    fn finality(&self) -> Finality {
        self.inner.finality()
    }

    fn can_reverse_captures(&self) -> bool {
        self.inner.can_reverse_captures()
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.crash.around(self.inner.charge(charge)).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.crash.around(self.inner.capture(capture)).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.crash.around(self.inner.refund(refund)).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.crash.around(self.inner.void(void)).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.crash.around(self.inner.inquire(inquiry)).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.crash.around(self.inner.look_up(payment)).await
    }
}
