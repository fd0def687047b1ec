//! Commits that fail and commits that panic, in the SQLite store.

use counterfoil::command::{Command, Receipt};
use counterfoil::ledger::NewPayment;
use counterfoil::scope::Caller;
use counterfoil::store::{ExecuteError, Key, PaymentStore};
use counterfoil::verify::verify;
use counterfoil_sqlite::Defect;
use counterfoil_testkit::fixtures::{caller, card, invoice, usd};
use counterfoil_testkit::{Desk, block_on};
use rusqlite::Connection;
use tempfile::tempdir;

use crate::defect::options;

/// The host's own tables, in the same file: a check that is put off until the commit, and then fails it.
const NO_COMMIT: &str = "
    CREATE TABLE host_parent (id INTEGER PRIMARY KEY);
    CREATE TABLE host_child (id INTEGER REFERENCES host_parent DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER host_no AFTER INSERT ON counterfoil_journal BEGIN INSERT INTO host_child VALUES (7); END;
";

/// Of what class an answer is.
pub(super) fn class(answer: &Result<Receipt, ExecuteError>) -> &'static str {
    match answer {
        Ok(receipt) if receipt.replayed => "replayed",
        Ok(_) => "done",
        Err(ExecuteError::Rejected(_)) => "refused",
        Err(ExecuteError::NotCommitted(_)) => "not committed",
        Err(ExecuteError::Unknown(_)) => "unknown",
    }
}

fn recorded(desk: &Desk, caller: &Caller, cents: i64) -> Command {
    desk.create(caller, NewPayment::new(usd(cents), invoice("inv_1"), card()).recorded_only())
}

/// A group whose commit fails: what was new, and a replay that may rest on it, are in doubt; what was refused was not
/// written. Executing all of it again settles it.
pub(super) fn failing_commit(defect: Option<Defect>) -> Result<(), String> {
    let folder = tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("books.db");
    let store = options(defect).open(&path).map_err(|error| error.to_string())?;
    let (desk, caller) = (Desk::new(11), caller("acme"));
    let group = [recorded(&desk, &caller, 2), recorded(&desk, &caller, 1), recorded(&desk, &caller, 0)];
    expect("before", &store.execute_batch(&group[1..2]), &["done"])?;
    let host = Connection::open(&path).map_err(|error| error.to_string())?;
    host.execute_batch(NO_COMMIT).map_err(|error| error.to_string())?;
    let failed = store.execute_batch(&group);
    expect("when the commit fails", &failed, &["unknown", "unknown", "not committed"])?;
    host.execute_batch("DROP TRIGGER host_no").map_err(|error| error.to_string())?;
    expect("executed again", &store.execute_batch(&group), &["done", "replayed", "refused"])?;
    let verified = block_on(verify(&store)).map_err(|error| error.to_string())?;
    (verified.payments == 2).then_some(()).ok_or_else(|| format!("{verified:?}"))
}

fn expect(when: &str, answers: &[Result<Receipt, ExecuteError>], classes: &[&str]) -> Result<(), String> {
    let got: Vec<&str> = answers.iter().map(class).collect();
    if got == classes { Ok(()) } else { Err(format!("{when}: {got:?}, not {classes:?}")) }
}

/// A panic in somebody's commit: he is told that nobody knows, of what he wrote nothing is half, and the others are
/// served.
pub(super) fn panicking_commit(defect: Defect) -> Result<(), String> {
    let folder = tempdir().map_err(|error| error.to_string())?;
    let store = options(Some(defect)).open(folder.path().join("books.db")).map_err(|e| e.to_string())?;
    let (desk, caller) = (Desk::new(12), caller("acme"));
    let panics = Caller::new(caller.scope.clone(), "panic".parse().expect("a valid actor"));
    let [before, within, after] =
        [(&caller, 1), (&panics, 2), (&caller, 3)].map(|(who, cents)| recorded(&desk, who, cents));
    let answers = [&before, &within, &after].map(|command| block_on(store.execute(command.clone())));
    expect("around a panic", &answers, &["done", "unknown", "done"])?;
    let key = Key::Payment(caller.scope.clone(), counterfoil_testkit::desk::created(&within));
    let state = block_on(store.read(std::slice::from_ref(&key))).map_err(|error| error.to_string())?;
    let verified = block_on(verify(&store)).map_err(|error| error.to_string())?;
    let there = u64::from(state.get(&key).is_some());
    (verified.payments == 2 + there).then_some(()).ok_or_else(|| format!("{verified:?}"))
}
