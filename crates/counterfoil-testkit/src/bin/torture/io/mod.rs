//! Calls that fail, take long, or find no space: every answer is of the right class, and the writer goes on by itself
//! or stays where it is, as the contract says.
//!
//! A case is one fault in a fixed run of work: at the nth call of a kind, every n of every kind in turn, then files that
//! may not grow and file systems that are full. INVARIANTS 35 and 41.

mod child;
mod judge;
mod plan;
mod space;
mod trace;

use std::fs::File;
use std::path::Path;
use std::process::Command as Process;

use counterfoil::verify::verify;
use counterfoil_sqlite::{Defect, SqliteStore};
use counterfoil_testkit::block_on;
use tempfile::TempDir;

pub(crate) use child::work;
use judge::Happened;
use plan::{Class, Fault, Plan};

use crate::campaign::{Campaign, Counts, Repeats};
use crate::defect;
use crate::run::Order;
use crate::strace::{self, Injection};
use crate::work::{Books, words};
use crate::worker;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "io",
    about: "every write, sync, truncation, open and read failed in turn, short writes, full disks: no wrong outcome",
    full: plan::FULL,
    sitting: Order::first(plan::FULL),
    slice: 200,
    parallel: true,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

fn case(seed: u64) -> Result<Counts, String> {
    strace::check()?;
    let plan = plan::of(seed)?;
    let folder = tempfile::tempdir().map_err(words)?;
    let fault = |what| format!("{plan:?}: {what}");
    match plan {
        Plan::Injected(fault, number) => injected(&folder, None, fault, number),
        Plan::Limited(bytes) => space::limited(&folder, bytes),
        Plan::Full(bytes) => space::full(&folder, bytes),
    }
    .map_err(fault)
}

/// Looks for a defect in some of the cases with this fault; in fewer, if there is none. An error is what was found.
pub(crate) fn look(defect: Option<Defect>, fault: &str) -> Result<(), String> {
    strace::check()?;
    let cases = if defect.is_some() { 50 } else { 6 };
    for (fault, number) in plan::with(fault)?.take(cases) {
        let folder = tempfile::tempdir().map_err(words)?;
        injected(&folder, defect, fault, number)
            .map_err(|what| format!("{} at call {number}: {what}", fault.name))?;
    }
    Ok(())
}

/// One fault at a system call.
fn injected(
    folder: &TempDir,
    defect: Option<Defect>,
    fault: &'static Fault,
    number: u64,
) -> Result<Counts, String> {
    let when =
        if fault.times == 1 { number.to_string() } else { format!("{number}..{}", number + fault.times - 1) };
    let injection = Injection { call: fault.call, what: fault.what, when };
    // Half of the children leave without closing: what was acknowledged does not need it.
    let end = if number.is_multiple_of(2) { "leaves" } else { "closes" };
    let happened = traced(folder.path(), defect, end, Some(&injection))?;
    let mut counts = Counts::from([("cases", 1)]);
    let hits = happened.iter().filter(|one| matches!(one, Happened::Fault { .. })).count() as u64;
    match hits {
        0 => counts.add("never came to the call", 1),
        _ => counts.add(fault.name, 1),
    }
    hold(&folder.path().join("books.db"), fault.class, &happened, &mut counts)?;
    Ok(counts)
}

/// What a child does and is told, in order, with the calls that matter.
fn traced(
    folder: &Path,
    defect: Option<Defect>,
    end: &str,
    injection: Option<&Injection>,
) -> Result<Vec<Happened>, String> {
    let folder = folder.canonicalize().map_err(words)?;
    let (log, trace) = (folder.join("log"), folder.join("trace"));
    let files = ["books.db", "books.db-wal", "books.db-shm", "books.db-journal", "books.db-lock", "log"];
    let files = files.map(|file| folder.join(file));
    let paths: Vec<&Path> = files.iter().map(AsRef::as_ref).chain([&*folder]).collect();
    let mut child = worker::command("io");
    child.arg(defect::name(defect)).arg(&files[0]).arg(end);
    let mut strace = strace::under(&child, &trace, plan::TRACED, &paths, injection);
    let status = strace.stdout(File::create(log).map_err(words)?).status().map_err(words)?;
    let happened = trace::read(&trace, &folder)?;
    if status.success() { Ok(happened) } else { Err(format!("the child ended with {status}: {happened:?}")) }
}

/// Judges what was told, and opens the file once more to hold it against the books.
fn hold(path: &Path, class: Class, happened: &[Happened], counts: &mut Counts) -> Result<(), String> {
    for (what, count) in judge::count(happened) {
        counts.add(what, count);
    }
    let told = judge::judge(class, happened)?;
    let store = SqliteStore::open(path).map_err(|error| format!("opening it in the end: {error:?}"))?;
    block_on(async {
        verify(&store).await.map_err(words)?;
        let checked = Books::default().check(&store, told).await?;
        if checked.in_doubt.is_empty() {
            Ok(())
        } else {
            Err(format!("in doubt for good: {:?}", checked.in_doubt))
        }
    })
}

/// A child, without strace, whose files may not grow for ever: that shall be an error to it, not its end.
fn plain(path: &Path, args: &[String]) -> Process {
    let child = worker::command("io");
    let mut shell = Process::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(child.get_program()).args(child.get_args());
    shell.arg(defect::name(None)).arg(path).args(args);
    shell
}
