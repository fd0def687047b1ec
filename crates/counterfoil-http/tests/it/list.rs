//! `GET /v1/payments`: filters, alone and by twos, and what is refused (invariant 36).

use axum::http::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, ids};
use crate::support::{ACME, ACME_LIVE, App, CARD, GLOBEX, recorded, request};

/// Values of every filter: those that occur, and one that does not.
fn filters(shop: &Shop) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let fields = [
        ("destination_type", None),
        ("destination_id", Some("inv_3")),
        ("payment_method_type", Some("CREDITS")),
        ("payment_status", Some("VOIDED")),
        ("payment_gateway", Some("paddle")),
        ("gateway_payment_id", Some("pi_0")),
        ("gateway_tracking_id", Some("cs")),
    ];
    for (name, other) in fields {
        let mut values: Vec<_> = shop
            .payments
            .iter()
            .filter_map(|(payment, _)| Some(payment.get(name)?.as_str()?.to_owned()))
            .collect();
        values.sort();
        values.dedup();
        all.extend(values.into_iter().chain(other.map(str::to_owned)).map(|value| (name, value)));
    }
    let text = |number: usize, field: &str| shop.payments[number].0[field].as_str().unwrap().to_owned();
    all.extend(["usd", "EUR", "Jpy", "chf"].map(|value| ("currency", value.to_owned())));
    all.extend(["published", "archived", "deleted"].map(|value| ("status", value.to_owned())));
    all.extend([3, 30].map(|number| ("start_time", text(number, "created_at"))));
    all.extend([5, 25].map(|number| ("end_time", text(number, "created_at"))));
    all.push(("payment_ids", text(9, "id")));
    let some: Vec<_> = (0..40).step_by(3).map(|number| text(number, "id")).collect();
    all.push(("payment_ids", some.join(",")));
    all
}

fn encoded(parameters: &[(&str, String)]) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", value.bytes().map(escape).collect::<String>()))
        .collect();
    pairs.join("&")
}

#[tokio::test]
async fn every_filter_and_every_two_of_them_do_what_they_say() {
    let shop = Shop::open().await;
    let filters = filters(&shop);
    let (mut some, mut none) = (0, 0);
    for (place, one) in filters.iter().enumerate() {
        for other in &filters[place..] {
            if one.0 == other.0 && one != other {
                continue;
            }
            let parameters = if one == other { vec![one.clone()] } else { vec![one.clone(), other.clone()] };
            let found = shop.ids(&encoded(&parameters)).await;
            assert_eq!(found, shop.naive(&parameters), "{parameters:?}");
            if found.is_empty() { none += 1 } else { some += 1 }
        }
    }
    assert!(some > 300 && none > 50, "the values tell payments apart: {some}, {none}");
}

#[tokio::test]
async fn all_filters_at_once_find_the_one() {
    let shop = Shop::open().await;
    let (payment, _) =
        shop.payments.iter().find(|(p, archived)| p["gateway_payment_id"].is_string() && !archived).unwrap();
    let mut parameters: Vec<(&str, String)> = vec![("status", "published".to_owned())];
    for name in [
        "destination_type",
        "destination_id",
        "payment_method_type",
        "payment_status",
        "payment_gateway",
        "currency",
        "gateway_payment_id",
        "gateway_tracking_id",
    ] {
        parameters.push((name, payment[name].as_str().unwrap().to_owned()));
    }
    for (name, field) in [("payment_ids", "id"), ("start_time", "created_at"), ("end_time", "created_at")] {
        parameters.push((name, payment[field].as_str().unwrap().to_owned()));
    }
    let id = payment["id"].as_str().unwrap();
    assert_eq!(shop.ids(&encoded(&parameters)).await, [id]);
    for left_out in 0..parameters.len() {
        let mut fewer = parameters.clone();
        fewer.remove(left_out);
        assert_eq!(shop.ids(&encoded(&fewer)).await, shop.naive(&fewer));
    }
}

#[tokio::test]
async fn an_item_is_what_a_read_answers() {
    let shop = Shop::open().await;
    for query in ["limit=1000", "limit=1000&status=archived"] {
        let list = shop.app.get(&format!("/v1/payments?{query}")).await.json();
        assert!(list["items"].as_array().unwrap().len() > 3);
        for item in list["items"].as_array().unwrap() {
            let (payment, _) = shop.payments.iter().find(|(payment, _)| payment["id"] == item["id"]).unwrap();
            assert_eq!(item, payment);
        }
    }
}

