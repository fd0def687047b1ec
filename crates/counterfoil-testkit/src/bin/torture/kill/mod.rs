//! Killed at whatever moment: what was acknowledged is there, once; the rest is wholly there or not at all.
//!
//! A case is a file that goes through many kills. Half of them come at a system call, the nth of its kind, every n in
//! turn, those that make the file too; the others after so many answers, while all writers are at it. INVARIANTS 35
//! and 41.

mod child;
mod file;

pub(crate) use child::work;
use counterfoil_sqlite::Defect;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::run::Order;
use crate::strace;
use file::File;

/// How often a file is written to. Each ends with a kill, and one of four with another one while what it left behind is
/// opened.
const ROUNDS: u64 = 40;
/// After how many of them all of the books are verified, not only what is new.
const VERIFIED: u64 = 10;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "kill",
    about: "a writing process killed at every write and sync, and at any moment: nothing acknowledged is lost",
    full: 215,
    sitting: Order::first(50),
    slice: 6,
    parallel: true,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

fn case(seed: u64) -> Result<Counts, String> {
    rounds(seed, ROUNDS, None)
}

/// Looks for a defect in the first rounds of some cases; of one, if there is none. An error is what was found.
pub(crate) fn look(defect: Option<Defect>) -> Result<(), String> {
    let cases = if defect.is_some() { 20 } else { 1 };
    (1..=cases).try_for_each(|seed| rounds(seed, VERIFIED + 1, defect).map(drop))
}

fn rounds(seed: u64, rounds: u64, defect: Option<Defect>) -> Result<Counts, String> {
    strace::check()?;
    let mut file = File::new(seed, defect);
    for number in 0..rounds {
        let goes = go(&mut file, seed.saturating_sub(1), number);
        goes.map_err(|what| format!("round {number} of case {seed}: {what}"))?;
    }
    file.end()
}

fn go(file: &mut File, file_number: u64, number: u64) -> Result<(), String> {
    let turn = |times: u64| file_number * (ROUNDS / times) + number / times;
    let told = match number % 4 {
        0 if number == 0 => file.killed_making(file_number)?,
        0 | 2 => file.killed_writing(turn(2))?,
        1 => file.killed_at_any_moment()?,
        _ => {
            let told = file.killed_at_any_moment()?;
            file.killed_recovering(turn(4))?;
            told
        }
    };
    file.check(told, number.is_multiple_of(VERIFIED))
}
