//! A report with a column for each field: by its own name, or by `--map FIELD=COLUMN`.

use counterfoil::ledger::reconcile::{ReportRow, RowKind};

use super::line::{Field, Line};
use super::report::{Layout, Row};
use super::value::{self, Problem};

pub(super) const LAYOUT: Layout =
    Layout { required: &["kind", "name", "amount", "currency", "occurred_at"], rows };

fn rows(line: &Line<'_>) -> Result<Vec<Row>, Problem> {
    let word = line.field(Field::Kind).unwrap_or_default();
    let Some(kind) = RowKind::from_name(word) else {
        return Ok(line.unreadable(format!("rows of kind `{word}` are not reconciled")));
    };
    let Some(name) = line.field(Field::Name) else { return Ok(line.unreadable("it has no name")) };
    let currency = value::currency(line.field(Field::Currency))?;
    let amount = line.field(Field::Amount).ok_or_else(|| Problem("it has no amount".to_owned()))?;
    // The kind says in which direction the money went.
    let amount = value::amount(amount, currency)?.amount;
    let at = value::time(line.field(Field::OccurredAt))?;
    let fee = line.field(Field::Fee).map(|fee| value::amount(fee, currency)).transpose()?;
    let mut row = ReportRow::new(kind, value::name(name)?, amount, at).about(line.about()?);
    if let Some(capture) = line.field(Field::Capture) {
        row = row.captured_as(value::name(capture)?);
    }
    Ok(line.rows(row, fee))
}
