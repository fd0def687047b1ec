//! Strict JSON. What a lenient reader lets pass, and another reader takes differently, is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep values may be nested; the body itself is the first level.
const MAX_DEPTH: usize = 32;

/// The members of an object, each still as it was written.
pub(crate) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Why a body is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct BadJson {
    /// The top-level field it is about.
    pub(crate) field: Option<String>,
    problem: Problem,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is empty: it must be a JSON object")]
    Empty,
    #[error("the body is not complete JSON: it ends too early")]
    CutOff,
    #[error("the body is not JSON: wrong at line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("the body must be a JSON object")]
    NotAnObject,
    #[error("the same key is given twice")]
    Twice,
    #[error("texts must not contain NUL characters")]
    Nul,
    #[error("a text is not Unicode")]
    NotUnicode,
    #[error("values must not be nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

impl Problem {
    /// What keeps `text` from being JSON.
    fn of(error: &serde_json::Error, text: &str) -> Problem {
        if text.trim_ascii().is_empty() {
            Problem::Empty
        } else if error.is_eof() {
            Problem::CutOff
        } else {
            Problem::Syntax { line: error.line(), column: error.column() }
        }
    }
}

/// The members of the one object that `bytes` are.
///
/// Everything in it has been looked at, members that nobody will ask for included: no key stands twice in
/// one object, no text holds a NUL, nothing is nested too deep. Values are at least well-formed.
pub(crate) fn object(bytes: &[u8]) -> Result<Members<'_>, BadJson> {
    let whole = |problem| BadJson { field: None, problem };
    let text = std::str::from_utf8(bytes).map_err(|_| whole(Problem::NotUtf8))?;
    let value: &RawValue = serde_json::from_str(text).map_err(|error| whole(Problem::of(&error, text)))?;
    if !value.get().starts_with('{') {
        return Err(whole(Problem::NotAnObject));
    }
    let mut members = Members::new();
    for (name, value) in pairs(value).map_err(whole)? {
        let about = |problem| BadJson { field: Some(shown(&name)), problem };
        check_text(&name).and_then(|()| check(value, 2)).map_err(about)?;
        if members.contains_key(&name) {
            return Err(about(Problem::Twice));
        }
        members.insert(name, value);
    }
    Ok(members)
}

/// The text that `value` is, if it is one.
pub(crate) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The pairs of the object that `value` is, in the order in which they stand, if it is one.
pub(crate) fn object_pairs(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    pairs(value).ok()
}

/// Each level is parsed on its own, so that numbers stay as they were written: a parser that reads on would
/// make floats of them.
fn check(value: &RawValue, depth: usize) -> Result<(), Problem> {
    let kind = value.get().as_bytes().first();
    if matches!(kind, Some(b'{' | b'[')) && depth > MAX_DEPTH {
        return Err(Problem::TooDeep);
    }
    match kind {
        Some(b'{') => {
            let mut pairs = pairs(value)?;
            pairs
                .iter()
                .try_for_each(|(name, value)| check_text(name).and_then(|()| check(value, depth + 1)))?;
            pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            let twice = pairs.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
            if twice { Err(Problem::Twice) } else { Ok(()) }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| Problem::NotUnicode)?;
            items.into_iter().try_for_each(|item| check(item, depth + 1))
        }
        Some(b'"') => check_text(&string(value).ok_or(Problem::NotUnicode)?),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.contains('\0') { Err(Problem::Nul) } else { Ok(()) }
}

/// The value is well-formed already: what can still be wrong with its keys is an escaped half of a pair.
fn pairs(value: &RawValue) -> Result<Vec<(String, &RawValue)>, Problem> {
    let Pairs(pairs) = serde_json::from_str(value.get()).map_err(|_| Problem::NotUnicode)?;
    Ok(pairs)
}

/// A stranger's key is repeated only so far.
pub(crate) fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pairs<'de>, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        from.deserialize_map(InOrder)
    }
}
