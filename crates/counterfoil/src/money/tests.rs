//! Money, from the inside. The property tests are INVARIANT 5: an amount that is negative, too fine for its
//! currency, too large or overflowing is refused, and every other one is kept exactly.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{Currency, Money, MoneyError};

fn usd(text: &str) -> Result<i64, MoneyError> {
    Money::parse(text, Currency::USD).map(Money::minor)
}

fn too_fine(currency: Currency) -> MoneyError {
    MoneyError::TooFine { currency, max_scale: currency.exponent() }
}

#[test]
fn json_numbers_are_read_exactly() {
    for (text, minor) in [
        ("0", 0),
        ("-0", 0),
        ("-0.00e5", 0),
        ("0e999999999999999999999999", 0),
        ("0.000000000000000000000000000000000000", 0),
        ("123", 12_300),
        ("99.5", 9_950),
        ("0.01", 1),
        ("1.000", 100),
        ("1.0000000000000000000000000000000000000000", 100),
        ("1e2", 10_000),
        ("1.50E+1", 1_500),
        ("150e-1", 1_500),
        ("1000000e-08", 1),
        ("0.00000001e6", 1),
        ("1e0000000000000000000000002", 10_000),
        ("90071992547409.91", Money::MAX_MINOR),
        ("9007199254740991000e-5", Money::MAX_MINOR),
    ] {
        assert_eq!(usd(text), Ok(minor), "{text}");
    }
}

#[test]
fn anything_but_a_json_number_is_malformed() {
    for text in [
        "", "-", "+1", "--1", "01", "00", "-01", ".5", "1.", "1.e2", "1e", "1e+", "1e-", "1e2.5", "1e2e3",
        " 1", "1 ", "1_000", "1,000", "0x10", "1.2.3", "NaN", "inf", "١", "1\0", "$1", "1 usd", "-.5", "e5",
        "1e++2",
    ] {
        assert_eq!(usd(text), Err(MoneyError::Malformed), "{text:?}");
    }
}

#[test]
fn the_first_fault_is_named() {
    let fine = too_fine(Currency::USD);
    for (text, error) in [
        ("-1", MoneyError::Negative),
        ("-0.001", MoneyError::Negative),
        ("-1e999999999", MoneyError::Negative),
        ("1.001", fine.clone()),
        ("1e-3", fine.clone()),
        ("1e-999999999", fine.clone()),
        ("1e-99999999999999999999999", fine.clone()),
        ("99999999999999999999999999.001", fine),
        ("90071992547409.92", MoneyError::TooLarge),
        ("1e999999999", MoneyError::TooLarge),
        ("1e99999999999999999999999", MoneyError::TooLarge),
        ("92233720368547758.08", MoneyError::TooLarge),
        ("123456789012345678901234567890", MoneyError::TooLarge),
    ] {
        assert_eq!(usd(text), Err(error), "{text}");
    }
}

#[test]
fn long_texts_are_read_in_linear_time() {
    let zeros = "0".repeat(1_000_000);
    assert_eq!(usd(&format!("1.{zeros}")), Ok(100));
    assert_eq!(usd(&format!("1{zeros}e-1000000")), Ok(100));
    assert_eq!(usd(&format!("0.{zeros}1e1000001")), Ok(100));
    assert_eq!(usd(&format!("1{zeros}")), Err(MoneyError::TooLarge));
}

#[test]
fn the_unit_of_each_exponent() {
    for (currency, text, minor) in [
        (Currency::JPY, "100", 100),
        (Currency::KWD, "0.001", 1),
        (Currency::KWD, "1.25", 1_250),
        (Currency::CLF, "0.0001", 1),
    ] {
        let money = Money::parse(text, currency).unwrap();
        assert_eq!(money.minor(), minor);
        assert_eq!(money.amount_text().to_string(), text);
    }
    assert_eq!(Money::parse("0.1", Currency::JPY), Err(too_fine(Currency::JPY)));
    assert_eq!(Money::parse("0.0001", Currency::KWD), Err(too_fine(Currency::KWD)));
}

