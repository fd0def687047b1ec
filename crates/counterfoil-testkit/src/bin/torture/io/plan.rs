//! Which fault each case has.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::judge::Happened;
use crate::work::words;

/// The calls that are looked at. `write` is how the child tells.
pub(super) const TRACED: &str = "write,pwrite64,fsync,fdatasync,ftruncate,openat,pread64,unlink";

/// As many as there are faults, and some more: the number of calls differs a little from machine to machine.
pub(super) const FULL: u64 = 4_000;
/// A prime, so that cases next to each other are about different things.
const STRIDE: u64 = 7_919;

/// What has to become of the store after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing: it takes longer.
    Waits,
    /// It goes on by itself.
    GoesOn,
    /// It goes on by itself when there is space again, and can be read all the time.
    NoSpace,
    /// It takes no more commands until it is opened again.
    Poisons,
    /// One of these two.
    Either,
}

/// A fault at a system call.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) call: &'static str,
    pub(super) what: &'static str,
    /// At so many calls one after the other.
    pub(super) times: u64,
    pub(super) class: Class,
    /// What it is counted as.
    pub(super) name: &'static str,
}

const SYNC: &str = "fsync,fdatasync";

const fn fault(
    name: &'static str,
    call: &'static str,
    what: &'static str,
    times: u64,
    class: Class,
) -> Fault {
    Fault { call, what, times, class, name }
}

const FAULTS: &[Fault] = &[
    fault("writes failed", "pwrite64", "error=EIO", 1, Class::GoesOn),
    fault("writes without space", "pwrite64", "error=ENOSPC", 1, Class::GoesOn),
    fault("writes without space for a while", "pwrite64", "error=ENOSPC", 6, Class::GoesOn),
    fault("slow writes", "pwrite64", "delay_enter=50000", 1, Class::Waits),
    fault("syncs failed", SYNC, "error=EIO", 1, Class::Poisons),
    fault("syncs without space", SYNC, "error=ENOSPC", 1, Class::Poisons),
    fault("slow syncs", SYNC, "delay_enter=400000", 1, Class::Waits),
    fault("truncations failed", "ftruncate", "error=EIO", 1, Class::Either),
    fault("opens failed", "openat", "error=EIO", 1, Class::Either),
    fault("opens without a descriptor", "openat", "error=EMFILE", 1, Class::Either),
    fault("reads failed", "pread64", "error=EIO", 1, Class::Poisons),
    fault("removals failed", "unlink", "error=EIO", 1, Class::Either),
];

/// What goes wrong in a case.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plan {
    /// This fault, at the call of this number.
    Injected(&'static Fault, u64),
    /// No file may grow by more than so many bytes, for a while: writes become short, then fail.
    Limited(u64),
    /// A file system without space for so many bytes more, until something is removed.
    Full(u64),
}

/// The plan of a case.
pub(super) fn of(seed: u64) -> Result<Plan, String> {
    static ALL: OnceLock<Result<Vec<Plan>, String>> = OnceLock::new();
    let all = ALL.get_or_init(all).as_ref().map_err(Clone::clone)?;
    let count = all.len() as u64;
    if count > FULL {
        return Err(format!("there are {count} faults by now: `full` must be raised"));
    }
    let place = seed.wrapping_mul(STRIDE) % count;
    Ok(all[usize::try_from(place).map_err(words)?])
}

/// The cases that have this fault: the fault, and at which call.
pub(super) fn with(name: &str) -> Result<impl Iterator<Item = (&'static Fault, u64)>, String> {
    let plans = (1..=FULL).map(of).collect::<Result<Vec<_>, _>>()?;
    Ok(plans.into_iter().filter_map(move |plan| match plan {
        Plan::Injected(fault, number) if fault.name == name => Some((fault, number)),
        _ => None,
    }))
}

/// Every call that the work makes when nothing is wrong, with every fault that it can have.
fn all() -> Result<Vec<Plan>, String> {
    let folder = tempfile::tempdir().map_err(words)?;
    let happened = super::traced(folder.path(), None, "closes", None)?;
    let mut calls = BTreeMap::<&str, u64>::new();
    for one in &happened {
        if let Happened::Call { name, .. } = one {
            *calls.entry(name).or_default() += 1;
        }
    }
    let calls_of = |fault: &Fault| fault.call.split(',').filter_map(|call| calls.get(call)).sum::<u64>();
    let injected =
        FAULTS.iter().flat_map(|fault| (1..=calls_of(fault)).map(move |n| Plan::Injected(fault, n)));
    let limited = (0..60).map(|step| Plan::Limited(step * 1_037));
    let full = (0..60).map(|step| Plan::Full(step * 4_096));
    let mut all: Vec<Plan> = injected.chain(limited).chain(full).collect();
    // Else the stride would leave some out.
    if (all.len() as u64).is_multiple_of(STRIDE) {
        all.push(Plan::Full(0));
    }
    Ok(all)
}
