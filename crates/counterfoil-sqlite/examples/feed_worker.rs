//! A worker that follows the feed and has every effect exactly once, whenever and however often it is killed.
//!
//! Run it with `cargo run -p counterfoil-sqlite --example feed_worker -- BOOKS EFFECTS [--until LINES]`: BOOKS is the
//! file of a `SqliteStore`, which another process (`counterfoil serve`, say) may be writing to; EFFECTS is this
//! worker's own file, made if there is none. It goes on until EFFECTS has at least so many lines, or for ever.
//!
//! Its effects: a line for each event that moved money to what it pays, or back, and a running total per currency.
//! Look at them with `sqlite3 EFFECTS 'SELECT * FROM line; SELECT * FROM total'`.
//!
//! The whole art is in [`Effects::keep`]: the effects of some events, and the position behind these events, are
//! committed in one transaction. Killed before the commit, the worker has done nothing and finds the same events
//! again; killed behind it, it goes on behind them. So it stops at the first error, too, and whatever runs it may
//! start it again.
//!
//! It handles one error itself. If BOOKS was restored from a backup, the worker's position is no longer known there. The
//! events that were committed after the backup are lost, so their effects must be undone. This worker can rebuild all of
//! its effects, so it deletes them and starts over.

#![allow(clippy::print_stdout, reason = "it says how far it is")]

use std::error::Error;
use std::path::{Path, PathBuf};

use counterfoil::account::Posting;
use counterfoil::event::Event;
use counterfoil::store::{Feed, PaymentStore, Position, StoreErrorKind};
use counterfoil_sqlite::SqliteStore;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

/// How many events share a transaction at most.
const BATCH: usize = 100;

const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS line (
        number INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        environment TEXT NOT NULL,
        stream TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        account TEXT NOT NULL,
        currency TEXT NOT NULL,
        minor INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS total (currency TEXT PRIMARY KEY, minor INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), position TEXT NOT NULL) STRICT;
    COMMIT;";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))
        .ok_or("usage: feed_worker BOOKS EFFECTS [--until LINES]")?;
    let books = SqliteStore::open_read_only(&arguments.books)?;
    let mut effects = Effects::open(&arguments.effects)?;
    while arguments.until.is_none_or(|enough| effects.lines < enough) {
        // Of all scopes: a worker of one tenant would name its scope.
        let feed = match books.feed(None, effects.position, BATCH).await {
            Err(error) if error.kind() == StoreErrorKind::UnknownPosition => {
                println!("starting over: {error}");
                effects.start_over()?;
                continue;
            }
            feed => feed?,
        };
        if feed.next == effects.position {
            books.news(effects.position).await?;
        } else {
            effects.keep(&feed)?;
            println!("{} lines up to {}", effects.lines, effects.position);
        }
    }
    books.close().await?;
    Ok(())
}

struct Arguments {
    books: PathBuf,
    effects: PathBuf,
    until: Option<i64>,
}

impl Arguments {
    fn parse(mut texts: impl Iterator<Item = String>) -> Option<Arguments> {
        let (books, effects) = (texts.next()?.into(), texts.next()?.into());
        let until = match texts.next() {
            Some(option) if option == "--until" => Some(texts.next()?.parse().ok()?),
            Some(_) => return None,
            None => None,
        };
        texts.next().is_none().then_some(Arguments { books, effects, until })
    }
}

/// What the worker has done, and how far it has come: in its own file, and known here after each commit.
struct Effects {
    file: Connection,
    position: Position,
    lines: i64,
}

impl Effects {
    fn open(path: &Path) -> Result<Effects, Box<dyn Error>> {
        let file = Connection::open(path)?;
        file.execute_batch(SCHEMA)?;
        let start = Position::START.to_string();
        file.execute("INSERT OR IGNORE INTO progress VALUES (1, ?1)", [start])?;
        let position: String = file.query_row("SELECT position FROM progress", [], |row| row.get(0))?;
        let lines = file.query_row("SELECT count(*) FROM line", [], |row| row.get(0))?;
        Ok(Effects { file, position: position.parse()?, lines })
    }

    /// Deletes all effects and goes back to the start of the feed, in one transaction.
    fn start_over(&mut self) -> Result<(), Box<dyn Error>> {
        let transaction = self.file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch("DELETE FROM line; DELETE FROM total")?;
        transaction.execute("UPDATE progress SET position = ?1", [Position::START.to_string()])?;
        transaction.commit()?;
        (self.position, self.lines) = (Position::START, 0);
        Ok(())
    }

    /// Keeps the effects of these events and the position behind them: all of it, or nothing.
    fn keep(&mut self, feed: &Feed) -> Result<(), Box<dyn Error>> {
        let transaction = self.file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut lines = self.lines;
        for entry in &feed.entries {
            for posting in entry.event.postings().iter().filter(|posting| is_effect(posting)) {
                write_line(&transaction, &entry.event, posting)?;
                lines += 1;
            }
        }
        let (before, after) = (self.position.to_string(), feed.next.to_string());
        let moved =
            transaction.execute("UPDATE progress SET position = ?2 WHERE position = ?1", [before, after])?;
        if moved == 0 {
            return Err("another worker is at work on this file".into());
        }
        transaction.commit()?;
        (self.position, self.lines) = (feed.next, lines);
        Ok(())
    }
}

/// Whether it is money for what is paid. The other side of it, a gateway or a wallet, is not written down here.
fn is_effect(posting: &Posting) -> bool {
    posting.account.as_str().starts_with("destination:")
}

fn write_line(to: &Transaction<'_>, event: &Event, posting: &Posting) -> Result<(), Box<dyn Error>> {
    let (tenant, environment) = (event.scope().tenant().as_str(), event.scope().environment().as_str());
    let (stream, sequence) = (event.stream().to_string(), i64::try_from(event.sequence())?);
    let (account, currency) = (posting.account.as_str(), posting.currency.code());
    to.prepare_cached(
        "INSERT INTO line (tenant, environment, stream, sequence, account, currency, minor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![tenant, environment, stream, sequence, account, currency, posting.minor])?;
    to.prepare_cached(
        "INSERT INTO total (currency, minor) VALUES (?1, ?2)
         ON CONFLICT (currency) DO UPDATE SET minor = minor + excluded.minor",
    )?
    .execute(params![currency, posting.minor])?;
    Ok(())
}
