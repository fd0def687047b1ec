//! The table of routes.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};

use crate::api::Api;
use crate::auth::authenticate;
use crate::envelope::envelop;
use crate::error::{ApiError, Code};
use crate::openapi::{self, Document};
use crate::query::Parameters;
use crate::{destination, events, feed, health, notification, payment, wallet};

/// A function that makes the routes, and a list of them for the test that all are described.
macro_rules! routes {
    ($($routes:ident, $list:ident: $($method:ident $path:literal => $handler:path,)+;)+) => {$(
        fn $routes() -> Router<Arc<Api>> {
            Router::new()$(.route($path, $method($handler)))+
        }

        #[cfg(test)]
        pub(crate) const $list: &[(&str, &str)] = &[$((stringify!($method), $path),)+];
    )+};
}

routes! {
    // Of the reference API, which ignores what it does not know.
    reference, REFERENCE:
        get "/payments" => payment::list::list,
        post "/payments" => payment::create,
        get "/payments/{id}" => payment::read,
        put "/payments/{id}" => payment::update::update,
        delete "/payments/{id}" => payment::archive,
        post "/payments/{id}/process" => payment::process,
    ;
    // Of ours, with parameters, which they check.
    paged, PAGED:
        get "/payments/{id}/events" => events::list,
        get "/events" => feed::list,
    ;
    // Of ours, without parameters.
    own, OWN:
        post "/payments/{id}/capture" => payment::capture::capture,
        post "/payments/{id}/void" => payment::void::void,
        post "/payments/{id}/refunds" => payment::refund::refund,
        get "/payments/{id}/refunds" => payment::refund::list,
        get "/payments/{id}/captures" => payment::capture::list,
        get "/payments/{id}/voids" => payment::void::list,
        get "/payments/{id}/disputes" => payment::dispute::list,
        post "/payments/{id}/resolve" => payment::resolve::resolve,
        get "/payments/{id}/actions" => payment::action::list,
        post "/payments/{id}/attempts" => payment::attempt::record_attempt,
        get "/payments/{id}/attempts" => payment::attempt::list,
        put "/destinations/{type}/{id}" => destination::register,
        get "/destinations/{type}/{id}" => destination::read,
        get "/wallets/{id}" => wallet::read,
        post "/wallets/{id}/top-ups" => wallet::top_up,
    ;
    signed, SIGNED:
        post "/gateways/{endpoint_id}/notifications" => notification::take,
    ;
    open, OPEN:
        get "/healthz" => health::healthz,
        get "/readyz" => health::readyz,
        get "/openapi.json" => openapi::read,
    ;
}

/// Those that need a key.
#[cfg(test)]
pub(crate) const GUARDED: [&[(&str, &str)]; 3] = [REFERENCE, PAGED, OWN];

/// The routes under `/v1`, to be served as they are or nested in a host's router.
///
/// Under `/v1` everything needs a key, routes that do not exist included, but for notifications, which are signed,
/// and `healthz`, `readyz` and `openapi.json`, which are also found without the `/v1`. The router answers unknown paths itself, so a host that
/// has a fallback of its own must nest it, not merge it.
///
/// It must run inside a Tokio runtime with a timer: requests that write do so in tasks of their own, and streams of
/// events have a heartbeat.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let guarded = reference()
        .merge(paged())
        .merge(own().layer(from_fn(without_parameters)))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(api.clone(), authenticate));
    let open = |base| {
        let document = Document::new(api.amounts, base);
        open().method_not_allowed_fallback(no_such_method).layer(Extension(document))
    };
    let signed = signed().method_not_allowed_fallback(no_such_method);
    Router::new()
        .merge(open("./v1"))
        .nest("/v1", guarded.merge(signed).merge(open("../v1")))
        .fallback(no_such_route)
        .layer(from_fn_with_state(api.clone(), envelop))
        .with_state(api)
}

/// Refuses parameters where none are taken: `?amount=5` must not refund everything.
async fn without_parameters(request: Request, next: Next) -> Result<Response, ApiError> {
    Parameters::of(request.uri())?.only(&[])?;
    Ok(next.run(request).await)
}

async fn no_such_route() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such route")
}

async fn no_such_method() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "the route does not take this method")
}
