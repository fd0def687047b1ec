//! A new payment.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::receipt::{Receipt, Subject};
use super::rejection::Rejection;
use super::start;
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::codec::{Encode, Writer};
use crate::event::{Body, Created, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::money::Money;
use crate::payment::{Destination, OperationId, Payment, PaymentMethod, Terms};
use crate::scope::Scope;
use crate::status::Cause;
use crate::store::Key;
use crate::text::{GatewayName, IdempotencyKey, Metadata};

/// A new payment, perhaps with its first attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The id it gets.
    pub payment: PaymentId,
    /// How much; more than zero.
    pub amount: Money,
    /// What it pays.
    pub destination: Destination,
    /// How it is paid.
    pub method: PaymentMethod,
    /// The host's own notes.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Its first attempt, if it is to be processed at once.
    pub process: Option<AttemptId>,
    /// The gateway for that attempt, where the method takes one.
    pub gateway: Option<GatewayName>,
}

impl Create {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let scope = view.scope;
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(scope, key));
        view.require(self.keys(view, claim.as_ref()))?;
        if let Some((key, fingerprint)) = &claim {
            view.unless_claimed(key, fingerprint)?;
        }
        if let Some(payment) = view.find_payment(self.payment)? {
            return Err(self.replay(command, payment));
        }
        if self.amount.is_zero() {
            return Err(Rejection::AmountNotPositive.into());
        }
        self.write(command, view, claim)
    }

    fn keys(&self, view: &View<'_>, claim: Option<&Taking>) -> impl Iterator<Item = Key> {
        let claim = claim.map(|(key, _)| Key::Claim(key.clone()));
        let wallet = self.process.and_then(|_| start::keys(&self.method, view));
        [claim, Some(view.payment_key(self.payment)), wallet].into_iter().flatten()
    }

    fn write(&self, command: &Command, view: &View<'_>, claim: Option<Taking>) -> Result<Change, Halt> {
        let terms = Arc::new(self.terms(command));
        let started = match self.process {
            Some(attempt) => Some(start::start(command, view, &terms, attempt, self.gateway.as_ref(), None)?),
            None => None,
        };
        let created = Created {
            submitted: self.process.is_some() || !self.method.kind().needs_gateway(),
            attempt: started.as_ref().map(|started| started.start.clone()),
            terms,
        };
        let postings = started.as_ref().map(|started| started.postings.clone()).unwrap_or_default();
        let entry = Entry::new(Cause::Command, Body::Created(created)).claiming(claim).posting(postings);
        let mut recorder = Recorder::new(command);
        let payment = recorder.payment(self.payment, None, entry)?;
        if let Some(started) = started {
            started.debit(&payment, &mut recorder)?;
        }
        Ok(recorder.finish(Subject::Payment(payment), 1))
    }

    fn terms(&self, command: &Command) -> Terms {
        Terms {
            scope: command.caller.scope.clone(),
            id: self.payment,
            amount: self.amount,
            destination: self.destination.clone(),
            method: self.method.clone(),
            metadata: self.metadata.clone(),
            idempotency_key: self.idempotency_key.clone(),
            created_at: command.at,
            created_by: command.caller.actor.clone(),
        }
    }

    /// The id is there already: by this very command executed again, or by somebody else's.
    fn replay(&self, command: &Command, payment: &Arc<Payment>) -> Halt {
        let started = payment.operations().iter().find(|operation| operation.sequence == 1);
        let same_attempt = started.map(|operation| operation.id) == self.process.map(OperationId::Attempt);
        if same_attempt && **payment.terms() == self.terms(command) {
            Halt::Same(Box::new(Receipt::replay(Subject::Payment(payment.clone()), 1)))
        } else {
            Rejection::IdTaken(StreamId::Payment(self.payment)).into()
        }
    }

    fn claim(&self, scope: &Scope, key: &IdempotencyKey) -> Taking {
        let mut fingerprint = Fingerprint::default()
            .with(RequestField::Amount, &self.amount.minor().to_be_bytes())
            .with(RequestField::Currency, self.amount.currency().code().as_bytes())
            .with(RequestField::DestinationType, self.destination.kind.as_str().as_bytes())
            .with(RequestField::DestinationId, self.destination.id.as_str().as_bytes())
            .with(RequestField::PaymentMethodType, self.method.kind().as_str().as_bytes());
        if let Some(id) = self.method.id() {
            fingerprint = fingerprint.with(RequestField::PaymentMethodId, id.as_bytes());
        }
        if !self.metadata.is_empty() {
            let mut bytes = Writer::default();
            self.metadata.encode(&mut bytes);
            fingerprint = fingerprint.with(RequestField::Metadata, &bytes.into_bytes());
        }
        let fingerprint = fingerprint.with(RequestField::ProcessPayment, &[u8::from(self.process.is_some())]);
        (ClaimKey::key(scope, ClaimKind::CreateKey, key), fingerprint)
    }
}
