//! Where payments are kept, as the command line names it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use counterfoil::store::{Era, PaymentStore, StoreError, StoreErrorKind};
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;

use crate::error::Error;

/// Where payments are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// In the process, and nowhere else.
    Memory,
    /// In a SQLite file.
    Sqlite(PathBuf),
}

/// A text that names no store. It is not repeated: a connection string may hold a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvalidLocation {
    /// A scheme that is not known here.
    Scheme(String),
    /// No scheme at all.
    NoScheme,
    /// A scheme without what belongs behind it.
    NoPath,
    /// Something behind `memory:`.
    MemoryPath,
    /// SQLite's own name for a database that is not kept.
    SqliteMemory,
}

impl Location {
    /// Opens it for reading and writing; what is not there yet is made.
    pub(crate) fn open(&self) -> Result<Arc<dyn PaymentStore>, Error> {
        match self {
            Location::Memory => Ok(Arc::new(MemoryStore::new())),
            Location::Sqlite(path) => opened(path, SqliteStore::open(path)).map(shared),
        }
    }

    /// Opens what is there for reading and writing. Nobody else may have it open.
    pub(crate) fn open_existing(&self) -> Result<Arc<dyn PaymentStore>, Error> {
        let path = self.existing_file()?;
        SqliteStore::open(path).map(shared).map_err(|error| {
            let path = path.display();
            if error.kind() == StoreErrorKind::Busy {
                let what = "another process, for example `counterfoil serve`, has it open: stop it first; a dry run \
                            needs no lock";
                return Error::new(format_args!("cannot open {path}: {what}"));
            }
            Error::because(format_args!("cannot open {path}"), &error)
        })
    }

    /// What only the store itself can check of what it keeps.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self {
            Location::Memory => Ok(()),
            Location::Sqlite(path) => SqliteStore::open_read_only(path)?.check(),
        }
    }

    /// Opens what is there for reading, beside whoever writes it.
    pub(crate) fn open_read_only(&self) -> Result<Arc<dyn PaymentStore>, Error> {
        let path = self.existing_file()?;
        opened(path, SqliteStore::open_read_only(path)).map(shared)
    }

    /// Begins a new era of the file, which must exist.
    pub(crate) fn begin_era(&self) -> Result<Era, Error> {
        let path = self.existing_file()?;
        opened(path, SqliteStore::begin_era(path))
    }

    /// The path of the file, which must exist.
    fn existing_file(&self) -> Result<&Path, Error> {
        match self {
            Location::Memory => Err(Error::new("memory: is seen only by the server that holds it")),
            Location::Sqlite(path) if path.try_exists().is_ok_and(|exists| !exists) => {
                Err(Error::new(format_args!("there is no file {}", path.display())))
            }
            Location::Sqlite(path) => Ok(path),
        }
    }
}

fn shared(store: SqliteStore) -> Arc<dyn PaymentStore> {
    Arc::new(store)
}

fn opened<T>(path: &Path, opened: Result<T, StoreError>) -> Result<T, Error> {
    opened.map_err(|error| Error::because(format_args!("cannot open {}", path.display()), &error))
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Location, InvalidLocation> {
        match text.split_once(':') {
            Some(("memory", "")) => Ok(Location::Memory),
            Some(("memory", _)) => Err(InvalidLocation::MemoryPath),
            Some(("sqlite", "")) => Err(InvalidLocation::NoPath),
            Some(("sqlite", ":memory:")) => Err(InvalidLocation::SqliteMemory),
            Some(("sqlite", path)) => Ok(Location::Sqlite(path.into())),
            Some((scheme, _)) => Err(InvalidLocation::Scheme(scheme.to_owned())),
            None => Err(InvalidLocation::NoScheme),
        }
    }
}

impl std::fmt::Display for InvalidLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InvalidLocation::Scheme(scheme) => {
                write!(f, "there is no store `{scheme}:`, only sqlite:PATH and memory:")
            }
            InvalidLocation::NoScheme => f.write_str("name a store as sqlite:PATH or memory:"),
            InvalidLocation::NoPath => f.write_str("sqlite: needs the path of a file behind it"),
            InvalidLocation::MemoryPath => f.write_str("memory: takes nothing behind it"),
            InvalidLocation::SqliteMemory => f.write_str("what is not to be kept is called memory:"),
        }
    }
}

impl std::error::Error for InvalidLocation {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_scheme() {
        assert_eq!("memory:".parse(), Ok(Location::Memory));
        assert_eq!("sqlite:a b.db".parse(), Ok(Location::Sqlite("a b.db".into())));
        assert_eq!("sqlite:/srv/a:b.db".parse(), Ok(Location::Sqlite("/srv/a:b.db".into())));
        let refused = |text: &str| text.parse::<Location>().unwrap_err();
        assert_eq!(refused("sqlite:"), InvalidLocation::NoPath);
        assert_eq!(refused("sqlite::memory:"), InvalidLocation::SqliteMemory);
        assert_eq!(refused("memory:x"), InvalidLocation::MemoryPath);
        assert_eq!(refused("counterfoil.db"), InvalidLocation::NoScheme);
        let secret = refused("postgres://user:secret@host/db");
        assert_eq!(secret.to_string(), "there is no store `postgres:`, only sqlite:PATH and memory:");
    }
}
