//! What a payment is about: fixed when it is created.

use serde::Serialize;

use super::checkout::Checkout;
use super::method::{CaptureMethod, Destination, PaymentMethod};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::scope::Scope;
use crate::text::{Actor, DestinationNumber, EnvironmentId, IdempotencyKey, Metadata, TenantId};

/// The part of a payment that never changes; shared, never copied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The tenant and environment that own the payment.
    pub scope: Scope,
    /// The id of the payment.
    pub id: PaymentId,
    /// What was asked for; more than zero.
    pub amount: Money,
    /// The invoice or customer that the payment is for.
    pub destination: Destination,
    /// What people call that.
    pub number: Option<DestinationNumber>,
    /// How it is paid.
    pub method: PaymentMethod,
    /// Whether the money is taken at once or held first.
    pub capture_method: CaptureMethod,
    /// When what has not come to an end by then is over, a hold included.
    pub expires_at: Option<Timestamp>,
    /// What is sent to the gateway besides the amount.
    pub checkout: Checkout,
    /// The host's own notes, as they were at first.
    pub metadata: Metadata,
    /// The key it was created under.
    pub idempotency_key: Option<IdempotencyKey>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The actor that created the payment.
    pub created_by: Actor,
}

impl Encode for Scope {
    fn encode(&self, to: &mut Writer) {
        self.tenant().encode(to);
        self.environment().encode(to);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Scope, Damage> {
        Ok(Scope::new(TenantId::decode(from)?, EnvironmentId::decode(from)?))
    }
}

impl Encode for Currency {
    fn encode(&self, to: &mut Writer) {
        to.raw(self.code().as_bytes());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Currency, Damage> {
        let code = from.array::<3>()?;
        let known = str::from_utf8(&code).ok().and_then(|code| code.parse::<Currency>().ok());
        // Parsing takes any case; there is one way of writing it here.
        known.filter(|currency| currency.code().as_bytes() == code).ok_or(Damage::Malformed("currency"))
    }
}

impl Encode for Money {
    fn encode(&self, to: &mut Writer) {
        self.currency().encode(to);
        to.signed(self.minor());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Money, Damage> {
        let currency = Currency::decode(from)?;
        Money::from_minor(from.signed()?, currency).map_err(|_| Damage::Malformed("amount"))
    }
}

/// As in the history's `data`: who and when stand in the event itself.
impl Serialize for Terms {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Data<'a> {
            #[serde(flatten)]
            amount: Money,
            #[serde(flatten)]
            destination: &'a Destination,
            #[serde(skip_serializing_if = "Option::is_none")]
            destination_number: Option<&'a DestinationNumber>,
            payment_method_type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            payment_method_id: Option<&'a str>,
            #[serde(skip_serializing_if = "CaptureMethod::is_automatic")]
            capture_method: CaptureMethod,
            #[serde(skip_serializing_if = "Option::is_none")]
            expires_at: Option<Timestamp>,
            #[serde(flatten)]
            checkout: &'a Checkout,
            #[serde(skip_serializing_if = "Metadata::is_empty")]
            metadata: &'a Metadata,
            #[serde(skip_serializing_if = "Option::is_none")]
            idempotency_key: Option<&'a IdempotencyKey>,
        }
        let data = Data {
            amount: self.amount,
            destination: &self.destination,
            destination_number: self.number.as_ref(),
            payment_method_type: self.method.kind().as_str(),
            payment_method_id: self.method.id(),
            capture_method: self.capture_method,
            expires_at: self.expires_at,
            checkout: &self.checkout,
            metadata: &self.metadata,
            idempotency_key: self.idempotency_key.as_ref(),
        };
        data.serialize(to)
    }
}
