//! `GET /v1/events` (invariants 36, 40).

use axum::http::Method;
use counterfoil::store::Position;
use serde_json::{Value, json};

use crate::support::{ACME, ACME_LIVE, App, CARD, GLOBEX, request};

/// Two payments and a wallet of Ann, and a payment of Bob between them.
async fn busy() -> App {
    let app = App::new();
    app.create(CARD).await;
    app.send(request(Method::POST, "/v1/payments", GLOBEX, CARD)).await;
    app.post("/v1/wallets/w/top-ups", r#"{"amount": 5, "currency": "usd"}"#).await;
    app.create(CARD).await;
    app
}

async fn feed(app: &App, key: &str, query: &str) -> Value {
    let answer = app.send(request(Method::GET, &format!("/v1/events{query}"), key, "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn items(feed: &Value) -> Vec<Value> {
    feed["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_event_of_the_scope_is_told_as_its_history_tells_it() {
    let app = busy().await;
    let all = items(&feed(&app, ACME, "").await);
    let types: Vec<_> = all.iter().map(|item| item["type"].as_str().unwrap()).collect();
    let made = ["payment.created", "attempt.reported"];
    assert_eq!(types, [&made[..], &["wallet.topped_up"], &made[..]].concat());
    assert_eq!((&all[2]["account_id"], all[2].get("payment_id")), (&json!("wallet:w"), None));
    for id in [&all[0]["payment_id"], &all[3]["payment_id"]] {
        let history = app.get(&format!("/v1/payments/{}/events", id.as_str().unwrap())).await.json();
        let mut told: Vec<Value> = all.iter().filter(|item| item["payment_id"] == *id).cloned().collect();
        for item in &mut told {
            let members = item.as_object_mut().unwrap();
            assert!(
                members.remove("position").unwrap().is_string() && members.remove("payment_id").is_some()
            );
        }
        assert_eq!(history["items"], json!(told));
    }
}

#[tokio::test]
async fn whoever_goes_on_from_next_or_a_position_misses_nothing() {
    let app = busy().await;
    let whole = feed(&app, ACME, "").await;
    let all = items(&whole);
    for limit in 1..=6 {
        let (mut seen, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = feed(&app, ACME, &query).await;
            assert!(items(&page).len() <= limit);
            let next = format!("?limit={limit}&after={}", page["next"].as_str().unwrap());
            seen.extend(items(&page));
            if next == query {
                break;
            }
            query = next;
        }
        assert_eq!(seen, all, "{limit}");
    }
    for (number, item) in all.iter().enumerate() {
        let behind = feed(&app, ACME, &format!("?after={}", item["position"].as_str().unwrap())).await;
        assert_eq!(items(&behind), all[number + 1..]);
    }
    let end = format!("?after={}", whole["next"].as_str().unwrap());
    assert!(items(&feed(&app, ACME, &end).await).is_empty());
    app.create(CARD).await;
    assert_eq!(items(&feed(&app, ACME, &end).await).len(), 2, "what came since");
}

#[tokio::test]
async fn a_key_sees_its_own_scope() {
    let app = busy().await;
    let bobs = items(&feed(&app, GLOBEX, "").await);
    assert!(bobs.len() == 2 && bobs.iter().all(|item| item["actor"] == "bob"));
    assert!(items(&feed(&app, ACME_LIVE, "").await).is_empty());
    let anns = items(&feed(&app, ACME, "").await);
    assert!(anns.iter().all(|item| item["actor"] == "ann"));
    let behind = feed(&app, GLOBEX, &format!("?after={}", anns[0]["position"].as_str().unwrap())).await;
    assert_eq!(items(&behind), bobs, "a position of another's event is a place like any other");
}

#[tokio::test]
async fn bad_places_and_limits_are_refused() {
    let app = busy().await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?limit=", "limit"),
        ("?limit=1&limit=1", "limit"),
        ("?after=", "after"),
        ("?after=1", "after"),
        ("?after=%FF", "after"),
        ("?after=zzzzzzzzzzzzzzzzzzzzzzzzzz", "after"),
        ("?after=0000000007-0000001-0000000000000", "after"),
        ("?after=0&after=0", "after"),
    ] {
        let answer = app.get(&format!("/v1/events{query}")).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}), "{query}");
    }
    // It would start over.
    let misspelt = app.get("/v1/events?aftr=0").await;
    assert_eq!(misspelt.details_of("validation_error", 400)["nearest"], "after");
}

/// INVARIANTS 40.
#[tokio::test]
async fn unknown_position_is_410() {
    let (app, another) = (busy().await, busy().await);
    let next = feed(&another, ACME, "").await["next"].as_str().unwrap().to_owned();
    let own: Position = feed(&app, ACME, "").await["next"].as_str().unwrap().parse().unwrap();
    let beyond = own.era().unwrap().position(u64::MAX).to_string();
    for after in [next, beyond] {
        let answer = app.get(&format!("/v1/events?after={after}")).await;
        assert_eq!(answer.details_of("unknown_position", 410), Value::Null, "{after}");
        assert!(answer.string("/message").contains("read the feed again from its start"), "{}", answer.text);
        assert_eq!(answer.header("retry-after"), None);
    }
    assert_eq!(
        feed(&app, ACME, "?after=0").await,
        feed(&app, ACME, "").await,
        "the start is known to every feed"
    );
}
