//! What the API needs, and its table of routes.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use counterfoil::id::RandomIds;
use counterfoil::ledger::Ledger;

use crate::amount::Amounts;
use crate::auth::{ApiKeys, authenticate};
use crate::envelope::envelop;
use crate::error::{ApiError, Code};
use crate::task::Flows;
use crate::{events, health, payment, wallet};

/// What the API answers from: the books, and who may ask.
#[derive(Debug)]
pub struct Api {
    pub(crate) ledger: Ledger,
    pub(crate) keys: ApiKeys,
    pub(crate) amounts: Amounts,
    pub(crate) request_ids: RandomIds,
    pub(crate) flows: Flows,
}

impl Api {
    /// An API over `ledger` for the holders of `keys`. Amounts are answered as JSON numbers.
    #[must_use]
    pub fn new(ledger: Ledger, keys: ApiKeys) -> Api {
        Api {
            ledger,
            keys,
            amounts: Amounts::default(),
            request_ids: RandomIds::default(),
            flows: Flows::default(),
        }
    }

    /// With amounts answered like this. In the `data` of events they are always strings, as they are kept.
    #[must_use]
    pub fn with_amounts(mut self, amounts: Amounts) -> Api {
        self.amounts = amounts;
        self
    }

    /// The requests that write and are under way: what to wait for before the store is closed.
    #[must_use]
    pub fn flows(&self) -> Flows {
        self.flows.clone()
    }
}

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
