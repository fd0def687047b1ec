//! The feed: what happened to all payments and accounts of the key's scope, every event once.

mod stream;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use counterfoil::account::AccountId;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::scope::Caller;
use counterfoil::store::{Entry, Feed, Position};
use serde::Serialize;
use utoipa::openapi::Object;
use utoipa::{IntoParams, ToSchema};

use self::stream::LastEventId;
use crate::answer;
use crate::api::Api;
use crate::error::ApiError;
use crate::error::described::{BadRequest, Gone};
use crate::events::EventView;
use crate::query::{self, Parameters};
use crate::schema;

/// How many events are answered at once, unless the caller says.
const DEFAULT_LIMIT: usize = 100;

/// Lists what happened to all payments and accounts, every event once.
///
/// Remember `next`, and go on there. While it moves there may be more, even behind an empty page: the feed looks at
/// so many events of all scopes at a time, and answers those of one.
///
/// With `Accept: text/event-stream` it goes on as server-sent events: each with its `position` as its id, the word of its
/// `type` as its event, and as its data what stands in `items`. A comment now and then keeps the line open.
///
/// A 410 means that the ledger was restored from a backup after it gave the position, or is another one. Events that you
/// have applied may be lost. Read the feed again from its start, without a position. Each event has a `hash` to compare.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "listEvents",
    tag = "events",
    params(FeedParameters, LastEventId),
    responses(
        (status = 200, description = "Events, in an order that never changes.",
            content((FeedView = "application/json"), (String = "text/event-stream")),
            links(("next" = (operation_id = "listEvents", parameters(("after" = "$response.body#/next"))))),
        ),
        (status = 400, response = BadRequest),
        (status = 410, response = Gone),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri)?.only(&query::PAGED)?;
    let after = parameters.parsed("after")?.unwrap_or(Position::START);
    let limit = parameters.limit(DEFAULT_LIMIT)?;
    let last = stream::last_event_id(&headers)?;
    if stream::is_asked_for(&headers) {
        return stream::answer(&api, caller.scope, last.unwrap_or(after), limit).await;
    }
    let feed = api.ledger.feed(&caller.scope, after, limit).await?;
    Ok(answer::json(StatusCode::OK, &FeedView::new(&feed)))
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "only described: parameters are read by their names")]
struct FeedParameters {
    /// A `next`, or the `position` of an event; from the very first one unless said.
    after: Option<schema::Position>,
    /// How many at most.
    #[param(schema_with = limits)]
    limit: Option<u64>,
}

fn limits() -> Object {
    query::limits(DEFAULT_LIMIT)
}

/// A stretch of the feed.
#[derive(Serialize, ToSchema)]
#[schema(as = Feed)]
struct FeedView<'a> {
    items: Vec<FeedItemView<'a>>,
    /// Where to go on.
    #[schema(value_type = schema::Position)]
    next: Position,
}

/// An event as in a payment's own history, and where it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = FeedEvent)]
struct FeedItemView<'a> {
    #[schema(value_type = schema::Position)]
    position: Position,
    /// The payment it is about, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::PaymentId)]
    payment_id: Option<PaymentId>,
    /// The account it is about, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, examples("wallet:w_1"))]
    account_id: Option<&'a AccountId>,
    #[serde(flatten)]
    event: EventView<'a>,
}

impl<'a> FeedView<'a> {
    fn new(feed: &'a Feed) -> FeedView<'a> {
        FeedView { items: feed.entries.iter().map(FeedItemView::new).collect(), next: feed.next }
    }
}

impl<'a> FeedItemView<'a> {
    fn new(entry: &'a Entry) -> FeedItemView<'a> {
        let event = &entry.event;
        let (payment_id, account_id) = match event.stream() {
            StreamId::Payment(id) => (Some(*id), None),
            StreamId::Account(id) => (None, Some(id)),
        };
        FeedItemView { position: entry.position, payment_id, account_id, event: EventView::of(event) }
    }
}
