//! Query strings: whole numbers, within bounds.

use std::ops::RangeInclusive;

use axum::http::Uri;

use crate::error::ApiError;

/// The most bytes of a query string that are looked at.
const MAX_QUERY: usize = 2_048;

/// The parameters of a request. Those that nobody asks for are ignored.
#[derive(Debug)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn of(uri: &'a Uri) -> Result<Query<'a>, ApiError> {
        let query = uri.query().unwrap_or_default();
        if query.len() > MAX_QUERY {
            return Err(ApiError::refused(format!("the query string is longer than {MAX_QUERY} bytes")));
        }
        Ok(Query(query))
    }

    /// The whole number that the parameter `name` must be, where it is given.
    pub(crate) fn number(&self, name: &str, bounds: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = value.parse().ok().filter(|number| bounds.contains(number));
                number.ok_or_else(|| out_of(name, &bounds)).map(Some)
            }
            _ => Err(out_of(name, &bounds)),
        }
    }
}

fn out_of(name: &str, bounds: &RangeInclusive<u64>) -> ApiError {
    let (first, last) = (bounds.start(), bounds.end());
    ApiError::invalid(name, format!("{name} must be one whole number from {first} to {last}"))
}
