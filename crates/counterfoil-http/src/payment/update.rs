//! Changing a payment: names, notes, and what became of it elsewhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::clock::Timestamp;
use counterfoil::command::Rejection;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{LedgerError, Update};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::ExecuteError;
use utoipa::ToSchema;

use super::view::PaymentView;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, Conflict, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::Fields;
use crate::path::PaymentPath;
use crate::precondition::{self, IfMatch, Precondition};
use crate::schema;

/// No key guards a change: asked for again, it could be made on top of what came in between.
const IN_DOUBT: &str = "it may have happened: read the payment, and change it again with If-Match";

/// Which calls take an amount.
const MONEY_ELSEWHERE: &str = "an update moves the payment's own amount; POST /payments/{id}/refunds refunds a part, \
    POST /payments/{id}/capture captures a part, POST /payments/{id}/attempts records what came, and another amount is \
    another payment";

/// The times that can be said, each with the status that it is the time of.
const TIMES: [(&str, PaymentStatus); 4] = [
    ("succeeded_at", PaymentStatus::Succeeded),
    ("failed_at", PaymentStatus::Failed),
    ("refunded_at", PaymentStatus::Refunded),
    ("voided_at", PaymentStatus::Voided),
];

/// Changes names and notes of a payment, or writes down what became of it elsewhere.
///
/// No gateway is called. Setting a `payment_status` writes down the fact that leads to it: an attempt that succeeded
/// elsewhere, a refund of all that is left, a void. What asks for nothing new is answered with the payment as it
/// is, whatever `If-Match` says: it has been done already.
#[utoipa::path(
    put,
    path = "/payments/{id}",
    operation_id = "updatePayment",
    tag = "payments",
    params(PaymentPath, IfMatch),
    request_body = UpdateBody,
    responses(
        (status = 200, description = "The payment.", body = PaymentView,
            headers(("ETag" = String, description = "Its version."))),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 413, response = PayloadTooLarge),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let mut update = parse_update(&body)?;
    update.if_version = match precondition::of(&headers) {
        Precondition::None => None,
        Precondition::Version(version) => Some(version),
        Precondition::Never => return Err(conflict(&api, &caller.scope, id).await?),
    };
    let status = update.status.map(|(status, _)| status);
    let ledger = api.ledger.clone();
    let work =
        async move { ledger.update(&caller, id, update).await.map_err(|error| refusal(error, status)) };
    let receipt = api.flows.carry(work).await?;
    // No key, so nothing is a replay: what was there already is only not done again.
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    Ok(super::answer(StatusCode::OK, payment, api.amounts))
}

/// What the body of `PUT /payments/{id}` asks for. Does no I/O: this is the whole parser, for fuzzing too.
pub fn parse_update(body: &[u8]) -> Result<Update, ApiError> {
    let fields = Fields::parse(body)?;
    fields.require_no_money(MONEY_ELSEWHERE)?;
    let mut update = Update::default();
    update.change.metadata = fields.metadata("metadata")?;
    update.change.gateway = fields.text("payment_gateway")?;
    update.change.gateway_payment_id = fields.text("gateway_payment_id")?;
    update.change.gateway_tracking_id = fields.text("gateway_tracking_id")?;
    update.change.instrument = fields.text("payment_method_id")?;
    update.change.error_message = fields.text("error_message")?;
    update.status = status(&fields)?;
    Ok(update)
}

/// The status to be set, and since when it is so.
fn status(fields: &Fields<'_>) -> Result<Option<(PaymentStatus, Option<Timestamp>)>, ApiError> {
    let status = fields.word("payment_status", PaymentStatus::ALL, PaymentStatus::as_str)?;
    let mut since = None;
    for (name, own) in TIMES {
        let Some(at) = fields.time(name)? else { continue };
        if status != Some(own) {
            return Err(ApiError::invalid(name, format!("{name} goes with the payment_status {own} only")));
        }
        since = Some(at);
    }
    Ok(status.map(|status| (status, since)))
}

/// The error, with the name of the time that it is about.
fn refusal(error: LedgerError, status: Option<PaymentStatus>) -> ApiError {
    let time = TIMES.iter().find(|(_, own)| status == Some(*own)).map(|(name, _)| *name);
    match (error.rejection(), time) {
        (Some(Rejection::InFuture(_)), Some(name)) => ApiError::from(error).with("field", name),
        _ if matches!(error.error(), ExecuteError::Unknown(_)) => ApiError::from(error).saying(IN_DOUBT),
        _ => error.into(),
    }
}

/// The error of whoever asks for a version that cannot be.
async fn conflict(api: &Api, scope: &Scope, id: PaymentId) -> Result<ApiError, ApiError> {
    let payment = super::find(api, scope, id).await?;
    let conflict = Rejection::VersionConflict { payment: id, version: payment.version() };
    let message = format!(
        "If-Match is not the ETag of any version; send one as it was answered, as in {}",
        precondition::tag(payment.version())
    );
    Ok(ApiError::from(&conflict).saying(message))
}

/// What is to be different. What is left out stays.
#[derive(ToSchema)]
#[schema(as = UpdatePayment)]
#[allow(dead_code, reason = "only described: the parser reads fields by their names")]
pub(super) struct UpdateBody {
    /// The status it got elsewhere.
    payment_status: Option<schema::PaymentStatus>,
    /// Replaces all notes.
    metadata: Option<schema::Metadata>,
    payment_gateway: Option<schema::GatewayName>,
    gateway_payment_id: Option<schema::GatewayPaymentId>,
    gateway_tracking_id: Option<schema::GatewayTrackingId>,
    payment_method_id: Option<schema::PaymentMethodId>,
    error_message: Option<schema::Message>,
    /// Since when it is `SUCCEEDED`; only with that `payment_status`, and not in the future.
    succeeded_at: Option<schema::Time>,
    /// Since when it is `FAILED`; only with that `payment_status`, and not in the future.
    failed_at: Option<schema::Time>,
    /// Since when it is `REFUNDED`; only with that `payment_status`, and not in the future.
    refunded_at: Option<schema::Time>,
    /// Since when it is `VOIDED`; only with that `payment_status`, and not in the future.
    voided_at: Option<schema::Time>,
}
