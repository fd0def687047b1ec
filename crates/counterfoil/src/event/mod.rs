//! Events: the truth. Everything else (rows, claims, balances) is a cache of them.
//!
//! An event stands in a stream (a payment's or an account's) at a sequence that rises from 1 without a gap.
//! Its canonical bytes never change, and its hash covers them and the hash before it.

mod body;
mod decision;
mod encode;
mod evolve;
mod parts;
mod report;
mod start;
mod summary;

use std::fmt;
use std::sync::Arc;

pub use body::{Body, Closing, Entered, ToppedUp};
pub use decision::{Decision, Dismissed, DisputeDecision, DisputeResolved, Resolved};
pub(crate) use evolve::{apply, move_share, share_moved};
pub use evolve::{evolve_account, evolve_destination, evolve_payment};
pub use report::{Disputed, Misfit, NotificationReused, Polled, Reported};
pub use start::{Canceled, Created, Sent, Start, StartResult};

pub use crate::hash::Hash;
pub use crate::stream::StreamId;

use crate::account::Posting;
use crate::claim::{Claim, ClaimKey};
use crate::clock::Timestamp;
use crate::codec::Damage;
use crate::payment::Terms;
use crate::scope::Scope;
use crate::status::Cause;
use crate::text::Actor;

/// One thing that happened, sealed: it can be read and kept, not changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    draft: Draft,
    bytes: Box<[u8]>,
    hash: Hash,
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { draft, bytes, hash } = self;
        let Draft { scope, stream, sequence, at, actor, cause, body, claims, postings } = draft;
        f.debug_struct("Event")
            .field("scope", scope)
            .field("stream", stream)
            .field("sequence", sequence)
            .field("at", at)
            .field("actor", actor)
            .field("cause", cause)
            .field("body", body)
            .field("claims", claims)
            .field("postings", postings)
            // All of them are in what stands above.
            .field("bytes", &format_args!("{} bytes", bytes.len()))
            .field("hash", hash)
            .finish()
    }
}

/// What an event says, before it is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) scope: Scope,
    pub(crate) stream: StreamId,
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) cause: Cause,
    pub(crate) body: Body,
    pub(crate) claims: Vec<Arc<Claim>>,
    pub(crate) postings: Vec<Posting>,
}

impl Event {
    pub(crate) fn seal(draft: Draft, previous: Hash) -> Event {
        let bytes = encode::encode(&draft);
        let hash = previous.link(&bytes);
        Event::new(draft, bytes.into(), hash)
    }

    fn new(draft: Draft, bytes: Box<[u8]>, hash: Hash) -> Event {
        Event { draft, bytes, hash }
    }

    /// The event with these canonical bytes, kept beside this hash. Whether the hash is right is another
    /// question: see [`follows`](Self::follows).
    pub fn decode(bytes: &[u8], hash: Hash) -> Result<Event, Damage> {
        Ok(Event::new(encode::decode(bytes)?, bytes.into(), hash))
    }

    /// Whether its hash is that of its bytes following an event with the hash `previous`.
    #[must_use]
    pub fn follows(&self, previous: Hash) -> bool {
        previous.link(&self.bytes) == self.hash
    }

    /// The canonical bytes of the event, which its hash covers.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 hash of the event, over the hash before it and its bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The tenant and environment that own the stream.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.draft.scope
    }

    /// The stream it stands in.
    #[must_use]
    pub fn stream(&self) -> &StreamId {
        &self.draft.stream
    }

    /// Its place in the stream, from 1.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.draft.sequence
    }

    /// When it happened: later than the event before it in its stream.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.draft.at
    }

    /// Who made it happen.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.draft.actor
    }

    /// Whether a command, evidence, a resolution or the clock caused it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.draft.cause
    }

    /// What happened, with the fields of its type.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.draft.body
    }

    /// The names it took.
    #[must_use]
    pub fn claims(&self) -> &[Arc<Claim>] {
        &self.draft.claims
    }

    /// The money it moved; sums to zero per currency.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.draft.postings
    }

    /// Whether it took this name.
    pub(crate) fn took(&self, name: &ClaimKey) -> bool {
        self.draft.claims.iter().any(|claim| claim.key == *name)
    }

    /// The terms of the payment that it creates.
    #[must_use]
    pub fn terms(&self) -> Option<&Arc<Terms>> {
        self.draft.terms()
    }

    /// What it says, but for its seal.
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }
}

impl Draft {
    pub(crate) fn terms(&self) -> Option<&Arc<Terms>> {
        match &self.body {
            Body::Created(created) => Some(&created.terms),
            _ => None,
        }
    }
}
