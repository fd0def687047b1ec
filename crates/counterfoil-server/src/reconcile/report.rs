//! The file of a report.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use counterfoil::ledger::reconcile::{ReportRow, UnreadableRow};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::line::{Field, Line};
use super::value::Problem;
use super::{adyen, columns, stripe};
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
}

/// How the columns of a format become rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// The columns without which it cannot be that format.
    pub(super) required: &'static [&'static str],
    /// The rows of a line: the movement of money, and the fee beside it.
    pub(super) rows: fn(&Line<'_>) -> Result<Vec<Row>, Problem>,
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
        let mappings: HashMap<Field, String> = options.mappings.iter().cloned().collect();
        let mut reader = open(&path)?;
        let header = header(&path, reader.headers())?;
        let report = Report { path, header, layout, mappings };
        report.check_columns()?;
        for record in reader.records() {
            let record = record.map_err(|error| report.because(&error))?;
            let line = report.line(&record);
            let rows = (report.layout.rows)(&line);
            rows.map_err(|problem| report.problem(line.number, &problem))?;
        }
        Ok(report)
    }

    /// The rows, one by one. What can no longer be read is given as such a row: the file has changed since it was
    /// checked.
    pub(super) fn rows(&self) -> Result<impl Iterator<Item = Row>, Error> {
        let records = open(&self.path)?.into_records();
        Ok(records.flat_map(|record| match record {
            Ok(record) => {
                let line = self.line(&record);
                let rows = (self.layout.rows)(&line);
                rows.unwrap_or_else(|Problem(why)| vec![Err(UnreadableRow::new(line.number, why))])
            }
            Err(error) => vec![Err(UnreadableRow::new(line_of(&error), error.to_string()))],
        }))
    }

    fn line<'a>(&'a self, record: &'a StringRecord) -> Line<'a> {
        let number = record.position().map_or(0, csv::Position::line);
        Line { header: &self.header, mappings: &self.mappings, record, number }
    }

    fn check_columns(&self) -> Result<(), Error> {
        let mapped = self.mappings.values().map(String::as_str);
        // A field that is mapped stands in another column.
        let is_mapped =
            |column: &&str| Field::from_name(column).is_some_and(|it| self.mappings.contains_key(&it));
        let required = self.layout.required.iter().copied().filter(|column| !is_mapped(column));
        match required.chain(mapped).find(|column| !self.header.contains_key(*column)) {
            Some(column) => Err(Error::new(format_args!("{} has no column `{column}`", self.path.display()))),
            None => Ok(()),
        }
    }

    fn problem(&self, line: u64, Problem(why): &Problem) -> Error {
        Error::new(format_args!("{}, line {line}: {why}", self.path.display()))
    }

    fn because(&self, error: &csv::Error) -> Error {
        self.problem(line_of(error), &Problem(error.to_string()))
    }
}

fn open(path: &PathBuf) -> Result<csv::Reader<File>, Error> {
    let reader = ReaderBuilder::new().trim(Trim::All).from_path(path);
    reader.map_err(|error| Error::because(format_args!("cannot read {}", path.display()), &error))
}

/// The place of each column. Some programs write a mark before the first.
fn header(
    path: &std::path::Path,
    names: Result<&StringRecord, csv::Error>,
) -> Result<HashMap<String, usize>, Error> {
    let names =
        names.map_err(|error| Error::because(format_args!("cannot read {}", path.display()), &error))?;
    let names = names.iter().enumerate();
    Ok(names.map(|(place, name)| (name.trim_start_matches('\u{feff}').to_owned(), place)).collect())
}

fn line_of(error: &csv::Error) -> u64 {
    error.position().map_or(0, csv::Position::line)
}
