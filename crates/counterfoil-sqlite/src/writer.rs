//! The one connection that writes. It knows no queue and no thread.

#[cfg(feature = "planted")]
mod broken;

use std::path::PathBuf;
use std::slice;

use counterfoil::command::Command;
use counterfoil::store::{ExecuteError, Group, Health, Plan, Step, StoreError, StoreErrorKind};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use crate::books::{self, Books};
use crate::error::{Aftermath, Failure};
use crate::lock::FileLock;
use crate::news::{News, Teller};
use crate::rows::Scopes;
use crate::shell::{Answer, Commit};
use crate::{SqliteOptions, connect, rebuild, sql};

const COMMITTING: &str = "committing";

/// Commits groups of commands, one after the other.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    options: SqliteOptions,
    state: WriterState,
    scopes: Scopes,
    teller: Teller,
    /// Last, so that the connection is closed before somebody else may write.
    _lock: FileLock,
}

#[derive(Debug)]
enum WriterState {
    Ready(Connection),
    /// A write failed. What the file holds is read anew before the next one.
    Stale,
    /// Only opening the store again helps. The connection is kept: closing it could write.
    Poisoned {
        _kept: Option<Connection>,
    },
}

/// Why a group was not committed.
enum Failed {
    /// Nothing was written.
    Before(Failure),
    /// The commit itself failed: it may have been.
    InDoubt(Box<Plan>, Failure),
}

impl<E: Into<Failure>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::Before(error.into())
    }
}

impl Writer {
    /// Opens the file for writing.
    pub(crate) fn open(path: PathBuf, options: SqliteOptions, lock: FileLock) -> Result<Writer, Failure> {
        let connection = connect::writer(&path, &options)?;
        let teller = Teller::new(rebuild::journal_end(&connection)?);
        let state = WriterState::Ready(connection);
        Ok(Writer { path, options, state, scopes: Scopes::default(), teller, _lock: lock })
    }

    /// News of what it commits; until it is dropped.
    pub(crate) fn news(&self) -> News {
        self.teller.news()
    }

    fn attempt(&mut self, commands: &[Command]) -> Result<Vec<Answer>, Failed> {
        if matches!(self.state, WriterState::Stale) {
            self.state = WriterState::Ready(self.reopen()?);
        }
        let WriterState::Ready(connection) = &mut self.state else {
            return Err(StoreError::new(StoreErrorKind::Poisoned, COMMITTING).into());
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut books = Books::new(&transaction, &mut self.scopes);
        let plan = decide(&mut books, commands)?;
        if plan.is_empty() {
            return Ok(plan.committed().collect());
        }
        let end = books.write(&plan)?;
        match transaction.commit() {
            Ok(()) => {
                self.teller.tell(end);
                Ok(plan.committed().collect())
            }
            Err(error) => Err(Failed::InDoubt(Box::new(plan), error.into())),
        }
    }

    fn reopen(&self) -> Result<Connection, Failure> {
        let mut connection = connect::writer(&self.path, &self.options)?;
        settle(&mut connection)?;
        // A commit that was in doubt may have happened.
        self.teller.tell(rebuild::journal_end(&connection)?);
        Ok(connection)
    }

    /// What was poisoned stays so.
    fn suffer(&mut self, aftermath: Aftermath) {
        if aftermath == Aftermath::Continue || matches!(self.state, WriterState::Poisoned { .. }) {
            return;
        }
        let before = std::mem::replace(&mut self.state, WriterState::Stale);
        if aftermath == Aftermath::Poison {
            let connection = match before {
                WriterState::Ready(connection) => Some(connection),
                _ => None,
            };
            if let Some(connection) = &connection {
                // Fails only on a connection that cannot write anything anyway.
                let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            }
            self.state = WriterState::Poisoned { _kept: connection };
        }
    }
}

impl Commit for Writer {
    fn commit(&mut self, commands: &[Command]) -> Vec<Answer> {
        #[cfg(feature = "planted")]
        if let Some(answers) = broken::commit(self, commands) {
            return answers;
        }
        let failed = match self.attempt(commands) {
            Ok(answers) => return answers,
            Err(failed) => failed,
        };
        self.scopes.forget();
        let (Failed::Before(failure) | Failed::InDoubt(_, failure)) = &failed;
        self.suffer(failure.aftermath());
        match failed {
            // Whose record is damaged is told so; the neighbours must not suffer for it.
            Failed::Before(Failure::Damaged(_)) if commands.len() > 1 => {
                commands.iter().flat_map(|command| self.commit(slice::from_ref(command))).collect()
            }
            Failed::Before(failure) => {
                let error = failure.during(COMMITTING);
                commands.iter().map(|_| Err(ExecuteError::NotCommitted(error.clone()))).collect()
            }
            Failed::InDoubt(plan, failure) => plan.in_doubt(&failure.during(COMMITTING)).collect(),
        }
    }

    fn tidy(&mut self) {
        let WriterState::Ready(connection) = &self.state else { return };
        if let Err(failure) = shorten_log(connection, self.options.checkpoint_pages) {
            self.suffer(failure.aftermath());
        }
    }

    fn distrust(&mut self) {
        self.scopes.forget();
        self.suffer(Aftermath::Reopen);
    }

