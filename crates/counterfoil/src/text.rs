//! Names and references that come from outside: parsed once, at the edge, and valid ever after.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::{Damage, Encode, Reader, Writer};

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}")]
pub struct InvalidText {
    /// What the text was meant to be, as in "idempotency key".
    pub what: &'static str,
    /// What is wrong with it.
    pub problem: TextProblem,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextProblem {
    /// Nothing in it, or only white space.
    #[error("must not be empty")]
    Empty,
    /// More characters than allowed.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The most characters it may have.
        max: usize,
    },
    /// It holds a control character, NUL among them.
    #[error("must not contain control characters")]
    Control,
    /// More entries than allowed.
    #[error("must have at most {max} entries")]
    TooMany {
        /// The most entries it may have.
        max: usize,
    },
}

fn check(what: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    let problem = if text.trim().is_empty() {
        TextProblem::Empty
    } else if text.len() > max && text.chars().count() > max {
        TextProblem::TooLong { max }
    } else if text.chars().any(char::is_control) {
        TextProblem::Control
    } else {
        return Ok(());
    };
    Err(InvalidText { what, problem })
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $max:literal;)+) => {$(
        $(#[$doc])*
        ///
        #[doc = concat!("1 to ", $max, " characters, none of them a control character. Compared byte by byte, never normalised.")]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most characters it may have.
            pub const MAX_LENGTH: usize = $max;

            /// Checks and keeps `text`.
            pub fn new(text: impl AsRef<str>) -> Result<$name, InvalidText> {
                check($what, text.as_ref(), $max)?;
                Ok($name(Arc::from(text.as_ref())))
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidText;
            fn from_str(text: &str) -> Result<$name, InvalidText> {
                $name::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                $name::new(String::deserialize(from)?).map_err(D::Error::custom)
            }
        }

        impl Encode for $name {
            fn encode(&self, to: &mut Writer) {
                to.text(self.as_str());
            }
            fn decode(from: &mut Reader<'_>) -> Result<$name, Damage> {
                $name::new(from.text()?).map_err(|_| Damage::Malformed($what))
            }
        }
    )+};
}

texts! {
    /// The tenant a payment belongs to.
    TenantId, "tenant id", 64;
    /// An environment of a tenant, as in `production` or `sandbox`.
    EnvironmentId, "environment id", 64;
    /// Who asked for something: a user, an API key, or `system`.
    Actor, "actor", 255;
    /// The name under which a caller may repeat a request: it takes effect once.
    IdempotencyKey, "idempotency key", 255;
    /// What is paid, in the host's own words: an invoice number, say.
    DestinationId, "destination id", 255;
    /// A stored instrument at a gateway: a card, a bank account.
    PaymentMethodId, "payment method id", 255;
    /// A wallet of credits.
    WalletId, "wallet id", 255;
    /// A gateway, as the host registered it.
    GatewayName, "gateway name", 64;
    /// What a gateway calls an operation of ours.
    GatewayOperationId, "gateway operation id", 255;
    /// What a gateway calls a payment of ours, where it was made there.
    GatewayPaymentId, "gateway payment id", 255;
    /// What else a payment is tracked under at its gateway: an order, a checkout session.
    GatewayTrackingId, "gateway tracking id", 255;
    /// What a destination is called by people: an invoice number, say.
    DestinationNumber, "destination number", 255;
    /// What a gateway calls a dispute.
    GatewayDisputeId, "gateway dispute id", 255;
    /// What a gateway calls something that it told: told twice under one name, it counts once.
    NotificationId, "notification id", 255;
    /// A machine-readable reason, as in `insufficient_funds`.
    ErrorCode, "error code", 100;
    /// Words for people: why something failed.
    Message, "message", 1000;
    /// Where the payer is sent.
    PaymentUrl, "payment url", 2000;
    /// Where the payer comes back to.
    ReturnUrl, "return url", 2000;
    /// What a gateway is told beside the rest, as JSON that only the gateway reads.
    GatewayOptions, "gateway options", 10_000;
}

impl Actor {
    /// Whoever does what is due.
    #[must_use]
    pub fn system() -> Actor {
        Actor(Arc::from("system"))
    }
}

/// A gateway that does not tell a payment from its one attempt calls both the same.
impl From<GatewayPaymentId> for GatewayOperationId {
    fn from(id: GatewayPaymentId) -> GatewayOperationId {
        GatewayOperationId(id.0)
    }
}

