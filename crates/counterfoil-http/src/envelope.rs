//! What every answer has around it: a request id, careful headers, and an error instead of a panic.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use counterfoil::clock::{Clock, SystemClock};
use counterfoil::id::IdSource;

use crate::amount::Amounts;
use crate::api::Api;
use crate::error::ApiError;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id that is repeated.
const MAX_REQUEST_ID: usize = 128;

pub(crate) async fn envelop(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(|| new_id(&api));
    let mut response = in_form(unless_it_panics(next.run(request)).await, api.amounts);
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error that tells of amounts says them as all answers do.
fn in_form(response: Response, form: Amounts) -> Response {
    match response.extensions().get::<ApiError>() {
        Some(error) if form != Amounts::Number => error.answer(form),
        _ => response,
    }
}

/// The caller's own id, if it is fit to be repeated.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let fit = (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    fit.then(|| id.clone())
}

fn new_id(api: &Api) -> HeaderValue {
    let id = format!("req_{}", api.request_ids.next(SystemClock.now()).simple());
    HeaderValue::from_str(&id).expect("letters and digits are a header value")
}

/// A panic of one request is that request's error, and nobody else's.
async fn unless_it_panics(work: impl Future<Output = Response>) -> Response {
    let mut work = pin!(work);
    // Nothing that the request had in hand is looked at again after it panicked.
    poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(ApiError::internal().into_response()))
    })
    .await
}
