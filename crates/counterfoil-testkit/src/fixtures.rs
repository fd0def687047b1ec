//! Short names for what tests need all the time. They panic at what is not valid.

use counterfoil::clock::Timestamp;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, Evidence, Failure, FailureClass, Outcome, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{
    Actor, DestinationId, EnvironmentId, ErrorCode, GatewayName, GatewayOperationId, IdempotencyKey, Message,
    PaymentMethodId, TenantId, WalletId,
};

/// The text types check what they are given; the tests' own texts pass.
macro_rules! text {
    ($type:ident, $text:expr) => {
        $type::new($text).expect("the fixture's text is valid")
    };
}

/// The scope of `tenant` in `environment`.
#[must_use]
pub fn scope(tenant: &str, environment: &str) -> Scope {
    Scope::new(text!(TenantId, tenant), text!(EnvironmentId, environment))
}

/// A caller of `tenant` in `production`.
#[must_use]
pub fn caller(tenant: &str) -> Caller {
    Caller::new(scope(tenant, "production"), text!(Actor, "tester"))
}

/// So many minor units of `currency`.
#[must_use]
pub fn money(minor: i64, currency: Currency) -> Money {
    Money::from_minor(minor, currency).expect("the fixture's amount is valid")
}

/// So many cents.
#[must_use]
pub fn usd(cents: i64) -> Money {
    money(cents, Currency::USD)
}

/// An idempotency key.
#[must_use]
pub fn key(text: &str) -> IdempotencyKey {
    text!(IdempotencyKey, text)
}

/// An invoice to be paid.
#[must_use]
pub fn invoice(id: &str) -> Destination {
    Destination::invoice(text!(DestinationId, id))
}

/// An instrument at a gateway.
#[must_use]
pub fn instrument(id: &str) -> PaymentMethodId {
    text!(PaymentMethodId, id)
}

/// A wallet's id.
#[must_use]
pub fn wallet(id: &str) -> WalletId {
    text!(WalletId, id)
}

/// Any card.
#[must_use]
pub fn card() -> PaymentMethod {
    PaymentMethod::Card(None)
}

/// Some bank account.
#[must_use]
pub fn ach() -> PaymentMethod {
    PaymentMethod::Ach(instrument("ba_1"))
}

/// Credits of the wallet `id`.
#[must_use]
pub fn credits(id: &str) -> PaymentMethod {
    PaymentMethod::Credits(wallet(id))
}

/// The gateway of all tests.
#[must_use]
pub fn gateway() -> GatewayName {
    text!(GatewayName, "test-gateway")
}

/// What that gateway calls an operation.
#[must_use]
pub fn gateway_operation(id: &str) -> GatewayOperationId {
    text!(GatewayOperationId, id)
}

/// Success; with the amount that the gateway reports, if it does.
#[must_use]
pub const fn succeeded(reported: Option<Money>) -> Outcome {
    Outcome::Succeeded { reported }
}

/// A no.
#[must_use]
pub fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Failure {
        class,
        code: ErrorCode::lossy("card_declined"),
        message: Message::lossy("the card was declined"),
    })
}

/// The payer must act, at no address in particular.
#[must_use]
pub const fn requires_action() -> Outcome {
    Outcome::RequiresAction { payment_url: None }
}

/// Certainly nothing was sent.
#[must_use]
pub fn not_sent() -> Outcome {
    Outcome::NotSent { error_message: Message::lossy("the gateway could not be reached") }
}

/// Nobody knows.
#[must_use]
pub fn unknown() -> Outcome {
    Outcome::Unknown { error_message: Message::lossy("the answer did not come") }
}

/// Evidence of `outcome`, `second` seconds into the gateway's time.
#[must_use]
pub fn evidence(outcome: Outcome, second: u32) -> Evidence {
    let at = Timestamp::from_unix_micros(i64::from(second) * 1_000_000);
    Evidence::new(outcome, at.unwrap_or(Timestamp::EPOCH))
}
