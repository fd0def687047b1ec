//! Cancelling a payment, releasing a hold, taking a charge back, reversing a capture.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::id::{AttemptId, CaptureId};
use counterfoil::ledger::NewVoid;
use counterfoil::payment::{Operation, OperationId, Payment, VoidTarget};
use counterfoil::scope::Caller;
use counterfoil::status::OperationStatus;
use counterfoil::text::{GatewayOperationId, Message};
use serde::Serialize;
use utoipa::ToSchema;

use super::found::Found;
use super::operation::OperationView;
use super::view::PaymentView;
use crate::amount::Amounts;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Cancels a payment, releases what is held for it, or takes its money back.
///
/// One that has no money yet is cancelled. Of one that is held, the rest of the hold is released. A charge is taken
/// back whole, as if it had never been; so is the capture of a hold, where the gateway can reverse one. Where it
/// cannot, or some of the money went back already, the void is refused: `POST /payments/{id}/refunds` gives money back.
///
/// A void that the gateway declines is a void too: the answer is the payment, and in `void` the void with its
/// `void_status`, `error_code` and `error_message`. So is one whose outcome is still open, and so are repetitions under
/// the same key; another try needs another key. Cancelling a payment makes no void.
#[utoipa::path(
    post,
    path = "/payments/{id}/void",
    operation_id = "voidPayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<VoidBody>,
    responses(
        (status = 200, description = "The payment, and the void, however it ended.", body = VoidedView,
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
    new.idempotency_key = idempotency::key(&headers, &fields)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.void(&caller, id, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let view = VoidedView {
        payment: PaymentView::new(payment, api.amounts),
        void: receipt.operation().map(|void| VoidView::new(payment, void, api.amounts)),
    };
    let answer = answer::with_version(payment.version(), answer::json(StatusCode::OK, &view));
    Ok(answer::mark_replay(receipt.replayed, answer))
}

/// Lists the voids of a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/voids",
    operation_id = "listVoids",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Its voids, the first one first, those included that came to nothing. A payment \
            that was only cancelled has none.", body = VoidListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    let items = payment.voids().map(|void| VoidView::new(&payment, void, api.amounts)).collect();
    answer::json(StatusCode::OK, &VoidListView { items })
}

own_body! {
    /// Why it is voided.
    #[schema(as = VoidPayment)]
    struct VoidBody {
        reason: Option<schema::Message>,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
}

/// A payment, and a void of it.
#[derive(Serialize, ToSchema)]
#[schema(as = VoidedPayment)]
struct VoidedView<'a> {
    #[serde(flatten)]
    payment: PaymentView<'a>,
    /// What was asked for, and what became of it; not where the payment was only cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    void: Option<VoidView<'a>>,
}

/// Voids of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = VoidList)]
struct VoidListView<'a> {
    items: Vec<VoidView<'a>>,
}

/// A hold that is released, or money that is taken back as if it had never come, or was to be.
#[derive(Serialize, ToSchema)]
#[schema(as = Void)]
struct VoidView<'a> {
    #[schema(value_type = schema::VoidId)]
    id: OperationId,
    #[schema(value_type = schema::VoidType)]
    void_type: &'static str,
    #[schema(value_type = schema::VoidStatus)]
    void_status: OperationStatus,
    /// The authorization or the charge that it voids, where there is one that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::AttemptId)]
    attempt_id: Option<AttemptId>,
    /// The capture that it reverses, if it reverses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::CaptureId)]
    capture_id: Option<CaptureId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    reason: Option<&'a Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayVoidId)]
    gateway_void_id: Option<&'a GatewayOperationId>,
    #[serde(flatten)]
    operation: OperationView<'a>,
}

impl<'a> VoidView<'a> {
    fn new(payment: &'a Payment, void: &'a Operation, amounts: Amounts) -> VoidView<'a> {
        VoidView {
            id: void.id,
            void_type: void.kind.void_target().map_or("", VoidTarget::as_str),
            void_status: void.status(),
            attempt_id: void.parent(),
            capture_id: void.kind.reversed_capture(),
            reason: void.reason.as_ref(),
            gateway_void_id: void.gateway_operation_id(),
            operation: OperationView::new(payment, void, amounts),
        }
    }
}
