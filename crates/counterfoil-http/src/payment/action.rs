//! What may be done about a payment now.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::payment::Possible;
use counterfoil::status::Action;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::found::Found;
use crate::amount::Amounts;
use crate::api::Api;
use crate::error::described::NotFound;
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Tells what may be done about a payment now.
///
/// Every action, up to which amount it would be taken, or in plain words why it would not. What depends on more than
/// the payment is not told: whether what it pays can be paid, say.
#[utoipa::path(
    get,
    path = "/payments/{id}/actions",
    operation_id = "listActions",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Every action there is.", body = ActionListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    let possible = api.ledger.actions(&payment);
    let items = possible.into_iter().map(|possible| ActionView::new(possible, api.amounts)).collect();
    answer::json(StatusCode::OK, &ActionListView { items })
}

/// What may be done about a payment now.
#[derive(Serialize, ToSchema)]
#[schema(as = ActionList)]
struct ActionListView {
    items: Vec<ActionView>,
}

/// Whether something may be asked of a payment now.
#[derive(Serialize, ToSchema)]
#[schema(as = PossibleAction)]
struct ActionView {
    #[schema(value_type = schema::Action)]
    action: Action,
    allowed: bool,
    /// Up to which amount, where one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Amount)]
    max_amount: Option<Box<RawValue>>,
    /// Whether it takes another `payment_method_id` than the payment's own one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    needs_another_payment_method_id: bool,
    /// Why not, in plain words. The words may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    reason: Option<String>,
}

impl ActionView {
    fn new(possible: Possible, amounts: Amounts) -> ActionView {
        let max_amount = possible.max_amount.map(|amount| amounts.json(amount));
        ActionView {
            action: possible.action,
            allowed: possible.allowed,
            max_amount,
            needs_another_payment_method_id: possible.needs_another_instrument,
            reason: possible.reason,
        }
    }
}
