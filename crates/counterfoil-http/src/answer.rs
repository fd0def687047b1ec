//! Answers that went well.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::ApiError;
use crate::precondition;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// `value` as the body of an answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(value) else { return ApiError::internal().into_response() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `response`, marked where it repeats what had happened before.
pub(crate) fn mark_replay(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// `response`, with the version of the payment that it is about.
pub(crate) fn with_version(version: u64, mut response: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&precondition::tag(version)) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