    fn health(&self) -> Health {
        match self.state {
            WriterState::Ready(_) | WriterState::Stale => Health::Ok,
            WriterState::Poisoned { .. } => Health::Poisoned,
        }
    }
}

fn decide(books: &mut Books<'_>, commands: &[Command]) -> Result<Plan, Failure> {
    let mut group = Group::new(commands);
    loop {
        match group.step() {
            Step::Decided(plan) => return Ok(plan),
            Step::Load(keys) => {
                for key in keys {
                    match books.find(&key)? {
                        Some(record) => group.state_mut().insert(record),
                        None => group.state_mut().insert_absent(key),
                    }
                }
            }
        }
    }
}

/// Commits something of its own: that settles what a failed commit may have left behind in the log, and shows
/// that writing works again.
fn settle(connection: &mut Connection) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // There and back: SQLite writes no page for a value that stays as it is.
    let position = books::watermark(&transaction)?;
    books::move_watermark(&transaction, position + 1)?;
    books::move_watermark(&transaction, position)?;
    Ok(transaction.commit()?)
}

/// Copies the log into the file once it is long. Ours to do, since SQLite's own way of doing it keeps quiet
/// about errors.
fn shorten_log(connection: &Connection, pages: u32) -> Result<(), Failure> {
    let mut length = connection.prepare_cached(sql::LOG_LENGTH)?;
    let (log, copied): (i64, i64) = length.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
    if log - copied >= i64::from(pages) {
        connection.prepare_cached(sql::CHECKPOINT)?.query_row([], |_| Ok(()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use counterfoil::clock::Timestamp;
    use counterfoil::command::{Request, TopUp};
    use counterfoil::id::TopUpId;
    use counterfoil::money::{Currency, Money};
    use counterfoil::scope::{Caller, Scope};
    use counterfoil::text::{Actor, EnvironmentId, TenantId, WalletId};
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::*;
    use crate::lock;

    fn writer() -> (TempDir, Writer) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        let lock = FileLock::take(&path).unwrap();
        lock::create(&path).unwrap();
        let writer = Writer::open(path, SqliteOptions::default(), lock).unwrap();
        (folder, writer)
    }

    fn connection(writer: &Writer) -> &Connection {
        match &writer.state {
            WriterState::Ready(connection) => connection,
            other => panic!("{other:?}"),
        }
    }

    /// A top-up of a wallet of its own.
    fn command(number: u128) -> Command {
        let scope = Scope::new(TenantId::new("t").unwrap(), EnvironmentId::new("e").unwrap());
        Command {
            caller: Caller::new(scope, Actor::new("test").unwrap()),
            at: Timestamp::EPOCH,
            policy: Arc::default(),
            gateways: Arc::default(),
            request: Request::TopUp(TopUp {
                top_up: TopUpId::new(Uuid::from_u128(number)),
                wallet: WalletId::new(number.to_string()).unwrap(),
                amount: Money::from_minor(1, Currency::USD).unwrap(),
                idempotency_key: None,
            }),
        }
    }

    fn refused(answer: &Answer) -> Option<StoreErrorKind> {
        match answer {
            Err(ExecuteError::NotCommitted(error)) => Some(error.kind()),
            _ => None,
        }
    }

    #[test]
    fn a_file_that_is_full_before_the_commit_is_opened_again_and_nothing_was_written() {
        let (_folder, mut writer) = writer();
        // For this connection only: the next one finds space again.
        connection(&writer).pragma_update_and_check(None, "max_page_count", 1, |_| Ok(())).unwrap();
        let group: Vec<Command> = (0..100).map(command).collect();
        for answer in writer.commit(&group) {
            assert_eq!(refused(&answer), Some(StoreErrorKind::Full));
        }
        assert!(matches!(writer.state, WriterState::Stale));
        for answer in writer.commit(&group) {
            assert!(!answer.unwrap().replayed);
        }
        let count = "SELECT count(*) FROM counterfoil_scope";
        let scopes: i64 = connection(&writer).query_row(count, [], |row| row.get(0)).unwrap();
        assert_eq!(scopes, 1, "the number that was given before counts for nothing");
        assert_eq!(writer.health(), Health::Ok);
    }

    #[test]
    fn opening_again_commits_something() {
        let (folder, mut writer) = writer();
        let log = || std::fs::metadata(folder.path().join("books.db-wal")).unwrap().len();
        writer.state = WriterState::Stale;
        let connection = writer.reopen().unwrap();
        assert!(log() > 0);
        assert_eq!(books::watermark(&connection).unwrap(), 0);
    }

    #[test]
    fn a_commit_that_was_in_doubt_is_news_when_the_file_is_opened_again() {
        let (_folder, mut writer) = writer();
        writer.commit(&[command(1)]).pop().unwrap().unwrap();
        // As if the commit had failed, and yet happened.
        writer.teller.tell(0);
        let mut news = writer.news();
        let mut is_told = || {
            let waiting = std::pin::pin!(news.wait(0));
            waiting.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        assert!(!is_told());
        writer.state = WriterState::Stale;
        assert!(writer.commit(&[command(1)]).pop().unwrap().unwrap().replayed);
        assert!(is_told());
    }

    #[test]
    fn a_poisoned_writer_takes_nothing_and_does_not_touch_the_file() {
        let (folder, mut writer) = writer();
        writer.commit(&[command(1)]).pop().unwrap().unwrap();
        writer.suffer(Aftermath::Poison);
        assert_eq!(writer.health(), Health::Poisoned);
        assert_eq!(refused(&writer.commit(&[command(1)])[0]), Some(StoreErrorKind::Poisoned));
        writer.tidy();
        writer.distrust();
        assert_eq!(refused(&writer.commit(&[command(2)])[0]), Some(StoreErrorKind::Poisoned));
        drop(writer);
        assert!(folder.path().join("books.db-wal").exists(), "the log was not copied into the file");
    }
}
