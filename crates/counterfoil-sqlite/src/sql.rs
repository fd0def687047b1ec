//! All SQL, and nothing but SQL. Every text is constant; values are only ever bound.

/// The first version of the schema.
///
/// Inside, a stream is the position of its first event in the journal: a small number instead of an id and a
/// scope. An entry of the journal knows the entry before it in its stream, so a payment's history needs no
/// index; an account's can be long and is read forwards, so account entries alone are indexed.
pub(crate) const MIGRATION_1: &str = "
CREATE TABLE counterfoil_migration (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE counterfoil_scope (
    scope INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (tenant, environment)
) STRICT;

CREATE TABLE counterfoil_stream (
    stream INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
    id BLOB NOT NULL,
    UNIQUE (scope, kind, id)
) STRICT;

CREATE TABLE counterfoil_journal (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    previous INTEGER NOT NULL CHECK (previous BETWEEN 0 AND position - 1),
    account_sequence INTEGER,
    event BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE UNIQUE INDEX counterfoil_journal_account
    ON counterfoil_journal (stream, account_sequence) WHERE account_sequence IS NOT NULL;

CREATE TRIGGER counterfoil_journal_update BEFORE UPDATE ON counterfoil_journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER counterfoil_journal_delete BEFORE DELETE ON counterfoil_journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TABLE counterfoil_payment (
    stream INTEGER PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    position INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT;

CREATE TABLE counterfoil_account (
    stream INTEGER PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    position INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT;

CREATE TABLE counterfoil_claim (
    scope INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name BLOB NOT NULL,
    stream INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    PRIMARY KEY (scope, kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE counterfoil_watermark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT;

INSERT INTO counterfoil_watermark (one, position) VALUES (1, 0);
";

// The schema and its version.

pub(crate) const OBJECTS: &str = "SELECT type, name, sql FROM sqlite_schema
    WHERE (name GLOB 'counterfoil_*' OR lower(tbl_name) GLOB 'counterfoil_*') AND sql IS NOT NULL
    ORDER BY name";
pub(crate) const VERSION: &str = "SELECT max(version) FROM counterfoil_migration";
pub(crate) const INSERT_MIGRATION: &str =
    "INSERT INTO counterfoil_migration (version, name, applied_at) VALUES (?1, ?2, ?3)";

// Scopes and streams.

pub(crate) const SCOPE: &str = "SELECT scope FROM counterfoil_scope WHERE tenant = ?1 AND environment = ?2";
pub(crate) const SCOPES_FROM: &str = "SELECT scope, tenant, environment FROM counterfoil_scope
    WHERE (tenant, environment) >= (?1, ?2) ORDER BY tenant, environment";
pub(crate) const INSERT_SCOPE: &str = "INSERT INTO counterfoil_scope (tenant, environment) VALUES (?1, ?2)";
pub(crate) const STREAM: &str =
    "SELECT stream FROM counterfoil_stream WHERE scope = ?1 AND kind = ?2 AND id = ?3";
pub(crate) const STREAM_ID: &str = "SELECT kind, id FROM counterfoil_stream WHERE stream = ?1";
pub(crate) const STREAMS_BEHIND: &str = "SELECT stream, kind, id FROM counterfoil_stream
    WHERE scope = ?1 AND (kind, id) > (?2, ?3) ORDER BY kind, id LIMIT ?4";
pub(crate) const INSERT_STREAM: &str =
    "INSERT INTO counterfoil_stream (stream, scope, kind, id) VALUES (?1, ?2, ?3, ?4)";

// The journal.

pub(crate) const EVENT: &str = "SELECT event, hash FROM counterfoil_journal WHERE position = ?1";
pub(crate) const HASH: &str = "SELECT hash FROM counterfoil_journal WHERE position = ?1";
pub(crate) const PREVIOUS: &str = "SELECT previous FROM counterfoil_journal WHERE position = ?1";
pub(crate) const ENTRIES: &str =
    "SELECT position, previous FROM counterfoil_journal WHERE stream = ?1 ORDER BY position";
pub(crate) const ACCOUNT_EVENTS: &str = "SELECT position, event, hash FROM counterfoil_journal
    WHERE stream = ?1 AND account_sequence > ?2 ORDER BY account_sequence LIMIT ?3";
pub(crate) const EVENTS_BEHIND: &str = "SELECT position, event, hash FROM counterfoil_journal
    WHERE position > ?1 ORDER BY position LIMIT ?2";
pub(crate) const JOURNAL_END: &str = "SELECT coalesce(max(position), 0) FROM counterfoil_journal";
pub(crate) const INSERT_EVENT: &str = "INSERT INTO counterfoil_journal
    (position, stream, previous, account_sequence, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

// Rows and claims, and up to where they are current.

pub(crate) const PAYMENT: &str = "SELECT version, position, row FROM counterfoil_payment WHERE stream = ?1";
pub(crate) const INSERT_PAYMENT: &str =
    "INSERT INTO counterfoil_payment (stream, version, position, row) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const UPDATE_PAYMENT: &str = "UPDATE counterfoil_payment
    SET version = ?2, position = ?3, row = ?4 WHERE stream = ?1 AND version = ?5";
pub(crate) const ACCOUNT: &str = "SELECT version, position, row FROM counterfoil_account WHERE stream = ?1";
pub(crate) const INSERT_ACCOUNT: &str =
    "INSERT INTO counterfoil_account (stream, version, position, row) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const UPDATE_ACCOUNT: &str = "UPDATE counterfoil_account
    SET version = ?2, position = ?3, row = ?4 WHERE stream = ?1 AND version = ?5";
pub(crate) const CLAIM: &str = "SELECT stream, sequence, fingerprint FROM counterfoil_claim
    WHERE scope = ?1 AND kind = ?2 AND name = ?3";
pub(crate) const INSERT_CLAIM: &str = "INSERT INTO counterfoil_claim
    (scope, kind, name, stream, sequence, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const REPLACE_CLAIM: &str = "INSERT OR REPLACE INTO counterfoil_claim
    (scope, kind, name, stream, sequence, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const WATERMARK: &str = "SELECT position FROM counterfoil_watermark";
pub(crate) const MOVE_WATERMARK: &str = "UPDATE counterfoil_watermark SET position = ?1";
pub(crate) const EMPTY_ROWS: &str = "DELETE FROM counterfoil_payment; DELETE FROM counterfoil_account;
    DELETE FROM counterfoil_claim; DELETE FROM counterfoil_stream; DELETE FROM counterfoil_scope;";

// The log.

/// Answers (busy, frames in the log, frames that are in the file already). Changes nothing.
pub(crate) const LOG_LENGTH: &str = "PRAGMA wal_checkpoint(NOOP)";
pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(crate) const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
