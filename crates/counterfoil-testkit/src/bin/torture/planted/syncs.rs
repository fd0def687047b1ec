//! A commit whose sync fails: nobody may be told that it is done, and nobody may see it.

use std::path::Path;
use std::process::Stdio;
use std::{fs, process};

use counterfoil::ledger::NewPayment;
use counterfoil::store::{Key, PaymentStore};
use counterfoil_sqlite::Defect;
use counterfoil_testkit::desk::created;
use counterfoil_testkit::fixtures::{caller, card, invoice, usd};
use counterfoil_testkit::{Desk, block_on};
use tempfile::tempdir;

use super::writer::class;
use crate::strace::{self, Injection};
use crate::{defect, say, worker};

/// Lets the sync of a commit's log fail.
pub(super) fn failing(defect: Option<Defect>) -> Result<(), String> {
    strace::check()?;
    let [one, two] = [1, 2].map(|commits| run(defect, commits, None).map(|(_, syncs)| syncs));
    let (before, syncs) = (one?, two?);
    let Some(call) = syncs.last().filter(|_| syncs.len() > before.len()) else {
        return Err("a commit was acknowledged that synced nothing".into());
    };
    let when = syncs.iter().filter(|other| *other == call).count() as u64;
    let (said, _) = run(defect, 2, Some(&Injection { call, what: "error=EIO", when: when.to_string() }))?;
    if said == "unknown, unseen" {
        Ok(())
    } else {
        Err(format!("the sync of a commit failed, and it was {said}"))
    }
}

/// Runs a child that commits so often. What it says of the last one, and the calls that synced the log.
fn run(
    defect: Option<Defect>,
    commits: u64,
    injection: Option<&Injection>,
) -> Result<(String, Vec<&'static str>), String> {
    let folder = tempdir().map_err(|error| error.to_string())?;
    let (path, trace) = (folder.path().join("books.db"), folder.path().join("trace"));
    let mut child = worker::command("planted");
    child.arg(&path).arg(defect::name(defect)).arg(commits.to_string());
    let log = folder.path().join("books.db-wal");
    let mut traced = strace::under(&child, &trace, "fsync,fdatasync", &[&log], injection);
    let output = traced.stderr(Stdio::null()).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() { Ok((said, calls(&trace)?)) } else { Err(format!("{output:?}")) }
}

fn calls(trace: &Path) -> Result<Vec<&'static str>, String> {
    let text = fs::read_to_string(trace).map_err(|error| error.to_string())?;
    let call =
        |line: &str| ["fsync", "fdatasync"].into_iter().find(|call| line.contains(&format!(" {call}(")));
    Ok(text.lines().filter_map(call).collect())
}

/// What the child does: commits, says of the last one what was answered and whether it is seen, and is gone.
pub(crate) fn work(args: &[String]) {
    let [path, name, commits] = args else { panic!("a path, a defect and a number, not {args:?}") };
    let store = defect::named(name).open(path).expect("a file that can be opened");
    let (desk, caller) = (Desk::new(14), caller("acme"));
    let mut last = String::new();
    for _ in 0..commits.parse::<u64>().expect("a number") {
        let new = NewPayment::new(usd(1), invoice("inv_1"), card()).recorded_only();
        let command = desk.create(&caller, new);
        let answer = block_on(store.execute(command.clone()));
        let key = Key::Payment(caller.scope.clone(), created(&command));
        let state = block_on(store.read(std::slice::from_ref(&key))).expect("it can be read");
        let seen = if state.get(&key).is_some() { "seen" } else { "unseen" };
        last = format!("{}, {seen}", class(&answer));
    }
    say(&last);
    // Without closing the store, which syncs too.
    process::exit(0);
}
