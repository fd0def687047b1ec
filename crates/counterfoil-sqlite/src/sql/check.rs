//! Holding a file, attached as `books`, against what was made anew of its journal, in `main`.

/// Two statements that say where a cache differs from what is made of the journal: one by one what is there, and what
/// should be and is not.
macro_rules! cache {
    ($table:literal, $($key:ident)+; $($column:ident)+) => {
        Cache {
            name: $table,
            found: concat!(
                "SELECT ''", $(" || ' ' || quote(found.", stringify!($key), ")",)+
                " FROM books.", $table, " AS found LEFT JOIN main.", $table, " AS made ON 1",
                $(" AND made.", stringify!($key), " = found.", stringify!($key),)+
                " WHERE (1", $(", made.", stringify!($key),)+ $(", made.", stringify!($column),)+
                ") IS NOT (1", $(", found.", stringify!($key),)+ $(", found.", stringify!($column),)+
                ") LIMIT 1"
            ),
            missing: concat!(
                "SELECT ''", $(" || ' ' || quote(made.", stringify!($key), ")",)+
                " FROM main.", $table, " AS made WHERE NOT EXISTS (SELECT 1 FROM books.", $table,
                " AS found WHERE 1", $(" AND found.", stringify!($key), " = made.", stringify!($key),)+
                ") LIMIT 1"
            ),
        }
    };
}

/// A table that is made of the journal. Both statements answer with the key of a row, if there is one that is wrong.
pub(crate) struct Cache {
    pub(crate) name: &'static str,
    pub(crate) found: &'static str,
    pub(crate) missing: &'static str,
}

pub(crate) const CACHES: [Cache; 7] = [
    cache!("counterfoil_scope", scope; tenant environment),
    cache!("counterfoil_stream", stream; scope kind id),
    cache!("counterfoil_payment", stream; version position status updated_at due_at attention row),
    cache!("counterfoil_account", stream; version position row),
    cache!("counterfoil_listing", stream; scope archived created_at id amount currency method destination_type
        destination_id gateway gateway_payment_id gateway_tracking_id),
    cache!("counterfoil_destination", scope id; revision row),
    cache!("counterfoil_claim", scope kind name; stream sequence fingerprint),
];

/// Whether a table has as many entries in one of its indexes as it should. SQLite's own check passes over an index that
/// stands on a page of a table, when it should be empty: so each is read.
macro_rules! index {
    ($index:literal, $table:literal, $entered:literal) => {
        (
            $index,
            concat!(
                "SELECT (SELECT count(*) FROM books.",
                $table,
                " INDEXED BY ",
                $index,
                " WHERE ",
                $entered,
                ") = (SELECT count(*) FROM books.",
                $table,
                " NOT INDEXED WHERE ",
                $entered,
                ")"
            ),
        )
    };
}

/// Every index by its name.
pub(crate) const INDEXES: [(&str, &str); 7] = [
    index!("sqlite_autoindex_counterfoil_scope_1", "counterfoil_scope", "1"),
    index!("sqlite_autoindex_counterfoil_stream_1", "counterfoil_stream", "1"),
    index!("counterfoil_journal_account", "counterfoil_journal", "account_sequence IS NOT NULL"),
    index!("counterfoil_listing_created", "counterfoil_listing", "1"),
    index!("counterfoil_listing_destination", "counterfoil_listing", "1"),
    index!("counterfoil_payment_due", "counterfoil_payment", "due_at IS NOT NULL"),
    index!("counterfoil_payment_attention", "counterfoil_payment", "attention != 0"),
];

/// The file is attached, and only read.
pub(crate) const ATTACH: &str = "ATTACH ?1 AS books";
/// After this, the journal and the era are those of the attached file.
pub(crate) const NO_JOURNAL: &str = "DROP TABLE main.counterfoil_journal; DROP TABLE main.counterfoil_era";
/// One row that says `ok`, or what is wrong.
pub(crate) const INTEGRITY: &str = "PRAGMA books.integrity_check(1)";
pub(crate) const MIGRATIONS: &str = "SELECT version, name FROM books.counterfoil_migration ORDER BY version";
pub(crate) const WATERMARK: &str = "SELECT max(position), count(*) FROM books.counterfoil_watermark";
/// An entry that does not stand where its stream's entries lead, if there is one.
pub(crate) const MISPLACED: &str = "SELECT position FROM (
    SELECT position, stream, previous, account_sequence, lag(position, 1, 0) OVER own AS before,
        min(position) OVER own AS first, row_number() OVER own AS sequence
    FROM books.counterfoil_journal WINDOW own AS (PARTITION BY stream ORDER BY position)) AS entry
    WHERE previous IS NOT before OR stream IS NOT first OR account_sequence IS NOT
        (SELECT sequence FROM main.counterfoil_stream AS made WHERE made.stream = entry.stream AND made.kind = 2)
    LIMIT 1";
