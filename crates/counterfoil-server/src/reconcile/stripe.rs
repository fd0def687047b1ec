//! Stripe's itemized reports: `balance_change_from_activity`, `payouts` and `ending_balance_reconciliation`.
//!
//! Names are those that an adapter sends: a charge is its `PaymentIntent`, a capture of a hold `pi_…:capture`, a refund
//! `re_…`, a dispute `dp_…` with the balance transaction as the name of the movement.

use counterfoil::ledger::reconcile::{ReportRow, RowKind};
use counterfoil::text::GatewayDisputeId;

use super::line::Line;
use super::report::{Layout, Row};
use super::value::{self, Problem, Span, quoted};

pub(super) const LAYOUT: Layout =
    Layout { required: &["currency", "gross", "reporting_category"], rows, time };

const TRANSACTION: &str = "balance_transaction_id";
const SOURCE: &str = "source_id";
const INTENT: &str = "payment_intent_id";

fn rows(line: &Line<'_>) -> Result<Vec<Row>, Problem> {
    let category = line.column("reporting_category").unwrap_or_default();
    let currency = value::currency(line.column("currency"))?;
    let gross = line.column("gross").ok_or_else(|| Problem("it has no gross amount".to_owned()))?;
    let gross = value::amount(gross, currency)?;
    let transaction = line.column(TRANSACTION);
    let source = line.first_of(&[SOURCE, "payout_id"]);
    let (kind, name) = match category {
        "charge" => (RowKind::Charge, line.first_of(&[INTENT, "charge_id", SOURCE])),
        "refund" => (RowKind::Refund, source),
        "charge_failure" => (RowKind::Return, transaction),
        "dispute" => (RowKind::DisputeWithdrawal, transaction),
        "dispute_reversal" => (RowKind::DisputeReinstatement, transaction),
        "payout" => (RowKind::Payout, source),
        "payout_reversal" => (RowKind::PayoutReversal, source),
        "fee" if gross.is_negative => (RowKind::Fee, transaction),
        "fee" => (RowKind::FeeRefund, transaction),
        other => return Ok(line.unreadable(format!("rows of category {} are not reconciled", quoted(other)))),
    };
    let Some(name) = name else { return Ok(line.unreadable("it has no name")) };
    let amount = match (kind, line.column("customer_facing_amount")) {
        // What the payer sees is in the currency of the payment; the gross amount may be converted.
        (RowKind::Charge | RowKind::Refund, Some(shown)) => {
            let currency = value::currency(line.first_of(&["customer_facing_currency", "currency"]))?;
            value::amount(shown, currency)?.amount
        }
        _ => gross.amount,
    };
    let at = time(line)?.first;
    let fee = line.column("fee").map(|fee| value::amount(fee, currency)).transpose()?;
    let row = ReportRow::new(kind, value::name(name)?, amount, at);
    Ok(line.rows(related(line, row)?, fee))
}

fn time(line: &Line<'_>) -> Result<Span, Problem> {
    value::time(line.first_of(&["created_utc", "created", "effective_at_utc", "effective_at"]))
}

/// The row with the names of its payment and its parent.
fn related(line: &Line<'_>, row: ReportRow) -> Result<ReportRow, Problem> {
    let mut about = line.about()?;
    let intent = line.column(INTENT);
    match row.kind {
        RowKind::Charge => {
            let capture = intent.map(|intent| value::name(&format!("{intent}:capture"))).transpose()?;
            let row = row.about(about);
            return Ok(match capture {
                Some(capture) => row.captured_as(capture),
                None => row,
            });
        }
        RowKind::Refund | RowKind::Return | RowKind::DisputeWithdrawal | RowKind::DisputeReinstatement => {
            about.gateway_attempt_id = intent.map(value::name).transpose()?;
        }
        _ => {}
    }
    if matches!(row.kind, RowKind::DisputeWithdrawal | RowKind::DisputeReinstatement) {
        let dispute = line.column(SOURCE).map(GatewayDisputeId::new).transpose();
        about.gateway_dispute_id = dispute.map_err(|error| Problem(format!("{SOURCE}: {error}")))?;
    }
    Ok(row.about(about))
}
