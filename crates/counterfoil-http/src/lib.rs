//! The payments API as an axum [`Router`](axum::Router) over a Counterfoil
//! [`Ledger`](counterfoil::ledger::Ledger), to be nested in a host's own server.
//!
//! # What holds for every answer
//!
//! * It is JSON. An error has one shape, whatever made it, an unknown route and a panic included:
//!   `{"code", "message", "http_status_code", "details"}`, without `details` where there are none. (What is
//!   no HTTP at all never gets here: the server underneath answers it.)
//! * It says what happened: 503 `service_unavailable` means that nothing did, 504 `outcome_unknown` that it
//!   may have, and then only the same request with the same idempotency key finds out. 410 `unknown_position` means
//!   that the ledger was restored from a backup, so the client must read the feed again from its start.
//! * It carries `X-Request-ID`, the caller's own where it is fit to be repeated.
//! * If it is a payment, its version is the `ETag`; a `PUT` with another one in `If-Match` is answered 409.
//! * Nothing is waited for but the store and the gateway. The answer of `GET /events` to who accepts
//!   `text/event-stream` goes on until the client or the server goes.
//! * A key sees and touches one scope. What belongs to another answers exactly like what does not exist.
//!
//! And for every request: the key is checked before anything else is read, the body is bounded before it is
//! kept, amounts go through no float, and what was begun for a caller who hangs up is carried to its end.
//! A gateway's notifications come without a key, signed with the secret of an [`Endpoint`].
//! `POST /payments`, `PUT /payments/{id}` and `POST /payments/{id}/process` ignore fields that they do not know, as the
//! reference API has it: there a misspelt `idempotency_key` is no key. All others with a body refuse them, and name the
//! nearest field that they know. Unknown query parameters are ignored by the reference API alone, too; and by what needs no
//! key. No endpoint takes `null` for an amount.
//!
//! The router does nothing of its own accord. What is to be done at a time (asking about unknown outcomes, retries, the
//! end of holds) the host has to do: it calls [`Ledger::run_due`](counterfoil::ledger::Ledger::run_due) about every
//! second.
//!
//! What can be asked and what is answered is described in OpenAPI 3.1, at `/openapi.json` and by [`openapi()`].
//!
//! # Example
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use counterfoil::ledger::Ledger;
//! use counterfoil::scope::{Caller, Scope};
//! use counterfoil_http::{Api, ApiKeys};
//! use counterfoil_memory::MemoryStore;
//! use tower::ServiceExt;
//!
//! let mut keys = ApiKeys::new();
//! let scope = Scope::new("acme".parse()?, "production".parse()?);
//! keys.insert("a-long-random-secret", Caller::new(scope, "billing".parse()?))?;
//!
//! let api = Api::new(Ledger::new(Arc::new(MemoryStore::new())), keys);
//! let app: Router = Router::new()
//!     .route("/", get(|| async { "the host's own" }))
//!     .nest("/billing", counterfoil_http::router(api));
//!
//! let request = Request::post("/billing/v1/payments")
//!     .header("x-api-key", "a-long-random-secret")
//!     .body(Body::from(
//!         r#"{"amount": 99.5, "currency": "usd", "destination_type": "INVOICE", "destination_id": "inv-1",
//!             "payment_method_type": "OFFLINE", "idempotency_key": "once"}"#,
//!     ))?;
//! let answer = app.oneshot(request).await?;
//! assert_eq!(answer.status(), 201);
//! # Ok(())
//! # }
//! ```

mod amount;
mod answer;
mod api;
#[cfg(test)]
mod asked;
mod auth;
mod body;
mod canonical;
mod destination;
mod envelope;
mod error;
mod events;
mod feed;
mod fields;
mod health;
mod idempotency;
mod json;
mod keys;
mod nearest;
mod notification;
mod openapi;
mod path;
mod payment;
mod precondition;
mod query;
mod routes;
mod schema;
mod task;
mod wallet;

pub use amount::{Amounts, UnknownAmounts};
pub use api::Api;
pub use error::ApiError;
pub use keys::{ApiKeys, InvalidApiKey};
#[doc(hidden)]
pub use notification::parse_notification;
pub use notification::{Endpoint, InvalidEndpoint, sign};
pub use openapi::openapi;
#[doc(hidden)]
pub use payment::{parse_create, parse_list, parse_update};
pub use routes::router;
pub use task::Flows;
