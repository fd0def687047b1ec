//! What payments have been through.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use counterfoil::event::{Event, StreamId, evolve_payment};
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{PaymentStore, Position};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::planted::{Bug, PlantedStore};
use crate::run::block_on;
use crate::script::Script;

/// How many things happen before a history is told: to all payments there are then.
const STEPS: usize = 60;

/// The legal history of a payment: its events, in order, and what each made of it. It was made by commands on a store,
/// so it is one that can be.
#[derive(Clone, PartialEq)]
pub struct History {
    events: Vec<Arc<Event>>,
    states: Vec<Payment>,
}

impl History {
    /// Its events, the first of which created it.
    #[must_use]
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// The payment after each of them.
    #[must_use]
    pub fn states(&self) -> &[Payment] {
        &self.states
    }

    /// The payment as it stands in the end.
    #[must_use]
    pub fn payment(&self) -> &Payment {
        self.states.last().expect("a payment has been created")
    }

    /// Each event with the payment before it and after it.
    pub fn moves(&self) -> impl Iterator<Item = (Option<&Payment>, &Event, &Payment)> {
        let before = std::iter::once(None).chain(self.states.iter().map(Some));
        before.zip(&self.events).zip(&self.states).map(|((before, event), after)| (before, &**event, after))
    }

    /// What it had been after so many events.
    fn until(&self, count: usize) -> History {
        History { events: self.events[..count].to_vec(), states: self.states[..count].to_vec() }
    }
}

/// The events in short, and the payment in full.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: Vec<_> = self.events.iter().map(|event| event.body().kind()).collect();
        f.debug_struct("History")
            .field("events", &kinds)
            .field("payment", self.payment())
            .finish_non_exhaustive()
    }
}

/// The histories of all payments that come of a script of up to so many steps: at least one.
pub fn histories(most: usize) -> impl Strategy<Value = Vec<History>> {
    Script::any(most)
        .prop_map(|script| all_of(&script))
        .prop_filter("there is a payment", |all| !all.is_empty())
}

/// The history of a payment, in whatever state it may come to.
///
/// ```
/// use counterfoil_testkit::proptest::prelude::*;
/// use counterfoil_testkit::{laws, strategies};
///
/// proptest!(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() }, |(
///     history in strategies::history(),
/// )| {
///     for (before, event, after) in history.moves() {
///         prop_assert_eq!(laws::of_step(before, event, after), Ok(()));
///     }
/// });
/// ```
pub fn history() -> impl Strategy<Value = History> {
    (histories(STEPS), any::<Index>()).prop_map(|(all, place)| place.get(&all).clone())
}

/// A history that ends in `status`.
///
/// ```
/// use counterfoil::status::PaymentStatus;
/// use counterfoil_testkit::proptest::prelude::*;
/// use counterfoil_testkit::strategies;
///
/// proptest!(ProptestConfig { cases: 5, failure_persistence: None, ..ProptestConfig::default() }, |(
///     history in strategies::history_to(PaymentStatus::PartiallyRefunded),
/// )| {
///     prop_assert!(!history.payment().refunded().is_zero());
/// });
/// ```
pub fn history_to(status: PaymentStatus) -> impl Strategy<Value = History> {
    (Script::any(2 * STEPS), any::<Index>()).prop_filter_map("nothing came to it", move |(script, place)| {
        let ends = |history: &History| {
            let came = history.states.iter().zip(1..).filter(|(state, _)| state.status() == status);
            came.map(|(_, count)| history.until(count)).collect::<Vec<_>>()
        };
        let all: Vec<History> = all_of(&script).iter().flat_map(ends).collect();
        (!all.is_empty()).then(|| place.get(&all).clone())
    })
}

/// A payment, in whatever state it may come to.
pub fn payment() -> impl Strategy<Value = Payment> {
    history().prop_map(|history| history.payment().clone())
}

/// A payment in `status`.
pub fn payment_in(status: PaymentStatus) -> impl Strategy<Value = Payment> {
    history_to(status).prop_map(|history| history.payment().clone())
}

fn all_of(script: &Script) -> Vec<History> {
    let store = PlantedStore::new(Bug::None);
    let feed = block_on(async {
        for command in script.commands() {
            // What is refused leaves nothing behind.
            let _ = store.execute(command).await;
        }
        store.feed(None, Position::START, usize::MAX).await.expect("a sound store")
    });
    let mut all: BTreeMap<(Scope, StreamId), History> = BTreeMap::new();
    for entry in feed.entries.into_iter().filter(|entry| matches!(entry.event.stream(), StreamId::Payment(_)))
    {
        let place = (entry.event.scope().clone(), entry.event.stream().clone());
        let history = all.entry(place).or_insert_with(|| History { events: Vec::new(), states: Vec::new() });
        let after = evolve_payment(history.states.last(), &entry.event).expect("a legal history");
        history.states.push(after);
        history.events.push(entry.event);
    }
    all.into_values().collect()
}
