//! Query strings: bounded, decoded, each parameter read as what it must be.
//!
//! A parameter that is given counts, and an empty one is a value that will not do: it never widens what is asked
//! for to everything. (The published clients leave out what is not set.) Nor does the first of two count.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::http::Uri;
use percent_encoding::percent_decode_str;
use utoipa::openapi::Object;

use crate::error::ApiError;
use crate::fields::{one_of, unknown};
use crate::{json, schema};

/// The most bytes of a query string that are looked at, where nothing long can be asked for.
const MAX_QUERY: usize = 2_048;

/// The parameters of a list that goes on after a place.
pub(crate) const PAGED: [&str; 2] = ["after", "limit"];

/// The most things of a page.
const MAX_LIMIT: u64 = 1_000;

/// The parameters of a request of which those that nobody asks for are ignored.
#[derive(Debug)]
pub(crate) struct Parameters<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Parameters<'a> {
    /// Those of `uri`.
    pub(crate) fn of(uri: &'a Uri) -> Result<Parameters<'a>, ApiError> {
        Parameters::parse(uri.query().unwrap_or_default(), MAX_QUERY)
    }

    /// Those of a query string of at most so many bytes.
    pub(crate) fn parse(query: &'a str, most: usize) -> Result<Parameters<'a>, ApiError> {
        if query.len() > most {
            return Err(ApiError::refused(format!("the query string is longer than {most} bytes")));
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        // What is no text is the name of nothing, as it is written.
        let named = pairs.map(|(name, value)| (decoded(name).unwrap_or(Cow::Borrowed(name)), value));
        Ok(Parameters(named.collect()))
    }

    /// The same, of a request to one of our own endpoints, which has no parameters but these: a misspelt one must not mean
    /// everything, or from the start.
    pub(crate) fn only(self, known: &[&str]) -> Result<Parameters<'a>, ApiError> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_ref())) {
            Some((name, _)) => Err(unknown(&json::shown(name), "parameter", known.to_vec())),
            None => Ok(self),
        }
    }

    /// The texts of all parameters of this name.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<Cow<'a, str>>, ApiError> {
        #[cfg(test)]
        crate::asked::note(name);
        let text =
            |value| decoded(value).ok_or_else(|| ApiError::invalid(name, format!("{name} is not UTF-8")));
        self.values(name).map(text).collect()
    }

    /// A valid `T`.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: Cow<'_, str>| text.parse().map_err(|error| ApiError::invalid(name, error));
        self.text(name)?.map(parse).transpose()
    }

    /// One of the words of a closed set.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, ApiError> {
        self.text(name)?.map(|given| one_of(name, &given, all, word)).transpose()
    }

    /// The whole number that the parameter `name` must be, where it is given.
    pub(crate) fn number(&self, name: &str, bounds: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let parse = |text: Cow<'_, str>| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|number| digits && bounds.contains(number));
            let (first, last) = (bounds.start(), bounds.end());
            let message = || format!("{name} must be one whole number from {first} to {last}");
            number.ok_or_else(|| ApiError::invalid(name, message()))
        };
        self.text(name)?.map(parse).transpose()
    }

    /// How many things of a page are asked for: `default`, unless the caller says.
    pub(crate) fn limit(&self, default: usize) -> Result<usize, ApiError> {
        let limit = self.number("limit", 1..=MAX_LIMIT)?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default))
    }

    fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, ApiError> {
        let mut texts = self.texts(name)?;
        match texts.len() {
            0 | 1 => Ok(texts.pop()),
            _ => Err(ApiError::invalid(name, format!("{name} is given twice"))),
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| *value)
    }
}

/// What `limit` may be, for the description.
pub(crate) fn limits(default: usize) -> Object {
    schema::numbers(1..=MAX_LIMIT).default(Some(default.into())).build()
}

/// As forms are encoded: a `+` is a space. `None` if that makes no UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().ok()?.into_owned();
        return Some(decoded.into());
    }
    percent_decode_str(text).decode_utf8().ok()
}
