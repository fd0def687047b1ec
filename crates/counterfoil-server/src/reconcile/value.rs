//! The values in the columns of a report.

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
    currency.map_err(|error| Problem(format!("currency `{text}`: {error}")))
}

/// An amount in whole units, as in `-1234.50`, without separators of thousands.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Signed, Problem> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let amount = Money::parse(digits, currency);
    let amount = amount.map_err(|error| Problem(format!("amount `{text}`: {error}")))?;
    Ok(Signed { amount, is_negative })
}

/// A moment; without a zone it is UTC, and a day is its first moment.
pub(super) fn time(text: Option<&str>) -> Result<Timestamp, Problem> {
    let text = text.ok_or_else(|| Problem("it has no time".to_owned()))?;
    let has_zone = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ if has_zone => text.replacen(' ', "T", 1),
        _ => format!("{}Z", text.replacen(' ', "T", 1)),
    };
    whole.parse().map_err(|error| Problem(format!("time `{text}`: {error}")))
}

/// A name that a gateway gave.
pub(super) fn name(text: &str) -> Result<GatewayOperationId, Problem> {
    GatewayOperationId::new(text).map_err(|error| Problem(format!("name `{text}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_reports_write_them() {
        let read = |text| time(Some(text)).map(|at| at.to_string()).map_err(|Problem(why)| why);
        for text in ["2026-12-01 10:00:00", "2026-12-01T10:00:00Z", "2026-12-01T05:00:00-05:00"] {
            assert_eq!(read(text).as_deref(), Ok("2026-12-01T10:00:00.000000Z"), "{text}");
        }
        assert_eq!(read("2026-12-01").as_deref(), Ok("2026-12-01T00:00:00.000000Z"));
        assert!(read("01/12/2026 10:00").is_err() && time(None).is_err());
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
