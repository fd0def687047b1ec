//! `counterfoil reconcile`: a gateway's settlement report against the books.
//!
//! The report is read twice: first to see that all of it can be read, then row by row. So a broken report is rejected
//! before anything of it is applied.

mod adyen;
mod columns;
mod line;
mod report;
mod stripe;
mod value;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use counterfoil::ledger::Ledger;
use counterfoil::ledger::reconcile::{Reconcile as How, Reconciled};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::Actor;
use tokio::time::Instant;

pub(crate) use self::line::Field;
use self::report::Report;
use crate::cli::Reconcile;
use crate::console;
use crate::error::Error;
use crate::export::amount;

/// Exit code when the report and the books differ.
const DIFFERENT: u8 = 1;
/// How often progress is said.
const PACE: Duration = Duration::from_secs(1);

/// Prints a line for each difference, and a summary.
pub(crate) async fn reconcile(options: &Reconcile) -> Result<ExitCode, Error> {
    let report = Report::checked(options)?;
    let store = if options.apply { options.store.open()? } else { options.store.open_read_only()? };
    let ledger = Ledger::new(store.clone()).with_policy(options.rules.policy());
    let actor = Actor::new(format!("gateway:{}", options.gateway));
    let actor = actor.map_err(|error| Error::because("cannot act for the gateway", &error))?;
    let caller = Caller::new(Scope::new(options.tenant.clone(), options.environment.clone()), actor);
    let done = ledger.reconcile(&caller, &options.gateway, report.rows()?, how(options)).await;
    let closed = store.close().await;
    let done = done.map_err(|error| Error::because("cannot reconcile", &error))?;
    closed.map_err(|error| Error::because("cannot close the store", &error))?;
    print(options, &done)?;
    Ok(if done.is_settled() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

fn how(options: &Reconcile) -> How {
    let how = if options.apply { How::applying() } else { How::dry_run() };
    let how = match (options.from, options.to) {
        (Some(from), Some(to)) => how.over(from, to),
        _ => how,
    };
    if !options.progress && !io::stderr().is_terminal() {
        return how;
    }
    let last = Mutex::new(Instant::now());
    how.with_progress(move |progress| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PACE {
            *last = Instant::now();
            let (rows, payments) = (progress.rows, progress.payments);
            console::complain("reconcile", format_args!("{rows} rows, {payments} payments"));
        }
    })
}

fn print(options: &Reconcile, done: &Reconciled) -> Result<(), Error> {
    for difference in &done.differences {
        console::print(format_args!("{difference}\n"))?;
    }
    let settled = done.differences.iter().filter(|difference| difference.is_settled).count();
    let Reconciled { rows, matched, written, .. } = done;
    let differences = done.differences.len();
    let run = if options.apply { "applied" } else { "dry run" };
    console::print(format_args!(
        "{run}: {rows} rows, {matched} agree, {differences} differences, {settled} settled, {written} rows written\n"
    ))?;
    for (currency, minor) in &done.owed {
        let owed = amount::short(*minor, *currency);
        console::print(format_args!("{} owes {owed} {currency} by the books\n", options.gateway))?;
    }
    Ok(())
}
