//! What an account is called in Beancount.
//!
//! `Root:TENANT:ENVIRONMENT:…`, one component per text, and each text written so that no two are ever written alike and
//! each can be read back:
//!
//! * ASCII letters and digits stand for themselves, `-` is written `--`, `_` is `-u`, and any other byte of the text's
//!   UTF-8 is `-` and two capital hexadecimal digits.
//! * A component has to begin with a capital or a digit. So a small first letter is written as its capital, and
//!   whatever does not begin with a small letter or a digit from 1 to 9 gets a `0` in front.
//!
//! Non-ASCII letters would be allowed in part, but which ones depends on whose Unicode tables are asked.

use std::fmt::Write;

use counterfoil::account::AccountId;
use counterfoil::scope::Scope;

/// The name of an account of `scope`; `None` if it is of no known kind.
pub(super) fn account(scope: &Scope, id: &AccountId) -> Option<String> {
    let (kind, rest) = id.as_str().split_once(':').unwrap_or((id.as_str(), ""));
    let (root, own) = match kind {
        "gateway" => ("Assets", format!("Gateway:{}", component(rest))),
        "disputed" => ("Assets", format!("Disputed:{}", component(rest))),
        "payouts" => ("Assets", format!("Payouts:{}", component(rest))),
        "fees" => ("Expenses", format!("Fees:{}", component(rest))),
        "offline" => ("Assets", "Offline".to_owned()),
        "wallet" => ("Liabilities", format!("Wallet:{}", component(rest))),
        "destination" => {
            let (kind, id) = rest.split_once(':')?;
            ("Income", format!("{}:{}", component(kind), component(id)))
        }
        "funding" => ("Equity", "Funding".to_owned()),
        _ => return None,
    };
    let (tenant, environment) = (scope.tenant().as_str(), scope.environment().as_str());
    Some(format!("{root}:{}:{}:{own}", component(tenant), component(environment)))
}

/// A text as a component.
fn component(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    let mut rest = text.bytes();
    match text.bytes().next() {
        Some(first @ (b'a'..=b'z' | b'1'..=b'9')) => {
            written.push(char::from(first.to_ascii_uppercase()));
            rest.next();
        }
        _ => written.push('0'),
    }
    for byte in rest {
        match byte {
            b'-' => written.push_str("--"),
            b'_' => written.push_str("-u"),
            byte if byte.is_ascii_alphanumeric() => written.push(char::from(byte)),
            byte => {
                // Writing to a text cannot fail.
                let _ = write!(written, "-{byte:02X}");
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn components_are_legal_and_no_two_are_alike() {
        let letters = ["a", "A", "u", "U", "0", "1", "2", "D", "-", "_", "-u", "-2D", ":", " ", "é", "\""];
        let mut texts = vec![String::new()];
        let mut met = HashMap::new();
        for _ in 0..3 {
            texts = texts.iter().flat_map(|text| letters.map(|letter| format!("{text}{letter}"))).collect();
            for text in &texts {
                let name = component(text);
                assert!(name.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()), "{name}");
                assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
                let other = met.insert(name, text.clone());
                assert!(other.is_none_or(|other| other == *text), "{text:?} is written like another");
            }
        }
        assert_eq!(component(""), "0");
    }

    #[test]
    fn accounts_stand_under_their_roots() {
        let scope = Scope::new("acme".parse().unwrap(), "Live-1".parse().unwrap());
        for (id, name) in [
            ("gateway:stripe", "Assets:Acme:0Live--1:Gateway:Stripe"),
            ("fees:stripe", "Expenses:Acme:0Live--1:Fees:Stripe"),
            ("payouts:stripe", "Assets:Acme:0Live--1:Payouts:Stripe"),
            ("offline", "Assets:Acme:0Live--1:Offline"),
            ("wallet:007", "Liabilities:Acme:0Live--1:Wallet:0007"),
            ("destination:INVOICE:inv_2026_001", "Income:Acme:0Live--1:0INVOICE:Inv-u2026-u001"),
            ("destination:CUSTOMER:a:é", "Income:Acme:0Live--1:0CUSTOMER:A-3A-C3-A9"),
            ("funding", "Equity:Acme:0Live--1:Funding"),
        ] {
            assert_eq!(account(&scope, &AccountId::from_text(id).unwrap()).as_deref(), Some(name));
        }
    }
}
