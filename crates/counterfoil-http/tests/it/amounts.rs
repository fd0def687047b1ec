//! Amounts: any exact way in, one exact way out.

use counterfoil_http::{Amounts, UnknownAmounts};
use serde_json::json;

use crate::support::{App, card_with};

/// What is sent, in which currency, and the digits that come back.
const EXACT: &[(&str, &str, &str)] = &[
    ("99.5", "usd", "99.5"),
    ("\"99.5\"", "usd", "99.5"),
    ("99.50", "usd", "99.5"),
    ("1e2", "usd", "100"),
    ("\"1E+2\"", "usd", "100"),
    ("100.000000000", "jpy", "100"),
    ("0.001", "kwd", "0.001"),
    ("1e-3", "kwd", "0.001"),
    ("0.1", "usd", "0.1"),
    ("0.29", "usd", "0.29"),
    ("4.35", "eur", "4.35"),
    ("\"\\u0031\"", "usd", "1"),
    // More digits than a float keeps.
    ("90071992547409.91", "usd", "90071992547409.91"),
    ("9007199254740991", "jpy", "9007199254740991"),
];

#[tokio::test]
async fn amounts_are_answered_as_exact_numbers_or_as_trimmed_strings() {
    let numbers = App::new();
    let strings = App::answering(Amounts::String);
    for (sent, currency, digits) in EXACT {
        let body = card_with("amount", Some(sent)).replace("\"usd\"", &format!("{currency:?}"));
        let answer = numbers.create(body.clone()).await;
        assert!(answer.text.contains(&format!("\"amount\":{digits},")), "{sent}: {}", answer.text);
        let answer = strings.create(body).await;
        assert!(answer.text.contains(&format!("\"amount\":\"{digits}\",")), "{sent}: {}", answer.text);
    }
}

#[tokio::test]
async fn wallets_answer_amounts_the_same_way() {
    let body = r#"{"amount": 1e2, "currency": "USD"}"#;
    let answer = App::new().post("/v1/wallets/w/top-ups", body).await;
    assert!(answer.text.contains(r#""balances":[{"currency":"usd","amount":100}]"#), "{}", answer.text);
    let answer = App::answering(Amounts::String).post("/v1/wallets/w/top-ups", body).await;
    assert!(answer.text.contains(r#""balances":[{"currency":"usd","amount":"100"}]"#), "{}", answer.text);
}

#[tokio::test]
async fn lists_and_changed_payments_answer_amounts_the_same_way() {
    for (amounts, digits) in [(Amounts::Number, "99.5"), (Amounts::String, "\"99.5\"")] {
        let app = App::answering(amounts);
        let id = app.create(card_with("amount", Some("99.50"))).await.string("/id");
        let expected = format!("\"amount\":{digits},");
        let list = app.get("/v1/payments").await.text;
        let changed = app.put(&format!("/v1/payments/{id}"), r#"{"metadata": {"a": "b"}}"#).await.text;
        assert!(list.contains(&expected) && changed.contains(&expected), "{list} {changed}");
    }
}

#[test]
fn the_two_ways_have_names() {
    assert_eq!("number".parse(), Ok(Amounts::Number));
    assert_eq!("string".parse(), Ok(Amounts::String));
    assert_eq!("Number".parse::<Amounts>(), Err(UnknownAmounts));
    assert_eq!(Amounts::default(), Amounts::Number);
}

/// An amount that is no number is what is wrong, whatever else is missing.
#[tokio::test]
async fn what_is_no_amount_is_refused_as_that() {
    let app = App::new();
    for amount in [json!("abc"), json!(-1), json!("")] {
        let body = json!({"amount": amount}).to_string();
        let due = json!({"amount_due": amount}).to_string();
        for (answer, field) in [
            (app.post("/v1/payments", body.clone()).await, "amount"),
            (app.post("/v1/wallets/w/top-ups", body).await, "amount"),
            (app.put("/v1/destinations/INVOICE/i", due).await, "amount_due"),
        ] {
            assert_eq!(
                answer.details_of("validation_error", 400),
                json!({"field": field}),
                "{}",
                answer.text
            );
        }
    }
    let more = json!({"payment_id": null, "amount": "abc"});
    let answer = app.report("n", "attempt.succeeded", "pay_1", more).await;
    assert_eq!(answer.details_of("validation_error", 400), json!({"field": "amount"}));
}
