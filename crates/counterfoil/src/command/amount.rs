//! Amounts that are asked for of what there is.

use super::rejection::Rejection;
use crate::claim::{Fingerprint, RequestField};
use crate::money::{Money, MoneyError};

/// So much of `most`: all of it, if no amount is asked for. If that is too much, `exceeds` says so.
pub(super) fn within(
    asked: Option<Money>,
    most: Money,
    exceeds: impl FnOnce() -> Rejection,
) -> Result<Money, Rejection> {
    let amount = asked.unwrap_or(most);
    if amount.currency() != most.currency() {
        Err(MoneyError::CurrencyMismatch { expected: most.currency(), got: amount.currency() }.into())
    } else if asked.is_some_and(Money::is_zero) {
        Err(Rejection::AmountNotPositive)
    } else if amount.is_zero() || amount.minor() > most.minor() {
        Err(exceeds())
    } else {
        Ok(amount)
    }
}

/// The fields of an amount, where one is asked for.
pub(super) fn fingerprint(amount: Option<Money>) -> Fingerprint {
    match amount {
        Some(amount) => Fingerprint::default()
            .with(RequestField::Amount, &amount.minor().to_be_bytes())
            .with(RequestField::Currency, amount.currency().code().as_bytes()),
        None => Fingerprint::default(),
    }
}
