//! The feed: every event of the books once, in an order that never changes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::event::Event;
use crate::id::{Base32, parse_base32};

/// A place in the feed of one store: behind an event. Later places are greater; nothing else about it means
/// anything, and no other store knows it. Whoever sees two of them can tell about how much was written in between, in
/// all scopes together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position([u8; 16]);

impl Position {
    /// Before the first event.
    pub const START: Position = Position([0; 16]);

    /// The position with these bytes, which sort as positions do.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Position {
        Position(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The position with this number; greater numbers are greater positions.
    #[must_use]
    pub const fn from_number(number: u64) -> Position {
        Position((number as u128).to_be_bytes())
    }

    /// Its number, where it has one.
    #[must_use]
    pub fn number(self) -> Option<u64> {
        u64::try_from(u128::from_be_bytes(self.0)).ok()
    }
}

/// A text that is no position of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position that a feed has given")]
pub struct InvalidPosition;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Base32(u128::from_be_bytes(self.0)), f)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({self})")
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        parse_base32(text).map(|bits| Position(bits.to_be_bytes())).ok_or(InvalidPosition)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The events, in the order of their positions.
    pub entries: Vec<Entry>,
    /// Where to go on: behind all that was looked at. While it moves there may be more, even if no entry was
    /// of the scope; once it stays, wait for [news](super::PaymentStore::news).
    pub next: Position,
}

/// An event, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Behind this event.
    pub position: Position,
    /// What happened.
    pub event: Arc<Event>,
}
