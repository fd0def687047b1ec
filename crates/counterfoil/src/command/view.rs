//! What a decision may look at.

use std::sync::Arc;

use super::change::Taking;
use super::notify::UnknownReference;
use super::policy::Policy;
use super::receipt::{Receipt, Subject};
use super::rejection::Rejection;
use crate::account::{Account, AccountId};
use crate::claim::{Claim, ClaimKey, Fingerprint};
use crate::event::StreamId;
use crate::id::PaymentId;
use crate::money::MoneyError;
use crate::payment::{Payment, SeveralMeant};
use crate::scope::Scope;
use crate::store::{Key, Lookup, State};

/// Why a decision ends without a change.
#[derive(Debug)]
pub(super) enum Halt {
    Load(Vec<Key>),
    Same(Box<Receipt>),
    Rejected(Rejection),
}

impl Halt {
    /// It has happened already: `sequence` stands for it.
    pub(super) fn replay(payment: &Arc<Payment>, sequence: u64) -> Halt {
        Halt::Same(Box::new(Receipt::replay(Subject::Payment(payment.clone()), sequence)))
    }

    /// The command changes nothing: the receipt is that of the last event.
    pub(super) fn unchanged(payment: &Arc<Payment>) -> Halt {
        Halt::replay(payment, payment.version())
    }
}

impl From<Rejection> for Halt {
    fn from(rejection: Rejection) -> Halt {
        Halt::Rejected(rejection)
    }
}

impl From<UnknownReference> for Halt {
    fn from(unknown: UnknownReference) -> Halt {
        Rejection::from(unknown).into()
    }
}

impl From<SeveralMeant> for Halt {
    fn from(several: SeveralMeant) -> Halt {
        Halt::Rejected(several.into())
    }
}

impl From<MoneyError> for Halt {
    fn from(error: MoneyError) -> Halt {
        Halt::Rejected(error.into())
    }
}

/// The loaded state of one scope. Looking at what is not loaded ends the decision with a request to load it.
pub(super) struct View<'a> {
    pub(super) scope: &'a Scope,
    pub(super) state: &'a State,
    pub(super) policy: &'a Policy,
}

impl<'a> View<'a> {
    /// Asks for all of `keys` at once, so that one round of loading is enough.
    pub(super) fn require(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Halt> {
        let missing: Vec<Key> = keys.into_iter().filter(|key| !self.state.has(key)).collect();
        if missing.is_empty() { Ok(()) } else { Err(Halt::Load(missing)) }
    }

    pub(super) fn claim(&self, key: &ClaimKey) -> Result<Option<&'a Arc<Claim>>, Halt> {
        found(self.state.claim(key), || Key::Claim(key.clone()))
    }

    pub(super) fn find_payment(&self, id: PaymentId) -> Result<Option<&'a Arc<Payment>>, Halt> {
        found(self.state.payment(self.scope, id), || self.payment_key(id))
    }

    pub(super) fn payment(&self, id: PaymentId) -> Result<&'a Arc<Payment>, Halt> {
        self.find_payment(id)?.ok_or(Halt::Rejected(Rejection::PaymentNotFound(id)))
    }

    pub(super) fn account(&self, id: &AccountId) -> Result<Option<&'a Arc<Account>>, Halt> {
        found(self.state.account(self.scope, id), || self.account_key(id))
    }

    pub(super) fn payment_key(&self, id: PaymentId) -> Key {
        Key::Payment(self.scope.clone(), id)
    }

    pub(super) fn account_key(&self, id: &AccountId) -> Key {
        Key::Account(self.scope.clone(), id.clone())
    }

    /// Asks for `keys` and the name that the command takes, if it takes one, and ends the decision where that is taken.
    pub(super) fn unless_repeated(
        &self,
        name: Option<&Taking>,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<(), Halt> {
        let own = name.map(|(key, _)| Key::Claim(key.clone()));
        self.require(own.into_iter().chain(keys))?;
        match name {
            Some((key, fingerprint)) => self.unless_claimed(key, fingerprint),
            None => Ok(()),
        }
    }

    /// Ends the decision with the first receipt, if `key` is taken by an equal request; with a rejection if
    /// by another one.
    pub(super) fn unless_claimed(&self, key: &ClaimKey, fingerprint: &Fingerprint) -> Result<(), Halt> {
        let Some(claim) = self.claim(key)? else { return Ok(()) };
        let fields = claim.fingerprint.differing_as_sent(fingerprint);
        if !fields.is_empty() {
            return Err(Rejection::KeyMismatch { stream: claim.stream.clone(), fields }.into());
        }
        let subject = match &claim.stream {
            StreamId::Payment(id) => Subject::Payment(self.payment(*id)?.clone()),
            StreamId::Account(id) => {
                let holder = self.account(id)?.ok_or_else(|| Rejection::IdTaken(claim.stream.clone()))?;
                Subject::Account(holder.clone())
            }
        };
        Err(Halt::Same(Box::new(Receipt::replay(subject, claim.sequence))))
    }
}

fn found<T>(lookup: Lookup<'_, T>, key: impl FnOnce() -> Key) -> Result<Option<&Arc<T>>, Halt> {
    match lookup {
        Lookup::NotLoaded => Err(Halt::Load(vec![key()])),
        Lookup::Absent => Ok(None),
        Lookup::Present(value) => Ok(Some(value)),
    }
}
