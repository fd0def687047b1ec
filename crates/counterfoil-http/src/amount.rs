//! Amounts: read exactly, answered exactly.

use std::str::FromStr;

use counterfoil::money::{Currency, Money, MoneyError};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::fields::Fields;

/// How amounts are answered. The digits are the same either way, and requests may use both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Amounts {
    /// As exact JSON numbers: `99.5`.
    #[default]
    Number,
    /// As strings: `"99.5"`.
    String,
}

/// A text that names no way of answering amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("amounts are answered as `number` or as `string`")]
pub struct UnknownAmounts;

impl FromStr for Amounts {
    type Err = UnknownAmounts;

    fn from_str(text: &str) -> Result<Amounts, UnknownAmounts> {
        match text {
            "number" => Ok(Amounts::Number),
            "string" => Ok(Amounts::String),
            _ => Err(UnknownAmounts),
        }
    }
}

impl Amounts {
    /// `amount` as JSON.
    pub(crate) fn json(self, amount: Money) -> Box<RawValue> {
        let digits = amount.amount_text();
        let json = match self {
            Amounts::Number => digits.to_string(),
            Amounts::String => format!("\"{digits}\""),
        };
        RawValue::from_string(json).expect("decimal digits are JSON, quoted or not")
    }
}

/// The amount and currency that a request asks for; more than nothing.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Money, ApiError> {
    let amount = fields.required("amount", Fields::number)?;
    let currency = fields.required("currency", |fields, _| currency(fields))?;
    exact(&amount, currency)
}

/// The amount that a request may name, of something that is paid in `expected`; more than nothing. Whether another
/// currency will do is the books' to say, which know a replay first; without an amount they have nothing to compare.
pub(crate) fn read_optional(fields: &Fields<'_>, expected: Currency) -> Result<Option<Money>, ApiError> {
    let given = currency(fields)?;
    match (fields.number("amount")?, given) {
        (Some(amount), given) => exact(&amount, given.unwrap_or(expected)).map(Some),
        (None, Some(got)) if got != expected => {
            Err(ApiError::money(&MoneyError::CurrencyMismatch { expected, got }))
        }
        (None, _) => Ok(None),
    }
}

fn currency(fields: &Fields<'_>) -> Result<Option<Currency>, ApiError> {
    let parse = |text: String| text.parse().map_err(|unknown| ApiError::invalid("currency", unknown));
    fields.string("currency")?.map(parse).transpose()
}

fn exact(amount: &str, currency: Currency) -> Result<Money, ApiError> {
    let amount = Money::parse(amount, currency).map_err(|error| ApiError::money(&error))?;
    if amount.is_zero() {
        return Err(ApiError::invalid("amount", "the amount must be greater than zero"));
    }
    Ok(amount)
}
