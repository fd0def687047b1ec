//! A billing service in bad weeks; and that the simulation sees what it is there to see.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::ledger::NewPayment;
use counterfoil::payment::Evidence;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, ExecuteError, Feed, Filter, Head, Key, Page, PaymentStore, Position, Query, State,
    StoreError, StoreStatus,
};
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::JudgedStore;
use counterfoil_testkit::fixtures::{card, invoice, key, usd};
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::simulate::{Failure, Setup, Simulation, Trouble};

/// The invariants that `simulate` lists, step by step; and every answer is the model's.
#[test]
fn whatever_goes_wrong_the_books_are_good_and_agree_with_the_gateways() {
    let setup = Setup::over(|| JudgedStore::new(MemoryStore::new()));
    let (mut struck, mut payments, mut calls, mut written) = (BTreeSet::new(), 0, 0, 0);
    for seed in 1..=60 {
        let report = Simulation::seeded(seed).run(&setup).unwrap_or_else(|failure| panic!("{failure}"));
        struck.extend(report.troubles.iter().map(|(trouble, _)| *trouble));
        (payments, calls) = (payments + report.payments, calls + report.calls);
        written += report.written;
    }
    // So that it says something.
    let never: Vec<_> = Trouble::ALL.iter().filter(|trouble| !struck.contains(trouble)).collect();
    assert!(never.is_empty(), "{never:?}");
    assert!(
        payments > 300 && calls > 400 && written > 100,
        "{payments} payments, {calls} calls, {written} written"
    );
}

#[test]
fn one_seed_goes_one_way() {
    let setup = Setup::over(MemoryStore::new);
    let run = |seed| Simulation::seeded(seed).run(&setup).unwrap();
    let mut traces = BTreeSet::new();
    for seed in 1..=20 {
        assert_eq!(run(seed), run(seed));
        traces.insert(run(seed).trace);
    }
    assert_eq!(traces.len(), 20, "and every seed its own");
}

#[test]
fn a_step_more_changes_nothing_that_was() {
    let setup = Setup::over(MemoryStore::new);
    let run = |steps| Simulation::seeded(3).with_steps(steps).run(&setup).unwrap();
    assert!(run(50).commands <= run(200).commands);
    assert_eq!(run(0).payments, 0);
}

/// The first seed that finds it.
pub(crate) fn found(setup: &Setup) -> Failure {
    let tried = (1..=600).find_map(|seed| Simulation::seeded(seed).run(setup).err());
    tried.expect("it is found")
}

#[derive(Debug)]
struct ChargesTwice(Arc<Sandbox>);

#[async_trait]
impl Gateway for ChargesTwice {
    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    fn finality(&self) -> Finality {
        self.0.finality()
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        let mut again = charge.clone();
        again.token.push_str("_again");
        let _ = self.0.charge(&again).await;
        self.0.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.0.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.0.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.0.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        self.0.inquire(inquiry).await
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.0.look_up(payment).await
    }
}

/// Invariant 46; and what is found is made smaller, and can be repeated.
#[test]
fn a_gateway_that_charges_twice_is_found() {
    let setup = Setup::over(MemoryStore::new).through(ChargesTwice);
    let failure = found(&setup);
    assert!(failure.what.starts_with("invariant 46 is broken"), "{failure}");
    let short = format!("{:?}", failure.simulation);
    assert!(short.contains(".with_steps(") && short.contains(".without(Trouble::Crash)"), "{short}");
    assert!(!failure.story.is_empty());
    let again = failure.simulation.run(&setup).unwrap_err();
    assert_eq!(again.what, failure.what);
}

/// Invariant 24, of a service: what the guide says of one that leaves out its keys.
#[test]
fn a_service_that_asks_twice_without_a_key_is_found() {
    let setup = Setup::over(MemoryStore::new).serving(
        |till| async move {
            let new = NewPayment::new(usd(995), invoice(&format!("order-{}", till.order)), card());
            till.ledger.create(&till.caller, new).await.map(drop)
        },
        |till| async move {
            let mut filter = Filter::default();
            filter.destination_id = format!("order-{}", till.order).parse().ok();
            let made = till.ledger.list(&till.caller.scope, &Query::new(filter, 10)).await.unwrap();
            if made.payments.len() > 1 { Err("it was paid twice".to_owned()) } else { Ok(()) }
        },
    );
    assert!(found(&setup).what.ends_with("it was paid twice"));
}

/// The names that a service would use are its own: nobody else pays under them.
#[test]
fn a_service_meets_nobody_elses_payments() {
    let setup = Setup::over(MemoryStore::new).serving(
        |till| async move {
            let new = NewPayment::new(usd(100), invoice(&format!("inv_{}", till.order)), card());
            let new = new.with_idempotency_key(key(&format!("0-{}", till.order)));
            till.ledger.create(&till.caller, new).await.map(drop)
        },
        |till| async move {
            let mut filter = Filter::default();
            filter.destination_id = format!("inv_{}", till.order).parse().ok();
            let made = till.ledger.list(&till.caller.scope, &Query::new(filter, 10)).await.unwrap();
            if made.payments.len() == 1 { Ok(()) } else { Err(format!("paid {} times", made.payments.len())) }
        },
    );
    for seed in 1..=20 {
        Simulation::seeded(seed).run(&setup).unwrap_or_else(|failure| panic!("{failure}"));
    }
}

/// Every seventh command that it would write it forgets, and says that it is done.
#[derive(Debug, Default)]
struct Forgetful {
    inner: MemoryStore,
    /// Where it finds out what it would have answered.
    pretended: MemoryStore,
    written: AtomicUsize,
}

#[async_trait]
impl PaymentStore for Forgetful {
    fn status(&self) -> StoreStatus {
        self.inner.status()
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let pretended = self.pretended.execute(command.clone()).await?;
        if !pretended.replayed && self.written.fetch_add(1, Ordering::SeqCst) % 7 == 6 {
            return Ok(pretended);
        }
        self.inner.execute(command).await
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

/// Invariant 41.
#[test]
fn a_store_that_forgets_what_it_acknowledged_is_found() {
    let failure = found(&Setup::over(Forgetful::default));
    assert!(failure.what.starts_with("invariant 41 is broken"), "{failure}");
}

/// Invariants 20, 29, 32, 35, 40, 47, by stores in which they do not hold.
#[test]
fn broken_stores_are_found() {
    for bug in [
        Bug::LostUpdate,
        Bug::ClaimOutsideTransaction,
        Bug::DueNotUpdated,
        Bug::DestinationNotWritten,
        Bug::FeedOutOfOrder,
        Bug::FeedRepeats,
        Bug::FeedSkips,
    ] {
        let failure = found(&Setup::over(move || PlantedStore::new(bug)));
        println!("{bug:?}: {}", failure.what);
    }
    for seed in 1..=20 {
        Simulation::seeded(seed).run(&Setup::over(|| PlantedStore::new(Bug::None))).unwrap();
    }
}
