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

use crate::answer;
use crate::api::Api;
use crate::error::ApiError;
use crate::path::PaymentPath;
use crate::query::Query;

/// How many events are answered at once, unless the caller says.
const DEFAULT_LIMIT: u64 = 100;
const MAX_LIMIT: u64 = 1_000;
/// Sequences fit in what databases count with.
const MAX_SEQUENCE: u64 = i64::MAX.unsigned_abs();

/// `GET /payments/{id}/events`, with `after` (a sequence) and `limit`.
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    uri: Uri,
) -> Result<Response, ApiError> {
    let query = Query::of(&uri)?;
    let after = query.number("after", 0..=MAX_SEQUENCE)?.unwrap_or(0);
    let limit = query.number("limit", 1..=MAX_LIMIT)?.unwrap_or(DEFAULT_LIMIT);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // An empty page says nothing about whether there is a payment.
    if api.ledger.payment(&caller.scope, id).await?.is_none() {
        return Err(ApiError::no_such("payment"));
    }
    let events = api.ledger.history(&caller.scope, &StreamId::Payment(id), after, limit).await?;
    let items = events.iter().map(|event| EventView::of(event)).collect();
    Ok(answer::json(StatusCode::OK, &Items { items }))
}

#[derive(Serialize)]
struct Items<T> {
    items: Vec<T>,
}

#[derive(Serialize)]
struct EventView<'a> {
    sequence: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    at: Timestamp,
    actor: &'a Actor,
    cause: Cause,
    data: &'a Body,
    hash: Hash,
}

impl EventView<'_> {
    fn of(event: &Event) -> EventView<'_> {
        EventView {
            sequence: event.sequence(),
            kind: event.body().kind(),
            at: event.at(),
            actor: event.actor(),
            cause: event.cause(),
            data: event.body(),
            hash: event.hash(),
        }
    }
}
