//! The same script on every store: equal answers, equal digests.

use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::{Script, block_on, compare};

use crate::campaign::{Campaign, Counts};

/// How many commands a script has.
const STEPS: usize = 50;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "differential",
    about: "one script on memory and SQLite: equal answers, equal digests",
    full: 100_000,
    slice: 500,
    parallel: true,
    case,
};

fn case(seed: u64) -> Result<Counts, String> {
    let script = Script::seeded(seed, STEPS);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sqlite = SqliteStore::open(folder.path().join("books.db")).map_err(|error| format!("{error:?}"))?;
    block_on(compare(&script, &MemoryStore::new(), &sqlite));
    Ok([("scripts", 1), ("commands", script.commands().len() as u64)].into())
}
