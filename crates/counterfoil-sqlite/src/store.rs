use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt};
use counterfoil::event::{Event, StreamId};
use counterfoil::scope::Scope;
use counterfoil::store::{
    Cursor, Due, Durability, Era, ExecuteError, Feed, Head, Health, Key, Page, PaymentStore, Position, Query,
    State, StoreError, StoreErrorKind, StoreStatus,
};

use crate::error::{self, Failure};
use crate::lock::{self, FileLock};
use crate::lookout::Lookout;
use crate::news::News;
use crate::readers::Readers;
use crate::shell::Shell;
use crate::writer::Writer;
use crate::{SqliteOptions, check, connect, due, era, feed, list, news, rows, streams};

const OPENING: &str = "opening the file";

/// A [`PaymentStore`] in a SQLite file.
///
/// It needs no runtime of its own kind: commits and reads are short and happen where they are called, or on
/// the one thread of the store.
#[derive(Debug)]
pub struct SqliteStore {
    /// First, so that the writer's is the last connection and leaves no log behind.
    readers: Readers,
    access: Access,
}

/// What a store may do with its file, and who tells it of news there.
#[derive(Debug)]
enum Access {
    Write { shell: Shell<Writer>, news: News },
    Look(Lookout),
}

impl SqliteStore {
    /// Opens the database file at `path` with the default [`SqliteOptions`], and makes it if there is none,
    /// readable by its owner alone.
    ///
    /// # Errors
    ///
    /// [`Busy`](StoreErrorKind::Busy) if it is open for writing already, here or in another process;
    /// [`Misconfigured`](StoreErrorKind::Misconfigured) if it is a folder, its folder does not exist or
    /// cannot be used, it holds tables with our names that are not ours, or its file system cannot keep a
    /// log; [`Corrupt`](StoreErrorKind::Corrupt) if it is no SQLite file or a damaged one;
    /// [`TooNew`](StoreErrorKind::TooNew) if a newer version wrote it. A file that is refused is not changed.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        SqliteOptions::default().open(path)
    }

    /// Opens a database file to look at it. It never writes, takes no lock, and works beside a process that
    /// writes. Every command is answered `NotCommitted`.
    ///
    /// Nobody tells it of [news](PaymentStore::news): a thread of its own, which the first to wait for some
    /// starts and closing ends, looks at the file every 50 milliseconds.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), but for `Busy`; [`Misconfigured`](StoreErrorKind::Misconfigured) also if there is no
    /// file, or it has to be opened for writing first, because it is empty or an older version wrote it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        connect::check_library()?;
        let path = existing(path.as_ref())?;
        let mut first = connect::reader(&path).map_err(|failure| failure.during(OPENING))?;
        connect::check_readable(&mut first).map_err(|failure| failure.during(OPENING))?;
        let lookout = Lookout::new(path.clone());
        let readers = Readers::new(path, SqliteOptions::default().readers, first);
        Ok(SqliteStore { readers, access: Access::Look(lookout) })
    }

    pub(crate) fn open_with(path: &Path, options: SqliteOptions) -> Result<SqliteStore, StoreError> {
        connect::check_library()?;
        let path = lock::resolve(path)?;
        let lock = FileLock::take(&path)?;
        lock::create(&path)?;
        let failed = |failure: Failure| failure.during(OPENING);
        let SqliteOptions { group_limit, queue_limit, readers, .. } = options;
        let writer = Writer::open(path.clone(), options, lock).map_err(failed)?;
        let mut first = connect::reader(&path).map_err(failed)?;
        // Having read, it keeps SQLite's shared memory in place, so that reading goes on when writing cannot.
        connect::check_readable(&mut first).map_err(failed)?;
        let news = writer.news();
        let shell = Shell::start(writer, group_limit, queue_limit)
            .map_err(|error| error::file(error, "starting the thread that writes"))?;
        let readers = Readers::new(path, readers, first);
        Ok(SqliteStore { readers, access: Access::Write { shell, news } })
    }

    /// Begins a new [`Era`] of the file at `path`, and returns it. Call this once after the file was restored from a
    /// backup, before it is opened for writing. The events that were committed after the backup are lost, and later events
    /// will take their numbers in the feed. The store then refuses positions of earlier eras with
    /// [`UnknownPosition`](StoreErrorKind::UnknownPosition), so each follower reads the feed again from its start.
    ///
    /// The file is checked first. A backup that does not fit the write-ahead log beside it is refused. If the file was
    /// replaced while a process had it open for reading, the process keeps reading the old file: stop it before the restore.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open). [`Busy`](StoreErrorKind::Busy) if a process has the file open for writing.
    /// [`Misconfigured`](StoreErrorKind::Misconfigured) if there is no file.
    pub fn begin_era(path: impl AsRef<Path>) -> Result<Era, StoreError> {
        connect::check_library()?;
        let path = existing(path.as_ref())?;
        let _lock = FileLock::take(&path)?;
        check::check(&path).map_err(|failure| failure.during(check::DURING))?;
        let mut connection =
            connect::writer(&path, &SqliteOptions::default()).map_err(|failure| failure.during(OPENING))?;
        era::begin(&mut connection).map_err(|failure| failure.during("beginning an era"))
    }

    /// Executes many commands, in as few commits as the [group limit](SqliteOptions::with_group_limit) allows, and
    /// answers each, in their order, as [`execute`](PaymentStore::execute) would. Within a group they are as if asked for
    /// at one moment, in any order: what rests on the outcome of another belongs into the next batch.
    ///
    /// It blocks until all is durable: for threads of one's own, not for tasks of an asynchronous runtime.
    /// Commands of other callers may come between two groups.
    pub fn execute_batch(&self, commands: &[Command]) -> Vec<Result<Receipt, ExecuteError>> {
        match &self.access {
            Access::Write { shell, .. } => shell.execute_batch(commands),
            Access::Look(_) => commands.iter().map(|_| Err(read_only())).collect(),
        }
    }

    /// Checks what only the file knows, and what [`verify`](counterfoil::verify::verify) cannot see through the contract
    /// of a store: SQLite's own check of its pages and indexes; that the journal has no gap, and each entry stands where
    /// its stream leads; and that scopes, streams, rows, claims, listings and what destinations come to are, row by row and
    /// byte by byte, what the journal makes, nothing less and nothing more. It does not follow the chain of
    /// hashes further than that takes: do both.
    ///
    /// It only reads, works beside whoever writes, and looks at one moment: while it lasts, the log cannot be emptied. It
    /// makes the rows once more in a temporary file of SQLite's, so it takes as long as opening a file of an older
    /// version does, and as much space as its rows. It blocks: for threads of one's own, not for tasks of an asynchronous
    /// runtime.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](StoreErrorKind::Corrupt), with what is wrong as its source; or as [`open_read_only`](Self::open_read_only).
    pub fn check(&self) -> Result<(), StoreError> {
        if !self.readers.are_open() {
            return Err(StoreError::new(StoreErrorKind::Closed, check::DURING));
        }
        check::check(self.readers.path()).map_err(|failure| failure.during(check::DURING))
    }
}

