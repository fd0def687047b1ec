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
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ if text.ends_with('Z') || text.contains('+') => text.replacen(' ', "T", 1),
        _ => format!("{}Z", text.replacen(' ', "T", 1)),
    };
    whole.parse().map_err(|error| Problem(format!("time `{text}`: {error}")))
}

/// A name that a gateway gave.
pub(super) fn name(text: &str) -> Result<GatewayOperationId, Problem> {
    GatewayOperationId::new(text).map_err(|error| Problem(format!("name `{text}`: {error}")))
}
