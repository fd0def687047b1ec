//! Money: exact amounts in ISO 4217 currencies.
//!
//! An amount is a whole number of its currency's *minor units*: cents, yen, thousandths of a dinar. Inside, it is
//! counted in those. Outside, it is written as a decimal number of whole units, without trailing zeros: 99.5 USD
//! are 9950 cents, and appear as `99.5`.
//!
//! What holds for every [`Money`]:
//!
//! - It is exact. Nothing is ever a float and nothing is ever rounded: an amount that does not fit its currency's
//!   minor unit is refused.
//! - It is not negative, and at most [`Money::MAX_MINOR`].
//! - Arithmetic is checked, and only within one currency.
//! - It is written the same way whatever features of other crates are on: the serde form is our own.

mod currency;
mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Formatter};

use rust_decimal::Decimal;
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

pub use self::currency::{Currency, UnknownCurrency};

/// An exact amount of one currency, zero or more.
///
/// ```
/// use counterfoil::money::{Currency, Money, MoneyError};
///
/// let price = Money::parse("99.50", Currency::USD)?;
/// assert_eq!(price.minor(), 9950);
/// assert_eq!(price.to_string(), "99.5 usd");
///
/// let tip = Money::from_minor(1050, Currency::USD)?;
/// assert_eq!(price.checked_add(tip)?.amount_text().to_string(), "110");
/// assert_eq!(tip.checked_sub(price), Err(MoneyError::Negative));
///
/// // Never rounded: half a yen does not exist.
/// assert!(matches!(Money::parse("0.5", Currency::JPY), Err(MoneyError::TooFine { max_scale: 0, .. })));
/// # Ok::<(), MoneyError>(())
/// ```
///
/// With serde it is a map of two strings, `{"amount":"99.5","currency":"usd"}`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount, in minor units: 2^53 - 1, the largest integer that every JSON reader keeps exact
    /// (RFC 8259 §6).
    pub const MAX_MINOR: i64 = 9_007_199_254_740_991;

    /// The amount of so many whole units. Trailing zeros do not make a decimal too fine.
    pub fn new(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let (mut mantissa, mut scale) = (amount.mantissa(), amount.scale());
        if mantissa < 0 {
            return Err(MoneyError::Negative);
        }
        while scale > currency.exponent() {
            if mantissa % 10 != 0 {
                return Err(MoneyError::too_fine(currency));
            }
            mantissa /= 10;
            scale -= 1;
        }
        let minor = currency
            .exponent()
            .checked_sub(scale)
            .and_then(|missing| 10_i128.checked_pow(missing))
            .and_then(|factor| mantissa.checked_mul(factor))
            .and_then(|minor| i64::try_from(minor).ok());
        Self::from_minor(minor.ok_or(MoneyError::TooLarge)?, currency)
    }

    /// The amount of so many minor units.
    pub const fn from_minor(minor: i64, currency: Currency) -> Result<Self, MoneyError> {
        match minor {
            ..0 => Err(MoneyError::Negative),
            0..=Self::MAX_MINOR => Ok(Self { minor, currency }),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// Reads a decimal number of whole units, in exactly the grammar of JSON numbers: `100`, `99.50`, and `1e2`, which
    /// is 100, for an amount may arrive as any number that JSON can write. Whoever takes texts that people type may want
    /// to refuse an exponent before.
    ///
    /// Any number of trailing zeros is fine. The work is bounded by the length of the text, also for `1e999999999`.
    /// A text with several faults gets the first of: malformed, negative, too fine, too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::from_minor(parse::minor_units(text, currency)?, currency)
    }

    /// Nothing, in this currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// The amount in whole units, without trailing zeros.
    #[must_use]
    pub fn amount(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent()).normalize()
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The sum. Another currency is refused, and so is a sum above [`Money::MAX_MINOR`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::from_minor(self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?, self.currency)
    }

    /// The difference. Another currency is refused, and so is taking away more than there is.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Self::from_minor(self.minor.checked_sub(other.minor).ok_or(MoneyError::Negative)?, self.currency)
    }

    /// The amount in whole units as it is written everywhere: no trailing zeros, no exponent, no currency.
    #[must_use]
    pub const fn amount_text(self) -> AmountText {
        AmountText(self)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { expected: self.currency, got: other.currency })
        }
    }
}

/// `99.5 usd`.
impl Display for Money {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency)
    }
}

/// `Money(99.5 usd)`.
impl Debug for Money {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

/// The decimal digits of an amount: `99.5`, `123`, `0.001`. Made by [`Money::amount_text`].
///
/// It is also a valid JSON number. Serialized, it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AmountText(Money);

impl Display for AmountText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Money { minor, currency } = self.0;
        let per_unit = currency.minor_per_unit();
        let (whole, mut fraction) = (minor / per_unit, minor % per_unit);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let mut places = currency.exponent();
        // Ends before `places` does: the fraction is not zero, and below one whole unit.
        while fraction % 10 == 0 {
            fraction /= 10;
            places -= 1;
        }
        write!(f, "{whole}.{fraction:0places$}", places = usize::try_from(places).unwrap_or(0))
    }
}

impl Serialize for AmountText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The serde form of [`Money`].
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename = "Money")]
struct Parts<A> {
    amount: A,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Parts { amount: self.amount_text(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Parts::<Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&parts.amount, parts.currency).map_err(de::Error::custom)
    }
}

/// Why there is no such [`Money`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// The text is not in the grammar of JSON numbers.
    #[error("the amount is not a decimal number")]
    Malformed,
    /// The amount is below zero.
    #[error("the amount is negative")]
    Negative,
    /// The amount is not a whole number of minor units.
    #[error("the amount has more than the {max_scale} decimal places of {currency}")]
    TooFine {
        /// The currency whose minor unit is larger than that.
        currency: Currency,
        /// How many decimal places that currency has.
        max_scale: u32,
    },
    /// The amount is above [`Money::MAX_MINOR`].
    #[error("the amount is more than {} minor units", Money::MAX_MINOR)]
    TooLarge,
    /// Two amounts that must be of one currency are not.
    #[error("the currency is {got} where {expected} is expected")]
    CurrencyMismatch {
        /// The currency of the amount that was there first.
        expected: Currency,
        /// The currency of the other one.
        got: Currency,
    },
}

impl MoneyError {
    const fn too_fine(currency: Currency) -> Self {
        Self::TooFine { currency, max_scale: currency.exponent() }
    }
}
