use std::path::Path;
use std::time::Duration;

use counterfoil::store::StoreError;

use crate::SqliteStore;

/// How a database file is written. Not how durably: a commit is always synced before it is answered.
///
/// ```
/// # fn main() -> Result<(), counterfoil::store::StoreError> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("books.db");
/// use counterfoil_sqlite::SqliteOptions;
///
/// let store = SqliteOptions::default().with_group_limit(64).open(path)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    pub(crate) group_limit: usize,
    pub(crate) queue_limit: usize,
    pub(crate) readers: usize,
    pub(crate) cache_kib: u32,
    pub(crate) checkpoint_pages: u32,
    pub(crate) busy_timeout: Duration,
    #[cfg(feature = "planted")]
    pub(crate) defect: Option<crate::Defect>,
}

impl Default for SqliteOptions {
    fn default() -> SqliteOptions {
        SqliteOptions {
            group_limit: 512,
            queue_limit: 4_096,
            readers: 4,
            cache_kib: 64 * 1_024,
            checkpoint_pages: 10_000,
            busy_timeout: Duration::from_millis(250),
            #[cfg(feature = "planted")]
            defect: None,
        }
    }
}

impl SqliteOptions {
    /// How many commands share a commit at most; at least 1. Default: 512. More is faster when very many
    /// arrive at the same time, and each of them waits longer.
    #[must_use]
    pub const fn with_group_limit(mut self, commands: usize) -> SqliteOptions {
        self.group_limit = if commands == 0 { 1 } else { commands };
        self
    }

    /// How many commands wait at most; one more is answered
    /// [`Overloaded`](counterfoil::store::StoreErrorKind::Overloaded). Default: 4,096.
    #[must_use]
    pub const fn with_queue_limit(mut self, commands: usize) -> SqliteOptions {
        self.queue_limit = commands;
        self
    }

    /// How many connections for reading are kept open. Default: 4. When more are needed at the same time,
    /// they are opened for the moment: a read never waits for another one.
    #[must_use]
    pub const fn with_readers(mut self, connections: usize) -> SqliteOptions {
        self.readers = connections;
        self
    }

    /// The page cache of the connection that writes, in KiB. Default: 65,536.
    #[must_use]
    pub const fn with_cache_kib(mut self, kib: u32) -> SqliteOptions {
        self.cache_kib = kib;
        self
    }

    /// How many pages the log holds before they are copied into the file. Default: 10,000, which is some
    /// 40 MB. More means less writing, and a longer pause when it comes.
    #[must_use]
    pub const fn with_checkpoint_pages(mut self, pages: u32) -> SqliteOptions {
        self.checkpoint_pages = pages;
        self
    }

    /// How long a commit waits while a foreign program is writing to the file, before it is answered
    /// [`Busy`](counterfoil::store::StoreErrorKind::Busy). Default: 250 ms.
    #[must_use]
    pub const fn with_busy_timeout(mut self, timeout: Duration) -> SqliteOptions {
        self.busy_timeout = timeout;
        self
    }

    /// Opens the database file at `path`, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(path.as_ref(), self)
    }
}
