//! The raw engines: what a transition or a creation reads and writes, and nothing else.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, Result, params};

use crate::driver::{now, per_second};
use crate::workload::{Kind, Workload};

/// As long as those that the store writes for these workloads, to some bytes.
const EVENT: [u8; 100] = [7; 100];
const CREATED: [u8; 320] = [7; 320];
const ROW: [u8; 220] = [7; 220];
const DESTINATION: [u8; 135] = [7; 135];
const HASH: [u8; 32] = [7; 32];
const FINGERPRINT: [u8; 73] = [7; 73];

/// The tables that the SQLite store keeps for payments, without its triggers and its bookkeeping.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 10000;
    CREATE TABLE stream (stream INTEGER PRIMARY KEY, scope INTEGER, kind INTEGER, id BLOB, UNIQUE (scope, kind, id));
    CREATE TABLE journal (position INTEGER PRIMARY KEY, stream INTEGER, previous INTEGER, event BLOB, hash BLOB);
    CREATE TABLE payment (stream INTEGER PRIMARY KEY, version INTEGER, position INTEGER, status INTEGER,
                          updated_at INTEGER, due_at INTEGER, row BLOB);
    CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
    CREATE TABLE destination (scope INTEGER, id BLOB, revision INTEGER, row BLOB, PRIMARY KEY (scope, id))
        WITHOUT ROWID;
    CREATE TABLE listing (stream INTEGER PRIMARY KEY, scope INTEGER, archived INTEGER, created_at INTEGER, id BLOB,
                          amount BLOB, currency TEXT, method INTEGER, destination_type INTEGER, destination_id BLOB,
                          gateway BLOB);
    CREATE INDEX listing_created ON listing (scope, archived, created_at, id);
    CREATE INDEX listing_destination ON listing (scope, destination_id);
    CREATE TABLE claim (scope INTEGER, kind INTEGER, name BLOB, stream INTEGER, sequence INTEGER, fingerprint BLOB,
                        PRIMARY KEY (scope, kind, name)) WITHOUT ROWID;";

/// SQLite with this many payments, in a file of its own.
#[derive(Debug)]
pub struct RawSqlite {
    connection: Connection,
    position: i64,
    payments: u64,
}

impl RawSqlite {
    /// A file in `folder` with the tables and the payments in it.
    pub fn new(folder: &Path, payments: u64) -> Result<RawSqlite> {
        let connection = Connection::open(folder.join("raw.db"))?;
        connection.execute_batch(TABLES)?;
        connection.set_prepared_statement_cache_capacity(32);
        let mut raw = RawSqlite { connection, position: 0, payments };
        raw.in_one_transaction(|raw| (0..payments).try_for_each(|number| raw.create(number)))?;
        Ok(raw)
    }

    /// Commands per second in one transaction that is never synced before its end.
    pub fn per_second(&mut self, workload: &Workload, kind: Kind, over: Duration) -> Result<u64> {
        let start = now();
        let mut count = 0;
        let mut commands = workload.commands(0);
        self.in_one_transaction(|raw| {
            while start.elapsed() < over {
                match kind {
                    Kind::Transition => raw.transition(commands.pick())?,
                    Kind::Create => raw.create(raw.payments + count as u64)?,
                }
                count += 1;
            }
            Ok(())
        })?;
        Ok(per_second(count, start.elapsed()))
    }

