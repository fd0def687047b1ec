//! One executor for every store: decides a group of commands on one state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::{ExecuteError, StoreError};
use super::state::{Key, Record, State};
use crate::claim::Claim;
use crate::command::{Command, Decision, Receipt, Rejection};
use crate::event::Event;

/// A group of commands being decided together. It does no I/O: it says what to load, and then what to write.
///
/// The commands of a group arrived at the same time, so any order of them is a right one; those whose keys
/// are loaded first are decided first, and each sees what those before it decided.
///
/// ```
/// # use counterfoil::store::{Group, Key, Plan, State, Step};
/// # fn load(_: &Key) -> Option<counterfoil::store::Record> { None }
/// fn decide(commands: &[counterfoil::command::Command]) -> Plan {
///     let mut group = Group::new(commands);
///     loop {
///         match group.step() {
///             Step::Load(keys) => group.load(keys, |key| load(key)),
///             Step::Decided(plan) => return plan,
///         }
///     }
/// }
/// # assert!(decide(&[]).is_empty());
/// ```
#[derive(Debug)]
pub struct Group<'a> {
    waiting: Vec<(usize, &'a Command)>,
    state: State,
    asked: BTreeSet<Key>,
    answers: Vec<Option<Result<Receipt, Rejection>>>,
    events: Vec<Arc<Event>>,
    revisions_before: BTreeMap<Key, u64>,
}

/// What a group needs next.
#[derive(Debug)]
pub enum Step {
    /// These keys, sorted in lock order.
    Load(Vec<Key>),
    /// Nothing more: this is to be written.
    Decided(Plan),
}

impl<'a> Group<'a> {
    /// A group of `commands`.
    #[must_use]
    pub fn new(commands: &'a [Command]) -> Group<'a> {
        Group {
            waiting: commands.iter().enumerate().collect(),
            state: State::new(),
            asked: BTreeSet::new(),
            answers: commands.iter().map(|_| None).collect(),
            events: Vec::new(),
            revisions_before: BTreeMap::new(),
        }
    }

    /// Decides what can be decided.
    ///
    /// # Panics
    ///
    /// If the store did not load what the step before asked for: going on would loop for ever.
    pub fn step(&mut self) -> Step {
        let forgotten = self.asked.iter().find(|key| !self.state.has(key));
        assert!(forgotten.is_none(), "the store was asked to load {forgotten:?} and did not");
        self.asked.clear();
        for (place, command) in std::mem::take(&mut self.waiting) {
            match command.decide(&self.state) {
                Ok(Decision::Load(keys)) => {
                    self.asked.extend(keys);
                    self.waiting.push((place, command));
                }
                Ok(Decision::Write(change)) => {
                    for record in change.records {
                        self.write(record);
                    }
                    self.events.extend(change.events);
                    self.answer(place, Ok(change.receipt));
                }
                Ok(Decision::Same(receipt)) => self.answer(place, Ok(receipt)),
                Err(rejection) => self.answer(place, Err(rejection)),
            }
        }
        if self.waiting.is_empty() {
            Step::Decided(self.plan())
        } else {
            Step::Load(self.asked.iter().cloned().collect())
        }
    }

    /// Notes what was found under each of `keys`.
    pub fn load(&mut self, keys: Vec<Key>, mut find: impl FnMut(&Key) -> Option<Record>) {
        for key in keys {
            match find(&key) {
                Some(record) => self.state.insert(record),
                None => self.state.insert_absent(key),
            }
        }
    }

    /// The state, for stores that load many keys at once.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    fn write(&mut self, record: Record) {
        let key = record.key();
        let before = self.state.get(&key).map_or(0, Record::revision);
        self.revisions_before.entry(key).or_insert(before);
        self.state.insert(record);
    }

    fn answer(&mut self, place: usize, answer: Result<Receipt, Rejection>) {
        if let Some(slot) = self.answers.get_mut(place) {
            *slot = Some(answer);
        }
    }

    fn plan(&mut self) -> Plan {
        let mut rows = Vec::new();
        let mut claims = Vec::new();
        for (key, before) in std::mem::take(&mut self.revisions_before) {
            match self.state.get(&key) {
                Some(Record::Claim(claim)) => claims.push(claim.clone()),
                Some(after) => rows.push(Row { before, after: after.clone() }),
                None => {}
            }
        }
        let answers = std::mem::take(&mut self.answers).into_iter().flatten().collect();
        Plan { events: std::mem::take(&mut self.events), claims, rows, answers }
    }
}

/// A row to be written, once, in its last state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The [revision](Record::revision) that was loaded; 0 if there was none. A store that does not lock guards by it.
    pub before: u64,
    /// What it is now.
    pub after: Record,
}

/// All that a group decided: to be written together or not at all, and only then answered.
#[derive(Debug, Default)]
pub struct Plan {
    /// The new events, in the order in which they happened.
    pub events: Vec<Arc<Event>>,
    /// The newly taken names, sorted.
    pub claims: Vec<Arc<Claim>>,
    /// The changed rows, sorted by key: payments, then accounts.
    pub rows: Vec<Row>,
    answers: Vec<Result<Receipt, Rejection>>,
}

impl Plan {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The answers in the order of the commands, once all is written and durable.
    pub fn committed(self) -> impl Iterator<Item = Result<Receipt, ExecuteError>> {
        self.answers.into_iter().map(|answer| answer.map_err(ExecuteError::Rejected))
    }

    /// The answers when certainly nothing was written.
    pub fn not_committed(self, error: &StoreError) -> impl Iterator<Item = Result<Receipt, ExecuteError>> {
        self.answers.into_iter().map(|_| Err(ExecuteError::NotCommitted(error.clone())))
    }

    /// The answers when the commit failed and may yet have happened. A rejected command wrote nothing either
    /// way, but may rest on a neighbour that is in doubt, so it has no answer yet.
    pub fn in_doubt(self, error: &StoreError) -> impl Iterator<Item = Result<Receipt, ExecuteError>> {
        self.answers.into_iter().map(|answer| {
            Err(match answer {
                Ok(_) => ExecuteError::Unknown(error.clone()),
                Err(_) => ExecuteError::NotCommitted(error.clone()),
            })
        })
    }
}
