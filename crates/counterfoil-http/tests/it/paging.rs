//! `GET /v1/payments`: sorted, page by page (invariant 37).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, ids};
use crate::support::{ACME, App, CARD, GLOBEX, card_with, recorded, request};

const SORTS: [&str; 3] = ["created_at", "updated_at", "amount"];

async fn page(app: &App, query: &str) -> Value {
    let answer = app.get(&format!("/v1/payments?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

/// Which ids there are, sorted by what is read of the payments one by one.
fn sorted(shop: &Shop, sort: &str, order: &str) -> Vec<String> {
    let listed = shop.payments.iter().filter(|(_, archived)| !archived).map(|(payment, _)| payment);
    let key = |payment: &Value| match sort {
        "amount" => format!("{:020}", payment["amount"].as_u64().unwrap()),
        _ => payment[sort].as_str().unwrap().to_owned(),
    };
    let mut keyed: Vec<_> = listed.map(|p| (key(p), p["id"].as_str().unwrap().to_owned())).collect();
    keyed.sort();
    if order == "desc" {
        keyed.sort_by_key(|pair| Reverse(pair.clone()));
    }
    keyed.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
async fn the_whole_is_sorted_and_ties_break_by_id() {
    let shop = Shop::open().await;
    for sort in SORTS {
        for order in ["asc", "desc"] {
            let whole = shop.ids(&format!("sort={sort}&order={order}")).await;
            assert_eq!(whole, sorted(&shop, sort, order), "{sort} {order}");
        }
    }
    assert_eq!(shop.ids("").await, sorted(&shop, "created_at", "desc"), "the newest first");
}

#[tokio::test]
async fn pages_by_offset_are_counted_and_make_the_whole() {
    let shop = Shop::open().await;
    for sort in SORTS {
        let whole = shop.ids(&format!("sort={sort}")).await;
        for limit in [1, 7, whole.len(), 1_000] {
            for offset in (0..=whole.len() + limit).step_by(limit) {
                let page = page(&shop.app, &format!("sort={sort}&limit={limit}&offset={offset}")).await;
                let end = (offset + limit).min(whole.len());
                assert_eq!(ids(&page), whole[offset.min(end)..end]);
                let pagination = page["pagination"].as_object().unwrap();
                let counted = [&pagination["total"], &pagination["limit"], &pagination["offset"]];
                assert_eq!(counted, [&json!(whole.len()), &json!(limit), &json!(offset)]);
                assert_eq!(pagination.contains_key("next_cursor"), end < whole.len() && offset < end);
            }
        }
    }
    let counted = page(&shop.app, "currency=usd&limit=1").await["pagination"]["total"].clone();
    assert_eq!(counted, json!(shop.ids("currency=usd").await.len()), "what matches is counted");
}

#[tokio::test]
async fn pages_by_cursor_are_not_counted_and_make_the_whole() {
    let shop = Shop::open().await;
    for (sort, order) in SORTS.into_iter().flat_map(|sort| [(sort, "asc"), (sort, "desc")]) {
        let first = format!("sort={sort}&order={order}&payment_method_type=CARD");
        let whole = shop.ids(&first).await;
        for limit in [1, 3, whole.len() - 1, whole.len()] {
            let (mut seen, mut query) = (Vec::new(), format!("{first}&limit={limit}"));
            loop {
                let page = page(&shop.app, &query).await;
                seen.extend(ids(&page));
                let pagination = &page["pagination"];
                let Some(next) = pagination.get("next_cursor").and_then(Value::as_str) else { break };
                query = format!("cursor={next}&payment_method_type=CARD&limit={limit}");
                if seen.len() > limit {
                    assert_eq!(pagination.as_object().unwrap().len(), 2, "{pagination}");
                }
            }
            assert_eq!(seen, whole, "{sort} {order} {limit}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_not_contradicted() {
    let shop = Shop::open().await;
    let first = page(&shop.app, "sort=amount&order=asc&limit=2").await;
    let cursor = first["pagination"]["next_cursor"].as_str().unwrap().to_owned();
    let second = shop.ids(&format!("cursor={cursor}&limit=2")).await;
    let said = format!("order=asc&limit=2&cursor={cursor}&sort=amount");
    assert_eq!(shop.ids(&said).await, second, "it may be said again");
    for (more, field) in [
        ("sort=created_at", "sort"),
        ("order=desc", "order"),
        ("offset=2", "offset"),
        ("offset=0", "offset"),
        ("sort=updated_at&order=asc", "sort"),
    ] {
        let answer = shop.app.get(&format!("/v1/payments?cursor={cursor}&{more}")).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}), "{more}");
    }
    let damaged =
        [&cursor[1..], &format!("{cursor}0"), &cursor.to_uppercase(), &format!("9{}", &cursor[1..])];
    for damaged in damaged {
        let answer = shop.app.get(&format!("/v1/payments?cursor={damaged}")).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": "cursor"}), "{damaged}");
    }
}

/// INVARIANTS 37.
#[tokio::test]
async fn while_all_is_in_motion_each_is_met_once() {
    for order in ["asc", "desc"] {
        let app = App::new();
        let mut there = Vec::new();
        for _ in 0..12 {
            there.push(app.create(recorded()).await.string("/id"));
        }
        let (mut met, mut gone) = (Vec::new(), BTreeSet::new());
        let mut query = format!("order={order}&limit=2");
        for round in 0.. {
            let page = page(&app, &query).await;
            met.extend(ids(&page));
            let Some(next) = page["pagination"].get("next_cursor").and_then(Value::as_str) else { break };
            query = format!("cursor={next}&limit=2");
            // One more, one changed, one paid, one gone; the one that the cursor stands behind among them.
            app.create(CARD).await;
            let at = |place: usize| format!("/v1/payments/{}", there[place % there.len()]);
            app.put(&at(round), r#"{"metadata": {"touched": "yes"}}"#).await;
            app.post(&format!("{}/process", at(round * 5 + 1)), "").await;
            let behind = met.last().unwrap().clone();
            for id in [behind, there[(round * 7) % there.len()].clone()] {
                if app.delete(&format!("/v1/payments/{id}")).await.status == 200 {
                    gone.insert(id);
                }
            }
        }
        for id in &there {
            let times = met.iter().filter(|met| *met == id).count();
            assert!(times == 1 || times == 0 && gone.contains(id), "{order}: {id} was met {times} times");
        }
        assert!(met.len() > 8, "{order}: {met:?}");
    }
}

/// INVARIANTS 36.
#[tokio::test]
async fn a_cursor_of_another_opens_nothing() {
    let app = App::new();
    for key in [ACME, GLOBEX, ACME, GLOBEX] {
        app.send(request(Method::POST, "/v1/payments", key, card_with("amount", Some("5")))).await;
    }
    let theirs = app.send(request(Method::GET, "/v1/payments?limit=1&order=asc", GLOBEX, "")).await.json();
    let cursor = theirs["pagination"]["next_cursor"].as_str().unwrap();
    let mine = page(&app, &format!("cursor={cursor}")).await;
    assert_eq!(mine["items"].as_array().unwrap().len(), 1, "the later one of my own");
    assert_eq!(mine["items"][0]["created_by"], "ann");
}
