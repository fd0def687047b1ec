//! Opening connections, each with its settings, and reading back those that durability rests on.

use std::path::Path;
use std::time::Duration;

use counterfoil::store::{StoreError, StoreErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Failure;
use crate::planted::Defect;
use crate::{SqliteOptions, books, lock, rebuild, schema, sql};

/// Older libraries can damage a log that two connections write at the same time.
const OLDEST_SQLITE: i32 = 3_051_003;
/// More statements than there are.
const STATEMENTS: usize = 64;
/// As SQLite counts it.
const FULL: i64 = 2;
const NORMAL: i64 = 1;
/// How long a reader waits where it must, which is next to never.
const READER_PATIENCE: Duration = Duration::from_secs(1);

/// The connection that writes: settings checked, schema newest, rows and claims up to the journal.
pub(crate) fn writer(path: &Path, options: &SqliteOptions) -> Result<Connection, Failure> {
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, options.busy_timeout)?;
    // Before anything is written: a file that is not ours stays as it is.
    let version = schema::version(&connection)?;
    make_durable(&connection, if options.has(Defect::SynchronousNormal) { NORMAL } else { FULL })?;
    // The writer looks after the log itself, so that a failure is seen.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    // After a crash the log can hold what was written but never synced. Before anybody relies on having
    // read it, it goes to the file, and both are synced.
    connection.query_row(sql::EMPTY_LOG, [], |_| Ok(()))?;
    schema::migrate(&mut connection, version)?;
    rebuild::catch_up(&mut connection)?;
    lock::sync_folder(path)?;
    Ok(connection)
}

/// A connection that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection, Failure> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}

/// A database of its own for what is made of a file's journal. The file is attached to it, to be read only.
pub(crate) fn beside(path: &Path) -> Result<Connection, Failure> {
    // Without a name it is a temporary file of SQLite's, which goes with the connection.
    let access =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
    let connection = open(Path::new(""), access, READER_PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    schema::make(&connection)?;
    connection.execute_batch(sql::check::NO_JOURNAL)?;
    connection.execute(sql::check::ATTACH, [read_only_uri(path)?])?;
    Ok(connection)
}

/// The path as SQLite takes one that says how it is to be opened.
fn read_only_uri(path: &Path) -> Result<String, Failure> {
    let refused = || StoreError::new(StoreErrorKind::Misconfigured, "finding the file");
    let mut uri = String::from("file:");
    for byte in path.to_str().ok_or_else(refused)?.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(byte.into()),
            byte => {
                let [high, low] = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
                uri.extend(['%'].into_iter().chain(high).chain(low));
            }
        }
    }
    uri.push_str("?mode=ro");
    Ok(uri)
}

/// Checks that a file can be read as it is, without being brought up to date first.
pub(crate) fn check_readable(connection: &mut Connection) -> Result<(), Failure> {
    let current = schema::version(connection)? == schema::newest();
    if current && !is_behind(connection)? {
        return Ok(());
    }
    Err(StoreError::new(StoreErrorKind::Misconfigured, "opening a file to read that has to be written first")
        .into())
}

fn is_behind(connection: &mut Connection) -> Result<bool, Failure> {
    let moment = connection.transaction()?;
    Ok(books::watermark(&moment)? < rebuild::journal_end(&moment)?)
}

/// Checks the library that is linked in.
pub(crate) fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::new(StoreErrorKind::Misconfigured, "checking the version of SQLite"));
    }
    Ok(())
}

fn open(path: &Path, access: OpenFlags, patience: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(patience)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // A statement is planned once, whatever is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The file may hold the host's own triggers and views: they get no functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn make_durable(connection: &Connection, wanted: i64) -> Result<(), Failure> {
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", wanted)?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if journal == "wal" && synchronous == wanted {
        Ok(())
    } else {
        Err(StoreError::new(StoreErrorKind::Misconfigured, "making commits durable").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_logs_ahead_and_syncs_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        crate::lock::create(&path).unwrap();
        let writer = writer(&path, &SqliteOptions::default()).unwrap();
        let pragma = |name| writer.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        let number = |name| writer.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        assert_eq!(pragma("journal_mode").unwrap(), "wal");
        assert_eq!(number("synchronous").unwrap(), FULL);
        assert_eq!(number("wal_autocheckpoint").unwrap(), 0);
        assert_eq!(number("trusted_schema").unwrap(), 0);
    }

    #[cfg(feature = "planted")]
    #[test]
    fn a_store_that_is_to_be_broken_syncs_less() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        crate::lock::create(&path).unwrap();
        let options = SqliteOptions::default().with_defect(Defect::SynchronousNormal);
        let writer = writer(&path, &options).unwrap();
        let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(synchronous, NORMAL);
    }

    #[test]
    fn what_cannot_log_ahead_is_refused() {
        let memory = Connection::open_in_memory().unwrap();
        let refused = make_durable(&memory, FULL);
        assert_eq!(refused.unwrap_err().during("a test").kind(), StoreErrorKind::Misconfigured);
    }

    #[test]
    fn readers_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        crate::lock::create(&path).unwrap();
        let _writer = writer(&path, &SqliteOptions::default()).unwrap();
        let reader = reader(&path).unwrap();
        assert!(reader.execute(sql::MOVE_WATERMARK, [7]).is_err());
    }
}
