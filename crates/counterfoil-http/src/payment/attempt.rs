//! Attempts that were made elsewhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::command::{Recorded, Rejection};
use counterfoil::ledger::{LedgerError, NewAttempt};
use counterfoil::money::Currency;
use counterfoil::scope::Caller;
use counterfoil::status::OperationStatus;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::Object;

use super::found::Found;
use super::view::AttemptView;
use crate::amount;
use crate::answer;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{
    BadRequest, Conflict, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge,
};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::schema;

/// How an attempt can have ended.
const ENDS: [OperationStatus; 2] = [OperationStatus::Succeeded, OperationStatus::Failed];

/// Writes down an attempt that was made elsewhere.
///
/// Money that came in another way, at the `payment_gateway` or off-gateway (cash, a transfer), or a no that was heard. No
/// gateway is called. One that failed leaves the payment open. One `gateway_attempt_id` is one attempt.
#[utoipa::path(
    post,
    path = "/payments/{id}/attempts",
    operation_id = "recordAttempt",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = AttemptBody,
    responses(
        (status = 201, description = "The attempt.", body = AttemptView,
            headers(("Idempotent-Replayed" = bool, description = "`true` where it had been written down before."))),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn record_attempt(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::of::<AttemptBody>(&body)?;
    let payment = super::find(&api, &caller.scope, id).await?;
    let mut new = parse(&fields, payment.terms().amount.currency())?;
    new.idempotency_key = idempotency::key(&headers, &fields)?;
    let ledger = api.ledger.clone();
    let receipt = api
        .flows
        .carry(async move { ledger.record_attempt(&caller, id, new).await.map_err(refusal) })
        .await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let attempt = receipt.operation();
    let view = AttemptView::new(payment, attempt.ok_or_else(ApiError::internal)?);
    Ok(answer::mark_replay(receipt.replayed, answer::json(StatusCode::CREATED, &view)))
}

/// Lists the attempts of a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/attempts",
    operation_id = "listAttempts",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Every try to get the money, the first one first.", body = AttemptListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(Found(payment): Found) -> Response {
    answer::json(StatusCode::OK, &AttemptListView { items: AttemptView::shown_of(&payment) })
}

/// Attempts of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptList)]
struct AttemptListView<'a> {
    items: Vec<AttemptView<'a>>,
}

/// The attempt that the fields tell of, of a payment in `currency`.
fn parse(fields: &Fields<'_>, currency: Currency) -> Result<NewAttempt, ApiError> {
    let status = fields
        .required("payment_status", |fields, name| fields.word(name, &ENDS, OperationStatus::as_str))?;
    let amount = amount::read_optional(fields, currency)?;
    let error_message = fields.text("error_message")?;
    let outcome = match (status, amount, error_message) {
        (OperationStatus::Succeeded, amount, None) => Recorded::Succeeded { amount },
        (OperationStatus::Succeeded, _, Some(_)) => {
            return Err(only_with("error_message", OperationStatus::Failed));
        }
        (_, None, error_message) => Recorded::Failed { error_message },
        (_, Some(_), _) => return Err(only_with("amount", OperationStatus::Succeeded)),
    };
    if !fields.boolean("recorded")?.unwrap_or(true) {
        let message = "an attempt can only be recorded here; POST /payments/{id}/process makes one";
        return Err(ApiError::invalid("recorded", message));
    }
    let mut new = NewAttempt::new(outcome);
    new.gateway = fields.text("payment_gateway")?;
    new.gateway_attempt_id = fields.text("gateway_attempt_id")?;
    Ok(new)
}

/// The error of an attempt that cannot be recorded, with the field that it is about.
fn refusal(error: LedgerError) -> ApiError {
    match error.rejection() {
        Some(Rejection::NotAtGateway(_)) => ApiError::from(error).with("field", "payment_gateway"),
        _ => error.into(),
    }
}

fn only_with(field: &str, status: OperationStatus) -> ApiError {
    ApiError::invalid(field, format!("{field} goes with the payment_status {status} only"))
}

own_body! {
    /// An attempt that was made elsewhere.
    #[schema(as = RecordAttempt)]
    struct AttemptBody {
        /// How it ended.
        #[schema(schema_with = ends)]
        payment_status: (),
        /// How much came, with `SUCCEEDED` only; all of it unless said.
        amount: Option<schema::GivenAmount>,
        /// The payment's own.
        currency: Option<schema::GivenCurrency>,
        /// With `FAILED` only.
        error_message: Option<schema::Message>,
        /// `true`, which it is unless said: an attempt is made by `POST /payments/{id}/process`.
        recorded: Option<bool>,
        /// The gateway at which it was made. Without it, and without a gateway's id of the attempt or of the payment, it
        /// was made off-gateway.
        payment_gateway: Option<schema::GatewayName>,
        /// Without a `payment_gateway` it is an id of the payment's gateway.
        gateway_attempt_id: Option<schema::GatewayAttemptId>,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
}

fn ends() -> Object {
    schema::words(ENDS.iter().map(|end| end.as_str())).build()
}
