//! `counterfoil reconcile`: a gateway's settlement report against the books.
//!
//! The report is read twice: first to see that all of it can be read, then row by row. So a broken report is rejected
//! before anything of it is applied.

mod adyen;
mod columns;
mod gateways;
mod line;
mod line_counter;
mod report;
mod stripe;
mod value;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::ledger::Ledger;
use counterfoil::ledger::reconcile::{Reconcile as How, Reconciled};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::PaymentStore;
use counterfoil::text::Actor;
use tokio::time::Instant;

pub(crate) use self::line::Field;
use self::report::Report;
pub(crate) use self::value::time_of_option;
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
    let period = period(options, &report)?;
    let store =
        if options.apply { options.store.open_existing()? } else { options.store.open_read_only()? };
    let done = compare(options, &report, period, store.clone()).await;
    let closed = store.close().await;
    let done = done?;
    closed.map_err(|error| Error::because("cannot close the store", &error))?;
    print(options, period, &done)?;
    let is_settled = done.is_settled() && done.listed == 0;
    Ok(if is_settled { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}

async fn compare(
    options: &Reconcile,
    report: &Report,
    period: Option<Period>,
    store: Arc<dyn PaymentStore>,
) -> Result<Reconciled, Error> {
    let ledger = Ledger::new(store).with_policy(options.rules.policy());
    let actor = Actor::new(format!("gateway:{}", options.gateway));
    let actor = actor.map_err(|error| Error::because("cannot act for the gateway", &error))?;
    let caller = Caller::new(Scope::new(options.tenant.clone(), options.environment.clone()), actor);
    gateways::check(&ledger, &caller.scope, &options.gateway).await?;
    let done = ledger.reconcile(&caller, &options.gateway, report.rows()?, how(options, period)).await;
    done.map_err(|error| Error::because("cannot reconcile", &error))
}

/// The first and the last moment that are compared.
type Period = (Timestamp, Timestamp);

/// The period that the options give, or else that of the rows. `None` if none of the rows can be read.
fn period(options: &Reconcile, report: &Report) -> Result<Option<Period>, Error> {
    let first = options.from.or(report.span.map(|span| span.first));
    let last = options.to.or(report.span.map(|span| span.last));
    match (first, last) {
        (Some(first), Some(last)) if first > last => Err(Error::new(format_args!(
            "the period ends before it begins: {first} is later than {last}; see --from and --to"
        ))),
        (Some(first), Some(last)) => Ok(Some((first, last))),
        _ if report.is_empty => Err(Error::new("the report has no rows: give its period by --from and --to")),
        _ => Ok(None),
    }
}

fn how(options: &Reconcile, period: Option<Period>) -> How {
    let how = if options.apply { How::applying() } else { How::dry_run() };
    let how = match period {
        Some((first, last)) => how.over(first, last),
        None => how,
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
            let (row, payment) = (plural(rows, "row"), plural(payments, "payment"));
            console::complain("reconcile", format_args!("{rows} {row}, {payments} {payment}"));
        }
    })
}

fn print(options: &Reconcile, period: Option<Period>, done: &Reconciled) -> Result<(), Error> {
    for difference in &done.differences {
        console::print(format_args!("{difference}\n"))?;
    }
    let settled = done.differences.iter().filter(|difference| difference.is_settled).count();
    let Reconciled { rows, matched, written, listed, .. } = done;
    let differences = done.differences.len() as u64;
    let run = if options.apply { "applied" } else { "dry run" };
    let agree = if *matched == 1 { "agrees" } else { "agree" };
    let (row, difference) = (plural(*rows, "row"), plural(differences, "difference"));
    console::print(format_args!(
        "{run}: {rows} {row}, {matched} {agree}, {differences} {difference}, {listed} listed for review, \
         {settled} settled, {written} {} written\n",
        plural(*written, "row")
    ))?;
    if let Some((first, last)) = period {
        console::print(format_args!("period: {first} to {last}\n"))?;
    }
    for (currency, minor) in &done.owed {
        let owed = amount::short(*minor, *currency);
        console::print(format_args!("{} owes {owed} {currency} by the books\n", options.gateway))?;
    }
    Ok(())
}

/// The noun for so many.
fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}
