//! Short names for what tests need all the time. They panic at what is not valid.

use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::command::Policy;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    Destination, Evidence, Failure, FailureClass, Outcome, PaymentMethod, RetrySchedule,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{
    Actor, DestinationId, EnvironmentId, ErrorCode, GatewayName, GatewayOperationId, GatewayPaymentId,
    IdempotencyKey, Message, PaymentMethodId, TenantId, WalletId,
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

/// A customer to be paid for.
#[must_use]
pub fn customer(id: &str) -> Destination {
    Destination::customer(text!(DestinationId, id))
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

/// The gateway that is taken where none is asked for.
#[must_use]
pub fn gateway() -> GatewayName {
    text!(GatewayName, "test-gateway")
}

/// The other gateway there is.
#[must_use]
pub fn other_gateway() -> GatewayName {
    text!(GatewayName, "other-gateway")
}

/// What a gateway calls a payment.
#[must_use]
pub fn gateway_payment(id: &str) -> GatewayPaymentId {
    text!(GatewayPaymentId, id)
}

/// What a gateway calls an operation.
#[must_use]
pub fn gateway_operation(id: &str) -> GatewayOperationId {
    text!(GatewayOperationId, id)
}

/// What a gateway says: an outcome, and the amount that it reports, if it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What became of the operation.
    pub outcome: Outcome,
    /// The amount that is reported.
    pub amount: Option<Money>,
}

impl From<Outcome> for Said {
    fn from(outcome: Outcome) -> Said {
        Said { outcome, amount: None }
    }
}

impl Said {
    /// With this amount.
    #[must_use]
    pub const fn of(mut self, amount: Money) -> Said {
        self.amount = Some(amount);
        self
    }
}

/// Success; with the amount that the gateway reports, if it does.
#[must_use]
pub const fn succeeded(amount: Option<Money>) -> Said {
    Said { outcome: Outcome::Succeeded, amount }
}

/// It goes on.
#[must_use]
pub const fn pending() -> Said {
    Said { outcome: Outcome::Pending, amount: None }
}

/// It was undone.
#[must_use]
pub fn reversed() -> Said {
    Outcome::Reversed { error_message: Message::lossy("the bank took it back") }.into()
}

/// A no.
#[must_use]
pub fn failed(class: FailureClass) -> Said {
    Outcome::Failed(Failure {
        class,
        code: ErrorCode::lossy("card_declined"),
        message: Message::lossy("the card was declined"),
    })
    .into()
}

/// The payer must act, at no address in particular.
#[must_use]
pub const fn requires_action() -> Said {
    Said { outcome: Outcome::RequiresAction { payment_url: None }, amount: None }
}

/// Certainly nothing was sent.
#[must_use]
pub fn not_sent() -> Said {
    Outcome::NotSent { error_message: Message::lossy("the gateway could not be reached") }.into()
}

/// Given up before any money moved.
#[must_use]
pub fn canceled() -> Said {
    Outcome::Canceled { error_message: Message::lossy("the payer gave up") }.into()
}

/// Nobody knows.
#[must_use]
pub fn unknown() -> Said {
    Outcome::Unknown { error_message: Message::lossy("the answer did not come") }.into()
}

/// Evidence of what is `said`, `second` seconds into the gateway's time.
#[must_use]
pub fn evidence(said: impl Into<Said>, second: u32) -> Evidence {
    let Said { outcome, amount } = said.into();
    Evidence::new(outcome, self::second(second)).with_amount(amount)
}

/// So many seconds into the gateway's time, which is long ago.
#[must_use]
pub fn second(second: u32) -> Timestamp {
    Timestamp::from_unix_micros(i64::from(second) * 1_000_000).unwrap_or(Timestamp::EPOCH)
}

/// The delays of the tests' schedule of retries: an hour, and three.
pub const RETRIES: [Duration; 2] = [Duration::from_secs(3_600), Duration::from_secs(3 * 3_600)];

/// A policy by which what is refused for a reason that may pass is tried again.
#[must_use]
pub fn retrying() -> Policy {
    let schedule = RetrySchedule::new(RETRIES).expect("the fixture's schedule is valid");
    Policy::default().with_retries(schedule)
}
