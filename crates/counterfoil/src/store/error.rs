//! How a store fails: of what kind, while doing what, and what may be done about it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::codec::Damage;
use crate::command::Rejection;

/// Why a command has no receipt. The class is the type: what happened to the data is never in doubt but
/// where it says so.
#[derive(Debug, Clone)]
pub enum ExecuteError {
    /// The command decided no; nothing was written.
    Rejected(Rejection),
    /// The store could not; nothing was written. Trying again is safe.
    NotCommitted(StoreError),
    /// It may have been written. Executing the same command again settles it.
    Unknown(StoreError),
}

/// A store's failure.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    during: &'static str,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Of what kind a failure is. Mapped from result codes, never from words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Too much waits already.
    Overloaded,
    /// Somebody else holds what is needed.
    Busy,
    /// No space is left.
    Full,
    /// Reading or writing failed.
    Io,
    /// The data is not what was written.
    Corrupt,
    /// Written by a newer version.
    TooNew,
    /// An earlier failure left it unsafe to go on; open it again.
    Poisoned,
    /// It was closed.
    Closed,
    /// It is not set up as it must be.
    Misconfigured,
    /// A position is not in the feed, because the ledger was restored from a backup or is another one. The follower must
    /// read the feed again from its start, as [`PaymentStore::feed`](super::PaymentStore::feed) describes.
    UnknownPosition,
    /// Anything else.
    Other,
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same again, after a while.
    Later,
    /// Nothing, until somebody has looked at it.
    Never,
}

impl StoreErrorKind {
    /// Whether the same may go well later. Whether it is *safe* to try is another question:
    /// [`ExecuteError`] answers it.
    #[must_use]
    pub const fn retry(self) -> Retry {
        match self {
            StoreErrorKind::Overloaded | StoreErrorKind::Busy | StoreErrorKind::Full | StoreErrorKind::Io => {
                Retry::Later
            }
            _ => Retry::Never,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            StoreErrorKind::Overloaded => "too much is waiting",
            StoreErrorKind::Busy => "somebody else holds it",
            StoreErrorKind::Full => "no space is left",
            StoreErrorKind::Io => "reading or writing failed",
            StoreErrorKind::Corrupt => "the data is damaged",
            StoreErrorKind::TooNew => "the data was written by a newer version",
            StoreErrorKind::Poisoned => "an earlier failure left it unsafe to go on; open it again",
            StoreErrorKind::Closed => "the store is closed",
            StoreErrorKind::Misconfigured => "it is not set up as it must be",
            StoreErrorKind::UnknownPosition => {
                "the position is not in this feed: the ledger was restored from a backup, or is another one; \
                 read the feed again from its start"
            }
            StoreErrorKind::Other => "it failed",
        }
    }
}

impl StoreError {
    /// A failure of `kind` while doing `during`, as in "opening the file".
    #[must_use]
    pub const fn new(kind: StoreErrorKind, during: &'static str) -> StoreError {
        StoreError { kind, during, source: None }
    }

    /// With what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> StoreError {
        self.source = Some(Arc::new(source));
        self
    }

    /// Bytes that are not what was written, met while doing `during`.
    #[must_use]
    pub fn damaged(during: &'static str, damage: Damage) -> StoreError {
        let kind = match damage {
            Damage::Newer { .. } => StoreErrorKind::TooNew,
            _ => StoreErrorKind::Corrupt,
        };
        StoreError::new(kind, during).caused_by(damage)
    }

    /// Of what kind it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What was being done.
    #[must_use]
    pub const fn during(&self) -> &'static str {
        self.during
    }
}

impl From<Rejection> for ExecuteError {
    fn from(rejection: Rejection) -> ExecuteError {
        ExecuteError::Rejected(rejection)
    }
}

impl fmt::Display for ExecuteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExecuteError::Rejected(rejection) => rejection.fmt(f),
            ExecuteError::NotCommitted(error) => write!(f, "nothing was written: {error}"),
            ExecuteError::Unknown(error) => write!(f, "it may or may not have been written: {error}"),
        }
    }
}

/// It says what the failure itself says, so its source is what that was caused by.
impl Error for ExecuteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ExecuteError::Rejected(rejection) => rejection.source(),
            ExecuteError::NotCommitted(error) | ExecuteError::Unknown(error) => error.source(),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "while {}: {}", self.during, self.kind.words())
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
