//! Taking held money.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::id::AttemptId;
use counterfoil::ledger::NewCapture;
use counterfoil::money::Currency;
use counterfoil::payment::{Operation, OperationId, Payment};
use counterfoil::scope::Caller;
use counterfoil::status::OperationStatus;
use counterfoil::text::GatewayOperationId;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::found::Found;
use super::operation::OperationView;
use super::view::PaymentView;
use crate::amount::{self, Amounts};
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Takes money that is held.
///
/// All that can be captured, or a part. With the last capture the rest of the hold is released; `final: false` keeps it
/// for further ones. What is asked for is reserved until it is known what became of it.
///
/// A capture that the gateway declines is a capture too: the answer is the payment, and in `capture` the capture with its
/// `capture_status`, `error_code` and `error_message`. So is one whose outcome is still open, and so are repetitions
/// under the same key; another try needs another key.
#[utoipa::path(
    post,
    path = "/payments/{id}/capture",
    operation_id = "capturePayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<CaptureBody>,
    responses(
        (status = 200, description = "The payment, and the capture, however it ended.", body = CapturedView,
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
    new.idempotency_key = idempotency::key(&headers, &fields)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.capture(&caller, id, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let capture = receipt.operation().ok_or_else(ApiError::internal)?;
    let view = CapturedView {
        payment: PaymentView::new(payment, api.amounts),
        capture: CaptureView::new(payment, capture, api.amounts),
    };
    let answer = answer::with_version(payment.version(), answer::json(StatusCode::OK, &view));
    Ok(answer::mark_replay(receipt.replayed, answer))
}

/// Lists the captures of a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/captures",
    operation_id = "listCaptures",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Its captures, the first one first, those included that came to nothing.",
            body = CaptureListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    let items = payment.captures().map(|capture| CaptureView::new(&payment, capture, api.amounts)).collect();
    answer::json(StatusCode::OK, &CaptureListView { items })
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

/// A payment, and a capture of it.
#[derive(Serialize, ToSchema)]
#[schema(as = CapturedPayment)]
struct CapturedView<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    /// What was asked for, and what became of it.
    capture: CaptureView<'a>,
}

/// Captures of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = CaptureList)]
struct CaptureListView<'a> {
    items: Vec<CaptureView<'a>>,
}

/// Held money that is taken, or was to be.
#[derive(Serialize, ToSchema)]
#[schema(as = Capture)]
struct CaptureView<'a> {
    #[schema(value_type = schema::CaptureId)]
    id: OperationId,
    #[schema(value_type = schema::CaptureStatus)]
    capture_status: OperationStatus,
    /// The authorization that it takes from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::AttemptId)]
    attempt_id: Option<AttemptId>,
    /// What of the hold is released once it succeeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Amount)]
    releases: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayCaptureId)]
    gateway_capture_id: Option<&'a GatewayOperationId>,
    #[serde(flatten)]
    operation: OperationView<'a>,
}

impl<'a> CaptureView<'a> {
    fn new(payment: &'a Payment, capture: &'a Operation, amounts: Amounts) -> CaptureView<'a> {
        CaptureView {
            id: capture.id,
            capture_status: capture.status(),
            attempt_id: capture.parent(),
            releases: capture.kind.releases().map(|amount| amounts.json(amount)),
            gateway_capture_id: capture.gateway_operation_id(),
            operation: OperationView::new(payment, capture, amounts),
        }
    }
}
