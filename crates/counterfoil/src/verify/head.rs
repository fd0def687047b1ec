//! What is kept elsewhere, to find out later whether anything was taken away.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::hash::Hash;

/// All events of the books up to some moment, in one hash. Whoever keeps it elsewhere can tell later that
/// nothing of them was changed, moved or taken away, the last ones included; what was added since makes no difference.
///
/// The hash starts as [`Hash::ZERO`] and is linked with the hash of each event, in the order of the
/// [feed](crate::store::PaymentStore::feed). So it belongs to one store: books that were copied event by event into
/// another one have a head of their own. Written as `counterfoil-head 1 <events> <hash>`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use counterfoil::verify::BooksHead;
///
/// let text = "counterfoil-head 1 7 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// let kept: BooksHead = text.parse()?;
/// assert_eq!(kept.events(), 7);
/// assert_eq!(kept.to_string(), text);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BooksHead {
    events: u64,
    hash: Hash,
}

/// A text that is not the head of any books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a head that was written here: counterfoil-head 1 <events> <hash>")]
pub struct InvalidHead;

/// How a text says what it is, and in which form.
const MARK: &str = "counterfoil-head 1 ";

impl BooksHead {
    /// Of books without any event.
    pub const EMPTY: BooksHead = BooksHead { events: 0, hash: Hash::ZERO };

    /// How many events it covers.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The hash over them.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// With the next event of the feed, which has this hash.
    #[must_use]
    pub(super) fn with(self, event: Hash) -> BooksHead {
        BooksHead { events: self.events + 1, hash: self.hash.link(event.as_bytes()) }
    }
}

impl fmt::Display for BooksHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{} {}", self.events, self.hash)
    }
}

impl FromStr for BooksHead {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<BooksHead, InvalidHead> {
        let (events, hash) =
            text.strip_prefix(MARK).and_then(|rest| rest.split_once(' ')).ok_or(InvalidHead)?;
        let head = BooksHead {
            events: events.parse().map_err(|_| InvalidHead)?,
            hash: hash_of(hash).ok_or(InvalidHead)?,
        };
        // One head has one text.
        if head.to_string() == text { Ok(head) } else { Err(InvalidHead) }
    }
}

fn hash_of(text: &str) -> Option<Hash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digits = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.iter().map_while(digits).collect();
    let bytes = Some(bytes).filter(|_| rest.is_empty())?;
    bytes.try_into().ok().map(Hash::new)
}

impl Serialize for BooksHead {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_one_text() {
        let head = BooksHead::EMPTY.with(Hash::new([7; 32])).with(Hash::new([9; 32]));
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(BooksHead::EMPTY.to_string().parse(), Ok(BooksHead::EMPTY));
        let text = head.to_string();
        let upper = text.to_uppercase().replacen("COUNTERFOIL-HEAD", "counterfoil-head", 1);
        for odd in
            ["", "7", &text[1..], &text[..text.len() - 1], &format!("{text}0"), &format!("{text}\n"), &upper]
        {
            assert_eq!(odd.parse::<BooksHead>(), Err(InvalidHead), "{odd:?}");
        }
        assert_eq!(text.replacen("1 2", "1 02", 1).parse::<BooksHead>(), Err(InvalidHead));
        assert_eq!(text.replacen("1 2", "1 +2", 1).parse::<BooksHead>(), Err(InvalidHead));
        assert_eq!(text.replacen("1 2", "2 2", 1).parse::<BooksHead>(), Err(InvalidHead));
    }
}
