//! The payments API as a program.
//!
//! * `counterfoil serve` answers it over HTTP.
//! * `counterfoil verify` proves the books, beside a running server too.
//! * `counterfoil export` writes them out for other programs: Beancount, JSON lines, CSV.
//! * `counterfoil begin-era` begins a new era of the feed after a restore from a backup.
//! * `counterfoil reconcile` compares a gateway's settlement report with the books, and applies it if it is told to.
//! * `counterfoil graph` draws what may become of a payment.
//!
//! Exit codes: 0 done; 1 `verify` or `export` found a fault, or `reconcile` a difference; 2 it could not do what was
//! asked, and one sentence on stderr says why.

mod accept;
mod cli;
mod console;
mod crowd;
mod due;
mod endpoint;
mod era;
mod error;
mod export;
mod graph;
mod keys;
mod reconcile;
mod rules;
mod serve;
mod signals;
mod slow;
mod store;
mod verify;

use std::process::ExitCode;

use cli::Command;
use error::Error;
use mimalloc::MiMalloc;

/// Serves about a tenth more than the system's allocator: `torture overload-http` with and without it, in turns. (SQLite
/// keeps to the system's.)
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|error| {
        console::complain("error", &error);
        ExitCode::from(2)
    })
}

async fn run() -> Result<ExitCode, Error> {
    match cli::read()? {
        Some(Command::Serve(options)) => serve::serve(options).await,
        Some(Command::Verify(options)) => verify::verify(&options).await,
        Some(Command::Export(options)) => export::export(&options).await,
        Some(Command::BeginEra(options)) => era::begin(&options),
        Some(Command::Reconcile(options)) => reconcile::reconcile(&options).await,
        Some(Command::Graph(options)) => graph::graph(&options),
        None => Ok(ExitCode::SUCCESS),
    }
}
