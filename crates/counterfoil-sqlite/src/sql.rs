//! All SQL, and nothing but SQL. Every text is constant, or put together of constant pieces in `list`; values
//! are only ever bound.

pub(crate) mod check;

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

/// Lists.
///
/// What a list reads of a payment and what moves with nearly every event stands in its row, which is written
/// then anyway, and in no index. The rest stands in the listing, which is seldom written after the first event.
/// Names from outside are blobs there: they are compared as the bytes they are, whatever a file's encoding.
///
/// Rows and listing are made from the journal when the file is opened: that is what watermark 0 says.
pub(crate) const MIGRATION_2: &str = "
DROP TABLE counterfoil_payment;

CREATE TABLE counterfoil_payment (
    stream INTEGER PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    position INTEGER NOT NULL,
    status INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT;

CREATE TABLE counterfoil_listing (
    stream INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)),
    created_at INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    amount BLOB NOT NULL CHECK (length(amount) = 16),
    currency TEXT NOT NULL,
    method INTEGER NOT NULL,
    destination_type INTEGER NOT NULL,
    destination_id BLOB NOT NULL,
    gateway BLOB,
    gateway_payment_id BLOB,
    gateway_tracking_id BLOB
) STRICT;

CREATE INDEX counterfoil_listing_created ON counterfoil_listing (scope, archived, created_at, id);

CREATE INDEX counterfoil_listing_destination ON counterfoil_listing (scope, destination_id);

UPDATE counterfoil_watermark SET position = 0;
";

/// What is to be done about payments, and what their destinations come to.
///
/// When something is due, and whether a person is waited for, stands in the row, and in an index only while it
/// is so: most payments are done with, and in neither. What a destination comes to changes with its payments' rows,
/// in the same transactions; most destinations have no stream, so their rows go by name.
///
/// All of it is made from the journal when the file is opened: that is what watermark 0 says.
pub(crate) const MIGRATION_3: &str = "
DROP TABLE counterfoil_payment;

CREATE TABLE counterfoil_payment (
    stream INTEGER PRIMARY KEY,
    version INTEGER NOT NULL CHECK (version > 0),
    position INTEGER NOT NULL,
    status INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    due_at INTEGER,
    attention INTEGER NOT NULL,
    row BLOB NOT NULL
) STRICT;

