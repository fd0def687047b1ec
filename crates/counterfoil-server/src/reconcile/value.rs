//! The values in the columns of a report.

use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::money::{Currency, Money};
use counterfoil::text::GatewayOperationId;

/// Why a report cannot be read.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

/// An amount, and whether it was written with a minus.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed {
    pub(super) amount: Money,
    pub(super) is_negative: bool,
}

/// The currency that a column gives.
pub(super) fn currency(text: Option<&str>) -> Result<Currency, Problem> {
    let text = text.ok_or_else(|| Problem("it has no currency".to_owned()))?;
    let currency = text.to_ascii_lowercase().parse();
    currency.map_err(|error| Problem(format!("currency {}: {error}", quoted(text))))
}

/// An amount in whole units, as in `-1234.50`, without separators of thousands.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Signed, Problem> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let amount = Money::parse(digits, currency);
    let amount = amount.map_err(|error| Problem(format!("amount {}: {error}", quoted(text))))?;
    Ok(Signed { amount, is_negative })
}

/// A time as a report writes it: a day, a second or a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The first moment of it.
    pub(crate) first: Timestamp,
    /// The last moment of it.
    pub(crate) last: Timestamp,
}

/// The time that a column gives, in UTC unless it has a zone.
pub(super) fn time(text: Option<&str>) -> Result<Span, Problem> {
    time_in(text, "Z")
}

/// The time that a column gives, at this offset from UTC unless it has a zone.
pub(super) fn time_in(text: Option<&str>, offset: &str) -> Result<Span, Problem> {
    let text = text.ok_or_else(|| Problem("it has no time".to_owned()))?;
    span(text, offset).ok_or_else(|| Problem(format!("time {}: {FORMS}", quoted(text))))
}

/// The time that an option gives, in UTC unless it has a zone.
pub(crate) fn time_of_option(text: &str) -> Result<Span, &'static str> {
    span(text, "Z").ok_or(FORMS)
}

const FORMS: &str =
    "not as in 2026-12-01T12:00:00Z, 2026-12-01T12:00:00+01:00, 2026-12-01 12:00:00 or 2026-12-01";

fn span(text: &str, offset: &str) -> Option<Span> {
    let seconds = |text: &str| text.parse::<Timestamp>().ok();
    let until = |text: &str| Some(seconds(text)?.saturating_add(Duration::from_micros(999_999)));
    if text.len() == 10 {
        let first = seconds(&format!("{text}T00:00:00{offset}"))?;
        return Some(Span { first, last: until(&format!("{text}T23:59:59{offset}"))? });
    }
    let rest = text.get(19..)?;
    let has_zone = rest.ends_with('Z') || rest.contains(['+', '-']);
    let whole = format!("{}{}", text.replacen(' ', "T", 1), if has_zone { "" } else { offset });
    let first = seconds(&whole)?;
    let last = if rest.starts_with('.') { first } else { until(&whole)? };
    Some(Span { first, last })
}

/// How much of a value is repeated in a message.
const QUOTED: usize = 60;

/// The value for a message; a long one is cut.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

/// A name that a gateway gave.
pub(super) fn name(text: &str) -> Result<GatewayOperationId, Problem> {
    GatewayOperationId::new(text).map_err(|error| Problem(format!("name {}: {error}", quoted(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_reports_write_them() {
        let read = |text| time(Some(text)).map(|at| at.first.to_string()).map_err(|Problem(why)| why);
        for text in ["2026-12-01 10:00:00", "2026-12-01T10:00:00Z", "2026-12-01T05:00:00-05:00"] {
            assert_eq!(read(text).as_deref(), Ok("2026-12-01T10:00:00.000000Z"), "{text}");
        }
        assert_eq!(read("2026-12-01").as_deref(), Ok("2026-12-01T00:00:00.000000Z"));
        assert!(read("01/12/2026 10:00").is_err() && time(None).is_err());
        let why = read("yesterday").unwrap_err();
        assert!(why.ends_with("2026-12-01 12:00:00 or 2026-12-01"), "{why}");
    }

    #[test]
    fn a_day_and_a_second_end_at_their_last_moment() {
        let last = |text| time(Some(text)).unwrap().last.to_string();
        assert_eq!(last("2026-12-01"), "2026-12-01T23:59:59.999999Z");
        assert_eq!(last("2026-12-01 10:00:00"), "2026-12-01T10:00:00.999999Z");
        assert_eq!(last("2026-12-01T10:00:00.5Z"), "2026-12-01T10:00:00.500000Z");
        assert_eq!(last("2026-12-01T10:00:00-05:00"), "2026-12-01T15:00:00.999999Z");
        let day = time_in(Some("2026-12-01"), "+01:00").unwrap();
        assert_eq!(day.first.to_string(), "2026-11-30T23:00:00.000000Z");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(quoted(&"é".repeat(60)), format!("`{}`", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn amounts_are_exact() {
        let read = |text| amount(text, Currency::USD).map(|it| (it.amount.minor(), it.is_negative)).ok();
        assert_eq!(read("-1234.50"), Some((123_450, true)));
        assert_eq!(read("0.1"), Some((10, false)));
        for text in ["1,234.50", "1.005", "--1", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
