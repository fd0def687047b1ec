//! How a payment is paid, and what it pays.

use serde::Serialize;

use crate::codec::{Damage, Encode, Reader, Writer};
use crate::text::{DestinationId, InvalidText, PaymentMethodId, WalletId};
use crate::word::words;

words! {
    /// The kinds of payment method.
    PaymentMethodType, "payment method type" {
        /// A card, charged through a gateway.
        Card = 1, "CARD";
        /// A bank account, debited through a gateway.
        Ach = 2, "ACH";
        /// Money that reached the host outside of any gateway: cash, a cheque.
        Offline = 3, "OFFLINE";
        /// Credits in a wallet of ours.
        Credits = 4, "CREDITS";
        /// A page of a gateway, where the payer pays.
        PaymentLink = 5, "PAYMENT_LINK";
        /// A transfer between bank accounts by India's Unified Payments Interface, through a gateway.
        Upi = 6, "UPI";
    }
}

impl PaymentMethodType {
    /// Whether money moves at a gateway.
    #[must_use]
    pub const fn needs_gateway(self) -> bool {
        !matches!(self, PaymentMethodType::Offline | PaymentMethodType::Credits)
    }

    /// Whether its attempts are shown: an offline payment has none worth the name.
    #[must_use]
    pub const fn tracks_attempts(self) -> bool {
        !matches!(self, PaymentMethodType::Offline)
    }
}

words! {
    /// When the money of a payment is taken.
    CaptureMethod, "capture method" {
        /// At once: its attempts are charges.
        Automatic = 1, "automatic";
        /// Held first, and taken by captures: its attempts are authorizations.
        Manual = 2, "manual";
    }
}

impl CaptureMethod {
    /// Whether it is taken at once.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub const fn is_automatic(&self) -> bool {
        matches!(self, CaptureMethod::Automatic)
    }
}

/// How a payment is paid, with exactly what that way needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PaymentMethod {
    /// A card; without an id the gateway's default for the payer.
    Card(Option<PaymentMethodId>),
    /// A debit of the bank account with this id at the gateway.
    Ach(PaymentMethodId),
    /// Outside of any gateway.
    Offline,
    /// Credits of this wallet.
    Credits(WalletId),
    /// A page of a gateway, which has to be [named](crate::ledger::NewPayment::with_gateway); the id, where there is
    /// one, is for the gateway to understand.
    PaymentLink(Option<PaymentMethodId>),
    /// A virtual payment address.
    Upi(PaymentMethodId),
}

/// Why a type and an id do not make a payment method.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPaymentMethod {
    /// The type needs an id.
    #[error("{0} needs a payment_method_id")]
    IdMissing(PaymentMethodType),
    /// The type takes no id.
    #[error("{0} takes no payment_method_id")]
    IdNotAllowed(PaymentMethodType),
    /// The id is no valid text.
    #[error(transparent)]
    Id(#[from] InvalidText),
}

impl PaymentMethod {
    /// The method of this type with this id.
    pub fn new(kind: PaymentMethodType, id: Option<&str>) -> Result<PaymentMethod, InvalidPaymentMethod> {
        let required = || id.ok_or(InvalidPaymentMethod::IdMissing(kind));
        Ok(match kind {
            PaymentMethodType::Card => PaymentMethod::Card(id.map(PaymentMethodId::new).transpose()?),
            PaymentMethodType::Ach => PaymentMethod::Ach(PaymentMethodId::new(required()?)?),
            PaymentMethodType::Credits => PaymentMethod::Credits(WalletId::new(required()?)?),
            PaymentMethodType::PaymentLink => {
                PaymentMethod::PaymentLink(id.map(PaymentMethodId::new).transpose()?)
            }
            PaymentMethodType::Upi => PaymentMethod::Upi(PaymentMethodId::new(required()?)?),
            PaymentMethodType::Offline if id.is_some() => {
                return Err(InvalidPaymentMethod::IdNotAllowed(kind));
            }
            PaymentMethodType::Offline => PaymentMethod::Offline,
        })
    }

    /// The type of the payment method.
    #[must_use]
    pub const fn kind(&self) -> PaymentMethodType {
        match self {
            PaymentMethod::Card(_) => PaymentMethodType::Card,
            PaymentMethod::Ach(_) => PaymentMethodType::Ach,
            PaymentMethod::Offline => PaymentMethodType::Offline,
            PaymentMethod::Credits(_) => PaymentMethodType::Credits,
            PaymentMethod::PaymentLink(_) => PaymentMethodType::PaymentLink,
            PaymentMethod::Upi(_) => PaymentMethodType::Upi,
        }
    }

    /// Its id, a wallet's included.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            PaymentMethod::Credits(id) => Some(id.as_str()),
            _ => self.instrument().map(PaymentMethodId::as_str),
        }
    }

    /// The instrument at a gateway, where there is one.
    #[must_use]
    pub const fn instrument(&self) -> Option<&PaymentMethodId> {
        match self {
            PaymentMethod::Card(id) | PaymentMethod::PaymentLink(id) => id.as_ref(),
            PaymentMethod::Ach(id) | PaymentMethod::Upi(id) => Some(id),
            PaymentMethod::Offline | PaymentMethod::Credits(_) => None,
        }
    }
}

impl Encode for PaymentMethod {
    fn encode(&self, to: &mut Writer) {
        self.kind().encode(to);
        to.text(self.id().unwrap_or_default());
    }

    fn decode(from: &mut Reader<'_>) -> Result<PaymentMethod, Damage> {
        let kind = PaymentMethodType::decode(from)?;
        let id = Some(from.text()?).filter(|id| !id.is_empty());
        PaymentMethod::new(kind, id).map_err(|_| Damage::Malformed("payment method"))
    }
}

words! {
    /// The kinds of things that can be paid.
    DestinationType, "destination type" {
        /// An invoice of the host.
        Invoice = 1, "INVOICE";
        /// A customer of the host: to set up a card, say.
        Customer = 2, "CUSTOMER";
    }
}

/// What is paid, in the host's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Destination {
    /// What kind of thing.
    #[serde(rename = "destination_type")]
    pub kind: DestinationType,
    /// The id of the invoice or customer, as the host knows it.
    #[serde(rename = "destination_id")]
    pub id: DestinationId,
}

impl Destination {
    /// The destination for the invoice with this id.
    #[must_use]
    pub const fn invoice(id: DestinationId) -> Destination {
        Destination { kind: DestinationType::Invoice, id }
    }

    /// The destination for the customer with this id.
    #[must_use]
    pub const fn customer(id: DestinationId) -> Destination {
        Destination { kind: DestinationType::Customer, id }
    }
}

impl Encode for Destination {
    fn encode(&self, to: &mut Writer) {
        self.kind.encode(to);
        self.id.encode(to);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Destination, Damage> {
        Ok(Destination { kind: DestinationType::decode(from)?, id: DestinationId::decode(from)? })
    }
}
