//! What only the file knows: that it is sound, and that all which is made of the journal is what the journal makes.
//!
//! Everything but the journal is a cache of it. So it is made once more, beside the file, and compared row by row:
//! there is nothing in a cache that this would not find, a claim that no event made included.

use std::error::Error;
use std::fmt;
use std::path::Path;

use counterfoil::Damage;
use counterfoil::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;
use crate::sql::check as sql;
use crate::{connect, era, rebuild, schema, streams};

pub(crate) const DURING: &str = "checking the file";

/// Checks the file as it stands at one moment.
pub(crate) fn check(path: &Path) -> Result<(), Failure> {
    connect::check_readable(&mut connect::reader(path)?)?;
    let mut beside = connect::beside(path)?;
    let moment = beside.transaction()?;
    is_sound(&moment)?;
    has_its_versions(&moment)?;
    era::current(&moment)?;
    let end = rebuild::make(&moment)?;
    for cache in &sql::CACHES {
        for statement in [cache.found, cache.missing] {
            if let Some(key) = moment.query_row(statement, [], |row| row.get::<_, String>(0)).optional()? {
                let place = format_args!("{}{key}", cache.name);
                return Err(Failure::damaged(place, Damage::Malformed("row: the journal makes another")));
            }
        }
    }
    if let Some(position) = moment.query_row(sql::MISPLACED, [], |row| row.get(0)).optional()? {
        return Err(streams::entry(position, Damage::Misplaced("entry")));
    }
    let watermark: (i64, i64) = moment.query_row(sql::WATERMARK, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if watermark == (end, 1) {
        Ok(())
    } else {
        Err(Failure::damaged("counterfoil_watermark", Damage::Malformed("position")))
    }
}

/// What SQLite itself can say: that pages are what they should be, and indexes lead to what they should.
fn is_sound(moment: &Connection) -> Result<(), Failure> {
    let said: String = moment.query_row(sql::INTEGRITY, [], |row| row.get(0))?;
    if said != "ok" {
        return Err(StoreError::new(StoreErrorKind::Corrupt, DURING).caused_by(Unsound(said)).into());
    }
    for (index, is_whole) in sql::INDEXES {
        if !moment.query_row(is_whole, [], |row| row.get(0))? {
            return Err(Failure::damaged(index, Damage::Malformed("index")));
        }
    }
    Ok(())
}

fn has_its_versions(moment: &Connection) -> Result<(), Failure> {
    let mut statement = moment.prepare(sql::MIGRATIONS)?;
    let found = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    if found.collect::<rusqlite::Result<Vec<_>>>()? == schema::versions() {
        Ok(())
    } else {
        Err(Failure::damaged("counterfoil_migration", Damage::Malformed("list of versions")))
    }
}

/// What SQLite says of a file that is not sound.
#[derive(Debug)]
struct Unsound(String);

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may be of several lines.
        let words: Vec<&str> = self.0.split_whitespace().collect();
        write!(f, "SQLite says: {}", words.join(" "))
    }
}

impl Error for Unsound {}
