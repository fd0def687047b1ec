//! The same script on the model and on every store: equal answers, equal digests.

use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::{Script, block_on, compare, run_against_model};

use crate::campaign::{Campaign, Counts, Repeats};
use crate::run::Order;

/// How many steps a script has: some come to no command, and there shall be 50 of these, one script with another.
const STEPS: usize = 60;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "differential",
    about: "one script on the model, on memory and on SQLite: equal answers, equal digests",
    full: 100_000,
    sitting: Order::first(20_000),
    slice: 1_500,
    parallel: true,
    repeats: Repeats::Exactly,
    finds: None,
    case,
};

/// A script that fails is made smaller, and printed so that it can be repeated.
fn case(seed: u64) -> Result<Counts, String> {
    let script = Script::seeded(seed, STEPS);
    script.hold(differ);
    let commands = u64::try_from(script.commands().len()).map_err(|error| error.to_string())?;
    Ok([("scripts", 1), ("commands", commands)].into())
}

/// Panics if anything differs.
fn differ(script: &Script) {
    block_on(run_against_model(script, &MemoryStore::new()));
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = SqliteStore::open(folder.path().join("books.db")).expect("an empty file");
    block_on(compare(script, &MemoryStore::new(), &sqlite));
}
