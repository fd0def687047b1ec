//! Whoever watches the store: every event that is committed is held against the laws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use counterfoil::claim::ClaimKey;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, Hash, StreamId, evolve_payment};
use counterfoil::payment::{Evidence, Operation, OperationId, Payment};
use counterfoil::scope::Scope;
use counterfoil::store::{ExecuteError, Feed, PaymentStore, Position};

use super::transcript::Transcript;
use super::world::World;
use crate::laws::{self, Broken, law};

/// How much of the feed is read at a time: as it grows, and once more in the end, in pages that are often full.
const PAGE: usize = 100;
const SMALL_PAGE: usize = 7;

/// A store, and what its feed has told so far.
#[derive(Debug)]
pub(super) struct Watch {
    store: Arc<dyn PaymentStore>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    position: Position,
    /// The hash of every event, in the order of the feed.
    events: Vec<Hash>,
    /// How far each stream has come.
    versions: BTreeMap<(Scope, StreamId), u64>,
    payments: BTreeMap<(Scope, StreamId), Payment>,
    claims: BTreeSet<ClaimKey>,
    commands: u64,
    transcript: Transcript,
}

impl Watch {
    pub(super) fn new(store: Arc<dyn PaymentStore>) -> Watch {
        let seen = Seen {
            position: Position::START,
            events: Vec::new(),
            versions: BTreeMap::new(),
            payments: BTreeMap::new(),
            claims: BTreeSet::new(),
            commands: 0,
            transcript: Transcript::default(),
        };
        Watch { store, seen: Mutex::new(seen) }
    }

    pub(super) fn store(&self) -> &Arc<dyn PaymentStore> {
        &self.store
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes a command, and looks at what came of it.
    pub(super) async fn execute(&self, world: &World, command: Command) -> Result<Receipt, ExecuteError> {
        let (request, scope) = (world.tells().then(|| kind(&command)), command.caller.scope.clone());
        let answer = self.store.execute(command.clone()).await;
        self.seen().commands += 1;
        world.note(u64::from(answer.is_ok()), || {
            format!("{}\n         {}", request.unwrap_or_default(), end(&answer))
        });
        if let Err(broken) = self.catch_up(world).await {
            world.break_with(broken);
        }
        if let Ok(receipt) = &answer {
            self.seen().transcript.add_report(&command, receipt.payment().map(AsRef::as_ref));
            let place = (scope, receipt.stream.clone());
            let version = self.seen().versions.get(&place).copied().unwrap_or(0);
            if version < receipt.sequence {
                let Receipt { stream, sequence, .. } = receipt;
                world.break_with(format!(
                    "invariant 41 is broken: {stream} {sequence} was acknowledged, and is not there"
                ));
            }
        }
        answer
    }

    /// Reads what the feed has beyond what was seen.
    pub(super) async fn catch_up(&self, world: &World) -> Result<(), Broken> {
        loop {
            let from = self.seen().position;
            let feed = self.feed(from, PAGE).await?;
            if feed.next == from {
                return Ok(());
            }
            let mut seen = self.seen();
            if seen.position == from {
                seen.take_in(&feed, world)?;
            }
        }
    }

    async fn feed(&self, from: Position, limit: usize) -> Result<Feed, Broken> {
        let feed = self.store.feed(None, from, limit).await;
        feed.map_err(|error| Broken { invariant: "40", what: format!("the feed cannot be read: {error}") })
    }

    /// Whether the feed tells still what it had told: 40, 41.
    pub(super) async fn feed_is_as_it_was(&self) -> Result<(), Broken> {
        let (mut position, mut place) = (Position::START, 0);
        loop {
            let feed = self.feed(position, SMALL_PAGE).await?;
            if feed.next == position {
                let count = self.seen().events.len();
                return law("41", place == count, || format!("{place} events are left of {count}"));
            }
            for entry in &feed.entries {
                let was = self.seen().events.get(place).copied();
                law("40", was == Some(entry.event.hash()), || format!("event {place} is another one now"))?;
                place += 1;
            }
            position = feed.next;
        }
    }

    /// Whether an operator recorded an operation as made elsewhere.
    pub(super) fn is_by_hand(&self, operation: OperationId) -> bool {
        self.seen().transcript.is_by_hand(operation)
    }

    /// Whether an operator has accepted that an operation differs from its gateway.
    pub(super) fn is_accepted(
        &self,
        payment: &Payment,
        copies: &[&Operation],
        at_gateway: Option<&Evidence>,
    ) -> bool {
        self.seen().transcript.is_accepted(payment, copies, at_gateway)
    }

    /// Whether an operator ever dismissed the review items of a payment.
    pub(super) fn was_dismissed(&self, payment: &Payment) -> bool {
        self.seen().transcript.was_dismissed(payment)
    }

    /// How many commands were executed.
    pub(super) fn commands(&self) -> u64 {
        self.seen().commands
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u64 {
        self.seen().events.len() as u64
    }

    /// Every payment as its events made it.
    pub(super) fn payments(&self) -> Vec<Payment> {
        self.seen().payments.values().cloned().collect()
    }
}

impl Seen {
    fn take_in(&mut self, feed: &Feed, world: &World) -> Result<(), Broken> {
        self.position = feed.next;
        for entry in &feed.entries {
            let event = &entry.event;
            let code = event.hash().as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            world.note(code, || tell(event));
            self.events.push(event.hash());
            self.see(event)?;
        }
        Ok(())
    }

    fn see(&mut self, event: &Event) -> Result<(), Broken> {
        let place = (event.scope().clone(), event.stream().clone());
        let version = self.versions.entry(place.clone()).or_default();
        *version += 1;
        law("32", event.sequence() == *version, || format!("{version} was expected: {}", tell(event)))?;
        for claim in event.claims() {
            law("29", self.claims.insert(claim.key.clone()), || format!("{:?} is taken twice", claim.key))?;
        }
        if !matches!(event.stream(), StreamId::Payment(_)) {
            return Ok(());
        }
        let before = self.payments.get(&place);
        let after = evolve_payment(before, event);
        let after = after.map_err(|damage| Broken { invariant: "38", what: damage.to_string() })?;
        let step = laws::of_step(before, event, &after);
        step.and_then(|()| self.transcript.add_event(before, event, &after)).map_err(|mut broken| {
            broken.what = format!("{} (by {})", broken.what, tell(event));
            broken
        })?;
        self.payments.insert(place, after);
        Ok(())
    }
}

/// What came of a command.
fn end(answer: &Result<Receipt, ExecuteError>) -> String {
    match answer {
        Ok(receipt) if receipt.replayed => "was done before".to_owned(),
        Ok(receipt) => format!("done: {} {}", receipt.stream, receipt.sequence),
        Err(ExecuteError::Rejected(rejection)) => format!("refused: {rejection}"),
        Err(error) => format!("failed: {error:?}"),
    }
}

/// Who asks for what.
fn kind(command: &Command) -> String {
    format!("{} of {}: {:?}", command.caller.actor, command.caller.scope, command.request)
}

fn tell(event: &Event) -> String {
    format!("    {} {}: {}, by {}", event.stream(), event.sequence(), event.body().kind(), event.actor())
}
