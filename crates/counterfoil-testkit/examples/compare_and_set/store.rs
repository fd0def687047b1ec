//! The store: what it reads it notes with its revision, and what it writes it writes if nothing of that has changed.

use std::collections::{BTreeMap, HashMap};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::slice;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use async_trait::async_trait;
use counterfoil::Damage;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Durability, Entry, Era, ExecuteError, Feed, Group, Head, Health, Key, LedgerId, Page,
    PaymentStore, Plan, Position, Query, Record, State, Step, StoreError, StoreErrorKind, StoreStatus,
};
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use super::layout;
use super::remote::{Bytes, Put, Remote};

/// How many events one look into the feed goes through.
const STRETCH: usize = 1_000;

/// A [`PaymentStore`] on a [`Remote`].
#[derive(Debug)]
pub(crate) struct CompareAndSetStore {
    remote: Arc<Remote>,
    /// Held by every call, so that closing waits for those that are under way.
    open: RwLock<()>,
    closed: watch::Sender<bool>,
}

/// What a decision rests on.
#[derive(Default)]
struct Seen {
    /// Each key that was read, and its revision then.
    revisions: BTreeMap<Bytes, u64>,
    /// What stood there.
    records: HashMap<Key, Record>,
}

impl CompareAndSetStore {
    pub(crate) fn new(remote: Arc<Remote>) -> CompareAndSetStore {
        CompareAndSetStore { remote, open: RwLock::default(), closed: watch::Sender::new(false) }
    }

