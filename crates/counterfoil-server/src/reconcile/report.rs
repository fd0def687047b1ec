//! The file of a report.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use counterfoil::ledger::reconcile::{ReportRow, UnreadableRow};
use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use super::line::{Field, Line};
use super::line_counter::LineCounter;
use super::value::{Problem, Span, quoted};
use super::{adyen, columns, plural, stripe};
use crate::cli::{Reconcile, ReportFormat};
use crate::error::Error;

/// A row of the report, or why it cannot be used.
pub(super) type Row = Result<ReportRow, UnreadableRow>;

/// A report that can be read.
#[derive(Debug)]
pub(super) struct Report {
    path: PathBuf,
    header: HashMap<String, usize>,
    layout: Layout,
    mappings: HashMap<Field, String>,
    /// The time from its first to its last row. `None` if it has no row that can be read.
    pub(super) span: Option<Span>,
    /// Whether it has no line but the header.
    pub(super) is_empty: bool,
}

/// How the columns of a format become rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The columns without which it cannot be that format.
    pub(super) required: &'static [&'static str],
    /// The rows of a line: the movement of money, and the fee beside it.
    pub(super) rows: fn(&Line<'_>) -> Result<Vec<Row>, Problem>,
    /// The time of a line.
    pub(super) time: fn(&Line<'_>) -> Result<Span, Problem>,
}

impl Report {
    /// Reads the whole report once.
    pub(super) fn checked(options: &Reconcile) -> Result<Report, Error> {
        let layout = match options.format {
            ReportFormat::Columns => columns::LAYOUT,
            ReportFormat::StripeBalance => stripe::LAYOUT,
            ReportFormat::AdyenSettlement => adyen::LAYOUT,
        };
        let path = options.file.clone();
        let mappings = mappings(&options.mappings)?;
        let (mut reader, mut lines) = open(&path)?;
        let header = header(&path, reader.headers())?;
        let mut report = Report { path, header, layout, mappings, span: None, is_empty: true };
        report.check_columns()?;
        for record in reader.records() {
            report.is_empty = false;
            let record = record.map_err(|error| {
                let (line, problem) = unreadable(&mut lines, &error);
                report.problem(line, &problem)
            })?;
            let line = report.line(&mut lines, &record);
            let span = report.check(&line).map_err(|problem| report.problem(line.number, &problem))?;
            report.span = match (report.span, span) {
                (Some(Span { first, last }), Some(span)) => {
                    Some(Span { first: first.min(span.first), last: last.max(span.last) })
                }
                (known, span) => known.or(span),
            };
        }
        Ok(report)
    }

    /// The rows, one by one. What can no longer be read is given as such a row: the file has changed since it was
    /// checked.
    pub(super) fn rows(&self) -> Result<impl Iterator<Item = Row>, Error> {
        let (records, mut lines) = open(&self.path)?;
        Ok(records.into_records().flat_map(move |record| match record {
            Ok(record) => {
                let line = self.line(&mut lines, &record);
                self.rows_of(&line)
                    .unwrap_or_else(|Problem(why)| vec![Err(UnreadableRow::new(line.number, why))])
            }
            Err(error) => {
                let (line, Problem(why)) = unreadable(&mut lines, &error);
                vec![Err(UnreadableRow::new(line, why))]
            }
        }))
    }

    /// The time of the line; `None` if it has no row that can be read.
    fn check(&self, line: &Line<'_>) -> Result<Option<Span>, Problem> {
        let rows = self.rows_of(line)?;
        rows.iter().any(Result::is_ok).then(|| (self.layout.time)(line)).transpose()
    }

    /// The rows of the line. A name of its payment that cannot be read concerns this line only.
    fn rows_of(&self, line: &Line<'_>) -> Result<Vec<Row>, Problem> {
        (self.layout.rows)(line).or_else(|problem| match line.about() {
            Ok(_) => Err(problem),
            Err(Problem(why)) => Ok(line.unreadable(why)),
        })
    }

    fn line<'a>(&'a self, lines: &mut LineCounter, record: &'a StringRecord) -> Line<'a> {
        let number = record.position().map_or(0, |position| lines.line_at(position));
        Line { header: &self.header, mappings: &self.mappings, record, number }
    }

    fn check_columns(&self) -> Result<(), Error> {
        let mapped = self.mappings.values().map(String::as_str);
        // A field that is mapped stands in another column.
        let is_mapped =
            |column: &&str| Field::from_name(column).is_some_and(|it| self.mappings.contains_key(&it));
        let required = self.layout.required.iter().copied().filter(|column| !is_mapped(column));
        let Some(column) = required.chain(mapped).find(|column| !self.header.contains_key(*column)) else {
            return Ok(());
        };
        let mut names = self.header.keys();
        let has_semicolons = self.header.len() == 1 && names.any(|name| name.contains(';'));
        let hint = if has_semicolons { ": columns must be separated by commas" } else { "" };
        Err(Error::new(format_args!("{} has no column `{column}`{hint}", self.path.display())))
    }

    fn problem(&self, line: u64, Problem(why): &Problem) -> Error {
        Error::new(format_args!("{}, line {line}: {why}", self.path.display()))
    }
}

/// The columns that fields are mapped to.
fn mappings(options: &[(Field, String)]) -> Result<HashMap<Field, String>, Error> {
    let mut mappings = HashMap::new();
    for (field, column) in options {
        if mappings.insert(*field, column.clone()).is_some() {
            return Err(Error::new(format_args!("--map gives the field {} twice", field.name())));
        }
    }
    Ok(mappings)
}

/// The records of the file, and its lines.
fn open(path: &Path) -> Result<(csv::Reader<File>, LineCounter), Error> {
    let cannot = |error: &io::Error| Error::because(format_args!("cannot read {}", path.display()), error);
    // Opening a FIFO waits for its writer.
    let is_file = fs::metadata(path).map_err(|error| cannot(&error))?.is_file();
    if !is_file {
        return Err(Error::new(format_args!(
            "cannot read {}: --file must be a regular file: the report is read twice",
            path.display()
        )));
    }
    let file = File::open(path).map_err(|error| cannot(&error))?;
    let lines = LineCounter::open(path).map_err(|error| cannot(&error))?;
    Ok((ReaderBuilder::new().trim(Trim::All).from_reader(file), lines))
}

/// The place of each column. Some programs write a mark before the first.
fn header(path: &Path, names: Result<&StringRecord, csv::Error>) -> Result<HashMap<String, usize>, Error> {
    let cannot = |why: &str| Error::new(format_args!("cannot read {}: {why}", path.display()));
    let names = names.map_err(|error| cannot(&reason(&error)))?;
    if names.is_empty() {
        return Err(cannot("the file is empty"));
    }
    let mut header = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        let name = name.trim_start_matches('\u{feff}');
        // Columns without a name are never read.
        if header.insert(name.to_owned(), place).is_some() && !name.is_empty() {
            return Err(cannot(&format!("it has the column {} twice", quoted(name))));
        }
    }
    Ok(header)
}

/// The line of a record that cannot be read, and why.
fn unreadable(lines: &mut LineCounter, error: &csv::Error) -> (u64, Problem) {
    (error.position().map_or(0, |position| lines.line_at(position)), Problem(reason(error)))
}

fn reason(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::Utf8 { .. } => "it is not UTF-8: save the report as UTF-8".to_owned(),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} {}, the header has {expected_len}", plural(*len, "column"))
        }
        _ => error.to_string(),
    }
}
