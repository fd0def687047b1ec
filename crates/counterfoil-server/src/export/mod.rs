//! `counterfoil export`: the books for other programs, straight from the feed of all events.
//!
//! It only reads, so a server may be running, and it keeps nothing but sums: one event after the other is read, and
//! written in the form that was asked for.

pub(crate) mod amount;
mod beancount;
mod csv;
mod jsonl;
mod names;
pub(crate) mod output;
mod progress;
mod trial;

use std::io::{self, Write};
use std::process::ExitCode;

use counterfoil::store::{Entry, PaymentStore, Position, StoreError, StoreErrorKind};

use crate::cli::{Books, Export};
use crate::console;
use crate::error::Error;
use output::Output;
use progress::Progress;
use trial::Trial;

/// Exit code when the books were read and are not good.
const FAULT: u8 = 1;
/// How many events are held at a time.
const BATCH: usize = 1_000;

/// Writes the books. What is wrong with them is said on stderr, for stdout may be taken.
pub(crate) async fn export(options: &Export) -> Result<ExitCode, Error> {
    let store = options.store.open_read_only()?;
    let mut output = Output::open(options.output.as_deref())?;
    let written = write(store.as_ref(), options, &mut output).await;
    let closed = store.close().await;
    match written.and_then(|trial| output.finish().map(|()| trial).map_err(Stop::Output)) {
        Ok(trial) => {
            closed.map_err(|error| Error::because("cannot close the store", &error))?;
            Ok(trial.fault().map_or(ExitCode::SUCCESS, |fault| report(&fault)))
        }
        // Whoever read it wants no more, and that is no failure.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(Stop::Output(error)) => Err(Error::because(output.problem(), &error)),
        Err(Stop::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
            Ok(report(&Error::because("the books are damaged", &error)))
        }
        Err(Stop::Store(error)) => Err(Error::because("cannot read the books", &error)),
        Err(Stop::Form(error)) => Err(error),
    }
}

/// How the books are written, event by event.
trait Form {
    /// What stands before the first event.
    fn begin(&mut self, to: &mut dyn Write) -> Result<(), Stop>;

    /// The next event, in the order of the commits.
    fn entry(&mut self, entry: &Entry, to: &mut dyn Write) -> Result<(), Stop>;

    /// What stands behind the last event.
    fn end(&mut self, trial: &Trial, to: &mut dyn Write) -> Result<(), Stop>;
}

/// Why it does not go on.
#[derive(Debug)]
enum Stop {
    /// The books cannot be read.
    Store(StoreError),
    /// The export cannot be written.
    Output(io::Error),
    /// The form has no way of saying it.
    Form(Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Output(error)
    }
}

async fn write(store: &dyn PaymentStore, options: &Export, to: &mut dyn Write) -> Result<Trial, Stop> {
    let mut form: Box<dyn Form> = match options.format {
        Books::Beancount => Box::<beancount::Beancount>::default(),
        Books::Jsonl => Box::new(jsonl::Jsonl),
        Books::Csv => Box::new(csv::Csv),
    };
    let (mut trial, mut progress) = (Trial::default(), Progress::new(options.progress));
    form.begin(to)?;
    let mut position = Position::START;
    loop {
        let feed = store.feed(None, position, BATCH).await.map_err(Stop::Store)?;
        if feed.next == position {
            break;
        }
        for entry in &feed.entries {
            trial.add(&entry.event);
            form.entry(entry, to)?;
        }
        position = feed.next;
        progress.moved(feed.entries.len(), position);
    }
    form.end(&trial, to)?;
    progress.ended();
    Ok(trial)
}

fn report(fault: &Error) -> ExitCode {
    console::complain("fault", fault);
    ExitCode::from(FAULT)
}
