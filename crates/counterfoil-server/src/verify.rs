//! `counterfoil verify`: proves the books, and names the first fault.

use std::process::ExitCode;

use counterfoil::store::StoreErrorKind;
use counterfoil::verify::{Verified, VerifyError};

use crate::cli::Verify;
use crate::console;
use crate::error::Error;

/// Exit code when the books were read and are not good.
const FAULT: u8 = 1;

/// Prints what was checked, or the first fault. It only reads, so a server may be running.
pub(crate) async fn verify(options: &Verify) -> Result<ExitCode, Error> {
    let store = options.store.open_read_only()?;
    let found = counterfoil::verify::verify(store.as_ref()).await;
    let closed = store.close().await;
    match found {
        Ok(Verified { payments, accounts, events, digest, .. }) => {
            closed.map_err(|error| Error::because("cannot close the store", &error))?;
            console::print(format_args!(
                "clean: {payments} payments, {accounts} accounts, {events} events, digest {digest}\n"
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(VerifyError::Fault(fault)) => report(Error::because("fault", &fault)),
        // Damage outside of any event is a fault of the books too, not of the reading.
        Err(VerifyError::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
            report(Error::because("fault: the books are damaged", &error))
        }
        Err(error) => Err(Error::because("cannot verify", &error)),
    }
}

fn report(fault: impl std::fmt::Display) -> Result<ExitCode, Error> {
    console::print(format_args!("{fault}\n"))?;
    Ok(ExitCode::from(FAULT))
}
