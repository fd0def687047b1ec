//! One way of writing JSON: equal values are equal texts.

use std::fmt::Write;

use serde_json::value::RawValue;

use crate::json;

/// `value`, if it is an object: sorted by key, without white space, each text escaped alike. Numbers stay as they
/// were written, so that none loses a digit; `1` and `1.0` differ.
///
/// It must have been looked at by [`json::object`]: that bounds how deep this goes.
pub(crate) fn object(value: &RawValue) -> Option<String> {
    let mut out = String::new();
    let is_object = value.get().starts_with('{');
    is_object.then(|| write(value, &mut out)).flatten()?;
    Some(out)
}

fn write(value: &RawValue, out: &mut String) -> Option<()> {
    match value.get().as_bytes().first()? {
        b'{' => {
            let mut pairs = json::object_pairs(value)?;
            pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            write_list(out, ('{', '}'), pairs, |(name, value), out| {
                write_text(&name, out)?;
                out.push(':');
                write(value, out)
            })
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            write_list(out, ('[', ']'), items, write)
        }
        b'"' => write_text(&json::string(value)?, out),
        _ => out.write_str(value.get()).ok(),
    }
}

fn write_list<T>(
    out: &mut String,
    (open, close): (char, char),
    items: Vec<T>,
    write: impl Fn(T, &mut String) -> Option<()>,
) -> Option<()> {
    out.push(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out)?;
    }
    out.push(close);
    Some(())
}

/// JSON lets some control characters stand as they are; texts that are kept hold none.
fn write_text(text: &str, out: &mut String) -> Option<()> {
    for letter in serde_json::to_string(text).ok()?.chars() {
        if letter.is_control() {
            write!(out, "\\u{:04x}", u32::from(letter)).ok()?;
        } else {
            out.push(letter);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        object(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn equal_objects_are_equal_texts() {
        let texts = [
            r#" { "b" : [ 1 , { "d": null, "c": true } ] , "a" : "\u0041\/\u0007\u007f" } "#,
            r#"{"a":"A/\u0007\u007F","b":[1,{"c":true,"d":null}]}"#,
        ];
        for text in texts {
            let written = r#"{"a":"A/\u0007\u007f","b":[1,{"c":true,"d":null}]}"#;
            assert_eq!(canonical(text).as_deref(), Some(written));
            assert_eq!(canonical(written).as_deref(), Some(written), "and stay so");
        }
        assert_eq!(canonical("{ }").as_deref(), Some("{}"));
    }

    #[test]
    fn numbers_keep_every_digit() {
        let written = r#"{"n":[1.0,1,-0,1e400,12345678901234567890.123456789]}"#;
        assert_eq!(canonical(written).as_deref(), Some(written));
    }

    #[test]
    fn other_values_are_no_objects() {
        for text in ["[]", "[{}]", "\"{}\"", "1", "null", "true"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
