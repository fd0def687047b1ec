//! A report with a column for each field: by its own name, or by `--map FIELD=COLUMN`.

use counterfoil::ledger::reconcile::{ReportRow, RowKind};

use super::line::{Field, Line, Problem};
use super::report::{Layout, Row};

pub(super) const LAYOUT: Layout =
    Layout { required: &["kind", "name", "amount", "currency", "occurred_at"], rows };

fn rows(line: &Line<'_>) -> Result<Vec<Row>, Problem> {
    let word = line.field(Field::Kind).unwrap_or_default();
    let Some(kind) = RowKind::from_name(word) else {
        return Ok(line.unreadable(format!("rows of kind `{word}` are not reconciled")));
    };
    let Some(name) = line.field(Field::Name) else { return Ok(line.unreadable("it has no name")) };
    let currency = line.currency(line.field(Field::Currency))?;
    let amount = line.field(Field::Amount).ok_or_else(|| Problem("it has no amount".to_owned()))?;
    // The kind says in which direction the money went.
    let amount = line.amount(amount, currency)?.amount;
    let at = line.time(line.field(Field::OccurredAt))?;
    let fee = line.field(Field::Fee).map(|fee| line.amount(fee, currency)).transpose()?;
    let mut row = ReportRow::new(kind, line.name(name)?, amount, at).about(line.about()?);
    if let Some(capture) = line.field(Field::Capture) {
        row = row.captured_as(line.name(capture)?);
    }
    Ok(line.rows(row, fee))
}
