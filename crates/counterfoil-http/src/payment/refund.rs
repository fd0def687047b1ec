//! Giving captured money back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::ledger::NewRefund;
use counterfoil::money::Currency;
use counterfoil::payment::{Operation, OperationId, Payment};
use counterfoil::scope::Caller;
use counterfoil::status::OperationStatus;
use counterfoil::text::{GatewayOperationId, Message, Metadata};
use serde::Serialize;
use utoipa::ToSchema;

use super::operation::OperationView;
use crate::amount::{self, Amounts};
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::Fields;
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Gives captured money back.
///
/// All that can be refunded, or a part, through the gateway that it came by; credits go back to their wallet at once.
/// What is asked for is reserved until it is known what became of it. A refund that the gateway refuses is a refund
/// too: it is answered with its `refund_status` and `error_message`.
#[utoipa::path(
    post,
    path = "/payments/{id}/refunds",
    operation_id = "refundPayment",
    tag = "payments",
    params(PaymentPath, KeyHeader),
    request_body = Option<RefundBody>,
    responses(
        (status = 201, description = "The refund.", body = RefundView,
            headers(("Idempotent-Replayed" = bool, description = "`true` where the key had been used before."))),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn refund(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let known = ["amount", "currency", "reason", "metadata", idempotency::FIELD];
    let fields = Fields::parse_optional(&body)?.only(&known)?;
    let payment = super::find(&api, &caller.scope, id).await?;
    let mut new = parse(&fields, payment.terms().amount.currency())?;
    new.idempotency_key = idempotency::one_key(&headers, fields.text(idempotency::FIELD)?)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.refund(&caller, id, new).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let refund = receipt.operation().ok_or_else(ApiError::internal)?;
    let view = RefundView::new(payment, refund, api.amounts);
    Ok(answer::mark_replay(receipt.replayed, answer::json(StatusCode::CREATED, &view)))
}

/// Lists the refunds of a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/refunds",
    operation_id = "listRefunds",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Its refunds, the first one first, those included that came to nothing.",
            body = RefundListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
) -> Result<Response, ApiError> {
    let payment = super::find(&api, &caller.scope, id).await?;
    let items = payment.refunds().map(|refund| RefundView::new(&payment, refund, api.amounts)).collect();
    Ok(answer::json(StatusCode::OK, &RefundListView { items }))
}

/// The refund that the fields ask for, of a payment in `currency`.
fn parse(fields: &Fields<'_>, currency: Currency) -> Result<NewRefund, ApiError> {
    let mut new = NewRefund::all();
    new.amount = amount::read_optional(fields, currency)?;
    new.reason = fields.text("reason")?;
    new.metadata = fields.metadata("metadata")?.unwrap_or_default();
    Ok(new)
}

/// How much is to go back, and why.
#[derive(ToSchema)]
#[schema(as = RefundPayment)]
#[allow(dead_code, reason = "only described: the parser reads fields by their names")]
struct RefundBody {
    /// All that can be refunded unless said.
    amount: Option<schema::GivenAmount>,
    /// The payment's own.
    currency: Option<schema::GivenCurrency>,
    reason: Option<schema::Message>,
    metadata: Option<schema::Metadata>,
    idempotency_key: Option<schema::IdempotencyKey>,
}

/// Refunds of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = RefundList)]
struct RefundListView<'a> {
    items: Vec<RefundView<'a>>,
}

/// Captured money that goes back, or was to.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
struct RefundView<'a> {
    #[schema(value_type = schema::RefundId)]
    id: OperationId,
    #[schema(value_type = schema::RefundStatus)]
    refund_status: OperationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    reason: Option<&'a Message>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayRefundId)]
    gateway_refund_id: Option<&'a GatewayOperationId>,
    #[schema(value_type = schema::Metadata)]
    metadata: &'a Metadata,
    #[serde(flatten)]
    operation: OperationView<'a>,
}

impl<'a> RefundView<'a> {
    fn new(payment: &'a Payment, refund: &'a Operation, amounts: Amounts) -> RefundView<'a> {
        RefundView {
            id: refund.id,
            refund_status: refund.status(),
            reason: refund.reason.as_ref(),
            gateway_refund_id: refund.gateway_operation_id(),
            metadata: &refund.metadata,
            operation: OperationView::new(payment, refund, amounts),
        }
    }
}
