//! A database file that goes through kills, and what its parent knows of it.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::thread;
use std::time::Duration;

use counterfoil::store::PaymentStore;
use counterfoil::verify::verify;
use counterfoil_sqlite::{Defect, SqliteStore};
use counterfoil_testkit::block_on;
use tempfile::TempDir;

use crate::campaign::Counts;
use crate::defect;
use crate::dice::Dice;
use crate::strace::{self, Injection};
use crate::work::{Books, Checked, Op, Place, Said, Told, words};
use crate::worker::{self, Child};

/// Commands that wait at the same time.
const WRITERS: usize = 16;
/// How many answers a child gives that is killed at a call, if it gets so far.
const LIMIT: u64 = 300;
/// A child that is killed at any moment gets no further than that.
const FOR_EVER: u64 = 1_000_000;
/// The calls that write, sync, shorten and remove; the name that a kill there is counted by; and how many of each a
/// child makes in the one thread, about, in each [`Phase`].
const CALLS: [(&str, &str, [u64; 3]); 4] = [
    ("pwrite64", "at a write", [52, 120, 600]),
    ("fsync,fdatasync", "at a sync", [8, 5, 40]),
    ("ftruncate", "at a truncation", [2, 2, 6]),
    ("unlink", "at a removal", [1, 2, 2]),
];
/// Whose turn it is: places in `CALLS`. Of some there are few.
const TURNS: [usize; 16] = [0, 1, 0, 1, 0, 1, 0, 2, 0, 1, 0, 1, 0, 2, 0, 3];

/// What a child is killed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Making the file.
    Making,
    /// Opening what another one has left.
    Recovering,
    /// Anything.
    Writing,
}

/// The call of this turn, the name of a kill there, and which one of its kind: of each kind the next one every time.
fn call_of(turn: u64, phase: Phase) -> (&'static str, &'static str, u64) {
    let slots = TURNS.len() as u64;
    let slot = usize::try_from(turn % slots).expect("a small number");
    let kind = TURNS[slot];
    let (call, name, most) = CALLS[kind];
    let of_kind = |turns: &[usize]| turns.iter().filter(|turn| **turn == kind).count() as u64;
    let before = turn / slots * of_kind(&TURNS) + of_kind(&TURNS[..slot]);
    (call, name, before % most[phase as usize] + 1)
}

/// A database file, and what is known of it.
#[derive(Debug)]
pub(super) struct File {
    folder: TempDir,
    /// What is wrong with the store that its children have.
    defect: Option<Defect>,
    dice: Dice,
    /// The number of each writer's next operation.
    next: Vec<u64>,
    books: Books,
    counts: Counts,
}

impl File {
    pub(super) fn new(seed: u64, defect: Option<Defect>) -> File {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (books, counts) = (Books::default(), Counts::default());
        File { folder, defect, dice: Dice::new(seed), next: vec![0; WRITERS], books, counts }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("books.db")
    }

    fn child(&self, limit: u64, next: &[u64]) -> Process {
        let mut child = worker::command("kill");
        child
            .arg(defect::name(self.defect))
            .arg(self.path())
            .arg(limit.to_string())
            .args(next.iter().map(u64::to_string));
        child
    }

    /// Killed while the file is made.
    pub(super) fn killed_making(&mut self, turn: u64) -> Result<Vec<Told>, String> {
        self.killed_at(turn, Phase::Making, &self.child(LIMIT, &self.next))
    }

    /// Killed while it opens what a kill has left behind.
    pub(super) fn killed_recovering(&mut self, turn: u64) -> Result<Vec<Told>, String> {
        self.killed_at(turn, Phase::Recovering, &self.child(LIMIT, &[]))
    }

    /// Killed at whatever it does.
    pub(super) fn killed_writing(&mut self, turn: u64) -> Result<Vec<Told>, String> {
        self.killed_at(turn, Phase::Writing, &self.child(LIMIT, &self.next))
    }

