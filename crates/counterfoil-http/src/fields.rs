//! The fields of a request, each read as what it must be. A field that is `null` is not there; an amount that is `null`
//! is refused, since an amount that is left out means all there is.

use std::fmt::Display;
use std::str::FromStr;

use counterfoil::clock::Timestamp;
use counterfoil::text::{GatewayOptions, InvalidText, Metadata};
use serde_json::value::RawValue;

use crate::canonical;
use crate::error::ApiError;
use crate::json::{self, Members};
use crate::nearest::nearest;

/// What a request of the reference API may not carry where it moves the payment's own amount.
const MONEY: [&str; 2] = ["amount", "currency"];

/// The body of a request to one of our own endpoints, those that are not of the reference API. It takes no field but
/// these: where money moves, a misspelt amount must not mean all of it.
pub(crate) trait OwnBody {
    /// The names of its fields.
    const FIELDS: &'static [&'static str];
}

/// Declares an [`OwnBody`] together with its description: what is described is what is taken.
macro_rules! own_body {
    ($(#[$about:meta])* $vis:vis struct $name:ident { $($(#[$meaning:meta])* $field:ident: $kind:ty,)+ }) => {
        #[derive(utoipa::ToSchema)]
        $(#[$about])*
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "only described: the parser reads fields by their names")]
        $vis struct $name {
            $($(#[$meaning])* $field: $kind,)+
        }

        impl $crate::fields::OwnBody for $name {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];
        }
    };
}

pub(crate) use own_body;

/// The fields of a request body.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    /// The fields of the one object that the body of a request of the reference API must be. Fields that are not known
    /// are ignored, as that API has it.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Fields<'a>, ApiError> {
        json::object(body).map(Fields).map_err(|bad| match &bad.field {
            Some(field) => ApiError::invalid(field, &bad),
            None => ApiError::refused(&bad),
        })
    }

    /// As [`parse`](Self::parse), where there may be no body at all.
    pub(crate) fn parse_optional(body: &'a [u8]) -> Result<Fields<'a>, ApiError> {
        if body.is_empty() { Ok(Fields::default()) } else { Fields::parse(body) }
    }

    /// The fields of a request to one of our own endpoints, none of which may be unknown.
    pub(crate) fn of<B: OwnBody>(body: &'a [u8]) -> Result<Fields<'a>, ApiError> {
        Fields::parse(body)?.only(B::FIELDS)
    }

    /// As [`of`](Self::of), where there may be no body at all.
    pub(crate) fn of_optional<B: OwnBody>(body: &'a [u8]) -> Result<Fields<'a>, ApiError> {
        Fields::parse_optional(body)?.only(B::FIELDS)
    }

    fn only(self, known: &[&'static str]) -> Result<Fields<'a>, ApiError> {
        let known: Vec<&str> = known.iter().map(|name| name.trim_start_matches("r#")).collect();
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(unknown(&json::shown(name), "field", known)),
            None => Ok(self),
        }
    }

    /// Refuses an amount or a currency, `null` included, in a request of the reference API that takes none: it would be
    /// taken for the amount that moves. `instead` says which call takes one.
    pub(crate) fn require_no_money(&self, instead: &str) -> Result<(), ApiError> {
        match MONEY.iter().find(|name| self.0.contains_key(**name)) {
            Some(name) => Err(ApiError::invalid(name, format!("{name} is not taken here: {instead}"))),
            None => Ok(()),
        }
    }

    /// What `read` makes of the field, which must be there.
    pub(crate) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Result<Option<T>, ApiError>,
    ) -> Result<T, ApiError> {
        let value = if self.is_null(name) { None } else { read(self, name)? };
        value.ok_or_else(|| ApiError::invalid(name, format!("{name} is required")))
    }

    /// A string.
    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.read(name, "a string", json::string)
    }

    /// A string that is a valid `T`.
    pub(crate) fn text<T: FromStr<Err = InvalidText>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: String| text.parse().map_err(|error| ApiError::invalid(name, error));
        self.string(name)?.map(parse).transpose()
    }

    /// One of the words of a closed set.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, ApiError> {
        self.string(name)?.map(|given| one_of(name, &given, all, word)).transpose()
    }

    /// A moment, as RFC 3339 writes it.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.parsed(name)
    }

    /// A string that says a `T`: an id, a moment.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        let parse = |text: String| text.parse().map_err(|error| ApiError::invalid(name, error));
        self.string(name)?.map(parse).transpose()
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.read(name, "true or false", |value| serde_json::from_str(value.get()).ok())
    }

    /// The text of a number, exactly as it was written, whether as a JSON number or within a string. It may be left out,
    /// but `null` is no amount.
    pub(crate) fn number(&self, name: &str) -> Result<Option<String>, ApiError> {
        if self.is_null(name) {
            return Err(ApiError::invalid(
                name,
                format!("{name} must not be null: give an amount, or leave it out"),
            ));
        }
        self.read(name, "a number, or a string that holds one", |value| {
            let written = value.get();
            match written.as_bytes().first()? {
                b'"' => json::string(value),
                b'-' | b'0'..=b'9' => Some(written.to_owned()),
                _ => None,
            }
        })
    }

    /// An object of strings.
    pub(crate) fn metadata(&self, name: &str) -> Result<Option<Metadata>, ApiError> {
        let entries = self.read(name, "an object of strings", |value| {
            let pairs = json::object_pairs(value)?;
            pairs
                .into_iter()
                .map(|(key, value)| Some((key, json::string(value)?)))
                .collect::<Option<Vec<_>>>()
        })?;
        let check = |entries| Metadata::new(entries).map_err(|error| ApiError::invalid(name, error));
        entries.map(check).transpose()
    }

    /// An object of whatever is in it, written in the one way in which equal objects are equal texts.
    pub(crate) fn options(&self, name: &str) -> Result<Option<GatewayOptions>, ApiError> {
        let object = self.read(name, "an object", canonical::object)?;
        let check = |text| GatewayOptions::new(text).map_err(|error| ApiError::invalid(name, error));
        object.map(check).transpose()
    }

    /// Whether the field is there, and not `null`.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.0.contains_key(name) && !self.is_null(name)
    }

    fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.get() == "null")
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&RawValue) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        #[cfg(test)]
        crate::asked::note(name);
        let Some(value) = self.0.get(name).filter(|value| value.get() != "null") else { return Ok(None) };
        let wrong = || ApiError::invalid(name, format!("{name} must be {expected}"));
        read(value).ok_or_else(wrong).map(Some)
    }
}

/// The error for a field or a parameter that an endpoint does not have: it names the one that may be meant, and all that
/// there are.
pub(crate) fn unknown(name: &str, noun: &str, known: Vec<&str>) -> ApiError {
    let message = format!("{name} is not a {noun} of this request");
    match nearest(name, &known) {
        Some(near) => {
            ApiError::invalid(name, format!("{message}; did you mean {near}?")).with("nearest", near)
        }
        None => ApiError::invalid(name, message),
    }
    .with("allowed", known)
}

/// The one of `all` that is `given`, to the letter.
pub(crate) fn one_of<T: Copy>(
    name: &str,
    given: &str,
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<T, ApiError> {
    let found = all.iter().copied().find(|known| word(*known) == given);
    found.ok_or_else(|| ApiError::unknown_word(name, all.iter().map(|known| word(*known)).collect()))
}
