//! The connections that read.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use counterfoil::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::connect;
use crate::error::Failure;
use crate::rows::Scopes;

/// A pool that never makes anybody wait: a read is short, so there are never more connections than threads.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    /// How many are kept.
    limit: usize,
    /// `None` once closed.
    idle: Mutex<Option<Vec<Reader>>>,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    scopes: Scopes,
}

impl Readers {
    /// A pool with this first connection.
    pub(crate) fn new(path: PathBuf, limit: usize, first: Connection) -> Readers {
        let first = Reader { connection: first, scopes: Scopes::default() };
        Readers { path, limit, idle: Mutex::new(Some(vec![first])) }
    }

    /// Reads as of one moment.
    pub(crate) fn read<T>(
        &self,
        during: &'static str,
        read: impl FnOnce(&Connection, &mut Scopes) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut reader = self.take(during)?;
        let result = read_at_one_moment(&mut reader, read).map_err(|failure| failure.during(during));
        if result.is_ok() {
            self.give_back(reader);
        }
        result
    }

    /// The file that they read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes those that are idle at once, the others when they are done.
    pub(crate) fn close(&self) {
        *self.idle() = None;
    }

    pub(crate) fn are_open(&self) -> bool {
        self.idle().is_some()
    }

    fn take(&self, during: &'static str) -> Result<Reader, StoreError> {
        let closed = || StoreError::new(StoreErrorKind::Closed, during);
        let idle = self.idle().as_mut().ok_or_else(closed)?.pop();
        idle.map_or_else(|| self.open().map_err(|failure| failure.during(during)), Ok)
    }

    fn open(&self) -> Result<Reader, Failure> {
        Ok(Reader { connection: connect::reader(&self.path)?, scopes: Scopes::default() })
    }

    fn give_back(&self, reader: Reader) {
        if let Some(idle) = self.idle().as_mut().filter(|idle| idle.len() < self.limit) {
            idle.push(reader);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Reader>>> {
        // Nothing that can panic happens while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_at_one_moment<T>(
    reader: &mut Reader,
    read: impl FnOnce(&Connection, &mut Scopes) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let moment = reader.connection.transaction()?;
    let found = read(&moment, &mut reader.scopes)?;
    moment.finish()?;
    Ok(found)
}
