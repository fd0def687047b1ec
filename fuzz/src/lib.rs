//! The bodies of the fuzz targets: plain functions of bytes, that panic when something does not hold.
//!
//! `run.sh` lets libFuzzer look for bytes that make one panic; `tests/seeds.rs` replays the ones that are
//! kept. What libFuzzer finds is put into `seeds/` when it is mended.
#![allow(clippy::missing_panics_doc, reason = "in here, to panic is to have found something")]

mod amounts;
mod chains;
mod create_request;
mod events;
mod notifications;
mod queries;

pub use amounts::amounts;
pub use chains::chains;
pub use create_request::create_request;
pub use events::events;
pub use notifications::notifications;
pub use queries::queries;

use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::script::STEP;
use counterfoil_testkit::{Script, block_on, compare, run_against_model};

/// More steps make a run slower, and find no more.
const MOST_STEPS: usize = 64;
/// Of steps that are synced to a disk, each of them.
const MOST_SYNCED_STEPS: usize = 24;

/// Executes the script that the bytes spell: the memory store does what the model says, and the books are
/// good in the end.
pub fn scripts(data: &[u8]) {
    let data = data.get(..MOST_STEPS * STEP).unwrap_or(data);
    block_on(run_against_model(&Script::from_bytes(data), &MemoryStore::new()));
}

/// Executes the script that the bytes spell on the memory store and on SQLite: equal answers, equal books.
pub fn stores(data: &[u8]) {
    let data = data.get(..MOST_SYNCED_STEPS * STEP).unwrap_or(data);
    let folder = tempfile::tempdir().expect("there is room for a file");
    let sqlite = SqliteStore::open(folder.path().join("books.db")).expect("a new file can be opened");
    block_on(compare(&Script::from_bytes(data), &MemoryStore::new(), &sqlite));
    sqlite.check().expect("the file is what its journal makes");
}