/// Resolves the path of a file, which must exist.
fn existing(path: &Path) -> Result<PathBuf, StoreError> {
    let path = lock::resolve(path)?;
    path.metadata().map_err(|error| error::file(error, "finding the file"))?;
    Ok(path)
}

fn read_only() -> ExecuteError {
    let during = "executing a command on a file that was opened to look at it";
    ExecuteError::NotCommitted(StoreError::new(StoreErrorKind::Misconfigured, during))
}

#[async_trait]
impl PaymentStore for SqliteStore {
    fn status(&self) -> StoreStatus {
        let open = if self.readers.are_open() { Health::Ok } else { Health::Closed };
        let (health, queued) = match &self.access {
            Access::Write { shell, .. } => shell.status(),
            Access::Look(_) => (open, 0),
        };
        StoreStatus::new(Durability::Disk).with_health(health).with_queued(queued)
    }

    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        match &self.access {
            Access::Write { shell, .. } => shell.execute(command).await,
            Access::Look(_) => Err(read_only()),
        }
    }

    async fn read(&self, keys: &[Key]) -> Result<State, StoreError> {
        self.readers.read("reading", |connection, scopes| {
            let mut state = State::new();
            for key in keys {
                match rows::find(connection, scopes, key)? {
                    Some(found) => state.insert(found.record),
                    None => state.insert_absent(key.clone()),
                }
            }
            Ok(state)
        })
    }

    async fn list(&self, scope: &Scope, query: &Query) -> Result<Page, StoreError> {
        self.readers.read("listing", |connection, scopes| list::page(connection, scopes, scope, query))
    }

    async fn history(
        &self,
        scope: &Scope,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.readers.read("reading a history", |connection, scopes| {
            match (rows::place(connection, scopes, scope, stream)?, stream) {
                (None, _) => Ok(Vec::new()),
                (Some(place), StreamId::Payment(_)) => {
                    streams::payment_history(connection, place, after, limit)
                }
                (Some(place), StreamId::Account(_)) => {
                    streams::account_history(connection, place.stream, after, limit)
                }
            }
        })
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.readers.read("reading what is due", |connection, _| due::until(connection, now, limit))
    }

    async fn feed(&self, scope: Option<&Scope>, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.readers
            .read(feed::READING, |connection, scopes| feed::read(connection, scopes, scope, after, limit))
    }

    async fn news(&self, after: Position) -> Result<(), StoreError> {
        let (number, _) = self
            .readers
            .read(news::WAITING, |connection, _| feed::number_of(connection, after, news::WAITING))?;
        let mut news = match &self.access {
            Access::Write { news, .. } => news.clone(),
            Access::Look(lookout) => lookout.news()?,
        };
        news.wait(number).await
    }

    async fn heads(&self, after: &Cursor, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.readers.read("reading the heads", |connection, _| streams::heads(connection, after, limit))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close();
        match &self.access {
            Access::Write { shell, .. } => shell.close().await,
            Access::Look(lookout) => lookout.close(),
        }
        Ok(())
    }
}