#[test]
fn arithmetic_is_checked() {
    let money = |minor| Money::from_minor(minor, Currency::USD).unwrap();
    assert_eq!(money(1).checked_add(money(2)), Ok(money(3)));
    assert_eq!(money(3).checked_sub(money(3)), Ok(Money::zero(Currency::USD)));
    assert_eq!(money(3).checked_sub(money(4)), Err(MoneyError::Negative));
    assert_eq!(money(Money::MAX_MINOR).checked_add(money(1)), Err(MoneyError::TooLarge));
    assert_eq!(Money::from_minor(-1, Currency::USD), Err(MoneyError::Negative));
    assert_eq!(Money::from_minor(Money::MAX_MINOR + 1, Currency::USD), Err(MoneyError::TooLarge));
    assert_eq!(Money::from_minor(i64::MAX, Currency::USD), Err(MoneyError::TooLarge));

    let mismatch = MoneyError::CurrencyMismatch { expected: Currency::USD, got: Currency::EUR };
    let euros = Money::zero(Currency::EUR);
    assert_eq!(money(1).checked_add(euros), Err(mismatch.clone()));
    assert_eq!(money(1).checked_sub(euros), Err(mismatch));
}

#[test]
fn a_decimal_may_be_a_negative_zero() {
    let mut zero = Decimal::new(0, 5);
    zero.set_sign_negative(true);
    assert_eq!(Money::new(zero, Currency::JPY), Ok(Money::zero(Currency::JPY)));
}

