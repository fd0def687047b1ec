//! Probes: no key, no details.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::store::{Health, Retry};
use serde_json::json;

use crate::answer;
use crate::api::Api;
use crate::error::ApiError;

/// `GET /healthz`: the process answers.
pub(crate) async fn healthz() -> Response {
    ok()
}

/// `GET /readyz`: the store takes commands.
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
    match api.ledger.store().status().health {
        Health::Ok => Ok(ok()),
        _ => Err(ApiError::unavailable(Retry::Never)),
    }
}

fn ok() -> Response {
    answer::json(StatusCode::OK, &json!({"status": "ok"}))
}
