//! What gateways tell of their own accord.

mod endpoint;
mod failure;
mod parse;
mod signature;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use counterfoil::id::PaymentId;
use counterfoil::status::PaymentStatus;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

pub(crate) use endpoint::Endpoints;
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use parse::parse_notification;
pub use signature::sign;

use self::parse::NotificationBody;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::described::{
    BadRequest, Conflict, InternalError, NotFound, OutcomeUnknown, PayloadTooLarge, ServiceUnavailable,
    Unauthenticated,
};
use crate::error::{ApiError, Code};
use crate::path::EndpointPath;
use crate::query::Parameters;
use crate::{answer, schema};

/// Takes what a gateway tells of its own accord.
///
/// Any order and any repetition leads to the same payment. The same contents under one `notification_id` take effect
/// once. Other contents are applied too, listed for review (`notification_id_reused`), and answered with the fields that
/// differ. A refund made by the gateway's dashboard or a dispute comes to be known by its notification. A notification
/// that names nothing known here, or that may be about several operations, is answered 404 and changes nothing, so
/// that the gateway sends it again. `details.reason` says why: `unknown_name` (which is the `field`), `conflicting_names`,
/// `other_gateway`, `several_meant` (the same again does not help), `may_be_ours` (it waits for one of ours to end), or
/// `nothing_there`. One that names no payment at all is answered 400 (`unnamed`).
#[utoipa::path(
    post,
    path = "/gateways/{endpoint_id}/notifications",
    operation_id = "notify",
    tag = "gateways",
    security(("signature" = [])),
    params(EndpointPath, SignatureHeader),
    request_body = NotificationBody,
    responses(
        (status = 200, description = "It was taken.", body = TakenView),
        (status = 400, response = BadRequest),
        (status = 401, response = Unauthenticated),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 413, response = PayloadTooLarge),
        (status = 500, response = InternalError),
        (status = 503, response = ServiceUnavailable),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn take(
    State(api): State<Arc<Api>>,
    EndpointPath(id): EndpointPath,
    headers: HeaderMap,
    uri: Uri,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let endpoint = api.endpoints.authentic(&id, &headers, &body, api.clock.now());
    let endpoint = endpoint.ok_or_else(|| unauthenticated(&headers))?;
    Parameters::of(&uri)?.only(&[])?;
    let told = parse_notification(&body, endpoint.gateway().clone())?;
    let (ledger, caller) = (api.ledger.clone(), endpoint.caller().clone());
    let receipt = api.flows.carry(async move { ledger.notify(&caller, told).await }).await?;
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let view = TakenView {
        applied: !receipt.replayed,
        payment_id: payment.id(),
        payment_status: payment.status(),
        differs: receipt.differing.iter().map(|field| field.as_str()).collect(),
    };
    Ok(answer::json(StatusCode::OK, &view))
}

/// Only that there is no signature is told: that depends on nothing but the request.
fn unauthenticated(headers: &HeaderMap) -> ApiError {
    let message = if signature::is_given(headers) {
        "the signature is not the endpoint's, or too old"
    } else {
        "there is no Counterfoil-Signature header"
    };
    ApiError::new(Code::Unauthenticated, message)
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "only described: headers are read by their names")]
struct SignatureHeader {
    /// `t=UNIX-SECONDS,v1=HEX`: when it was signed, and the HMAC-SHA256 of `UNIX-SECONDS.BODY` under the endpoint's
    /// secret. Of several `v1` one must be good. It is good for five minutes.
    #[param(rename = "Counterfoil-Signature")]
    signature: String,
}

/// What became of a notification.
#[derive(Serialize, ToSchema)]
#[schema(as = NotificationTaken)]
struct TakenView {
    /// Whether it said anything new.
    applied: bool,
    #[schema(value_type = schema::PaymentId)]
    payment_id: PaymentId,
    /// Where the payment stands now.
    #[schema(value_type = schema::PaymentStatus)]
    payment_status: PaymentStatus,
    /// The fields in which it differs from the first notification of its `notification_id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<&'static str>,
}
