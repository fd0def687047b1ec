//! A report with a column for each field: by its own name, or by `--map FIELD=COLUMN`.

use counterfoil::ledger::reconcile::{ReportRow, RowKind};

use super::line::{Field, Line};
use super::report::{Layout, Row};
use super::value::{self, Problem, Signed, Span, quoted};

pub(super) const LAYOUT: Layout =
    Layout { required: &["kind", "name", "amount", "currency", "occurred_at"], rows, time };

fn rows(line: &Line<'_>) -> Result<Vec<Row>, Problem> {
    let word = line.field(Field::Kind).unwrap_or_default();
    let Some(kind) = RowKind::from_name(word) else {
        return Ok(line.unreadable(format!("rows of kind {} are not reconciled", quoted(word))));
    };
    let Some(name) = line.field(Field::Name) else { return Ok(line.unreadable("it has no name")) };
    let currency = value::currency(line.field(Field::Currency))?;
    let amount = line.field(Field::Amount).ok_or_else(|| Problem("it has no amount".to_owned()))?;
    // The kind says in which direction the money went. Some reports write refunds with a minus.
    let Signed { amount, is_negative } = value::amount(amount, currency)?;
    if is_negative && matches!(kind, RowKind::Charge | RowKind::Capture | RowKind::Payout) {
        return Ok(line.unreadable(format!("a negative amount is not a {kind}")));
    }
    let at = time(line)?.first;
    let fee = line.field(Field::Fee).map(|fee| value::amount(fee, currency)).transpose()?;
    let mut row = ReportRow::new(kind, value::name(name)?, amount, at).about(line.about()?);
    if let Some(capture) = line.field(Field::Capture) {
        row = row.captured_as(value::name(capture)?);
    }
    Ok(line.rows(row, fee))
}

fn time(line: &Line<'_>) -> Result<Span, Problem> {
    value::time(line.field(Field::OccurredAt))
}
