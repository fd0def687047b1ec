//! The feed as server-sent events: it goes on for as long as somebody listens.

use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::Response;
use counterfoil::ledger::Ledger;
use counterfoil::scope::Scope;
use counterfoil::store::{Feed, Position};
use futures_core::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use utoipa::IntoParams;

use super::FeedItemView;
use crate::api::Api;
use crate::error::ApiError;
use crate::schema;

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells a proxy not to keep events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How long the line may be silent. Whoever has gone is noticed by it, and proxies keep the line open.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A comment, which says nothing.
const BEAT: &[u8] = b":\n\n";
/// How many pages are made before somebody takes the first.
const AHEAD: usize = 2;

/// Whether the request is for a stream.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.any(|value| {
        let kinds = value.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.into_iter().any(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
    })
}

/// The last event that the listener has, which counts before the parameter: whoever connects again says both.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, ApiError> {
    #[cfg(test)]
    crate::asked::note("Last-Event-ID");
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let position = value.to_str().ok().and_then(|text| text.parse().ok());
    let refused = || ApiError::invalid("Last-Event-ID", "Last-Event-ID is not the id of an event");
    position.ok_or_else(refused).map(Some)
}

/// The answer that goes on, in pages of `limit`, until the listener goes or the server goes down. An unknown `after` is
/// answered with an error before the stream begins.
pub(super) async fn answer(
    api: &Api,
    scope: Scope,
    after: Position,
    limit: usize,
) -> Result<Response, ApiError> {
    api.ledger.feed(&scope, after, 0).await?;
    let (to, pages) = channel(AHEAD);
    let (ledger, closing) = (api.ledger.clone(), api.flows.closing());
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            () = to.closed() => {}
            () = tell(&ledger, &scope, after, limit, &to) => {}
        }
    });
    let mut response = Response::new(Body::from_stream(Pages(pages)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    response.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// Ends when the store does; whoever listens connects again and goes on where it was.
async fn tell(ledger: &Ledger, scope: &Scope, mut after: Position, limit: usize, to: &Sender<Bytes>) {
    while let Ok(feed) = ledger.feed(scope, after, limit).await {
        if !feed.entries.is_empty() {
            let Some(page) = written(&feed) else { return };
            if to.send(page).await.is_err() {
                return;
            }
        }
        if feed.next != after {
            // There may be more, even behind an empty page.
            after = feed.next;
            continue;
        }
        loop {
            match timeout(HEARTBEAT, ledger.news(after)).await {
                Ok(Ok(())) => break,
                Err(_) if to.send(Bytes::from_static(BEAT)).await.is_ok() => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }
}

/// Each event with its position as its id. JSON has no line breaks, so that each is one line.
fn written(feed: &Feed) -> Option<Bytes> {
    let mut text = String::new();
    for entry in &feed.entries {
        let data = serde_json::to_string(&FeedItemView::new(entry)).ok()?;
        let (id, kind) = (entry.position, entry.event.body().kind());
        write!(text, "id: {id}\nevent: {kind}\ndata: {data}\n\n").ok()?;
    }
    Some(text.into())
}

struct Pages(Receiver<Bytes>);

impl Stream for Pages {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|page| page.map(Ok))
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "only described: headers are read by their names")]
pub(crate) struct LastEventId {
    /// Of a stream: the id of the last event that came, after which it goes on; counts before `after`.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: schema::Position,
}
