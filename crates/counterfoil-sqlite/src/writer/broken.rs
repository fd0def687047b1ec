//! The writer with each of its [defects](Defect).

use std::ffi::OsString;
use std::fs::File;
use std::mem;
use std::slice;
use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::claim::Claim;
use counterfoil::command::Command;
use counterfoil::event::{Event, StreamId};
use counterfoil::store::{ExecuteError, Plan, Record, Row, StoreError, StoreErrorKind};
use rusqlite::Connection;

use super::{COMMITTING, Failed, Writer, WriterState, decide};
use crate::books::Books;
use crate::error::{Aftermath, Failure};
use crate::planted::Defect;
use crate::shell::Answer;
use crate::sql;

const BEGIN: &str = "BEGIN IMMEDIATE";

/// What a broken writer answers; `None` where the sound one does it all.
pub(super) fn commit(writer: &mut Writer, commands: &[Command]) -> Option<Vec<Answer>> {
    match writer.options.defect? {
        Defect::SynchronousNormal => None,
        Defect::AcknowledgedBeforeCommit => in_pieces(writer, |pieces| pieces.begin_late(commands)),
        Defect::ClaimInSecondTransaction => in_pieces(writer, |pieces| pieces.claim_late(commands)),
        Defect::ChangeInTwoTransactions => in_pieces(writer, |pieces| pieces.write_in_two(commands)),
        Defect::MembersDecidedApart => in_pieces(writer, |pieces| pieces.decide_apart(commands)),
        Defect::CommitErrorSwallowed => {
            on_doubt(writer, commands, Failure::aftermath, |plan, _| plan.committed().collect())
        }
        Defect::CommitErrorIsNo => {
            on_doubt(writer, commands, Failure::aftermath, |plan, error| plan.not_committed(error).collect())
        }
        Defect::GoesOnAfterFailedSync => {
            on_doubt(writer, commands, |_| Aftermath::Reopen, |plan, error| plan.in_doubt(error).collect())
        }
        Defect::RefusalFailsGroup => fail_with_one(writer, commands),
        Defect::RefusalAcknowledged => Some(acknowledge_all(writer.attempt(commands).ok()?)),
        Defect::ShownBeforeSync => sync_late(writer, commands),
        Defect::TransactionLeftOpen => leave_open(writer, commands),
        Defect::Panics => panic_for_some(writer, commands, false),
        Defect::LockKeptOnPanic => panic_for_some(writer, commands, true),
    }
}

/// A commit in pieces that the sound writer keeps together.
struct Pieces<'a> {
    connection: &'a Connection,
    books: Books<'a>,
}

/// Goes to work in pieces; if that fails, leaves nothing open.
fn in_pieces(
    writer: &mut Writer,
    work: impl FnOnce(&mut Pieces<'_>) -> Result<(Vec<Answer>, Option<i64>), Failure>,
) -> Option<Vec<Answer>> {
    let WriterState::Ready(connection) = &writer.state else { return None };
    let mut pieces = Pieces { connection, books: Books::new(connection, &mut writer.scopes) };
    let done = work(&mut pieces);
    if let Ok((answers, end)) = done {
        if let Some(end) = end {
            writer.teller.tell(end);
        }
        return Some(answers);
    }
    let _ = connection.execute_batch("ROLLBACK");
    writer.scopes.forget();
    None
}

impl Pieces<'_> {
    /// Commits the group before this one, and leaves this one to the next.
    fn begin_late(&mut self, commands: &[Command]) -> Result<(Vec<Answer>, Option<i64>), Failure> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("COMMIT")?;
        }
        self.connection.execute_batch(BEGIN)?;
        let plan = decide(&mut self.books, commands)?;
        let end = self.books.write(&plan)?;
        Ok((plan.committed().collect(), Some(end)))
    }

    fn claim_late(&mut self, commands: &[Command]) -> Result<(Vec<Answer>, Option<i64>), Failure> {
        self.connection.execute_batch(BEGIN)?;
        let mut plan = decide(&mut self.books, commands)?;
        let claims = mem::take(&mut plan.claims);
        let end = self.books.write(&plan)?;
        self.connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        for claim in &claims {
            self.books.claim(sql::INSERT_CLAIM, claim)?;
        }
        self.connection.execute_batch("COMMIT")?;
        Ok((plan.committed().collect(), Some(end)))
    }

    /// Between the two, everything is as the journal makes it.
    fn write_in_two(&mut self, commands: &[Command]) -> Result<(Vec<Answer>, Option<i64>), Failure> {
        self.connection.execute_batch(BEGIN)?;
        let mut plan = decide(&mut self.books, commands)?;
        let (events, claims, rows) = take_wallets(&mut plan);
        let mut end = None;
        if !plan.is_empty() {
            end = Some(self.books.write(&plan)?);
        }
        self.connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        (plan.events, plan.claims, plan.rows) = (events, claims, rows);
        if !plan.is_empty() {
            end = Some(self.books.write(&plan)?);
        }
        self.connection.execute_batch("COMMIT")?;
        Ok((plan.committed().collect(), end))
    }

    fn decide_apart(&mut self, commands: &[Command]) -> Result<(Vec<Answer>, Option<i64>), Failure> {
        self.connection.execute_batch(BEGIN)?;
        let mut plans = Vec::new();
        for command in commands {
            plans.push(decide(&mut self.books, slice::from_ref(command))?);
        }
        let (mut answers, mut end) = (Vec::new(), None);
        let insert = sql::INSERT_CLAIM.replacen("INSERT", "INSERT OR IGNORE", 1);
        for mut plan in plans {
            let claims = mem::take(&mut plan.claims);
            if !plan.is_empty() {
                end = Some(self.books.write(&plan)?);
            }
            for claim in &claims {
                self.books.claim(&insert, claim)?;
            }
            answers.extend(plan.committed());
        }
        self.connection.execute_batch("COMMIT")?;
        Ok((answers, end))
    }
}

