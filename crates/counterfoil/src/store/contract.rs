//! The contract between the core and a store.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use super::error::{ExecuteError, StoreError};
use super::feed::Feed;
use super::list::{Page, Query};
use super::position::Position;
use super::state::{Key, State};
use crate::clock::Timestamp;
use crate::command::{Command, Receipt};
use crate::event::{Event, Hash, StreamId};
use crate::id::PaymentId;
use crate::scope::Scope;

/// Where payments are kept. What an implementer writes; what a billing service uses is the
/// [`Ledger`](crate::ledger::Ledger).
///
/// # The guarantees
///
/// * **Atomic.** All that one command decides (events, claims, the next state of rows) is written, or none
///   of it, also when the process is killed at any moment.
/// * **Serializable.** The effect of concurrent commands is that of some order of them, one after the other.
///   Each row that was read is locked, or guarded by its version, *even if it is not written*; each absence
///   that was relied on is guarded by a unique insert. A failed guard means: load again, decide again. It is
///   never answered as a rejection.
/// * **Durable** as [`status`](Self::status) says. What a durable store has acknowledged is there after a
///   crash; what is not durable yet is shown to no reader.
/// * **Scoped.** Nothing of another tenant or environment is read, matched or changed, whatever the ids.
///   A foreign id answers exactly like one that does not exist.
/// * **Identified.** A store has a [`LedgerId`](super::LedgerId), chosen at random when it is made, and is in an
///   [`Era`](super::Era), which rises after a restore. Positions of its feed name both.
/// * **Exact.** Texts and names are bytes: compared and sorted as bytes, kept as they came.
///
/// # Futures
///
/// A future that is dropped changes only who hears the answer: the command may still be committed. Executing
/// it again tells which, for a command is idempotent by value.
///
/// # How to write one
///
/// Give every command to a [`Group`](super::Group), load the keys it asks for in one transaction, write its
/// [`Plan`](super::Plan) in the same transaction, and answer after the commit. The suite in
/// `counterfoil-testkit` checks what of this can be seen from outside; crashes and failing disks are for the
/// store's own tests.
#[async_trait]
pub trait PaymentStore: Debug + Send + Sync + 'static {
    /// What this store promises and how it is doing. Never waits.
    fn status(&self) -> StoreStatus;

    /// Decides and writes one command, all of it or nothing.
    ///
    /// `Ok` means: durable as [`status`](Self::status) says, and visible to every later read. A replay is
    /// answered only when what it replays is durable too.
    ///
    /// # Errors
    ///
    /// * [`Rejected`](ExecuteError::Rejected): the command decided no. Nothing was written, not a byte.
    /// * [`NotCommitted`](ExecuteError::NotCommitted): certainly nothing was written. The same command may
    ///   be executed again.
    /// * [`Unknown`](ExecuteError::Unknown): it may have been written (the commit itself failed, the
    ///   connection broke, the store was closed meanwhile). Executing the *same* command again settles it;
    ///   making a new one may do the thing twice.
    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError>;

    /// Reads `keys` as they stand at one moment. Every key is in the answer, as present or absent.
    async fn read(&self, keys: &[Key]) -> Result<State, StoreError>;

    /// A page of the payments of `scope`, as [`Query::page_of`] defines it: all that match the filter, sorted by
    /// the sort's [key](super::Sort::key), then by id, compared as numbers and bytes, never by locale; what the
    /// page says, its `total` included, is so at one moment.
    ///
    /// Paging by cursor in the order of creation meets each payment that was there at the start, and still
    /// matches when it is reached, exactly once, whatever is added and changed meanwhile.
    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError>;

    /// The events of `stream` with a sequence greater than `after`, in rising order without a gap, at most
    /// `limit` of them. Empty for a stream that does not exist in `scope`.
    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError>;

    /// The payments of all scopes about which something is [to be done](crate::payment::Payment::next_due) by `now`, at
    /// most `limit` of them: those that wait longest first, then by tenant, environment and id. For the
    /// [loop](crate::ledger::Ledger::run_due) that does it: it knows no scope, and no HTTP route may reach it.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// The events of `scope` after the position `after`, at most `limit` of them, in the order in which they were committed:
    /// an event that becomes visible later has a greater position, so whoever goes on from the
    /// [`next`](Feed::next) of the answer before skips none and meets none twice. Events of one command stand
    /// together, but a page may end between them.
    ///
    /// It looks at a bounded number of events, so for one scope among many an answer can be empty though its
    /// `next` has moved. Without a scope: the events of all scopes, for operators; no HTTP route may reach that.
    ///
    /// # Errors
    ///
    /// [`UnknownPosition`](super::StoreErrorKind::UnknownPosition) if the feed cannot have given `after`: it is of another
    /// ledger, of another era, or beyond the end ([`Position::within`]). Then the store was restored from a backup, or it
    /// is another store. The answer is never an empty page: the follower would wait there and miss events.
    ///
    /// The follower must read the feed again from its [start](Position::START). An event that it has already applied has
    /// the same scope, stream, sequence and hash, so it can skip the event. An event that it has applied and does not meet
    /// again was lost in the restore, and its effects must be undone. A follower that can rebuild its effects deletes them
    /// and starts over.
    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError>;

    /// Comes back when there may be events behind `after`, at once if there are. It sleeps until something is
    /// committed, in whatever scope, and is answered [`Closed`](super::StoreErrorKind::Closed) when the store is
    /// closed meanwhile. A waker that panics when it is woken harms nobody else, neither the command that woke it nor
    /// others who wait.
    ///
    /// # Errors
    ///
    /// [`UnknownPosition`](super::StoreErrorKind::UnknownPosition) at once, as [`feed`](Self::feed).
    async fn news(&self, after: Position) -> Result<(), StoreError>;

    /// The streams of all scopes behind `after`, sorted by tenant, environment, then stream (payments by id,
    /// then accounts by name), at most `limit` of them. For operators: it knows no scope, and no HTTP route
    /// may reach it. A stream that is added while paging may or may not be met; none that was there is missed.
    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError>;

    /// Takes no more commands, ends those that it took, and lets go of what it holds (files, locks,
    /// connections). Later calls are answered [`Closed`](super::StoreErrorKind::Closed). Closing twice is
    /// fine.
    async fn close(&self) -> Result<(), StoreError>;
}

