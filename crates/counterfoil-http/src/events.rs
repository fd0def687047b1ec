//! A payment's history.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use counterfoil::clock::Timestamp;
use counterfoil::event::{Body, Event, Hash, StreamId};
use counterfoil::scope::Caller;
use counterfoil::status::Cause;
use counterfoil::text::Actor;
use serde::Serialize;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use crate::answer;
use crate::api::Api;
use crate::error::ApiError;
use crate::error::described::{BadRequest, NotFound};
use crate::path::PaymentPath;
use crate::query::{self, Parameters};
use crate::schema;

/// How many events are answered at once, unless the caller says.
const DEFAULT_LIMIT: usize = 100;
/// Sequences fit in what databases count with.
const MAX_SEQUENCE: u64 = i64::MAX.unsigned_abs();

/// Lists what happened to a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/events",
    operation_id = "listPaymentEvents",
    tag = "events",
    params(PaymentPath, HistoryParameters),
    responses(
        (status = 200, description = "Events of the payment, the first one first.", body = HistoryView),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    uri: Uri,
) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri)?.only(&query::PAGED)?;
    let after = parameters.number("after", 0..=MAX_SEQUENCE)?.unwrap_or(0);
    let limit = parameters.limit(DEFAULT_LIMIT)?;
    // An empty page says nothing about whether there is a payment.
    if api.ledger.payment(&caller.scope, id).await?.is_none() {
        return Err(ApiError::no_such("payment"));
    }
    let events = api.ledger.history(&caller.scope, &StreamId::Payment(id), after, limit).await?;
    let items = events.iter().map(|event| EventView::of(event)).collect();
    Ok(answer::json(StatusCode::OK, &HistoryView { items }))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "only described: parameters are read by their names")]
struct HistoryParameters {
    /// The sequence of the event to go on after.
    #[param(schema_with = sequences)]
    after: Option<u64>,
    /// How many at most.
    #[param(schema_with = limits)]
    limit: Option<u64>,
}

fn sequences() -> Object {
    schema::numbers(0..=MAX_SEQUENCE).default(Some(0.into())).build()
}

fn limits() -> Object {
    query::limits(DEFAULT_LIMIT)
}

/// What happened to a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = History)]
struct HistoryView<'a> {
    items: Vec<EventView<'a>>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventView<'a> {
    /// 1, 2, 3 … of its payment or account.
    sequence: u64,
    /// What happened. New words may come.
    #[serde(rename = "type")]
    #[schema(examples("payment.created"))]
    kind: &'static str,
    /// The same in plain words, for people. The words may change.
    summary: String,
    #[schema(value_type = schema::Time)]
    at: Timestamp,
    #[schema(value_type = schema::Actor)]
    actor: &'a Actor,
    /// Why: somebody asked for it, a gateway said so, or a time passed.
    #[schema(value_type = schema::Cause)]
    cause: Cause,
    /// All of it; its amounts are strings.
    #[schema(value_type = Object)]
    data: &'a Body,
    #[schema(value_type = schema::Hash)]
    hash: Hash,
}

impl EventView<'_> {
    pub(crate) fn of(event: &Event) -> EventView<'_> {
        EventView {
            sequence: event.sequence(),
            kind: event.body().kind(),
            summary: event.summary(),
            at: event.at(),
            actor: event.actor(),
            cause: event.cause(),
            data: event.body(),
            hash: event.hash(),
        }
    }
}
