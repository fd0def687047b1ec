//! The bodies of the fuzz targets: plain functions of bytes, that panic when something does not hold.
//!
//! `run.sh` lets libFuzzer look for bytes that make one panic; `tests/seeds.rs` replays the ones that are
//! kept. What libFuzzer finds is put into `seeds/` when it is mended.
#![allow(clippy::missing_panics_doc, reason = "in here, to panic is to have found something")]

mod amounts;
mod create_request;
mod queries;

pub use amounts::amounts;
pub use create_request::create_request;
pub use queries::queries;

use counterfoil_memory::MemoryStore;
use counterfoil_testkit::script::STEP;
use counterfoil_testkit::{Script, block_on, run_against_model};

/// More steps make a run slower, and find no more.
const MOST_STEPS: usize = 64;

/// Executes the script that the bytes spell: the memory store does what the model says, and the books are
/// good in the end.
pub fn scripts(data: &[u8]) {
    let data = data.get(..MOST_STEPS * STEP).unwrap_or(data);
    block_on(run_against_model(&Script::from_bytes(data), &MemoryStore::new()));
}
