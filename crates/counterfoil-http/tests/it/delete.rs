//! `DELETE /v1/payments/{id}`.

use serde_json::{Value, json};

use crate::support::{App, CARD, card_with, recorded};

#[tokio::test]
async fn what_came_to_nothing_is_archived_and_still_there() {
    let app = App::new();
    let keyed = |body: String| body.replace("123", "123, \"idempotency_key\": \"k\"");
    let declined = card_with("payment_method_id", Some("\"pm_sandbox_decline\""));
    for body in [keyed(recorded()), declined] {
        let id = app.create(body.clone()).await.string("/id");
        let path = format!("/v1/payments/{id}");
        let answer = app.delete(&path).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"message": "the payment is archived"})));
        let before = app.books().await;
        let again = app.delete(&path).await;
        assert_eq!(
            (again.status, &again.text, again.header("idempotent-replayed")),
            (200, &answer.text, None)
        );
        assert_eq!(app.get(&path).await.status, 200);
        if body.contains("idempotency_key") {
            let replay = app.create(body).await;
            assert_eq!((replay.replayed(), replay.string("/id")), (true, id.clone()));
        }
        let archived = json!({"payment_id": id});
        for (path, body) in [("/process", "{}"), ("/attempts", r#"{"payment_status": "FAILED"}"#)] {
            let refused = app.post(&format!("/v1/payments/{id}{path}"), body).await;
            assert_eq!(refused.details_of("invalid_operation", 400), archived);
        }
        for body in [r#"{"payment_status": "VOIDED"}"#, r#"{"metadata": {"a": "1"}}"#] {
            assert_eq!(app.put(&path, body).await.details_of("invalid_operation", 400), archived);
        }
        assert_eq!(app.books().await, before);
    }
}

#[tokio::test]
async fn money_is_not_swept_away() {
    let app = App::new();
    for (instrument, status) in [
        ("pm_1", "SUCCEEDED"),
        ("pm_sandbox_pending", "PROCESSING"),
        ("pm_sandbox_action", "REQUIRES_ACTION"),
        ("pm_sandbox_down", "PENDING"),
    ] {
        let body = card_with("payment_method_id", Some(&format!("{instrument:?}")));
        let id = app.create(body).await.string("/id");
        let before = app.books().await;
        let refused = app.delete(&format!("/v1/payments/{id}")).await;
        let expected = json!({"payment_id": id, "payment_status": status, "current_status": status,
            "status": status, "allowed_statuses": ["INITIATED", "FAILED"]});
        assert_eq!(refused.details_of("invalid_operation", 400), expected);
        assert_eq!(app.books().await, before);
    }
}

#[tokio::test]
async fn nothing_is_not_archived() {
    let app = App::new();
    app.create(CARD).await;
    for id in ["pay_00000000000000000000000007", "x", "%FF"] {
        let refused = app.delete(&format!("/v1/payments/{id}")).await;
        assert_eq!(refused.details_of("not_found", 404), Value::Null);
    }
}
