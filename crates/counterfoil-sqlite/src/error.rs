//! What goes wrong: result codes mapped to the kinds of the contract, and to what the writer does next.

use std::error::Error;
use std::{fmt, io};

use counterfoil::Damage;
use counterfoil::store::{StoreError, StoreErrorKind};
use rusqlite::ffi;
use rusqlite::types::FromSqlError;

/// A failure that does not know yet what it happened during.
#[derive(Debug)]
pub(crate) enum Failure {
    /// SQLite's.
    Sql(rusqlite::Error),
    /// What was read is not what was written.
    Damaged(Damaged),
    /// Ours: the file is not one to work with.
    Refused(StoreError),
}

/// Bytes that are not what was written, and where they stand.
#[derive(Debug)]
pub(crate) struct Damaged {
    place: String,
    damage: Damage,
}

/// What has to happen after a failure before the writer may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Nothing: it is over when the transaction is.
    Continue,
    /// The file is opened again, so that what it holds is read anew.
    Reopen,
    /// Nothing helps but a person: reading again could show what never reached the disk.
    Poison,
}

impl Failure {
    pub(crate) fn damaged(place: impl fmt::Display, damage: Damage) -> Failure {
        Failure::Damaged(Damaged { place: place.to_string(), damage })
    }

    /// The folder could not be synced: as bad as a file that could not.
    pub(crate) fn unsynced_folder(error: &io::Error) -> Failure {
        let code = ffi::Error::new(ffi::SQLITE_IOERR_DIR_FSYNC);
        Failure::Sql(rusqlite::Error::SqliteFailure(code, Some(error.to_string())))
    }

    /// The contract's form of it.
    pub(crate) fn during(self, during: &'static str) -> StoreError {
        match self {
            Failure::Sql(error) => StoreError::new(kind(&error), during).caused_by(error),
            Failure::Damaged(damaged) => {
                let kind = StoreError::damaged(during, damaged.damage.clone()).kind();
                StoreError::new(kind, during).caused_by(damaged)
            }
            Failure::Refused(error) => error,
        }
    }

    pub(crate) fn aftermath(&self) -> Aftermath {
        match self {
            Failure::Sql(error) => aftermath(error),
            // One record is bad, the file is not: the others must not suffer for it.
            Failure::Damaged(_) | Failure::Refused(_) => Aftermath::Continue,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sql(error)
    }
}

impl From<FromSqlError> for Failure {
    fn from(error: FromSqlError) -> Failure {
        Failure::Sql(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Refused(error)
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.damage)
    }
}

impl Error for Damaged {}

/// An error of the file system, not of SQLite.
pub(crate) fn file(error: io::Error, during: &'static str) -> StoreError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::InvalidInput => StoreErrorKind::Misconfigured,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreErrorKind::Full,
        _ => StoreErrorKind::Io,
    };
    StoreError::new(kind, during).caused_by(error)
}

fn code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// The result code without the details in its upper bytes.
const fn primary(code: i32) -> i32 {
    code & 0xff
}

fn kind(error: &rusqlite::Error) -> StoreErrorKind {
    let Some(code) = code(error) else { return kind_of_misread(error) };
    match primary(code) {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => StoreErrorKind::Busy,
        ffi::SQLITE_FULL => StoreErrorKind::Full,
        ffi::SQLITE_IOERR if code == ffi::SQLITE_IOERR_SHMSIZE => StoreErrorKind::Full,
        ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN => StoreErrorKind::Io,
        ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB => StoreErrorKind::Corrupt,
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH => StoreErrorKind::Misconfigured,
        _ => StoreErrorKind::Other,
    }
}

/// No failure of SQLite, so a column was not what we had written there.
fn kind_of_misread(error: &rusqlite::Error) -> StoreErrorKind {
    match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::QueryReturnedNoRows => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Other,
    }
}

fn aftermath(error: &rusqlite::Error) -> Aftermath {
    let Some(code) = code(error) else { return Aftermath::Continue };
    match (primary(code), code) {
        (ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL | ffi::SQLITE_INTERRUPT, _) => {
            Aftermath::Continue
        }
        (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_NOMEM) => {
            Aftermath::Reopen
        }
        (ffi::SQLITE_IOERR | ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB, _) => Aftermath::Poison,
        _ => Aftermath::Reopen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn every_code_has_a_kind_and_an_aftermath() {
        let table = [
            (ffi::SQLITE_BUSY_SNAPSHOT, StoreErrorKind::Busy, Aftermath::Continue),
            (ffi::SQLITE_FULL, StoreErrorKind::Full, Aftermath::Reopen),
            (ffi::SQLITE_IOERR_SHMSIZE, StoreErrorKind::Full, Aftermath::Reopen),
            (ffi::SQLITE_IOERR_WRITE, StoreErrorKind::Io, Aftermath::Reopen),
            (ffi::SQLITE_CANTOPEN, StoreErrorKind::Io, Aftermath::Reopen),
            (ffi::SQLITE_IOERR_FSYNC, StoreErrorKind::Io, Aftermath::Poison),
            (ffi::SQLITE_IOERR_DIR_FSYNC, StoreErrorKind::Io, Aftermath::Poison),
            (ffi::SQLITE_IOERR_READ, StoreErrorKind::Io, Aftermath::Poison),
            (ffi::SQLITE_IOERR_SHORT_READ, StoreErrorKind::Io, Aftermath::Poison),
            (ffi::SQLITE_IOERR_TRUNCATE, StoreErrorKind::Io, Aftermath::Poison),
            (ffi::SQLITE_CORRUPT, StoreErrorKind::Corrupt, Aftermath::Poison),
            (ffi::SQLITE_CORRUPT_INDEX, StoreErrorKind::Corrupt, Aftermath::Poison),
            (ffi::SQLITE_NOTADB, StoreErrorKind::Corrupt, Aftermath::Poison),
            (ffi::SQLITE_READONLY_DBMOVED, StoreErrorKind::Misconfigured, Aftermath::Reopen),
            (ffi::SQLITE_CONSTRAINT_PRIMARYKEY, StoreErrorKind::Other, Aftermath::Reopen),
        ];
        for (code, kind, aftermath) in table {
            assert_eq!(Failure::from(sqlite(code)).aftermath(), aftermath, "{code}");
            assert_eq!(Failure::from(sqlite(code)).during("a test").kind(), kind, "{code}");
        }
    }

    #[test]
    fn a_damaged_record_is_named_and_stops_nothing_else() {
        let failure = || Failure::damaged("journal entry 7", Damage::Malformed("length"));
        assert_eq!(failure().aftermath(), Aftermath::Continue);
        let error = failure().during("a test");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert_eq!(error.source().unwrap().to_string(), "journal entry 7: malformed length");
        let newer = Failure::damaged("journal entry 7", Damage::Newer { what: "event format", number: 9 });
        assert_eq!(newer.during("a test").kind(), StoreErrorKind::TooNew);
    }
}