/// A payment about which something is to be done; what, its row tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Since when.
    pub at: Timestamp,
    /// Whose.
    pub scope: Scope,
    /// Which one.
    pub payment: PaymentId,
}

/// What a store promises and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStatus {
    /// What `Ok` means here.
    pub durability: Durability,
    /// Whether it takes commands.
    pub health: Health,
    /// Commands that wait for their turn.
    pub queued: usize,
    /// Events whose rows are not written yet, where rows follow behind the journal.
    pub rows_behind: u64,
}

impl StoreStatus {
    /// A healthy store with nothing waiting.
    #[must_use]
    pub const fn new(durability: Durability) -> StoreStatus {
        StoreStatus { durability, health: Health::Ok, queued: 0, rows_behind: 0 }
    }

    /// With this health.
    #[must_use]
    pub const fn with_health(mut self, health: Health) -> StoreStatus {
        self.health = health;
        self
    }

    /// With so many commands waiting.
    #[must_use]
    pub const fn with_queued(mut self, queued: usize) -> StoreStatus {
        self.queued = queued;
        self
    }
}

/// What survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it lives as long as the process.
    Memory,
    /// All that was acknowledged, through a crash of the process, the system, or the power.
    Disk,
}

/// Whether a store takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Ok,
    /// It failed in a way after which only opening it again is safe.
    Poisoned,
    /// It was closed.
    Closed,
}

/// How far [`heads`](PaymentStore::heads) was read: behind the last head that was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor(Option<(Scope, StreamId)>);

impl Cursor {
    /// Before the first.
    pub const START: Cursor = Cursor(None);

    /// Behind `head`.
    #[must_use]
    pub fn behind(head: &Head) -> Cursor {
        Cursor(Some((head.scope.clone(), head.stream.clone())))
    }

    /// The scope and stream that it stands behind; `None` at the start.
    #[must_use]
    pub fn get(&self) -> Option<&(Scope, StreamId)> {
        self.0.as_ref()
    }
}

/// The end of a stream's chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose.
    pub scope: Scope,
    /// Which stream.
    pub stream: StreamId,
    /// The sequence of its last event.
    pub version: u64,
    /// The hash of its last event.
    pub hash: Hash,
}
