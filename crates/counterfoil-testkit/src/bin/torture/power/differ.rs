//! Saying how the files that are there differ from those to which a recording leads.

use std::collections::BTreeSet;
use std::fs;

use super::cut::Cut;
use super::disk::{Change, FileId, Naming, Step};
use super::run;
use crate::folder::{self, Files};

/// Of how many steps, the last ones, it is told that they touched what differs.
const STEPS: usize = 8;

/// What differs, and which steps touched it; keeps what strace wrote, and both kinds of files.
pub(super) fn explain(before: &Files, steps: &[Step], cut: &[Cut], found: &Files, log: &str) -> String {
    let replayed = run::at(before, steps).whole();
    let differences = differences(before, steps, &replayed, found).join("\n");
    let places: Vec<usize> = cut.iter().map(|cut| cut.place).collect();
    let kept = keep(&replayed, found, log).unwrap_or_else(|error| format!("nothing ({error})"));
    format!(
        "the recording does not lead to the files that are there\n{differences}\n\
         cut off were, of {} steps: {places:?}\nkept is {kept}",
        steps.len()
    )
}

/// For each file that differs, a line.
fn differences(before: &Files, steps: &[Step], replayed: &Files, found: &Files) -> Vec<String> {
    let names: BTreeSet<_> = replayed.keys().chain(found.keys()).collect();
    let difference = |name: &String| match (replayed.get(name), found.get(name)) {
        (Some(replayed), Some(found)) if replayed == found => None,
        (Some(replayed), Some(found)) => {
            Some(format!("{name} {}", contents(replayed, found, &touching(before, steps, name))))
        }
        (Some(_), None) => Some(format!("{name} is not there")),
        (None, _) => Some(format!("{name} is there, not by the recording")),
    };
    names.into_iter().filter_map(difference).collect()
}

fn contents(replayed: &[u8], found: &[u8], touching: &[(usize, &Change)]) -> String {
    let (length, other) = (replayed.len(), found.len());
    let both = replayed.iter().zip(found).enumerate();
    let differing: Vec<usize> = both.filter(|(_, (one, other))| one != other).map(|(at, _)| at).collect();
    let (first, last) = match differing[..] {
        [first, .., last] => (first, last),
        [only] => (only, only),
        [] => (length.min(other), length.max(other)),
    };
    let touches = |change: &Change| match change {
        Change::Write(at, bytes) => *at <= last && at + bytes.len() > first,
        Change::Length(_) => true,
    };
    let steps = touching.iter().filter(|(_, change)| touches(change)).map(|(place, change)| match change {
        Change::Write(at, bytes) => format!("{place}: {} bytes at {at}", bytes.len()),
        Change::Length(length) => format!("{place}: {length} long"),
    });
    let steps: Vec<String> = steps.collect();
    let steps = &steps[steps.len().saturating_sub(STEPS)..];
    let count = differing.len();
    format!(
        "has {other} bytes, by the recording {length}; {count} of both differ, from {first} to {last}, last touched by {steps:?}"
    )
}

/// What was done to all files that ever had this name, and by which step.
fn touching<'a>(before: &Files, steps: &'a [Step], name: &str) -> Vec<(usize, &'a Change)> {
    let named = |step: &Step| match step {
        Step::Named(Naming::New(other, id)) if other == name => Some(*id),
        _ => None,
    };
    let first = before.keys().position(|other| other == name);
    let ids: BTreeSet<FileId> = first.into_iter().chain(steps.iter().filter_map(named)).collect();
    let change = |(place, step): (usize, &'a Step)| match step {
        Step::Changed(id, change) if ids.contains(id) => Some((place, change)),
        _ => None,
    };
    steps.iter().enumerate().filter_map(change).collect()
}

fn keep(replayed: &Files, found: &Files, log: &str) -> Result<String, String> {
    let (replayed, found) = (folder::keep(replayed)?, folder::keep(found)?);
    let path = format!("{found}.strace");
    fs::write(&path, log).map_err(|error| format!("writing {path}: {error}"))?;
    Ok(format!("{path}, the files that are there in {found}, those to which it leads in {replayed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_differs_and_who_touched_it() {
        let write = |at, with, length| Step::Changed(0, Change::Write(at, vec![with; length]));
        let steps = [write(0, 1, 4), write(4, 2, 4), write(6, 3, 2)];
        let before = [("a".to_owned(), Vec::new()), ("b".to_owned(), Vec::new())].into();
        let found = [("a".to_owned(), vec![1, 1, 1, 1, 2, 7, 3, 3])].into();
        let replayed = run::at(&before, &steps).whole();
        let lines = differences(&before, &steps, &replayed, &found);
        let of_a = "a has 8 bytes, by the recording 8; 1 of both differ, from 5 to 5, last touched by";
        assert_eq!(lines, [&format!("{of_a} [\"1: 4 bytes at 4\"]"), "b is not there"]);
    }
}
