//! A new payment.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::payable::require_payable;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::start::{self, Start};
use super::view::{Halt, View};
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::codec::{Encode, Writer};
use crate::destinations::Known;
use crate::event::{Body, Created, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::money::Money;
use crate::payment::{Checkout, Destination, OperationId, Payment, PaymentMethod, PaymentMethodType, Terms};
use crate::scope::Scope;
use crate::status::Cause;
use crate::store::Key;
use crate::text::{DestinationNumber, GatewayName, IdempotencyKey, Metadata, ReturnUrl};

/// A new payment, perhaps with its first attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// The id it gets.
    pub payment: PaymentId,
    /// How much; more than zero.
    pub amount: Money,
    /// What it pays.
    pub destination: Destination,
    /// What the host knows of that.
    pub known: Known,
    /// How it is paid.
    pub method: PaymentMethod,
    /// What the gateway is told beside the money.
    pub checkout: Checkout,
    /// The host's own notes.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Its first attempt, if it is to be processed at once.
    pub process: Option<AttemptId>,
}

impl Create {
    pub(super) fn decide(&self, command: &Command, view: &View<'_>) -> Result<Change, Halt> {
        let scope = view.scope;
        let claim = self.idempotency_key.as_ref().map(|key| self.claim(scope, key));
        view.unless_repeated(claim.as_ref(), self.keys(view))?;
        if let Some(payment) = view.find_payment(self.payment)? {
            return Err(self.replay(command, payment));
        }
        if self.amount.is_zero() {
            return Err(Rejection::AmountNotPositive.into());
        }
        let kind = self.method.kind();
        if kind == PaymentMethodType::PaymentLink && self.checkout.gateway.is_none() {
            return Err(Rejection::GatewayRequired(kind).into());
        }
        require_payable(&self.known, &self.destination, self.amount.currency())?;
        self.write(command, view, claim)
    }

    fn keys(&self, view: &View<'_>) -> impl Iterator<Item = Key> {
        let wallet = self.process.and_then(|_| start::keys(&self.method, view));
        [Some(view.payment_key(self.payment)), wallet].into_iter().flatten()
    }

    fn write(&self, command: &Command, view: &View<'_>, claim: Option<Taking>) -> Result<Change, Halt> {
        let terms = Arc::new(self.terms(command));
        let started = match self.process {
            Some(id) => {
                let gateway = terms.checkout.gateway.as_ref();
                Some(Start { terms: &terms, id, gateway, instrument: None }.decide(command, view)?)
            }
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
            number: self.number(),
            method: self.method.clone(),
            checkout: self.checkout.clone(),
            metadata: self.metadata.clone(),
            idempotency_key: self.idempotency_key.clone(),
            created_at: command.at,
            created_by: command.caller.actor.clone(),
        }
    }

    fn number(&self) -> Option<DestinationNumber> {
        match &self.known {
            Known::Found(info) => info.number.clone(),
            _ => None,
        }
    }

    /// The id is there already: by this very command executed again, or by somebody else's.
    fn replay(&self, command: &Command, payment: &Arc<Payment>) -> Halt {
        let started = payment.operations().iter().find(|operation| operation.sequence == 1);
        let same_attempt = started.map(|operation| operation.id) == self.process.map(OperationId::Attempt);
        if same_attempt && **payment.terms() == self.terms(command) {
            Halt::replay(payment, 1)
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
        fingerprint = fingerprint.with(RequestField::ProcessPayment, &[u8::from(self.process.is_some())]);
        (ClaimKey::key(scope, ClaimKind::CreateKey, key), self.with_checkout(fingerprint))
    }

    fn with_checkout(&self, mut fingerprint: Fingerprint) -> Fingerprint {
        let Checkout { gateway, success_url, cancel_url, save_card_and_make_default, options } =
            &self.checkout;
        let texts = [
            (RequestField::PaymentGateway, gateway.as_ref().map(GatewayName::as_str)),
            (RequestField::SuccessUrl, success_url.as_ref().map(ReturnUrl::as_str)),
            (RequestField::CancelUrl, cancel_url.as_ref().map(ReturnUrl::as_str)),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                fingerprint = fingerprint.with(field, text.as_bytes());
            }
        }
        if *save_card_and_make_default {
            fingerprint = fingerprint.with(RequestField::SaveCardAndMakeDefault, &[1]);
        }
        match options {
            Some(options) => fingerprint.with(RequestField::GatewayOptions, options.as_str().as_bytes()),
            None => fingerprint,
        }
    }
}
