//! The database file and the lock beside it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use counterfoil::store::{StoreError, StoreErrorKind};

use crate::error::{self, Failure};

/// The right to write a database file. It is on `<file>-lock`, which stays behind: removing it could take
/// the lock from somebody who has just opened it. The system lets go of it when the process ends, however it
/// ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock of `database`, a [`resolve`]d path.
    ///
    /// # Errors
    ///
    /// `Busy` if somebody has it, in this process or another one.
    pub(crate) fn take(database: &Path) -> Result<FileLock, StoreError> {
        let during = "locking the file for writing";
        let mut path = OsString::from(database);
        path.push("-lock");
        let file = private().truncate(false).create(true).open(path).map_err(|e| error::file(e, during))?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::new(StoreErrorKind::Busy, during)),
            Err(TryLockError::Error(error)) => Err(error::file(error, during)),
        }
    }
}

impl Drop for FileLock {
    /// Closing alone is not enough: a child that the host has just forked holds the same open file until it
    /// executes its program, and the lock with it.
    fn drop(&mut self) {
        // If it fails, closing is what is left.
        let _ = self.file.unlock();
    }
}

/// The one name of a database file, whichever way leads to it: the lock belongs to the file, not to a link.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let during = "finding the file";
    let resolved = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => resolve_new(path),
        found => found,
    };
    let resolved = resolved.map_err(|error| error::file(error, during))?;
    if resolved.is_dir() {
        return Err(error::file(io::ErrorKind::IsADirectory.into(), during));
    }
    if has_other_names(&resolved) {
        let cause = io::Error::other("the file has several hard links, and a lock cannot hold them all");
        return Err(StoreError::new(StoreErrorKind::Misconfigured, during).caused_by(cause));
    }
    Ok(resolved)
}

/// Whether another name leads to the same file that no path can be followed from: two writers would not see
/// each other's lock, nor each other's log.
#[cfg(unix)]
fn has_other_names(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| std::os::unix::fs::MetadataExt::nlink(&found) > 1)
}

#[cfg(not(unix))]
fn has_other_names(_: &Path) -> bool {
    false
}

fn resolve_new(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(parent.canonicalize()?.join(name))
}

/// Makes an empty file that only its owner may read, if there is none. SQLite gives its other files the same
/// mode.
///
/// Call it only with the lock held: to close a file that SQLite has open in this process would drop
/// SQLite's own locks on it.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    let during = "creating the file";
    match private().create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error::file(error, during)),
    }
}

/// So that the names of the file and of its log are as durable as what is in them. SQLite syncs the folder too, and
/// keeps quiet when that fails.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|_| cfg!(unix)) else { return Ok(()) };
    let folder = File::open(folder).map_err(|error| error::file(error, "opening the folder"))?;
    folder.sync_all().map_err(|error| Failure::unsynced_folder(&error))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_with_its_holder_whoever_else_has_the_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("books.db");
        let lock = FileLock::take(&database).unwrap();
        assert_eq!(FileLock::take(&database).unwrap_err().kind(), StoreErrorKind::Busy);
        let forked = lock.file.try_clone().unwrap();
        drop(lock);
        FileLock::take(&database).unwrap();
        drop(forked);
    }
}
