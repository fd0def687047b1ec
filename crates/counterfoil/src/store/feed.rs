//! The feed: every event of the books once, in an order that never changes.

use std::sync::Arc;

use super::position::Position;
use crate::event::Event;

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
