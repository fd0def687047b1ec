//! Amounts of postings and of sums of them: exact, of either sign, and as large as a sum may be.

use counterfoil::money::Currency;

/// In all the places of its currency, as in `-99.50`: so a reader that allows for rounding allows for none here.
pub(super) fn in_full(minor: i128, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let per_unit = 10_u128.pow(currency.exponent());
    let (whole, part) = (minor.unsigned_abs() / per_unit, minor.unsigned_abs() % per_unit);
    match usize::try_from(currency.exponent()).unwrap_or(0) {
        0 => format!("{sign}{whole}"),
        places => format!("{sign}{whole}.{part:0places$}"),
    }
}

/// Without trailing zeros, as in `-99.5`: how amounts are written everywhere else.
pub(crate) fn short(minor: i128, currency: Currency) -> String {
    let full = in_full(minor, currency);
    if full.contains('.') { full.trim_end_matches('0').trim_end_matches('.').to_owned() } else { full }
}

#[cfg(test)]
mod tests {
    use counterfoil::money::Money;

    use super::*;

    #[test]
    fn amounts_are_exact_in_every_currency() {
        for (minor, currency, full, trimmed) in [
            (9_950, Currency::USD, "99.50", "99.5"),
            (-9_950, Currency::USD, "-99.50", "-99.5"),
            (-5, Currency::USD, "-0.05", "-0.05"),
            (10_000, Currency::USD, "100.00", "100"),
            (0, Currency::USD, "0.00", "0"),
            (100, Currency::JPY, "100", "100"),
            (-1_001, Currency::KWD, "-1.001", "-1.001"),
            (i128::from(i64::MAX) * 100, Currency::EUR, "9223372036854775807.00", "9223372036854775807"),
        ] {
            assert_eq!((in_full(minor, currency).as_str(), short(minor, currency).as_str()), (full, trimmed));
        }
    }

    #[test]
    fn the_short_form_is_that_of_money() {
        for currency in Currency::all() {
            for minor in [0, 1, 10, 12_345, 1_200_000, Money::MAX_MINOR] {
                let money = Money::from_minor(minor, currency).unwrap();
                assert_eq!(short(minor.into(), currency), money.amount_text().to_string());
            }
        }
    }
}
