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
        self.written(&amount.amount_text().to_string())
    }

    /// The sum of any number of amounts of `currency`, which can be more than one amount may be.
    pub(crate) fn sum(self, minor: i128, currency: Currency) -> Box<RawValue> {
        let per_unit = 10_u128.pow(currency.exponent());
        let (whole, fraction) = (minor.unsigned_abs() / per_unit, minor.unsigned_abs() % per_unit);
        let places = usize::try_from(currency.exponent()).unwrap_or(0);
        let sign = if minor < 0 { "-" } else { "" };
        let digits = format!("{sign}{whole}.{fraction:0places$}");
        self.written(digits.trim_end_matches('0').trim_end_matches('.'))
    }

    /// The decimal digits of an amount as JSON.
    pub(crate) fn written(self, digits: &str) -> Box<RawValue> {
        let json = match self {
            Amounts::Number => digits.to_owned(),
            Amounts::String => format!("\"{digits}\""),
        };
        RawValue::from_string(json).expect("decimal digits are JSON, quoted or not")
    }
}

/// The amount and currency that a request asks for; more than nothing.
pub(crate) fn read(fields: &Fields<'_>) -> Result<Money, ApiError> {
    let amount = fields.required("amount", digits)?;
    let currency = fields.required("currency", |fields, _| currency(fields))?;
    exact(&amount, currency)
}

/// The amount that a request may name, of something that is paid in `expected`; more than nothing. Whether another
/// currency will do is the books' to say, which know a replay first; without an amount they have nothing to compare.
pub(crate) fn read_optional(fields: &Fields<'_>, expected: Currency) -> Result<Option<Money>, ApiError> {
    let amount = digits(fields, "amount")?;
    match (amount, currency(fields)?) {
        (Some(amount), given) => exact(&amount, given.unwrap_or(expected)).map(Some),
        (None, Some(got)) if got != expected => {
            Err(ApiError::money(&MoneyError::CurrencyMismatch { expected, got }))
        }
        (None, _) => Ok(None),
    }
}

/// The amount that a gateway reports, if it does; it may be nothing. Amount and currency go together: without an amount
/// all that was asked for is meant, and that is in the payment's currency whatever the currency says.
pub(crate) fn read_reported(fields: &Fields<'_>) -> Result<Option<Money>, ApiError> {
    let amount = digits(fields, "amount")?;
    match (amount, currency(fields)?) {
        (Some(amount), Some(currency)) => {
            Money::parse(&amount, currency).map(Some).map_err(|error| ApiError::money(&error))
        }
        (Some(_), None) => Err(ApiError::invalid("currency", "the amount needs a currency")),
        (None, Some(_)) => Err(ApiError::invalid("amount", "the currency needs an amount")),
        (None, None) => Ok(None),
    }
}

/// What is owed, and in which currency; it may be nothing.
pub(crate) fn read_due(fields: &Fields<'_>, name: &str) -> Result<Money, ApiError> {
    let amount = fields.required(name, digits)?;
    let currency = fields.required("currency", |fields, _| currency(fields))?;
    Money::parse(&amount, currency).map_err(|error| ApiError::money(&error).with("field", name))
}

/// The text of an amount. What is none in any currency is refused here, so that nothing else is said to be wrong first.
fn digits(fields: &Fields<'_>, name: &str) -> Result<Option<String>, ApiError> {
    let text = fields.number(name)?;
    let error = text.as_ref().and_then(|text| Money::parse(text, Currency::USD).err());
    match error {
        Some(error @ (MoneyError::Malformed | MoneyError::Negative)) => Err(ApiError::invalid(name, error)),
        _ => Ok(text),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_written_as_amounts_are() {
        let written = |minor, currency| Amounts::Number.sum(minor, currency).get().to_owned();
        for minor in [0, 1, 10, 100, 1_234_500, Money::MAX_MINOR] {
            for currency in [Currency::USD, "jpy".parse().unwrap(), "kwd".parse().unwrap()] {
                let amount = Money::from_minor(minor, currency).unwrap().amount_text().to_string();
                assert_eq!(written(minor.into(), currency), amount);
            }
        }
        assert_eq!(written(-150, Currency::USD), "-1.5");
        assert_eq!(written(i128::from(Money::MAX_MINOR) * 1_000, Currency::USD), "90071992547409910");
        assert_eq!(Amounts::String.sum(5, Currency::USD).get(), "\"0.05\"");
    }
}
