//! Amounts, against a second way to read them.

use counterfoil::money::{Currency, Money, MoneyError};

/// The first byte says in which currency, the rest is read as an amount of it.
pub fn amounts(data: &[u8]) {
    let Some((first, text)) = data.split_first() else { return };
    let at = usize::from(*first) % Currency::all().len();
    let currency = Currency::all().nth(at).expect("the place is within the list");
    let text = String::from_utf8_lossy(text);
    let read = Money::parse(&text, currency);
    assert_eq!(read.clone().map(Money::minor).map_err(kind), minor(&text, currency), "{text:?} {currency}");
    if let Ok(money) = read {
        let written = money.amount_text().to_string();
        assert_eq!(Money::parse(&written, currency), Ok(money), "{written:?} is what is written");
        assert_eq!(Money::new(money.amount(), currency), Ok(money));
        assert_eq!(Money::from_minor(money.minor(), currency), Ok(money));
    }
}

/// Why there is no such amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Malformed,
    Negative,
    TooFine,
    TooLarge,
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` takes")]
fn kind(error: MoneyError) -> Why {
    match error {
        MoneyError::Malformed => Why::Malformed,
        MoneyError::Negative => Why::Negative,
        MoneyError::TooFine { .. } => Why::TooFine,
        MoneyError::TooLarge => Why::TooLarge,
        other => panic!("reading an amount says nothing of {other:?}"),
    }
}

/// The minor units that `text` stands for: its digits as an integer, and where the point belongs.
pub(crate) fn minor(text: &str, currency: Currency) -> Result<i64, Why> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, signed(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, digits(fraction)?),
        None => (digits(number)?, ""),
    };
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(Why::Malformed);
    }
    let all = format!("{whole}{fraction}");
    let kept = all.trim_end_matches('0');
    let Some(value) = Some(kept.trim_start_matches('0')).filter(|kept| !kept.is_empty()) else {
        return Ok(0);
    };
    if unsigned != text {
        return Err(Why::Negative);
    }
    let places = |count: usize| i128::try_from(count).expect("a length");
    let zeros =
        exponent + i128::from(currency.exponent()) + places(all.len() - kept.len()) - places(fraction.len());
    if zeros < 0 {
        return Err(Why::TooFine);
    }
    if zeros + places(value.len()) > 16 {
        return Err(Why::TooLarge);
    }
    let padded = format!("{value}{}", "0".repeat(usize::try_from(zeros).expect("16 at most")));
    let minor: i64 = padded.parse().expect("16 digits at most");
    if minor > Money::MAX_MINOR { Err(Why::TooLarge) } else { Ok(minor) }
}

fn digits(text: &str) -> Result<&str, Why> {
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { Ok(text) } else { Err(Why::Malformed) }
}

/// An exponent; beyond what any text is long enough to make up for, its size makes no difference.
fn signed(text: &str) -> Result<i128, Why> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = digits(text)?.trim_start_matches('0');
    let size = if text.len() > 30 { 10_i128.pow(30) } else { format!("0{text}").parse().expect("31 digits") };
    Ok(if negative { -size } else { size })
}
