//! Payments: create, process, read, list, change, archive; and what is done about their money.

pub(crate) mod action;
pub(crate) mod attempt;
pub(crate) mod capture;
pub(crate) mod dispute;
mod found;
pub(crate) mod list;
mod operation;
pub(crate) mod refund;
mod request;
pub(crate) mod resolve;
pub(crate) mod update;
mod view;
pub(crate) mod void;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::payment::Payment;
use counterfoil::scope::Caller;
use serde::Serialize;
use utoipa::ToSchema;

pub use list::parse_list;
pub use request::parse_create;
pub use update::parse_update;

use self::found::{Found, find};
use self::request::{CreateBody, ProcessBody};
use self::view::PaymentView;
use crate::amount::Amounts;
use crate::answer;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{
    BadRequest, Conflict, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge,
};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;

/// Creates a payment, and sends it on its way unless told not to.
///
/// A charge that was declined is a payment too: it is answered with its `payment_status` and `error_message`. With
/// an idempotency key the request takes effect once, and its repetition is answered with the payment as it is then.
#[utoipa::path(
    post,
    path = "/payments",
    operation_id = "createPayment",
    tag = "payments",
    params(KeyHeader),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The payment.", body = PaymentView,
            headers(
                ("ETag" = String, description = "Its version."),
                ("Idempotent-Replayed" = bool, description = "`true` where it had been created before."),
            ),
            links(
                ("read" = (operation_id = "readPayment", parameters(("id" = "$response.body#/id")))),
                ("update" = (operation_id = "updatePayment", parameters(("id" = "$response.body#/id")))),
                ("archive" = (operation_id = "archivePayment", parameters(("id" = "$response.body#/id")))),
                ("actions" = (operation_id = "listActions", parameters(("id" = "$response.body#/id")))),
                ("capture" = (operation_id = "capturePayment", parameters(("id" = "$response.body#/id")))),
                ("void" = (operation_id = "voidPayment", parameters(("id" = "$response.body#/id")))),
                ("refund" = (operation_id = "refundPayment", parameters(("id" = "$response.body#/id")))),
                ("refunds" = (operation_id = "listRefunds", parameters(("id" = "$response.body#/id")))),
                ("captures" = (operation_id = "listCaptures", parameters(("id" = "$response.body#/id")))),
                ("voids" = (operation_id = "listVoids", parameters(("id" = "$response.body#/id")))),
                ("disputes" = (operation_id = "listDisputes", parameters(("id" = "$response.body#/id")))),
                ("resolve" = (operation_id = "resolvePayment", parameters(("id" = "$response.body#/id")))),
                ("process" = (operation_id = "processPayment", parameters(("id" = "$response.body#/id")))),
                ("attempts" = (operation_id = "recordAttempt", parameters(("id" = "$response.body#/id")))),
                ("events" = (operation_id = "listPaymentEvents", parameters(("id" = "$response.body#/id")))),
            ),
        ),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let mut new = parse_create(&body)?;
    new.idempotency_key = idempotency::one_key(&headers, new.idempotency_key)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.create(&caller, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    Ok(answer::mark_replay(receipt.replayed, answer(StatusCode::CREATED, payment, api.amounts)))
}

/// Sends a payment on its way, or asks its gateway how it stands.
///
/// It is charged if it is `INITIATED` or `PENDING` with nothing under way. One that was made at a gateway is never
/// charged: the gateway is asked about it.
///
/// A `FAILED` payment is charged only where the server allows it (`--process-failed`), and only with another
/// `payment_method_id`: not that of its last attempt, and none whose payment was returned. An archived payment is not.
///
/// Under a schedule of retries this call neither uses nor moves an entry of the schedule. If the attempt is declined, the
/// next scheduled one is made at its time, or at once if that has passed.
#[utoipa::path(
    post,
    path = "/payments/{id}/process",
    operation_id = "processPayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<ProcessBody>,
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
            headers(
                ("ETag" = String, description = "Its version."),
                ("Idempotent-Replayed" = bool, description = "`true` where the key had been used before."),
            ),
        ),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn process(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let mut how = request::parse_process(&body)?;
    how.idempotency_key = idempotency::one_key(&headers, how.idempotency_key)?;
    let keyed = how.idempotency_key.is_some();
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.process(&caller, id, how).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    // A gateway that was asked and had no news repeats nothing.
    Ok(answer::mark_replay(receipt.replayed && keyed, answer(StatusCode::OK, payment, api.amounts)))
}

/// Reads a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}",
    operation_id = "readPayment",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
            headers(("ETag" = String, description = "Its version."))),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn read(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    answer(StatusCode::OK, &payment, api.amounts)
}

/// Archives a payment.
///
/// Only one that is `INITIATED` or `FAILED`. It can still be read; lists show it only when asked for. Doing it again
/// is as well.
#[utoipa::path(
    delete,
    path = "/payments/{id}",
    operation_id = "archivePayment",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "It is archived.", body = MessageView),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn archive(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
) -> Result<Response, ApiError> {
    let ledger = api.ledger.clone();
    api.flows.carry(async move { ledger.archive(&caller, id).await }).await?;
    Ok(answer::json(StatusCode::OK, &MessageView { message: "the payment is archived" }))
}

/// What was done, in words.
#[derive(Serialize, ToSchema)]
#[schema(as = Done)]
struct MessageView {
    message: &'static str,
}

fn answer(status: StatusCode, payment: &Payment, amounts: Amounts) -> Response {
    let response = answer::json(status, &PaymentView::new(payment, amounts));
    answer::with_version(payment.version(), response)
}
