//! What a store has loaded for a command to decide on.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::{Account, AccountId};
use crate::claim::{Claim, ClaimKey};
use crate::event::StreamId;
use crate::id::PaymentId;
use crate::payment::Payment;
use crate::scope::Scope;

/// What can be looked up, and in which order it is locked: claims, then payments, then accounts, each by
/// scope and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A name that may be taken.
    Claim(ClaimKey),
    /// A payment.
    Payment(Scope, PaymentId),
    /// An account that has a row.
    Account(Scope, AccountId),
}

impl Key {
    /// The key of what `stream` tells the history of.
    #[must_use]
    pub fn of(scope: &Scope, stream: &StreamId) -> Key {
        match stream {
            StreamId::Payment(id) => Key::Payment(scope.clone(), *id),
            StreamId::Account(id) => Key::Account(scope.clone(), id.clone()),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Key::Claim(key) => &key.scope,
            Key::Payment(scope, _) | Key::Account(scope, _) => scope,
        }
    }
}

/// What was found under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A claim.
    Claim(Arc<Claim>),
    /// A payment.
    Payment(Arc<Payment>),
    /// An account.
    Account(Arc<Account>),
}

impl Record {
    /// The key it is found under.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Record::Claim(claim) => Key::Claim(claim.key.clone()),
            Record::Payment(payment) => Key::Payment(payment.scope().clone(), payment.id()),
            Record::Account(account) => Key::Account(account.scope().clone(), account.id().clone()),
        }
    }

    /// How often it was changed: what a store that does not lock guards by.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match self {
            Record::Account(account) => account.revision(),
            other => other.version(),
        }
    }

    /// The sequence of the last event of its own stream; a claim never changes, so it has one.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self {
            Record::Claim(_) => 1,
            Record::Payment(payment) => payment.version(),
            Record::Account(account) => account.version(),
        }
    }
}

/// The answer to a look-up. Nothing is ever absent because somebody forgot to load it.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<'a, T> {
    /// Nobody has looked yet.
    NotLoaded,
    /// It does not exist.
    Absent,
    /// Here it is.
    Present(&'a Arc<T>),
}

impl<T> Clone for Lookup<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Lookup<'_, T> {}

/// Everything that was loaded for a decision, by key: present, or absent.
#[derive(Debug, Clone, Default)]
pub struct State(HashMap<Key, Option<Record>>);

impl State {
    /// Nothing loaded yet.
    #[must_use]
    pub fn new() -> State {
        State::default()
    }

    /// Notes what was found.
    pub fn insert(&mut self, record: Record) {
        self.0.insert(record.key(), Some(record));
    }

    /// Notes that there is nothing under `key`.
    pub fn insert_absent(&mut self, key: Key) {
        self.0.insert(key, None);
    }

    /// Notes all that `other` knows.
    pub(crate) fn absorb(&mut self, other: State) {
        self.0.extend(other.0);
    }

    /// Whether `key` was looked up.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// What was found under `key`; `None` also if nobody looked.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Record> {
        self.0.get(key)?.as_ref()
    }

    /// How many keys were looked up.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The claim of this name.
    #[must_use]
    pub fn claim(&self, key: &ClaimKey) -> Lookup<'_, Claim> {
        self.look_up(&Key::Claim(key.clone()), |record| match record {
            Record::Claim(claim) => Some(claim),
            _ => None,
        })
    }

    /// The payment `id` of `scope`.
    #[must_use]
    pub fn payment(&self, scope: &Scope, id: PaymentId) -> Lookup<'_, Payment> {
        self.look_up(&Key::Payment(scope.clone(), id), |record| match record {
            Record::Payment(payment) => Some(payment),
            _ => None,
        })
    }

    /// The account `id` of `scope`.
    #[must_use]
    pub fn account(&self, scope: &Scope, id: &AccountId) -> Lookup<'_, Account> {
        self.look_up(&Key::Account(scope.clone(), id.clone()), |record| match record {
            Record::Account(account) => Some(account),
            _ => None,
        })
    }

    fn look_up<'a, T>(&'a self, key: &Key, pick: fn(&'a Record) -> Option<&'a Arc<T>>) -> Lookup<'a, T> {
        match self.0.get(key) {
            None => Lookup::NotLoaded,
            Some(None) => Lookup::Absent,
            Some(Some(record)) => pick(record).map_or(Lookup::Absent, Lookup::Present),
        }
    }
}
