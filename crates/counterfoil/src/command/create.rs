//! Creates a payment, with or without its first attempt.

use std::sync::Arc;

use super::Command;
use super::change::{Change, Entry, Recorder, Taking};
use super::payable::Payable;
use super::receipt::Subject;
use super::rejection::Rejection;
use super::start::{self, Start};
use super::view::{Halt, View};
use crate::account::AccountId;
use crate::claim::{ClaimKey, ClaimKind, Fingerprint, RequestField};
use crate::clock::Timestamp;
use crate::codec::{Encode, Writer};
use crate::destinations::Known;
use crate::event::{Body, Created, StreamId};
use crate::id::{AttemptId, PaymentId};
use crate::money::Money;
use crate::payment::{
    CaptureMethod, Checkout, Destination, OperationId, Payment, PaymentMethod, PaymentMethodType, Terms,
};
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
    /// The invoice or customer that the payment is for.
    pub destination: Destination,
    /// What the host knows of that.
    pub known: Known,
    /// How it is paid.
    pub method: PaymentMethod,
    /// Whether the money is taken at once or held first.
    pub capture_method: CaptureMethod,
    /// When it is over, if it has not come to an end by then.
    pub expires_at: Option<Timestamp>,
    /// What is sent to the gateway besides the amount.
    pub checkout: Checkout,
    /// The host's own notes.
    pub metadata: Metadata,
    /// The key under which it may be asked for again.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Its first attempt, if it is to be processed at once.
    pub process: Option<AttemptId>,
    /// Whether the operation is [queued](crate::status::OperationStatus::Queued): recorded now, sent to its gateway later.
    pub queued: bool,
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
        if self.capture_method == CaptureMethod::Manual && !kind.needs_gateway() {
            return Err(Rejection::CaptureMethodNotAllowed(kind).into());
        }
        if let Some(past) = self.expires_at.filter(|at| *at <= command.at) {
            return Err(Rejection::InPast(past).into());
        }
        let payable = Payable::find(view, &self.destination, &self.known)?;
        payable.require(self.amount.currency())?;
        if self.process.is_some() && kind != PaymentMethodType::Offline {
            payable.require_room(command, self.payment, self.amount)?;
        }
        self.write(command, view, claim, &payable)
    }

    fn keys(&self, view: &View<'_>) -> impl Iterator<Item = Key> {
        let wallet = self.process.and_then(|_| start::keys(&self.method, view));
        let destination = view.account_key(&AccountId::destination(&self.destination));
        [Some(view.payment_key(self.payment)), wallet, Some(destination)].into_iter().flatten()
    }

    fn write(
        &self,
        command: &Command,
        view: &View<'_>,
        claim: Option<Taking>,
        payable: &Payable<'_>,
    ) -> Result<Change, Halt> {
        let terms = Arc::new(self.terms(command, payable.number()));
        let mut started = match self.process {
            Some(id) => {
                let start = Start {
                    terms: &terms,
                    payment: None,
                    id,
                    instrument: None,
                    scheduled: false,
                    queued: self.queued,
                };
                Some(start.decide(command, view)?)
            }
            None => None,
        };
        if let Some(started) = started.as_mut().filter(|started| started.is_paid()) {
            started.start.excess = payable.excess_after(self.amount);
        }
        let created = Created {
            submitted: self.process.is_some() || !self.method.kind().needs_gateway(),
            attempt: started.as_ref().map(|started| started.start.clone()),
            terms,
        };
        let entry = Entry::new(Cause::Command, Body::Created(created)).claiming(claim);
        let mut recorder = Recorder::new(command, view);
        let payment = recorder.payment(self.payment, None, entry)?;
        if let Some(started) = started {
            started.debit(&payment, &mut recorder)?;
        }
        Ok(recorder.finish(Subject::Payment(payment), 1))
    }

    /// The id exists already: this command was executed before, or another command took the id.
    fn replay(&self, command: &Command, payment: &Arc<Payment>) -> Halt {
        let started = payment.operations().iter().find(|operation| operation.sequence == 1);
        let same_attempt = started.map(|operation| operation.id) == self.process.map(OperationId::Attempt);
        // What people call the destination may be known otherwise by now.
        let made = self.terms(command, payment.terms().number.clone());
        if same_attempt && **payment.terms() == made {
            Halt::replay(payment, 1)
        } else {
            Rejection::IdTaken(StreamId::Payment(self.payment)).into()
        }
    }

    fn terms(&self, command: &Command, number: Option<DestinationNumber>) -> Terms {
        Terms {
            scope: command.caller.scope.clone(),
            id: self.payment,
            amount: self.amount,
            destination: self.destination.clone(),
            number,
            method: self.method.clone(),
            capture_method: self.capture_method,
            expires_at: self.expires_at,
            checkout: self.checkout.clone(),
            metadata: self.metadata.clone(),
            idempotency_key: self.idempotency_key.clone(),
            created_at: command.at,
            created_by: command.caller.actor.clone(),
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
        if let Some(options) = options {
            fingerprint = fingerprint.with(RequestField::GatewayOptions, options.as_str().as_bytes());
        }
        if !self.capture_method.is_automatic() {
            fingerprint =
                fingerprint.with(RequestField::CaptureMethod, self.capture_method.as_str().as_bytes());
        }
        match self.expires_at {
            Some(at) => fingerprint.with(RequestField::ExpiresAt, &at.unix_micros().to_be_bytes()),
            None => fingerprint,
        }
    }
}
