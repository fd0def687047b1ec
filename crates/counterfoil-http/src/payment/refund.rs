//! Giving captured money back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::command::Rejection;
use counterfoil::id::AttemptId;
use counterfoil::ledger::{LedgerError, NewRecordedRefund, NewRefund};
use counterfoil::money::Currency;
use counterfoil::payment::{Operation, OperationId, Payment};
use counterfoil::scope::Caller;
use counterfoil::status::OperationStatus;
use counterfoil::text::{GatewayOperationId, Message, Metadata};
use serde::Serialize;
use utoipa::ToSchema;

use super::found::Found;
use super::operation::OperationView;
use crate::amount::{self, Amounts};
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{
    BadRequest, Conflict, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge,
};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Gives captured money back, or records a refund that was made elsewhere.
///
/// All that can be refunded, or a part, through the gateway that it came by; credits go back to their wallet at once.
/// What is asked for is reserved until it is known what became of it. A refund that the gateway refuses is a refund
/// too: it is answered with its `refund_status` and `error_message`.
///
/// With `recorded: true` no gateway is called: the refund was made elsewhere, at the `payment_gateway` or off-gateway
/// (cash, a transfer), and has `SUCCEEDED` at once. It may be of all that is `refundable`; one `gateway_refund_id` is one
/// refund. Refunds of credits cannot be recorded.
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
        (status = 409, response = Conflict),
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
    let fields = Fields::of_optional::<RefundBody>(&body)?;
    let payment = super::find(&api, &caller.scope, id).await?;
    let asked = parse(&fields, &headers, payment.terms().amount.currency())?;
    let ledger = api.ledger.clone();
    let work = async move {
        match asked {
            Asked::Made(new) => ledger.refund(&caller, id, new).await.map_err(ApiError::from),
            Asked::Recorded(new) => ledger.record_refund(&caller, id, new).await.map_err(refusal),
        }
    };
    let receipt = api.flows.carry(work).await?;
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
pub(crate) async fn list(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    let items = payment.refunds().map(|refund| RefundView::new(&payment, refund, api.amounts)).collect();
    answer::json(StatusCode::OK, &RefundListView { items })
}

/// What is asked for.
enum Asked {
    /// A refund through the gateway that the money came by.
    Made(NewRefund),
    /// To record a refund that was made elsewhere.
    Recorded(NewRecordedRefund),
}

/// The refund that is asked for, of a payment in `currency`.
fn parse(fields: &Fields<'_>, headers: &HeaderMap, currency: Currency) -> Result<Asked, ApiError> {
    let mut new = recorded(fields, currency)?;
    let is_recorded = fields.boolean("recorded")?.unwrap_or(false);
    if !is_recorded {
        require_not_elsewhere(&new)?;
    }
    new.idempotency_key = idempotency::key(headers, fields)?;
    Ok(if is_recorded { Asked::Recorded(new) } else { Asked::Made(made(new)) })
}

/// The refund that the fields tell of, as one that was made elsewhere: that has every field.
fn recorded(fields: &Fields<'_>, currency: Currency) -> Result<NewRecordedRefund, ApiError> {
    let mut new = NewRecordedRefund::all();
    new.amount = amount::read_optional(fields, currency)?;
    new.reason = fields.text("reason")?;
    new.metadata = fields.metadata("metadata")?.unwrap_or_default();
    new.gateway = fields.text("payment_gateway")?;
    new.gateway_refund_id = fields.text("gateway_refund_id")?;
    new.occurred_at = fields.time("occurred_at")?;
    Ok(new)
}

/// Refuses what goes with a refund that was made elsewhere only.
fn require_not_elsewhere(new: &NewRecordedRefund) -> Result<(), ApiError> {
    let only_recorded = [
        ("payment_gateway", new.gateway.is_some()),
        ("gateway_refund_id", new.gateway_refund_id.is_some()),
        ("occurred_at", new.occurred_at.is_some()),
    ];
    match only_recorded.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(ApiError::invalid(name, format!("{name} goes with recorded true only"))),
        None => Ok(()),
    }
}

/// The same as a refund to be made, which has fewer fields.
fn made(new: NewRecordedRefund) -> NewRefund {
    let mut made = NewRefund::all();
    (made.amount, made.reason, made.metadata) = (new.amount, new.reason, new.metadata);
    made.idempotency_key = new.idempotency_key;
    made
}

/// The error of a refund that cannot be recorded, with the field that it is about.
fn refusal(error: LedgerError) -> ApiError {
    let field = match error.rejection() {
        Some(Rejection::NotRecordable(_)) => Some("recorded"),
        Some(Rejection::NotAtGateway(_)) => Some("payment_gateway"),
        Some(Rejection::InFuture(_)) => Some("occurred_at"),
        _ => None,
    };
    let refusal = ApiError::from(error);
    match field {
        Some(field) => refusal.with("field", field),
        None => refusal,
    }
}

own_body! {
    /// How much is to go back, or went back elsewhere, and why.
    #[schema(as = RefundPayment)]
    struct RefundBody {
        /// All that can be refunded unless said.
        amount: Option<schema::GivenAmount>,
        /// The payment's own.
        currency: Option<schema::GivenCurrency>,
        reason: Option<schema::Message>,
        metadata: Option<schema::Metadata>,
        /// Whether it was made elsewhere, and is only recorded; `false` unless said.
        recorded: Option<bool>,
        /// With `recorded` only: the gateway at which it was made. Without it, and without a `gateway_refund_id`, it was
        /// made off-gateway.
        payment_gateway: Option<schema::GatewayName>,
        /// With `recorded` only. Without a `payment_gateway` it is an id of the payment's gateway.
        gateway_refund_id: Option<schema::GatewayRefundId>,
        /// With `recorded` only: when it was made, not in the future; now unless said.
        occurred_at: Option<schema::Time>,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
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
    /// The attempt that brought the money, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::AttemptId)]
    attempt_id: Option<AttemptId>,
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
            attempt_id: refund.parent(),
            reason: refund.reason.as_ref(),
            gateway_refund_id: refund.gateway_operation_id(),
            metadata: &refund.metadata,
            operation: OperationView::new(payment, refund, amounts),
        }
    }
}
