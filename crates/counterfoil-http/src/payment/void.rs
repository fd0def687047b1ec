//! Cancelling a payment, releasing a hold, taking a charge back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::ledger::NewVoid;
use counterfoil::scope::Caller;

use super::view::PaymentView;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Cancels a payment, releases what is held for it, or takes a charge back.
///
/// One that has no money yet is cancelled. Of one that is held, the rest of the hold is released. A charge is taken
/// back whole, as if it had never been; where some of it went back already, `POST /payments/{id}/refunds` takes the
/// rest.
#[utoipa::path(
    post,
    path = "/payments/{id}/void",
    operation_id = "voidPayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<VoidBody>,
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
            headers(
                ("ETag" = String, description = "Its version."),
                ("Idempotent-Replayed" = bool, description = "`true` where the key had been used before."),
            ),
        ),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn void(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::of_optional::<VoidBody>(&body)?;
    let mut new = NewVoid::new();
    new.reason = fields.text("reason")?;
    new.idempotency_key = idempotency::one_key(&headers, fields.text(idempotency::FIELD)?)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.void(&caller, id, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    Ok(answer::mark_replay(receipt.replayed, super::answer(StatusCode::OK, payment, api.amounts)))
}

own_body! {
    /// Why it is voided.
    #[schema(as = VoidPayment)]
    struct VoidBody {
        reason: Option<schema::Message>,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
}
