//! Our currency table against an independent one, in both directions.

use counterfoil::money::Currency;

/// What the other table still has and ours leaves out, because ISO has moved it to its list of historic codes.
const RETIRED: [(&str, &str); 5] = [
    ("BGN", "Bulgaria took the euro on 2026-01-01"),
    ("CUC", "withdrawn from use in Cuba on 2021-01-01 (amendment 178)"),
    ("HRK", "Croatia took the euro on 2023-01-01 (amendment 174)"),
    ("SLL", "Sierra Leone redenominated, SLE since 2022-07-01 (amendments 171 to 175)"),
    ("ZWL", "Zimbabwe Gold, ZWG, since 2024-06-25 (amendment 177)"),
];

// No deviation, but a difference: the other table calls VES superseded by VED. In ISO's list one both are current.

#[test]
fn the_table_is_that_of_iso_4217() {
    for code in all_codes() {
        let ours = code.parse::<Currency>().ok();
        let theirs = iso_currency::Currency::from_code(&code).and_then(exponent);
        if let Some((_, reason)) = RETIRED.iter().find(|(retired, _)| *retired == code) {
            assert_eq!(ours, None, "{code}: {reason}");
            assert!(theirs.is_some(), "{code} is no deviation any more: take it off the list");
        } else {
            assert_eq!(ours.map(Currency::exponent), theirs, "{code}");
        }
    }
}

#[test]
fn what_is_left_out_has_no_minor_unit() {
    for code in ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"] {
        let theirs = iso_currency::Currency::from_code(code);
        assert_eq!(theirs.map(exponent), Some(None), "{code}");
        assert!(code.parse::<Currency>().is_err(), "{code}");
    }
}

#[test]
fn all_lists_each_currency_once() {
    let listed: Vec<&str> = Currency::all().map(Currency::code).collect();
    let found: Vec<String> = all_codes().filter(|code| code.parse::<Currency>().is_ok()).collect();
    assert_eq!(listed, found);
}

/// AAA to ZZZ, so that nothing that either table has is missed.
fn all_codes() -> impl Iterator<Item = String> {
    let letters = || 'A'..='Z';
    letters()
        .flat_map(move |a| letters().flat_map(move |b| letters().map(move |c| [a, b, c].iter().collect())))
}

fn exponent(currency: iso_currency::Currency) -> Option<u32> {
    currency.exponent().map(u32::from)
}
