//! Ids: `UUIDv7` inside, `prefix_` and 26 characters of lower-case Crockford base 32 outside.
//!
//! The order of the text is the order of the bytes, which is the order of creation.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{ContextV7, Uuid};

use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};

/// A text that is no id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id that begins with `{prefix}_`")]
pub struct InvalidId {
    /// What such an id begins with.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[doc = concat!("Written `", $prefix, "_…`; opaque to clients.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// The id with these bytes; take it from an [`IdSource`] when making something new.
            #[must_use]
            pub const fn new(uuid: Uuid) -> $name {
                $name(uuid)
            }

            /// Its bytes, as stores keep them.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), Base32::<UUID_LETTERS>(self.0.as_u128()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<$name, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(parse_base32::<UUID_LETTERS>)
                    .map(|bits| $name(Uuid::from_u128(bits)))
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<$name, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }

        impl Encode for $name {
            fn encode(&self, to: &mut Writer) {
                to.uuid(self.0);
            }
            fn decode(from: &mut Reader<'_>) -> Result<$name, Damage> {
                from.uuid().map($name)
            }
        }
    )+};
}

ids! {
    /// A payment.
    PaymentId, "pay";
    /// A charge or authorization attempt of a payment.
    AttemptId, "att";
    /// A refund of a payment.
    RefundId, "ref";
    /// A capture of held money.
    CaptureId, "cap";
    /// A void of a payment: a hold released, or captured money given back the same day.
    VoidId, "void";
    /// An update of a payment: not shown, it is what makes one take effect once.
    UpdateId, "upd";
    /// A dispute about a payment.
    DisputeId, "dsp";
    /// A top-up of a wallet.
    TopUpId, "top";
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The number of letters that the 128 bits of a UUID take.
pub(crate) const UUID_LETTERS: usize = 26;

/// The low bits of a number as text: `LENGTH` letters of five bits each. Texts of one length sort as the numbers do.
pub(crate) struct Base32<const LENGTH: usize>(pub(crate) u128);

impl<const LENGTH: usize> fmt::Display for Base32<LENGTH> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let digit = usize::try_from((self.0 >> (5 * place)) & 31).unwrap_or(0);
            let letter = ALPHABET.get(digit).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

/// Parses a number of at most 128 bits from exactly `LENGTH` letters.
pub(crate) fn parse_base32<const LENGTH: usize>(text: &str) -> Option<u128> {
    if text.len() != LENGTH {
        return None;
    }
    text.bytes().try_fold(0_u128, |bits, letter| {
        let digit = ALPHABET.iter().position(|known| *known == letter)?;
        bits.checked_mul(32)?.checked_add(u128::try_from(digit).ok()?)
    })
}

/// Where the ids of new things come from.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A `UUIDv7` for something made at `at`, never given before, and greater than those given before it.
    fn next(&self, at: Timestamp) -> Uuid;
}

/// Random ids, rising within the process even if the clock steps back.
#[derive(Debug, Default)]
pub struct RandomIds(Mutex<ContextV7>);

impl IdSource for RandomIds {
    fn next(&self, at: Timestamp) -> Uuid {
        let (seconds, nanos) = at.unix_parts();
        // The context is plain counters: it stays good when a thread panicked while holding it.
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(uuid::Timestamp::from_unix(&*context, seconds, nanos))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back_and_sorts_like_the_bytes(a: u128, b: u128) {
            let [a, b] = [a, b].map(|bits| PaymentId::new(Uuid::from_u128(bits)));
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let good = PaymentId::new(Uuid::from_u128(7)).to_string();
        assert_eq!(good, "pay_00000000000000000000000007");
        let bad = [
            "",
            "pay_",
            "att_00000000000000000000000007",
            "pay_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "pay_0000000000000000000000000I",
        ];
        for text in bad {
            assert_eq!(text.parse::<PaymentId>(), Err(InvalidId { prefix: "pay" }), "{text}");
        }
        assert!(good.to_uppercase().parse::<PaymentId>().is_err(), "one id, one text");
    }

    #[test]
    fn random_ids_rise_even_when_the_clock_steps_back() {
        let ids = RandomIds::default();
        let times = [5_000_000, 5_000_000, 4_000_000, 4_000_000, 6_000_000];
        let made: Vec<Uuid> =
            times.into_iter().map(|t| ids.next(Timestamp::from_unix_micros(t).unwrap())).collect();
        assert!(made.is_sorted() && made.first() != made.last());
    }
}
