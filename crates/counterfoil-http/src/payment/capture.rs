//! Taking held money.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::ledger::NewCapture;
use counterfoil::money::Currency;
use counterfoil::scope::Caller;

use super::view::PaymentView;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{amount, answer, schema};

/// Takes money that is held.
///
/// All that can be captured, or a part. With the last capture the rest of the hold is released; `final: false` keeps it
/// for further ones. What is asked for is reserved until it is known what became of it.
#[utoipa::path(
    post,
    path = "/payments/{id}/capture",
    operation_id = "capturePayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<CaptureBody>,
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
pub(crate) async fn capture(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::of_optional::<CaptureBody>(&body)?;
    let payment = super::find(&api, &caller.scope, id).await?;
    let mut new = parse(&fields, payment.terms().amount.currency())?;
    new.idempotency_key = idempotency::one_key(&headers, fields.text(idempotency::FIELD)?)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.capture(&caller, id, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    Ok(answer::mark_replay(receipt.replayed, super::answer(StatusCode::OK, payment, api.amounts)))
}

/// The capture that the fields ask for, of a payment in `currency`.
fn parse(fields: &Fields<'_>, currency: Currency) -> Result<NewCapture, ApiError> {
    let mut new = NewCapture::all();
    new.amount = amount::read_optional(fields, currency)?;
    new.is_final = fields.boolean("final")?.unwrap_or(true);
    Ok(new)
}

own_body! {
    /// How much is to be taken.
    #[schema(as = CapturePayment)]
    struct CaptureBody {
        /// All that can be captured unless said.
        amount: Option<schema::GivenAmount>,
        /// The payment's own.
        currency: Option<schema::GivenCurrency>,
        /// Whether the rest of the hold is released; `true` unless said.
        r#final: Option<bool>,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
}
