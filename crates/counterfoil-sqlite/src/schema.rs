//! The schema: its versions, how a file gets to the newest, and whether a file has it.

use std::sync::OnceLock;

use counterfoil::clock::{Clock, SystemClock};
use counterfoil::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::Failure;
use crate::{era, sql};

struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

/// In order. What is written here has been run somewhere: it never changes.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "journal, rows and claims", sql: sql::MIGRATION_1 },
    Migration { version: 2, name: "lists", sql: sql::MIGRATION_2 },
    Migration { version: 3, name: "due work, attention and destinations", sql: sql::MIGRATION_3 },
    Migration { version: 4, name: "ledger and era", sql: sql::MIGRATION_4 },
];

/// An object as `sqlite_schema` has it: type, name and text.
type Object = (String, String, Option<String>);

/// The version of the schema; 0 if there is none yet. Changes nothing.
///
/// The file may hold tables of the host; what has our prefix must be exactly ours.
///
/// # Errors
///
/// `TooNew` if a newer version of this crate made it; `Misconfigured` if somebody else made or changed it;
/// what SQLite says about a file that is none of its own.
pub(crate) fn version(connection: &Connection) -> Result<u32, Failure> {
    let refused = |kind| Err(StoreError::new(kind, "checking the schema").into());
    let found = objects(connection)?;
    if found.is_empty() {
        return Ok(0);
    }
    let ours = expected_newest()?;
    let has_versions = |object: &Object| object.1 == "counterfoil_migration" && ours.contains(object);
    if !found.iter().any(has_versions) {
        return refused(StoreErrorKind::Misconfigured);
    }
    let version: Option<u32> = connection.query_row(sql::VERSION, [], |row| row.get(0))?;
    match version.unwrap_or(0) {
        version if version > newest() => refused(StoreErrorKind::TooNew),
        version if version == newest() && found == *ours => Ok(version),
        version if found != expected(version)? => refused(StoreErrorKind::Misconfigured),
        version => Ok(version),
    }
}

/// The version that this crate writes.
pub(crate) fn newest() -> u32 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

/// Brings the schema from `version` to the newest, all of it or nothing.
pub(crate) fn migrate(connection: &mut Connection, version: u32) -> Result<(), Failure> {
    if version == newest() {
        return Ok(());
    }
    let now = SystemClock.now().unix_micros();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > version) {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(sql::INSERT_MIGRATION, (migration.version, migration.name, now))?;
    }
    era::create(&transaction)?;
    Ok(transaction.commit()?)
}

/// What a file of the newest version holds. Worked out once: it takes longer than all the rest of opening a file.
fn expected_newest() -> Result<&'static Vec<Object>, Failure> {
    static NEWEST: OnceLock<Vec<Object>> = OnceLock::new();
    match NEWEST.get() {
        Some(objects) => Ok(objects),
        None => expected(newest()).map(|objects| NEWEST.get_or_init(|| objects)),
    }
}

/// Makes the schema in an empty database.
pub(crate) fn make(connection: &Connection) -> Result<(), Failure> {
    Ok(MIGRATIONS.iter().try_for_each(|migration| connection.execute_batch(migration.sql))?)
}

/// What a file says of the versions it went through.
pub(crate) fn versions() -> Vec<(i64, String)> {
    MIGRATIONS.iter().map(|migration| (migration.version.into(), migration.name.to_owned())).collect()
}

/// What a file of this version holds: what the migrations make of an empty one.
fn expected(version: u32) -> Result<Vec<Object>, Failure> {
    let empty = Connection::open_in_memory()?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        empty.execute_batch(migration.sql)?;
    }
    objects(&empty)
}

fn objects(connection: &Connection) -> Result<Vec<Object>, Failure> {
    let mut statement = connection.prepare(sql::OBJECTS)?;
    let objects = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(objects.collect::<rusqlite::Result<_>>()?)
}
