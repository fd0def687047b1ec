//! `counterfoil begin-era`: begins a new era of the feed after a restore from a backup.

use std::process::ExitCode;

use crate::cli::BeginEra;
use crate::console;
use crate::error::Error;

/// Begins a new era and prints its number.
pub(crate) fn begin(options: &BeginEra) -> Result<ExitCode, Error> {
    let era = options.store.begin_era()?;
    let (ledger, number) = (era.ledger(), era.number());
    console::print(format_args!(
        "ledger {ledger} is in era {number} now: followers of its feed must read it again from its start\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
