-- What version 1 of this crate made of an empty file. It never changes.

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
