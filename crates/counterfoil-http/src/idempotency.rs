//! The idempotency key, which stands in the body or in a header.

use axum::http::{HeaderMap, HeaderName};
use counterfoil::text::IdempotencyKey;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::fields::Fields;
use crate::schema;

pub(crate) const FIELD: &str = "idempotency_key";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The key of a request with these headers and fields.
pub(crate) fn key(headers: &HeaderMap, fields: &Fields<'_>) -> Result<Option<IdempotencyKey>, ApiError> {
    one_key(headers, fields.text(FIELD)?)
}

/// The one key of a request: the body's, the header's, or both when they are equal.
pub(crate) fn one_key(
    headers: &HeaderMap,
    in_body: Option<IdempotencyKey>,
) -> Result<Option<IdempotencyKey>, ApiError> {
    #[cfg(test)]
    crate::asked::note("Idempotency-Key");
    let mut key = in_body;
    for header in headers.get_all(HEADER) {
        let text = std::str::from_utf8(header.as_bytes())
            .map_err(|_| ApiError::invalid(FIELD, "the Idempotency-Key header is not UTF-8"))?;
        let given = IdempotencyKey::new(text).map_err(|error| ApiError::invalid(FIELD, error))?;
        if key.as_ref().is_some_and(|key| *key != given) {
            let message = "the Idempotency-Key header and idempotency_key must be equal where both are given";
            return Err(ApiError::invalid(FIELD, message));
        }
        key = Some(given);
    }
    Ok(key)
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "only described: headers are read by their names")]
pub(crate) struct KeyHeader {
    /// The same as `idempotency_key` in the body, and equal to it where both are given.
    #[param(rename = "Idempotency-Key", required = false)]
    idempotency_key: schema::IdempotencyKey,
}
