//! Amounts: read exactly, answered exactly.

use std::str::FromStr;

use counterfoil::money::{Currency, Money};
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
    let currency: Currency = fields
        .required("currency", Fields::string)?
        .parse()
        .map_err(|unknown| ApiError::invalid("currency", unknown))?;
    let amount = Money::parse(&amount, currency).map_err(|error| ApiError::money(&error))?;
    if amount.is_zero() {
        return Err(ApiError::invalid("amount", "the amount must be greater than zero"));
    }
    Ok(amount)
}
