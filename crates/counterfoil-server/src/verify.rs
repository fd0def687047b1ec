//! `counterfoil verify`: proves the books, and names the first fault.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use counterfoil::store::{PaymentStore, StoreErrorKind};
use counterfoil::verify::{BooksHead, Verified, VerifyError};

use crate::cli::Verify;
use crate::console;
use crate::error::Error;
use crate::export::output::Output;

/// Exit code when the books were read and are not good.
const FAULT: u8 = 1;

/// Prints what was checked, or the first fault. It only reads, so a server may be running.
pub(crate) async fn verify(options: &Verify) -> Result<ExitCode, Error> {
    let kept = options.head.as_deref().map(read_head).transpose()?;
    let mut output = options.write_head.as_deref().map(|path| Output::open(Some(path))).transpose()?;
    let store = options.store.open_read_only()?;
    let found = prove(store.as_ref(), kept, options).await;
    let closed = store.close().await;
    match found {
        Ok(Verified { payments, accounts, events, digest, head, unchecked, .. }) => {
            closed.map_err(|error| Error::because("cannot close the store", &error))?;
            if let Some(output) = &mut output {
                let written = writeln!(output, "{head}").and_then(|()| output.finish());
                written.map_err(|error| Error::because(output.problem(), &error))?;
            }
            console::print(format_args!(
                "clean: {payments} payments, {accounts} accounts, {events} events, digest {digest}\n"
            ))?;
            if unchecked > 0 {
                console::print(format_args!(
                    "not checked: the totals of {unchecked} destinations, whose payments changed whenever they were read\n"
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        // Damage outside of any event is a fault of the books too, not of the reading. A file of a newer version was not
        // opened; so what looks like one's here is not what was written.
        Err(VerifyError::Store(error))
            if matches!(error.kind(), StoreErrorKind::Corrupt | StoreErrorKind::TooNew) =>
        {
            report(Error::because("fault: the books are damaged", &error))
        }
        Err(VerifyError::Store(error)) => Err(Error::because("cannot verify", &error)),
        Err(fault) => report(Error::because("fault", &fault)),
    }
}

/// What the contract of a store lets be seen first: it names the event.
async fn prove(
    store: &dyn PaymentStore,
    kept: Option<BooksHead>,
    options: &Verify,
) -> Result<Verified, VerifyError> {
    let verified = match &kept {
        Some(kept) => counterfoil::verify::verify_against(store, kept).await?,
        None => counterfoil::verify::verify(store).await?,
    };
    options.store.check()?;
    Ok(verified)
}

fn read_head(path: &Path) -> Result<BooksHead, Error> {
    let cannot = |error: &dyn std::error::Error| {
        Error::because(format_args!("cannot read the head in {}", path.display()), error)
    };
    let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    text.trim_end().parse().map_err(|error| cannot(&error))
}

fn report(fault: impl std::fmt::Display) -> Result<ExitCode, Error> {
    console::print(format_args!("{fault}\n"))?;
    Ok(ExitCode::from(FAULT))
}
