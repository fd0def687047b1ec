//! The table of routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::api::Api;
use crate::auth::authenticate;
use crate::envelope::envelop;
use crate::error::{ApiError, Code};
use crate::{events, health, payment, wallet};

/// The routes under `/v1`, to be served as they are or nested in a host's router.
///
/// Under `/v1` everything needs a key, routes that do not exist included, but for `healthz` and `readyz`,
/// which are also found without the `/v1`. The router answers unknown paths itself, so a host that has a
/// fallback of its own must nest it, not merge it.
///
/// It must run inside a Tokio runtime: requests that write do so in tasks of their own.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let guarded = Router::new()
        .route("/payments", post(payment::create))
        .route("/payments/{id}", get(payment::read))
        .route("/payments/{id}/process", post(payment::process))
        .route("/payments/{id}/events", get(events::list))
        .route("/wallets/{id}", get(wallet::read))
        .route("/wallets/{id}/top-ups", post(wallet::top_up))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(api.clone(), authenticate));
    let open = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .method_not_allowed_fallback(no_such_method);
    Router::new()
        .merge(open.clone())
        .nest("/v1", guarded.merge(open))
        .fallback(no_such_route)
        .layer(from_fn_with_state(api.clone(), envelop))
        .with_state(api)
}

async fn no_such_route() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such route")
}

async fn no_such_method() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "the route does not take this method")
}
