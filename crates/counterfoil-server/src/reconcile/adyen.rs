//! Adyen's settlement details report.
//!
//! Names are those that an adapter sends: a charge is its `Psp Reference`, a capture and a refund their `Modification
//! Reference`, a movement of a dispute that reference and the event code. Gross amounts are in the currency of the payment,
//! fees in that of the payout. Which of the debit and the credit column has the gross amount differs between reports, so
//! the type alone decides the direction. Times are in the zone of the column `TimeZone`, or else in UTC.

use counterfoil::ledger::reconcile::{ReportRow, RowKind};
use counterfoil::money::Money;
use counterfoil::text::GatewayDisputeId;

use super::line::Line;
use super::report::{Layout, Row};
use super::value::{self, Problem, Signed, Span, quoted};

pub(super) const LAYOUT: Layout = Layout {
    required: &[
        "Psp Reference",
        "Type",
        "Modification Reference",
        "Gross Currency",
        "Net Currency",
        "Creation Date",
    ],
    rows,
    time,
};

const PAYMENT: &str = "Psp Reference";
const MODIFICATION: &str = "Modification Reference";
const GROSS: [&str; 2] = ["Gross Debit (GC)", "Gross Credit (GC)"];
const NET_DEBIT: &str = "Net Debit (NC)";
const NET_CREDIT: &str = "Net Credit (NC)";
/// They add up to the fee of a payment. Two of them are negative at times.
const FEES: [&str; 4] = ["Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)"];

fn rows(line: &Line<'_>) -> Result<Vec<Row>, Problem> {
    match line.column("Type").unwrap_or_default() {
        "Settled" => of_payment(line, RowKind::Charge, None),
        "Refunded" => of_payment(line, RowKind::Refund, None),
        "Chargeback" => of_payment(line, RowKind::DisputeWithdrawal, Some("CHARGEBACK")),
        "SecondChargeback" => of_payment(line, RowKind::DisputeWithdrawal, Some("SECOND_CHARGEBACK")),
        "ChargebackReversed" => of_payment(line, RowKind::DisputeReinstatement, Some("CHARGEBACK_REVERSED")),
        "Fee" | "InvoiceDeduction" | "MiscCosts" => of_account(line, RowKind::Fee, RowKind::FeeRefund),
        "MerchantPayout" => of_account(line, RowKind::Payout, RowKind::PayoutReversal),
        other => Ok(line.unreadable(format!("rows of type {} are not reconciled", quoted(other)))),
    }
}

/// A row about a payment. A movement of a dispute is named by its event.
fn of_payment(line: &Line<'_>, kind: RowKind, event: Option<&str>) -> Result<Vec<Row>, Problem> {
    let (payment, modification) = (line.column(PAYMENT), line.column(MODIFICATION));
    let name = match (kind, modification, event) {
        (RowKind::Charge, ..) => payment.map(str::to_owned),
        (_, Some(modification), Some(event)) => Some(format!("{modification}:{event}")),
        (_, modification, None) => modification.map(str::to_owned),
        (_, None, Some(_)) => None,
    };
    let Some(name) = name else { return Ok(line.unreadable("it has no name")) };
    let currency = value::currency(line.column("Gross Currency"))?;
    let gross = line.first_of(&GROSS).ok_or_else(|| Problem("it has no gross amount".to_owned()))?;
    let mut about = line.about()?;
    let mut row =
        ReportRow::new(kind, value::name(&name)?, value::amount(gross, currency)?.amount, time(line)?.first);
    if kind == RowKind::Charge {
        if let Some(capture) = modification {
            row = row.captured_as(value::name(capture)?);
        }
    } else {
        about.gateway_attempt_id = payment.map(value::name).transpose()?;
    }
    if event.is_some() {
        let dispute = modification.map(GatewayDisputeId::new).transpose();
        about.gateway_dispute_id = dispute.map_err(|error| Problem(format!("{MODIFICATION}: {error}")))?;
    }
    Ok(line.rows(row.about(about), fee(line)?))
}

/// A row about the account: what it takes is in the debit column, what comes back in the credit column.
fn of_account(line: &Line<'_>, taken: RowKind, returned: RowKind) -> Result<Vec<Row>, Problem> {
    let Some(reference) = line.column(MODIFICATION) else { return Ok(line.unreadable("it has no name")) };
    let currency = value::currency(line.column("Net Currency"))?;
    let (kind, amount) = match (line.column(NET_DEBIT), line.column(NET_CREDIT)) {
        (Some(debit), _) => (taken, debit),
        (None, Some(credit)) => (returned, credit),
        (None, None) => return Err(Problem("it has no net amount".to_owned())),
    };
    // References of this kind repeat from batch to batch.
    let name = match line.column("Batch Number") {
        Some(batch) => format!("{batch}:{reference}"),
        None => reference.to_owned(),
    };
    let row =
        ReportRow::new(kind, value::name(&name)?, value::amount(amount, currency)?.amount, time(line)?.first);
    Ok(line.rows(row.about(line.about()?), None))
}

fn time(line: &Line<'_>) -> Result<Span, Problem> {
    let offset = match line.column("TimeZone") {
        None | Some("UTC" | "GMT") => "Z",
        Some("CET") => "+01:00",
        Some("CEST") => "+02:00",
        Some(zone) => {
            return Err(Problem(format!("time zone {}: not UTC, GMT, CET or CEST", quoted(zone))));
        }
    };
    value::time_in(line.column("Creation Date"), offset)
}

/// The sum of the fees of a payment, in the currency of the payout.
fn fee(line: &Line<'_>) -> Result<Option<Signed>, Problem> {
    let given: Vec<&str> = FEES.iter().filter_map(|column| line.column(column)).collect();
    if given.is_empty() {
        return Ok(None);
    }
    let currency = value::currency(line.column("Net Currency"))?;
    let mut sum: i64 = 0;
    for fee in given {
        let Signed { amount, is_negative } = value::amount(fee, currency)?;
        let minor = if is_negative { -amount.minor() } else { amount.minor() };
        sum = sum.checked_add(minor).ok_or_else(|| Problem("the fees are too large".to_owned()))?;
    }
    let amount = Money::from_minor(sum.abs(), currency);
    let amount = amount.map_err(|error| Problem(format!("the fees: {error}")))?;
    Ok(Some(Signed { amount, is_negative: sum < 0 }))
}