macro_rules! lossy {
    ($name:ident, $nothing:literal) => {
        impl $name {
            /// Keeps what can be kept of `text`: a gateway's words must never be the reason that its answer
            /// is lost.
            #[must_use]
            pub fn lossy(text: &str) -> $name {
                let visible = text.chars().filter(|c| !c.is_control());
                let kept: String = visible.take($name::MAX_LENGTH).collect();
                $name::new(&kept).unwrap_or_else(|_| $name(Arc::from($nothing)))
            }
        }
    };
}

lossy!(ErrorCode, "unspecified");
lossy!(Message, "no reason given");

/// A host's own notes on a payment: at most 50 entries, keys of 1 to 40 characters, values of at most 500.
///
/// Kept sorted by key, so equal metadata has equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata(Arc<BTreeMap<String, String>>);

impl Metadata {
    /// The most entries.
    pub const MAX_ENTRIES: usize = 50;
    /// The most characters of a key.
    pub const MAX_KEY: usize = 40;
    /// The most characters of a value.
    pub const MAX_VALUE: usize = 500;

    /// Checks and keeps `entries`; of entries with the same key the last counts.
    pub fn new<K, V>(entries: impl IntoIterator<Item = (K, V)>) -> Result<Metadata, InvalidText>
    where
        K: Into<String>,
        V: Into<String>,
    {
        let entries: BTreeMap<String, String> =
            entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        if entries.len() > Metadata::MAX_ENTRIES {
            let problem = TextProblem::TooMany { max: Metadata::MAX_ENTRIES };
            return Err(InvalidText { what: "metadata", problem });
        }
        for (key, value) in &entries {
            check("metadata key", key, Metadata::MAX_KEY)?;
            check_value(value)?;
        }
        Ok(Metadata(Arc::new(entries)))
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All entries, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Values are prose: they may be empty and have line breaks, but no NUL, which databases cannot keep.
fn check_value(value: &str) -> Result<(), InvalidText> {
    let max = Metadata::MAX_VALUE;
    let problem = if value.chars().count() > max {
        TextProblem::TooLong { max }
    } else if value.contains('\0') {
        TextProblem::Control
    } else {
        return Ok(());
    };
    Err(InvalidText { what: "metadata value", problem })
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl Encode for Metadata {
    fn encode(&self, to: &mut Writer) {
        to.varint(self.0.len() as u64);
        for (key, value) in self.iter() {
            to.text(key);
            to.text(value);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Metadata, Damage> {
        let mut entries: Vec<(&str, &str)> = Vec::new();
        for _ in 0..from.varint()? {
            let entry = (from.text()?, from.text()?);
            if entries.last().is_some_and(|(last, _)| *last >= entry.0) {
                return Err(Damage::Malformed("order of metadata"));
            }
            entries.push(entry);
        }
        if entries.is_empty() {
            // Written by leaving it out.
            return Err(Damage::Malformed("metadata"));
        }
        Metadata::new(entries).map_err(|_| Damage::Malformed("metadata"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_to_max_visible_characters() {
        let problem = |text: &str| IdempotencyKey::new(text).map_err(|e| e.problem);
        assert_eq!(problem(""), Err(TextProblem::Empty));
        assert_eq!(problem("   "), Err(TextProblem::Empty));
        assert_eq!(problem("a\0b"), Err(TextProblem::Control));
        assert_eq!(problem(&"é".repeat(256)), Err(TextProblem::TooLong { max: 255 }));
        assert!(problem(&"é".repeat(255)).is_ok());
        assert_ne!(IdempotencyKey::new("é"), IdempotencyKey::new("e\u{301}"), "never normalised");
    }

    #[test]
    fn metadata_is_bounded_and_sorted() {
        let many = (0..51).map(|n| (n.to_string(), ""));
        assert_eq!(Metadata::new(many).unwrap_err().problem, TextProblem::TooMany { max: 50 });
        assert!(Metadata::new([("k".repeat(41), "v")]).is_err());
        assert!(Metadata::new([("k", "v".repeat(501))]).is_err());
        assert!(Metadata::new([("k", "a\0")]).is_err());
        let metadata = Metadata::new([("b", "2"), ("a", "line\nbreak")]).unwrap();
        assert_eq!(metadata.iter().map(|(k, _)| k).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_gateways_words_are_kept_as_far_as_they_can_be() {
        assert_eq!(Message::lossy("no\0t\n now").as_str(), "not now");
        assert_eq!(Message::lossy("\0").as_str(), "no reason given");
        assert_eq!(Message::lossy(&"x".repeat(5000)).as_str().len(), 1000);
    }
}