/// What a plan writes about wallets.
fn take_wallets(plan: &mut Plan) -> (Vec<Arc<Event>>, Vec<Arc<Claim>>, Vec<Row>) {
    let is_wallet = |id: &AccountId| !id.is_destination();
    let is_wallets = |stream: &StreamId| matches!(stream, StreamId::Account(id) if is_wallet(id));
    let is_row = |row: &Row| matches!(&row.after, Record::Account(account) if is_wallet(account.id()));
    let events = plan.events.extract_if(.., |event| is_wallets(event.stream())).collect();
    let claims = plan.claims.extract_if(.., |claim| is_wallets(&claim.stream)).collect();
    (events, claims, plan.rows.extract_if(.., |row| is_row(row)).collect())
}

/// Does after a commit that failed, and answers it, in another way than it must.
fn on_doubt(
    writer: &mut Writer,
    commands: &[Command],
    aftermath: fn(&Failure) -> Aftermath,
    answer: fn(Plan, &StoreError) -> Vec<Answer>,
) -> Option<Vec<Answer>> {
    match writer.attempt(commands) {
        Ok(answers) => Some(answers),
        Err(Failed::Before(_)) => None,
        Err(Failed::InDoubt(plan, failure)) => {
            writer.scopes.forget();
            writer.suffer(aftermath(&failure));
            Some(answer(*plan, &failure.during(COMMITTING)))
        }
    }
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer, Err(ExecuteError::Rejected(_)))
}

fn fail_with_one(writer: &mut Writer, commands: &[Command]) -> Option<Vec<Answer>> {
    let WriterState::Ready(connection) = &mut writer.state else { return None };
    let looking = connection.transaction().ok()?;
    let plan = decide(&mut Books::new(&looking, &mut writer.scopes), commands).ok()?;
    drop(looking);
    if commands.len() == 1 || !plan.committed().any(|answer| is_refused(&answer)) {
        return None;
    }
    let error = StoreError::new(StoreErrorKind::Other, COMMITTING);
    Some(commands.iter().map(|_| Err(ExecuteError::NotCommitted(error.clone()))).collect())
}

fn acknowledge_all(mut answers: Vec<Answer>) -> Vec<Answer> {
    let Some(receipt) = answers.iter().find_map(|answer| answer.as_ref().ok()).cloned() else {
        return answers;
    };
    answers.iter_mut().filter(|answer| is_refused(answer)).for_each(|answer| *answer = Ok(receipt.clone()));
    answers
}

fn sync_late(writer: &mut Writer, commands: &[Command]) -> Option<Vec<Answer>> {
    if let WriterState::Ready(connection) = &writer.state {
        connection.pragma_update(None, "synchronous", "off").ok()?;
    }
    let answers = writer.attempt(commands).ok()?;
    let mut log = OsString::from(&writer.path);
    log.push("-wal");
    if File::open(log).and_then(|log| log.sync_all()).is_ok() {
        return Some(answers);
    }
    writer.suffer(Aftermath::Poison);
    let error = StoreError::new(StoreErrorKind::Io, COMMITTING);
    Some(answers.into_iter().map(|_| Err(ExecuteError::Unknown(error.clone()))).collect())
}

fn leave_open(writer: &mut Writer, commands: &[Command]) -> Option<Vec<Answer>> {
    let answers = writer.attempt(commands).ok()?;
    if let WriterState::Ready(connection) = &writer.state
        && answers.iter().any(is_refused)
    {
        connection.execute_batch(BEGIN).ok()?;
    }
    Some(answers)
}

fn panic_for_some(writer: &mut Writer, commands: &[Command], keep: bool) -> Option<Vec<Answer>> {
    if !commands.iter().any(|command| command.caller.actor.as_str() == "panic") {
        return None;
    }
    let WriterState::Ready(connection) = &mut writer.state else { return None };
    let transaction = connection.transaction().ok()?;
    let mut books = Books::new(&transaction, &mut writer.scopes);
    let plan = decide(&mut books, commands).ok()?;
    books.write(&plan).ok()?;
    if keep {
        // What locks the file lives on, and nobody has it any more.
        mem::forget(transaction);
        mem::forget(mem::replace(&mut writer.state, WriterState::Stale));
    }
    panic!("as planted");
}
