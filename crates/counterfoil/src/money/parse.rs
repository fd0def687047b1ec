//! Exact minor units out of the text of a JSON number.
//!
//! The work is linear in the length of the text whatever its exponent says, nothing is allocated, and nothing is
//! ever rounded.

use super::{Currency, Money, MoneyError};

/// The minor units that `text` stands for.
///
/// Errors in this order: malformed, negative, too fine, too large.
pub(super) fn minor_units(text: &str, currency: Currency) -> Result<i64, MoneyError> {
    let number = Number::read(text.as_bytes()).ok_or(MoneyError::Malformed)?;
    let Some(significant) = number.significant() else {
        return Ok(0); // also -0, 0.000 and 0e999
    };
    if number.negative {
        return Err(MoneyError::Negative);
    }
    let shift = significant.power.saturating_add(i64::from(currency.exponent()));
    let Ok(shift) = u32::try_from(shift) else {
        return Err(if shift < 0 { MoneyError::too_fine(currency) } else { MoneyError::TooLarge });
    };
    let minor = scale(significant.digits, shift).ok_or(MoneyError::TooLarge)?;
    if minor > Money::MAX_MINOR { Err(MoneyError::TooLarge) } else { Ok(minor) }
}

/// `digits` times ten to the power of `shift`, unless that overflows.
fn scale(mut digits: impl Iterator<Item = u8>, shift: u32) -> Option<i64> {
    let whole = digits.try_fold(0_i64, |value, digit| {
        value.checked_mul(10)?.checked_add(i64::from(digit.checked_sub(b'0')?))
    })?;
    whole.checked_mul(10_i64.checked_pow(shift)?)
}

/// The parts of a JSON number (RFC 8259 §6): `-` digits `.` fraction `e` exponent.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// Saturated at the ends of `i64`: no text is long enough for its digits to make up for such an exponent.
    exponent: i64,
}

/// A number without its leading and trailing zeros: `digits` times ten to the power of `power`.
struct Significant<I> {
    digits: I,
    power: i64,
}

impl<'a> Number<'a> {
    fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
        let (whole, text) = digits(text)?;
        if whole.len() > 1 && whole.starts_with(b"0") {
            return None;
        }
        let (fraction, text) = match text.strip_prefix(b".") {
            Some(rest) => digits(rest)?,
            None => (&[][..], text),
        };
        let exponent = match text {
            [] => 0,
            [b'e' | b'E', rest @ ..] => read_exponent(rest)?,
            _ => return None,
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    /// `None` for zero.
    fn significant(&self) -> Option<Significant<impl Iterator<Item = u8>>> {
        let digits = || self.whole.iter().chain(self.fraction).copied();
        let zeros = digits().rev().take_while(|digit| *digit == b'0').count();
        let kept = digits().count().checked_sub(zeros).filter(|kept| *kept > 0)?;
        let power = self.exponent.saturating_add(signed(zeros)).saturating_sub(signed(self.fraction.len()));
        // Leading zeros need no care: they add nothing to the value.
        Some(Significant { digits: digits().take(kept), power })
    }
}

/// Splits off the leading digits, of which there must be one.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())
}

/// What follows the `e`, to the end of the text.
fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (digits, rest) = digits(text)?;
    let size = digits.iter().fold(0_i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit.saturating_sub(b'0')))
    });
    rest.is_empty().then_some(if negative { size.saturating_neg() } else { size })
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