#[tokio::test]
async fn ids_are_given_in_every_way() {
    let app = App::new();
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(app.create(CARD).await.string("/id"));
    }
    let find = async |query: String| ids(&app.get(&format!("/v1/payments?order=asc&{query}")).await.json());
    let [a, b, c, _] = &made[..] else { panic!("four") };
    for query in [
        format!("payment_ids={a},{b},{c}"),
        format!("payment_ids={a}%2C{b}%2c{c}"),
        format!("payment_ids={c}&payment_ids={a},{b}"),
        format!("payment_ids={a}&payment_ids={b}&payment_ids={c}&payment_ids={a}"),
        format!("%70ayment_ids={a},,+{b}+,x,{c},pay_1,{}", a.to_uppercase()),
    ] {
        assert_eq!(find(query.clone()).await, made[..3], "{query}");
    }
    for nothing in [
        "payment_ids=",
        "payment_ids",
        "payment_ids=,",
        "payment_ids=x",
        "payment_ids=pay_00000000000000000000000007",
    ] {
        assert!(find(nothing.to_owned()).await.is_empty(), "{nothing}: what is no id is the id of nothing");
    }
}

#[tokio::test]
async fn bad_parameters_are_refused_by_name() {
    let app = App::new();
    app.create(CARD).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.0", "limit"),
        ("limit=", "limit"),
        ("limit=5&limit=5", "limit"),
        ("offset=-1", "offset"),
        ("offset=", "offset"),
        ("offset=9223372036854775808", "offset"),
        ("currency=", "currency"),
        ("currency=usdd", "currency"),
        ("currency=usd&currency=usd", "currency"),
        ("start_time=", "start_time"),
        ("start_time=yesterday", "start_time"),
        ("end_time=2026-01-01", "end_time"),
        ("end_time=2026-01-01T00:00:00+00:00", "end_time"),
        ("destination_id=", "destination_id"),
        ("destination_id=%00", "destination_id"),
        ("destination_id=%FF", "destination_id"),
        ("payment_ids=%FF", "payment_ids"),
        ("payment_gateway=+", "payment_gateway"),
        ("gateway_payment_id=", "gateway_payment_id"),
        ("gateway_tracking_id=%0A", "gateway_tracking_id"),
        ("cursor=", "cursor"),
        ("cursor=1", "cursor"),
        ("cursor=%C3%BC", "cursor"),
    ] {
        let answer = app.get(&format!("/v1/payments?{query}")).await;
        assert_eq!(answer.details_of("validation_error", 400), json!({"field": field}), "{query}");
        assert!(counterfoil_http::parse_list(query).is_err());
    }
    for (field, value, allowed) in [
        ("payment_method_type", "card", json!(["CARD", "ACH", "OFFLINE", "CREDITS", "PAYMENT_LINK", "UPI"])),
        ("destination_type", "", json!(["INVOICE", "CUSTOMER"])),
        ("status", "open", json!(["published", "archived", "deleted"])),
        ("sort", "id", json!(["created_at", "updated_at", "amount"])),
        ("order", "ASC", json!(["asc", "desc"])),
    ] {
        let answer = app.get(&format!("/v1/payments?{field}={value}")).await;
        let details = answer.details_of("validation_error", 400);
        assert_eq!(details, json!({"field": field, "allowed": allowed}));
    }
    let details = app.get("/v1/payments?payment_status=PAID").await.details_of("validation_error", 400);
    assert_eq!(
        (&details["field"], details["allowed"].as_array().unwrap().len()),
        (&json!("payment_status"), 12)
    );
}

#[tokio::test]
async fn what_nobody_asks_for_is_ignored() {
    let app = App::new();
    let id = app.create(CARD).await.string("/id");
    for query in [
        "",
        "?",
        "?expand=customer&colour=red",
        "?expand=&&=&%FF=1&=2",
        "?LIMIT=0",
        "?end_time=2999-01-01T00:00:00%2B01:00",
    ] {
        let answer = app.get(&format!("/v1/payments{query}")).await;
        assert_eq!((answer.status, ids(&answer.json())), (200, vec![id.clone()]), "{query}");
        let pagination = json!({"total": 1, "limit": 50, "offset": 0});
        assert_eq!(answer.json()["pagination"], pagination);
    }
}

#[tokio::test]
async fn a_query_string_has_its_limit() {
    let app = App::new();
    app.create(recorded()).await;
    let of_length = |length: usize| format!("/v1/payments?x={}", "y".repeat(length - 2));
    assert_eq!(app.get(&of_length(48 * 1024)).await.status, 200);
    let refused = app.get(&of_length(48 * 1024 + 1)).await;
    assert_eq!(refused.details_of("validation_error", 400), Value::Null);
}

#[tokio::test]
async fn a_key_lists_its_own_scope() {
    let app = App::new();
    let mine = app.create(CARD).await.string("/id");
    let theirs = app.send(request(Method::POST, "/v1/payments", GLOBEX, CARD)).await.string("/id");
    let list = async |key: &str, query: &str| {
        let answer = app.send(request(Method::GET, &format!("/v1/payments?{query}"), key, "")).await;
        (ids(&answer.json()), answer.json()["pagination"]["total"].clone())
    };
    let both = format!("payment_ids={mine},{theirs}");
    for query in ["", &both] {
        assert_eq!(list(ACME, query).await, (vec![mine.clone()], json!(1)));
        assert_eq!(list(GLOBEX, query).await, (vec![theirs.clone()], json!(1)));
        assert_eq!(list(ACME_LIVE, query).await, (vec![], json!(0)));
    }
}