    fn in_one_transaction(&mut self, work: impl FnOnce(&mut RawSqlite) -> Result<()>) -> Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        work(self)?;
        self.connection.execute_batch("COMMIT")
    }

    fn transition(&mut self, number: u64) -> Result<()> {
        self.position += 1;
        let id = Workload::payment_id(number.into()).as_uuid();
        let find = "SELECT stream FROM stream WHERE scope = 1 AND kind = 1 AND id = ?1";
        let stream: i64 = self.one(find, id.as_bytes())?;
        let row = "SELECT position FROM payment WHERE stream = ?1";
        let previous: i64 = self.one(row, stream)?;
        let terms = "SELECT length(event) FROM journal WHERE position = ?1";
        let _: i64 = self.one(terms, stream)?;
        self.append(stream, previous, &EVENT)?;
        let update =
            "UPDATE payment SET version = version + 1, position = ?2, status = ?2 % 2, updated_at = ?2,
                      due_at = ?2, row = ?3 WHERE stream = ?1";
        self.connection.prepare_cached(update)?.execute(params![stream, self.position, ROW])?;
        Ok(())
    }

    fn create(&mut self, number: u64) -> Result<()> {
        self.position += 1;
        let stream = self.position;
        let id = Workload::payment_id(number.into()).as_uuid();
        let taken = "SELECT count(*) FROM claim WHERE scope = 1 AND kind = 1 AND name = ?1";
        let key = format!("key-{number:016}");
        let _: i64 = self.one(taken, key.as_bytes())?;
        let known = "SELECT count(*) FROM stream WHERE scope = 1 AND kind = 1 AND id = ?1";
        let _: i64 = self.one(known, id.as_bytes())?;
        let invoice = format!("inv_{number:012}");
        let account = format!("destination:INVOICE:{invoice}");
        let sums = "SELECT count(*) FROM destination WHERE scope = 1 AND id = ?1";
        let _: i64 = self.one(sums, account.as_bytes())?;
        self.append(stream, 0, &CREATED)?;
        let insert = "INSERT INTO stream VALUES (?1, 1, 1, ?2)";
        self.connection.prepare_cached(insert)?.execute(params![stream, id.as_bytes()])?;
        let insert = "INSERT INTO claim VALUES (1, 1, ?1, ?2, 1, ?3)";
        self.connection.prepare_cached(insert)?.execute(params![key.as_bytes(), stream, FINGERPRINT])?;
        let insert = "INSERT INTO payment VALUES (?1, 1, ?1, 3, ?1, ?1, ?2)";
        self.connection.prepare_cached(insert)?.execute(params![stream, ROW])?;
        let insert = "INSERT INTO listing VALUES (?1, 1, 0, ?1, ?2, ?3, 'USD', 1, 1, ?4, 'sandbox')";
        let listing = params![stream, id.as_bytes(), [7_u8; 16], invoice.as_bytes()];
        self.connection.prepare_cached(insert)?.execute(listing)?;
        let insert = "INSERT INTO destination VALUES (1, ?1, 1, ?2)";
        self.connection.prepare_cached(insert)?.execute(params![account.as_bytes(), DESTINATION])?;
        Ok(())
    }

    fn append(&self, stream: i64, previous: i64, event: &[u8]) -> Result<()> {
        let insert = "INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5)";
        let row = params![self.position, stream, previous, event, HASH];
        self.connection.prepare_cached(insert)?.execute(row)?;
        Ok(())
    }

    fn one(&self, sql: &str, key: impl rusqlite::ToSql) -> Result<i64> {
        self.connection.prepare_cached(sql)?.query_row([key], |row| row.get(0))
    }
}

/// A map behind a lock: two look-ups, a row replaced, an event appended.
#[must_use]
pub fn memory_per_second(workload: &Workload, payments: u64, over: Duration) -> u64 {
    let rows: HashMap<u64, Arc<[u8]>> = (0..payments).map(|number| (number, Arc::from(ROW))).collect();
    let books = Mutex::new((rows, Vec::<Arc<[u8]>>::new()));
    let mut commands = workload.commands(0);
    let start = now();
    let mut count = 0;
    while start.elapsed() < over {
        let number = commands.pick();
        let mut books = books.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(row) = books.0.get_mut(&number) {
            *row = Arc::from(ROW);
            books.1.push(Arc::from(EVENT));
        }
        count += 1;
    }
    per_second(count, start.elapsed())
}
