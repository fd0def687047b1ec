// What is kept, how a command changes it, and what can be seen of it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::slice;
use std::sync::Arc;
use std::task::Waker;

use counterfoil::clock::Timestamp;
use counterfoil::command::Command;
use counterfoil::event::{Event, StreamId};
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Entry, Era, Feed, Group, Head, Key, Plan, Position, Record, Step, StoreError,
};

/// How many events one look into the feed goes through.
const STRETCH: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Books {
    /// Rows of payments and accounts, and names that are taken: what a decision rests on.
    pub(crate) records: BTreeMap<Key, Record>,
    /// The events of each stream, the first of which has the sequence 1.
    streams: BTreeMap<(Scope, StreamId), Vec<Arc<Event>>>,
    /// All events once more, in the order in which they were written.
    journal: Vec<Arc<Event>>,
    /// Who is to be woken by the next of them.
    pub(crate) waiting: Vec<Waker>,
    pub(crate) closed: bool,
}

impl Books {
    /// What `command` comes to, as things stand. Nothing is changed yet.
    pub(crate) fn decide(&self, command: &Command) -> Plan {
        let mut group = Group::new(slice::from_ref(command));
        loop {
            match group.step() {
                Step::Load(keys) => group.load(keys, |key| self.records.get(key).cloned()),
                Step::Decided(plan) => return plan,
            }
        }
    }

    /// Writes all of a plan. Whoever else looks sees all of it or nothing, since we have the lock.
    pub(crate) fn write(&mut self, plan: &Plan) {
        for event in &plan.events {
            let stream = (event.scope().clone(), event.stream().clone());
            self.streams.entry(stream).or_default().push(event.clone());
            self.journal.push(event.clone());
        }
        let claims = plan.claims.iter().cloned().map(Record::Claim);
        let rows = plan.rows.iter().map(|row| row.after.clone());
        self.records.extend(claims.chain(rows).map(|record| (record.key(), record)));
    }

    /// The position after the last event.
    pub(crate) fn end(&self, era: Era) -> Position {
        era.position(self.journal.len() as u64)
    }

    pub(crate) fn payments(&self) -> impl Iterator<Item = &Arc<Payment>> {
        self.records.values().filter_map(|record| match record {
            Record::Payment(payment) => Some(payment),
            _ => None,
        })
    }

    /// Looks at every payment. A store with many keeps a sorted set of these, and changes it with each row.
    pub(crate) fn due(&self, now: Timestamp, limit: usize) -> Vec<Due> {
        let due = |payment: &Arc<Payment>| {
            let (at, _) = payment.next_due()?;
            (at <= now).then(|| Due { at, scope: payment.scope().clone(), payment: payment.id() })
        };
        let mut all: Vec<Due> = self.payments().filter_map(due).collect();
        all.sort();
        all.truncate(limit);
        all
    }

    pub(crate) fn history(&self, stream: &(Scope, StreamId), after: u64, limit: usize) -> Vec<Arc<Event>> {
        let events = self.streams.get(stream).into_iter().flatten();
        events.filter(|event| event.sequence() > after).take(limit).cloned().collect()
    }

    pub(crate) fn feed(
        &self,
        era: Era,
        scope: Option<&Scope>,
        after: Position,
        limit: usize,
    ) -> Result<Feed, StoreError> {
        let last = after.within(self.end(era), "reading the feed")?;
        let mut feed = Feed { entries: Vec::new(), next: after };
        let numbered = (1..).zip(&self.journal).skip_while(|(number, _)| *number <= last);
        for (number, event) in numbered.take(STRETCH) {
            if feed.entries.len() == limit {
                break;
            }
            feed.next = era.position(number);
            if scope.is_none_or(|scope| event.scope() == scope) {
                feed.entries.push(Entry { position: feed.next, event: event.clone() });
            }
        }
        Ok(feed)
    }

    pub(crate) fn heads(&self, after: &Cursor, limit: usize) -> Vec<Head> {
        let from = after.get().map_or(Bound::Unbounded, Bound::Excluded);
        let ends = self.streams.range((from, Bound::Unbounded)).filter_map(|((scope, stream), events)| {
            let last = events.last()?;
            let (version, hash) = (last.sequence(), last.hash());
            Some(Head { scope: scope.clone(), stream: stream.clone(), version, hash })
        });
        ends.take(limit).collect()
    }
}