    fn killed_at(&mut self, turn: u64, phase: Phase, child: &Process) -> Result<Vec<Told>, String> {
        let (call, name, when) = call_of(turn, phase);
        let injection = Injection { call, what: "signal=KILL", when: when.to_string() };
        let child = strace::under(child, Path::new("/dev/null"), call, &[], Some(&injection));
        let mut child = Child::start(child)?;
        let told = child.listen(u64::MAX)?;
        let status = child.wait()?;
        match status.code() {
            Some(0) => self.counts.add("never came to the call", 1),
            // By a signal.
            None => {
                self.counts.add("kills", 1);
                self.counts.add(name, 1);
                self.counts.add("while recovering", u64::from(phase == Phase::Recovering));
            }
            Some(_) => return Err(format!("the child ended by itself, with {status}")),
        }
        Ok(told)
    }

    /// Killed after so many answers and a moment.
    pub(super) fn killed_at_any_moment(&mut self) -> Result<Vec<Told>, String> {
        let mut child = Child::start(self.child(FOR_EVER, &self.next))?;
        let mut told = child.listen(self.dice.roll(600) + 100)?;
        // So that it is not always the moment after an answer.
        thread::sleep(Duration::from_micros(self.dice.roll(1_500)));
        child.kill()?;
        told.append(&mut child.listen(u64::MAX)?);
        let status = child.wait()?;
        if status.code().is_some() {
            return Err(format!("the child ended by itself, with {status}"));
        }
        self.counts.add("kills", 1);
        self.counts.add("at any moment", 1);
        Ok(told)
    }

    /// Opens what is left, and holds it against what was told. What is in doubt is asked for once more.
    pub(super) fn check(&mut self, told: Vec<Told>, whole: bool) -> Result<(), String> {
        for told in &told {
            if matches!(told.said, Said::NotCommitted(_) | Said::Unknown(_)) {
                return Err(format!("nothing was wrong, and yet: {told}"));
            }
            let next = &mut self.next[usize::from(told.op.writer)];
            *next = (told.op.number + 1).max(*next);
        }
        let store = SqliteStore::open(self.path()).map_err(|error| format!("opening it again: {error:?}"))?;
        block_on(async {
            if whole {
                verify(&store).await.map_err(words)?;
            }
            let checked = self.books.check(&store, told).await?;
            self.count(&checked);
            let settled = settle(&store, checked.in_doubt).await?;
            self.books.check(&store, settled).await?;
            store.close().await.map_err(words)
        })
    }

    fn count(&mut self, checked: &Checked) {
        let there = checked.in_doubt.iter().filter(|(_, there)| !there.is_empty()).count();
        for (what, count) in [
            ("acknowledged", checked.acknowledged),
            ("repeated", checked.repeated),
            ("refused", checked.refused),
            ("in doubt", checked.in_doubt.len() as u64),
            ("in doubt and there", there as u64),
        ] {
            self.counts.add(what, count);
        }
    }

    /// Verifies all of it once more.
    pub(super) fn end(mut self) -> Result<Counts, String> {
        let store = SqliteStore::open(self.path()).map_err(words)?;
        let verified = block_on(verify(&store)).map_err(words)?;
        self.counts.add("events", verified.events);
        Ok(self.counts)
    }
}

/// Asks for what is in doubt once more. What is there is repeated, and known by its place; of the others, what was told.
async fn settle(store: &SqliteStore, in_doubt: Vec<(Op, Vec<Place>)>) -> Result<Vec<Told>, String> {
    let mut settled = Vec::new();
    for (op, there) in in_doubt {
        let said = Said::of(&store.execute(op.command()).await);
        match &said {
            Said::Repeated(place) if there.contains(place) => {}
            _ if there.is_empty() => settled.push(Told { op, said }),
            _ => return Err(format!("{op} is at {there:?}, and asked again: {said:?}")),
        }
    }
    Ok(settled)
}