CREATE INDEX counterfoil_payment_due ON counterfoil_payment (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX counterfoil_payment_attention ON counterfoil_payment (attention) WHERE attention != 0;

CREATE TABLE counterfoil_destination (
    scope INTEGER NOT NULL,
    id BLOB NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    row BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

UPDATE counterfoil_watermark SET position = 0;
";

/// The ledger and its era, which the positions of the feed name. `era::create` inserts the row.
pub(crate) const MIGRATION_4: &str = "
CREATE TABLE counterfoil_era (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ledger INTEGER NOT NULL,
    era INTEGER NOT NULL CHECK (era > 0),
    seal BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT;
";

// The schema and its version.

pub(crate) const OBJECTS: &str = "SELECT type, name, sql FROM sqlite_schema
    WHERE (name GLOB 'counterfoil_*' OR lower(tbl_name) GLOB 'counterfoil_*') AND sql IS NOT NULL
    ORDER BY name";
pub(crate) const VERSION: &str = "SELECT max(version) FROM counterfoil_migration";
pub(crate) const INSERT_MIGRATION: &str =
    "INSERT INTO counterfoil_migration (version, name, applied_at) VALUES (?1, ?2, ?3)";

// The ledger and its era.

pub(crate) const ERA: &str = "SELECT ledger, era, seal FROM counterfoil_era";
pub(crate) const INSERT_ERA: &str =
    "INSERT OR IGNORE INTO counterfoil_era (one, ledger, era, seal) VALUES (1, ?1, ?2, ?3)";
pub(crate) const UPDATE_ERA: &str = "UPDATE counterfoil_era SET era = ?1, seal = ?2";

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
/// The last entry of an account.
pub(crate) const ACCOUNT_END: &str = "SELECT account_sequence, position FROM counterfoil_journal
    WHERE stream = ?1 AND account_sequence IS NOT NULL ORDER BY account_sequence DESC LIMIT 1";
pub(crate) const EVENTS_BEHIND: &str = "SELECT position, event, hash FROM counterfoil_journal
    WHERE position > ?1 ORDER BY position LIMIT ?2";
pub(crate) const EVENTS_AND_STREAMS_BEHIND: &str = "SELECT position, event, hash, stream
    FROM counterfoil_journal WHERE position > ?1 ORDER BY position LIMIT ?2";
pub(crate) const EVENTS_AND_SCOPES_BEHIND: &str = "SELECT position, event, hash,
    (SELECT scope FROM counterfoil_stream WHERE counterfoil_stream.stream = counterfoil_journal.stream)
    FROM counterfoil_journal WHERE position > ?1 ORDER BY position LIMIT ?2";
pub(crate) const JOURNAL_END: &str = "SELECT coalesce(max(position), 0) FROM counterfoil_journal";
pub(crate) const INSERT_EVENT: &str = "INSERT INTO counterfoil_journal
    (position, stream, previous, account_sequence, event, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

// Rows and claims, and up to where they are current.

pub(crate) const PAYMENT: &str = "SELECT version, position, row FROM counterfoil_payment WHERE stream = ?1";
pub(crate) const INSERT_PAYMENT: &str = "INSERT INTO counterfoil_payment
    (stream, version, position, status, updated_at, row, due_at, attention)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
/// What is not set is in no index that would be written.
pub(crate) const UPDATE_PAYMENT: &str = "UPDATE counterfoil_payment
    SET version = ?2, position = ?3, status = ?4, updated_at = ?5, row = ?6 WHERE stream = ?1 AND version = ?7";
pub(crate) const UPDATE_PAYMENT_AND_WAITING: &str = "UPDATE counterfoil_payment
    SET version = ?2, position = ?3, status = ?4, updated_at = ?5, row = ?6, due_at = ?8, attention = ?9
    WHERE stream = ?1 AND version = ?7";
pub(crate) const INSERT_LISTING: &str = "INSERT INTO counterfoil_listing
    (stream, archived, gateway, gateway_payment_id, gateway_tracking_id, scope, created_at, id, amount,
    currency, method, destination_type, destination_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
/// Whether a payment is found by every index that it should be in as what it is, and its row's own columns agree.
pub(crate) const IS_LISTED: &str = "SELECT
    EXISTS (SELECT 1 FROM counterfoil_listing INDEXED BY counterfoil_listing_created
        WHERE scope = ?6 AND archived = ?2 AND created_at = ?7 AND id = ?8 AND stream = ?1
        AND gateway IS ?3 AND gateway_payment_id IS ?4 AND gateway_tracking_id IS ?5 AND amount = ?9
        AND currency = ?10 AND method = ?11 AND destination_type = ?12 AND destination_id = ?13)
    AND EXISTS (SELECT 1 FROM counterfoil_listing INDEXED BY counterfoil_listing_destination
        WHERE scope = ?6 AND destination_id = ?13 AND stream = ?1)
    AND EXISTS (SELECT 1 FROM counterfoil_payment
        WHERE stream = ?1 AND status = ?14 AND updated_at = ?15 AND due_at IS ?16 AND attention = ?17)
    AND (?16 IS NULL OR EXISTS (SELECT 1 FROM counterfoil_payment INDEXED BY counterfoil_payment_due
        WHERE due_at = ?16 AND stream = ?1))
    AND (?17 = 0 OR EXISTS (SELECT 1 FROM counterfoil_payment INDEXED BY counterfoil_payment_attention
        WHERE attention != 0 AND attention = ?17 AND stream = ?1))";
pub(crate) const UPDATE_LISTING: &str = "UPDATE counterfoil_listing
    SET archived = ?2, gateway = ?3, gateway_payment_id = ?4, gateway_tracking_id = ?5 WHERE stream = ?1";
pub(crate) const ACCOUNT: &str = "SELECT version, position, row FROM counterfoil_account WHERE stream = ?1";
pub(crate) const INSERT_ACCOUNT: &str =
    "INSERT INTO counterfoil_account (stream, version, position, row) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const UPDATE_ACCOUNT: &str = "UPDATE counterfoil_account
    SET version = ?2, position = ?3, row = ?4 WHERE stream = ?1 AND version = ?5";
pub(crate) const DESTINATION: &str =
    "SELECT revision, row FROM counterfoil_destination WHERE scope = ?1 AND id = ?2";
pub(crate) const INSERT_DESTINATION: &str =
    "INSERT INTO counterfoil_destination (scope, id, revision, row) VALUES (?1, ?2, ?3, ?4)";
pub(crate) const UPDATE_DESTINATION: &str = "UPDATE counterfoil_destination
    SET revision = ?3, row = ?4 WHERE scope = ?1 AND id = ?2 AND revision = ?5";
pub(crate) const CLAIM: &str = "SELECT stream, sequence, fingerprint FROM counterfoil_claim
    WHERE scope = ?1 AND kind = ?2 AND name = ?3";
pub(crate) const INSERT_CLAIM: &str = "INSERT INTO counterfoil_claim
    (scope, kind, name, stream, sequence, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const REPLACE_CLAIM: &str = "INSERT OR REPLACE INTO counterfoil_claim
    (scope, kind, name, stream, sequence, fingerprint) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const WATERMARK: &str = "SELECT position FROM counterfoil_watermark";
pub(crate) const MOVE_WATERMARK: &str = "UPDATE counterfoil_watermark SET position = ?1";
pub(crate) const EMPTY_ROWS: &str = "DELETE FROM counterfoil_payment; DELETE FROM counterfoil_account;
    DELETE FROM counterfoil_destination; DELETE FROM counterfoil_listing; DELETE FROM counterfoil_claim;
    DELETE FROM counterfoil_stream; DELETE FROM counterfoil_scope;";

/// What is due, the earliest first: a stretch of an index, of which only equal times are sorted.
pub(crate) const DUE: &str =
    "SELECT payment.due_at, scope.tenant, scope.environment, stream.stream, stream.kind, stream.id
    FROM counterfoil_payment AS payment INDEXED BY counterfoil_payment_due
    CROSS JOIN counterfoil_stream AS stream ON stream.stream = payment.stream
    CROSS JOIN counterfoil_scope AS scope ON scope.scope = stream.scope
    WHERE payment.due_at <= ?1
    ORDER BY payment.due_at, scope.tenant, scope.environment, stream.id LIMIT ?2";

// Lists: what `list` puts together.

pub(crate) const LISTED: &str = "SELECT listing.stream, listing.id";
pub(crate) const COUNT_LISTED: &str = "SELECT count(*)";
pub(crate) const BY_CREATION: &str =
    " FROM counterfoil_listing AS listing INDEXED BY counterfoil_listing_created";
pub(crate) const BY_DESTINATION: &str =
    " FROM counterfoil_listing AS listing INDEXED BY counterfoil_listing_destination";
/// The rows first: those that wait for a person are few.
pub(crate) const BY_ATTENTION: &str =
    " FROM counterfoil_payment AS payment INDEXED BY counterfoil_payment_attention
    CROSS JOIN counterfoil_listing AS listing ON listing.stream = payment.stream";
/// The listing first, in the order of its index: `CROSS` says so.
pub(crate) const WITH_ROWS: &str =
    " CROSS JOIN counterfoil_payment AS payment ON payment.stream = listing.stream";
pub(crate) const IN_SCOPE: &str = " WHERE listing.scope = ? AND listing.archived = ?";
pub(crate) const OF_DESTINATION_TYPE: &str = " AND listing.destination_type = ?";
pub(crate) const OF_DESTINATION_ID: &str = " AND listing.destination_id = ?";
pub(crate) const OF_METHOD: &str = " AND listing.method = ?";
pub(crate) const OF_STATUS: &str = " AND payment.status = ?";
/// The first half is what the index is made for.
pub(crate) const OF_ATTENTION: &str = " AND payment.attention != 0 AND (payment.attention & ?) != 0";
pub(crate) const OF_GATEWAY: &str = " AND listing.gateway = ?";
pub(crate) const OF_CURRENCY: &str = " AND listing.currency = ?";
pub(crate) const OF_GATEWAY_PAYMENT_ID: &str = " AND listing.gateway_payment_id = ?";
pub(crate) const OF_GATEWAY_TRACKING_ID: &str = " AND listing.gateway_tracking_id = ?";
pub(crate) const CREATED_FROM: &str = " AND listing.created_at >= ?";
pub(crate) const CREATED_TO: &str = " AND listing.created_at <= ?";
pub(crate) const PAGE: &str = " LIMIT ? OFFSET ?";

/// One way to sort a list: where a page goes on behind a key and an id, and the order of what follows.
pub(crate) struct Sorting {
    pub(crate) behind: &'static str,
    pub(crate) order: &'static str,
}

pub(crate) const CREATED_ASCENDING: Sorting = Sorting {
    behind: " AND (listing.created_at, listing.id) > (?, ?)",
    order: " ORDER BY listing.created_at, listing.id",
};
pub(crate) const CREATED_DESCENDING: Sorting = Sorting {
    behind: " AND (listing.created_at, listing.id) < (?, ?)",
    order: " ORDER BY listing.created_at DESC, listing.id DESC",
};
pub(crate) const UPDATED_ASCENDING: Sorting = Sorting {
    behind: " AND (payment.updated_at, listing.id) > (?, ?)",
    order: " ORDER BY payment.updated_at, listing.id",
};
pub(crate) const UPDATED_DESCENDING: Sorting = Sorting {
    behind: " AND (payment.updated_at, listing.id) < (?, ?)",
    order: " ORDER BY payment.updated_at DESC, listing.id DESC",
};
pub(crate) const AMOUNT_ASCENDING: Sorting = Sorting {
    behind: " AND (listing.amount, listing.id) > (?, ?)",
    order: " ORDER BY listing.amount, listing.id",
};
pub(crate) const AMOUNT_DESCENDING: Sorting = Sorting {
    behind: " AND (listing.amount, listing.id) < (?, ?)",
    order: " ORDER BY listing.amount DESC, listing.id DESC",
};

// The log.

/// Answers (busy, frames in the log, frames that are in the file already). Changes nothing.
pub(crate) const LOG_LENGTH: &str = "PRAGMA wal_checkpoint(NOOP)";
pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
pub(crate) const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
