//! Probes: no key, no details.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::store::{Health, Retry};
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer;
use crate::api::Api;
use crate::error::ApiError;
use crate::error::described::ServiceUnavailable;

/// Tells that the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "health",
    tag = "server",
    security(()),
    responses((status = 200, description = "It does.", body = HealthView)),
)]
pub(crate) async fn healthz() -> Response {
    ok()
}

/// Tells whether the store takes commands.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readiness",
    tag = "server",
    security(()),
    responses(
        (status = 200, description = "It does.", body = HealthView),
        (status = 503, response = ServiceUnavailable),
    ),
)]
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
    match api.ledger.store().status().health {
        Health::Ok => Ok(ok()),
        _ => Err(ApiError::unavailable(Retry::Never)),
    }
}

fn ok() -> Response {
    answer::json(StatusCode::OK, &HealthView { status: "ok" })
}

/// All is well.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthView {
    #[schema(examples("ok"))]
    status: &'static str,
}