    async fn enter(&self, during: &'static str) -> Result<RwLockReadGuard<'_, ()>, StoreError> {
        let entered = self.open.read().await;
        if *self.closed.borrow() { Err(StoreError::new(StoreErrorKind::Closed, during)) } else { Ok(entered) }
    }

    /// Looks up `keys` at one moment.
    async fn find(&self, keys: &[Key], seen: &mut Seen) -> Result<State, Damage> {
        let places: Vec<Bytes> =
            keys.iter().flat_map(|key| [layout::record(key), layout::beside(key)]).collect();
        let found = self.remote.get(&places).await;
        let mut state = State::new();
        for ((key, place), values) in keys.iter().zip(places.chunks(2)).zip(found.chunks(2)) {
            let [value, beside] = values else { continue };
            let revision = value.as_ref().map_or(0, |(revision, _)| *revision);
            seen.revisions.insert(place[0].clone(), revision);
            match value {
                None => state.insert_absent(key.clone()),
                Some((_, value)) => {
                    let record = layout::read_record(key, value, beside.as_ref())?;
                    seen.records.insert(key.clone(), record.clone());
                    state.insert(record);
                }
            }
        }
        Ok(state)
    }

    /// All payments of `scope` as they stand at one moment.
    async fn payments(&self, scope: &Scope) -> Result<Vec<Arc<Payment>>, Damage> {
        let rows = self.remote.scan(layout::payments(scope), usize::MAX).await;
        let mut firsts = Vec::new();
        for (key, _) in &rows {
            firsts.push(layout::event(scope, &StreamId::Payment(layout::read_payment_id(key)?), 1));
        }
        // Read later than the rows, and yet of the same moment: a first event never changes.
        let firsts = self.remote.get(&firsts).await;
        rows.iter().zip(&firsts).map(|((_, row), first)| layout::read_payment(row, first.as_ref())).collect()
    }

    async fn decide(&self, command: &Command, seen: &mut Seen) -> Result<Plan, Damage> {
        let mut group = Group::new(slice::from_ref(command));
        loop {
            match group.step() {
                Step::Decided(plan) => return Ok(plan),
                Step::Load(keys) => {
                    let found = self.find(&keys, seen).await?;
                    group.load(keys, |key| found.get(key).cloned());
                }
            }
        }
    }

    /// All changes of `plan`, its events numbered from where the feed ends.
    async fn puts(&self, plan: &Plan, seen: &mut Seen) -> Vec<Put> {
        if plan.is_empty() {
            return Vec::new();
        }
        let last = self.remote.get(&[layout::LAST.to_vec()]).await.pop().flatten();
        // Guarded like everything else: of two commands at once one gets the next numbers, the other begins again.
        seen.revisions.insert(layout::LAST.to_vec(), last.as_ref().map_or(0, |(revision, _)| *revision));
        // The first event chooses the id of the ledger.
        let last = layout::read_last(last.as_ref());
        let (ledger, mut number) = last.unwrap_or_else(|| (LedgerId::random(), 0));
        let mut puts = Vec::new();
        for event in &plan.events {
            number += 1;
            let (scope, stream, bytes) = (event.scope(), event.stream(), layout::write_event(event));
            let head = [&event.sequence().to_be_bytes()[..], event.hash().as_bytes()].concat();
            puts.push((layout::event(scope, stream, event.sequence()), Some(bytes.clone())));
            puts.push((layout::feed(number), Some(bytes.clone())));
            puts.push((layout::head(scope, stream), Some(head)));
            let claims = event.claims().iter().map(|claim| layout::record(&Key::Claim(claim.key.clone())));
            puts.extend(claims.map(|place| (place, Some(bytes.clone()))));
        }
        for row in &plan.rows {
            let key = row.after.key();
            puts.extend(due_of(seen.records.get(&key)).map(|due| (layout::due(&due), None)));
            puts.extend(due_of(Some(&row.after)).map(|due| (layout::due(&due), Some(Bytes::new()))));
            puts.push((layout::record(&key), Some(layout::write_row(&row.after))));
        }
        puts.push((layout::LAST.to_vec(), Some(layout::write_last(ledger, number))));
        puts
    }

    /// The position after the last event. A remote store that can be restored would also save the number of the era.
    async fn end(&self) -> Position {
        let last = self.remote.get(&[layout::LAST.to_vec()]).await.pop().flatten();
        let last = layout::read_last(last.as_ref());
        last.map_or(Position::START, |(ledger, number)| Era::first(ledger).position(number))
    }
}

fn due_of(record: Option<&Record>) -> Option<Due> {
    let Some(Record::Payment(payment)) = record else { return None };
    let (at, _) = payment.next_due()?;
    Some(Due { at, scope: payment.scope().clone(), payment: payment.id() })
}

fn damaged(during: &'static str) -> impl Fn(Damage) -> StoreError {
    move |damage| StoreError::damaged(during, damage)
}

/// The one answer of a group of one.
fn only(answers: impl IntoIterator<Item = Result<Receipt, ExecuteError>>) -> Result<Receipt, ExecuteError> {
    let none = || StoreError::new(StoreErrorKind::Other, "answering");
    answers.into_iter().next().unwrap_or_else(|| Err(ExecuteError::Unknown(none())))
}

/// Waits for `future`. That its waker panics is its host's doing, and shown neither to whoever wakes it nor to who else
/// is to be woken.
async fn sheltered<F: Future>(future: F) -> F::Output {
    struct Sheltered(Waker);
    impl Wake for Sheltered {
        fn wake(self: Arc<Self>) {
            let _ = catch_unwind(AssertUnwindSafe(|| self.0.wake_by_ref()));
        }
    }
    let mut future = pin!(future);
    poll_fn(|context| {
        let waker = Waker::from(Arc::new(Sheltered(context.waker().clone())));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

#[async_trait]
impl PaymentStore for CompareAndSetStore {
    fn status(&self) -> StoreStatus {
        let health = if *self.closed.borrow() { Health::Closed } else { Health::Ok };
        StoreStatus::new(Durability::Disk).with_health(health)
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let _entered = self.enter("executing").await.map_err(ExecuteError::NotCommitted)?;
        loop {
            let mut seen = Seen::default();
            let plan = self.decide(&command, &mut seen).await.map_err(damaged("deciding"));
            let plan = plan.map_err(ExecuteError::NotCommitted)?;
            let puts = self.puts(&plan, &mut seen).await;
            match self.remote.change_if(&seen.revisions, puts).await {
                Ok(true) => return only(plan.committed()),
                Ok(false) => {}
                Err(lost) => {
                    let error = StoreError::new(StoreErrorKind::Io, "committing").caused_by(lost);
                    return only(plan.in_doubt(&error).collect::<Vec<_>>());
                }
            }
        }
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        let _entered = self.enter("reading").await?;
        let found = self.find(keys, &mut Seen::default()).await;
        found.map_err(damaged("reading"))
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        let _entered = self.enter("listing").await?;
        Ok(query.page_of(self.payments(scope).await.map_err(damaged("listing"))?))
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let _entered = self.enter("reading a history").await?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let between = layout::event(scope, stream, first)..=layout::event(scope, stream, u64::MAX);
        let found = self.remote.scan(between, limit).await;
        let events = found.iter().map(|(_, value)| layout::read_event(value)).collect::<Result<_, Damage>>();
        events.map_err(damaged("reading a history"))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let _entered = self.enter("reading what is due").await?;
        let found = self.remote.scan(layout::due_by(now), limit).await;
        let due = found.iter().map(|(key, _)| layout::read_due(key)).collect::<Result<_, Damage>>();
        due.map_err(damaged("reading what is due"))
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        let _entered = self.enter("reading the feed").await?;
        let end = self.end().await;
        let first = after.within(end, "reading the feed")? + 1;
        let mut feed = Feed { entries: Vec::new(), next: after };
        let Some(era) = end.era() else { return Ok(feed) };
        let found = self.remote.scan(layout::from(layout::feed(first)), STRETCH).await;
        for ((_, value), number) in found.iter().zip(first..) {
            if feed.entries.len() == limit {
                break;
            }
            let event = layout::read_event(value).map_err(damaged("reading the feed"))?;
            feed.next = era.position(number);
            if scope.is_none_or(|scope| event.scope() == scope) {
                feed.entries.push(Entry { position: feed.next, event });
            }
        }
        Ok(feed)
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        // Watching first, so that nothing slips through between looking and waiting.
        let (mut changed, mut closed) = (self.remote.watch(), self.closed.subscribe());
        loop {
            changed.borrow_and_update();
            {
                let _entered = self.enter("waiting for news").await?;
                let end = self.end().await;
                after.within(end, "waiting for news")?;
                if after < end {
                    return Ok(());
                }
            }
            sheltered(async {
                tokio::select! {
                    _ = changed.changed() => {}
                    _ = closed.wait_for(|closed| *closed) => {}
                }
            })
            .await;
        }
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        let _entered = self.enter("reading the heads").await?;
        let first = after.get().map_or(b"h".to_vec(), |(scope, stream)| {
            // The least key behind it.
            [&layout::head(scope, stream)[..], &[0]].concat()
        });
        let found = self.remote.scan(layout::from(first), limit).await;
        let heads =
            found.iter().map(|(key, value)| layout::read_head(key, value)).collect::<Result<_, Damage>>();
        heads.map_err(damaged("reading the heads"))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.closed.send_replace(true);
        // Those that are under way come to their end.
        drop(self.open.write().await);
        Ok(())
    }
}