#[test]
fn serde_form() {
    let money = Money::parse("99.50", Currency::USD).unwrap();
    let json = r#"{"amount":"99.5","currency":"usd"}"#;
    assert_eq!(serde_json::to_string(&money).unwrap(), json);
    assert_eq!(serde_json::from_str::<Money>(json).unwrap(), money);
    assert_eq!(serde_json::from_str::<Money>(r#"{"currency":"Usd","amount":"9\u0039.5"}"#).unwrap(), money);
    for refused in [
        r#"{"amount":99.5,"currency":"usd"}"#,
        r#"{"amount":"99.555","currency":"usd"}"#,
        r#"{"amount":"-1","currency":"usd"}"#,
        r#"{"amount":"1","currency":"xau"}"#,
        r#"{"amount":"1"}"#,
        r#""99.5 usd""#,
    ] {
        assert!(serde_json::from_str::<Money>(refused).is_err(), "{refused}");
    }
}

#[test]
fn messages_are_one_sentence() {
    for (error, message) in [
        (MoneyError::Malformed, "the amount is not a decimal number"),
        (MoneyError::Negative, "the amount is negative"),
        (too_fine(Currency::USD), "the amount has more than the 2 decimal places of usd"),
        (MoneyError::TooLarge, "the amount is more than 9007199254740991 minor units"),
    ] {
        assert_eq!(error.to_string(), message);
    }
    let unknown = "quite a long name".parse::<Currency>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown currency \"quite a long…\"");
    assert_eq!("".parse::<Currency>().unwrap_err().input(), "");
}

#[test]
fn the_table_is_sorted_and_every_form_reads_back() {
    let all: Vec<Currency> = Currency::all().collect();
    assert!(all.is_sorted_by(|a, b| a < b && a.code() < b.code()));
    for currency in all {
        assert_eq!(currency.minor_per_unit(), 10_i64.pow(currency.exponent()));
        assert_eq!(currency.code().parse(), Ok(currency));
        assert_eq!(currency.to_string(), currency.code().to_lowercase());
        assert_eq!(format!("{currency:?}"), format!("Currency({})", currency.code()));
        let json = serde_json::to_string(&currency).unwrap();
        assert_eq!(json, format!("\"{currency}\""));
        assert_eq!(serde_json::from_str::<Currency>(&json).unwrap(), currency);
    }
    for unknown in ["US", "USDX", "usd ", "ÜSD", "XXX"] {
        assert!(unknown.parse::<Currency>().is_err(), "{unknown}");
    }
}

fn currencies() -> impl Strategy<Value = Currency> {
    prop::sample::select(Currency::all().collect::<Vec<_>>())
}

fn moneys() -> impl Strategy<Value = Money> {
    let minor = prop_oneof![0..=1_000_000_i64, 0..=Money::MAX_MINOR, Just(0), Just(Money::MAX_MINOR)];
    (minor, currencies()).prop_map(|(minor, currency)| Money::from_minor(minor, currency).unwrap())
}

/// What the minor units of `mantissa` times ten to the power of `power` are, computed another way.
fn oracle(mantissa: i64, power: i32, currency: Currency) -> Result<i64, MoneyError> {
    match mantissa {
        0 => return Ok(0),
        ..0 => return Err(MoneyError::Negative),
        1.. => {}
    }
    let power = power + i32::try_from(currency.exponent()).unwrap();
    let factor = 10_i128.pow(power.unsigned_abs());
    let minor = if power >= 0 {
        i128::from(mantissa) * factor
    } else if i128::from(mantissa) % factor == 0 {
        i128::from(mantissa) / factor
    } else {
        return Err(too_fine(currency));
    };
    i64::try_from(minor).ok().filter(|minor| *minor <= Money::MAX_MINOR).ok_or(MoneyError::TooLarge)
}

proptest! {
    #[test]
    fn invariant_5_every_amount_reads_back_from_its_text(money in moneys()) {
        let text = money.amount_text().to_string();
        prop_assert_eq!(Money::parse(&text, money.currency()), Ok(money));
        prop_assert_eq!(money.amount().to_string(), text);
        prop_assert_eq!(Money::new(money.amount(), money.currency()), Ok(money));
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn invariant_5_parse_agrees_with_integer_arithmetic(
        mantissa in prop_oneof![-100..=100_000_i64, any::<i64>()], zeros in 0_u32..4, power in -12..=12_i32,
        currency in currencies(),
    ) {
        let mantissa = mantissa.checked_mul(10_i64.pow(zeros)).unwrap_or(mantissa);
        let expected = oracle(mantissa, power, currency).map(|minor| (minor, currency));
        let parts = |money: Money| (money.minor(), money.currency());
        prop_assert_eq!(Money::parse(&format!("{mantissa}e{power}"), currency).map(parts), expected.clone());
        if power <= 0 {
            let decimal = Decimal::new(mantissa, power.unsigned_abs());
            prop_assert_eq!(Money::new(decimal, currency).map(parts), expected.clone());
            prop_assert_eq!(Money::parse(&decimal.to_string(), currency).map(parts), expected);
        }
    }

    #[test]
    fn invariant_5_parse_agrees_with_decimal(
        text in "(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?", currency in currencies(),
    ) {
        let decimal: Decimal = text.parse().unwrap();
        prop_assert_eq!(Money::parse(&text, currency), Money::new(decimal, currency));
    }

    #[test]
    fn invariant_5_only_json_numbers_are_read(text in "[-+.eE0-9_ ]{0,12}", currency in currencies()) {
        let json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok_and(|raw| raw.get() == text);
        let malformed = Money::parse(&text, currency) == Err(MoneyError::Malformed);
        prop_assert_eq!(malformed, !json, "{}", text);
    }

    #[test]
    fn invariant_5_no_text_panics(text in any::<String>(), currency in currencies()) {
        let _ = Money::parse(&text, currency);
        let _ = text.parse::<Currency>();
    }

    #[test]
    fn invariant_5_one_digit_finer_is_refused(money in moneys(), digit in 1..=9_i64) {
        let currency = money.currency();
        let finer = i128::from(money.minor()) * 10 + i128::from(digit);
        let finer = Decimal::from_i128_with_scale(finer, currency.exponent() + 1);
        prop_assert_eq!(Money::new(finer, currency), Err(too_fine(currency)));
        prop_assert_eq!(Money::parse(&finer.to_string(), currency), Err(too_fine(currency)));
    }

    #[test]
    fn invariant_5_any_decimal_is_kept_exactly_or_refused(
        mantissa in -79_228_162_514_264_337_593_543_950_335..=79_228_162_514_264_337_593_543_950_335_i128,
        scale in 0..=28_u32, currency in currencies(),
    ) {
        let decimal = Decimal::from_i128_with_scale(mantissa, scale);
        if let Ok(money) = Money::new(decimal, currency) {
            prop_assert_eq!(money.amount(), decimal);
        }
        prop_assert_eq!(Money::parse(&decimal.to_string(), currency), Money::new(decimal, currency));
    }

    #[test]
    fn invariant_5_sums_and_differences_undo_each_other(a in moneys(), b in moneys()) {
        let b = Money::from_minor(b.minor(), a.currency()).unwrap();
        match a.checked_add(b) {
            Ok(sum) => prop_assert_eq!(sum.checked_sub(b), Ok(a)),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::TooLarge);
                prop_assert!(a.minor() + b.minor() > Money::MAX_MINOR);
            }
        }
        prop_assert_eq!(a.checked_sub(b).is_ok(), a.minor() >= b.minor());
    }
}
