//! What differs between a report and the ledger.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use super::row::ReportRow;
use crate::claim::RequestField;
use crate::command::UnknownReference;
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::payment::{OperationId, Review};
use crate::status::OperationStatus;
use crate::text::GatewayOperationId;

/// Something that the report and the ledger do not say alike.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// The row of the report; `None` if only the ledger has it, or if the row cannot be read.
    pub row: Option<ReportRow>,
    /// The payment, if it is known.
    pub payment: Option<PaymentId>,
    /// The operation of the payment, if it is known.
    pub operation: Option<OperationId>,
    /// Whether the report and the ledger agree now: the row was applied, and nothing differs any more.
    pub is_settled: bool,
    /// The review items that applying the row adds to the payment. In a dry run: those that it would add.
    pub reviews: BTreeSet<Review>,
}

/// In what a report and the ledger differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The report has it and the ledger does not.
    OnlyInReport,
    /// The ledger has it, in the period of the report, and the report does not.
    OnlyInLedger {
        /// What it is: `attempt`, `capture`, `refund`, `fee` or `payout`.
        what: &'static str,
        /// The gateway's name of it, if it has one.
        name: Option<GatewayOperationId>,
        /// Its amount in the ledger.
        amount: Money,
    },
    /// Both have it, with other amounts.
    AmountDiffers {
        /// The amount in the ledger.
        ledger: Money,
    },
    /// The report has it in another currency than the payment.
    CurrencyDiffers {
        /// The currency of the payment.
        ledger: Currency,
    },
    /// The money moved by the report; in the ledger the operation did not succeed.
    StatusDiffers {
        /// The status of the operation in the ledger.
        ledger: OperationStatus,
    },
    /// The money was taken by the report; in the ledger it is only held, and the row names no capture.
    NotCaptured,
    /// Both have it, but it is unknown which attempt it belongs to.
    Unallocated,
    /// It may be an operation that was requested here and has no name yet.
    PossibleDuplicate,
    /// The fee is not recorded yet. It is not applied beside a row that matches nothing.
    FeeUnknown,
    /// The payout is not recorded yet.
    PayoutUnknown,
    /// The fee or payout is recorded with other contents.
    EntryDiffers {
        /// The fields in which they differ.
        fields: Vec<RequestField>,
    },
    /// The report has the name twice, with different contents. The first row counts.
    NameRepeated {
        /// The line of the first row with this name.
        first_line: u64,
    },
    /// None of the names in the row leads to a payment.
    UnknownPayment {
        /// Why not.
        reason: UnknownReference,
    },
    /// The payment is known, but not which of its operations the row is about.
    Unmatched {
        /// Why not.
        reason: UnknownReference,
    },
    /// The dispute has a movement of funds without a name, which may be this one.
    UnnamedMovement,
    /// Both have it alike, and applying the row lists the payment for review: see [`reviews`](Difference::reviews).
    ListedForReview,
    /// The row has no name, or is of a kind that is not reconciled.
    Unreadable {
        /// The line of the report.
        line: u64,
        /// Why it cannot be used.
        reason: String,
    },
}

impl DifferenceKind {
    /// The word for it, for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            DifferenceKind::OnlyInReport => "only_in_report",
            DifferenceKind::OnlyInLedger { .. } => "only_in_ledger",
            DifferenceKind::AmountDiffers { .. } => "amount_differs",
            DifferenceKind::CurrencyDiffers { .. } => "currency_differs",
            DifferenceKind::StatusDiffers { .. } => "status_differs",
            DifferenceKind::NotCaptured => "not_captured",
            DifferenceKind::Unallocated => "unallocated",
            DifferenceKind::PossibleDuplicate => "possible_duplicate",
            DifferenceKind::FeeUnknown => "fee_unknown",
            DifferenceKind::PayoutUnknown => "payout_unknown",
            DifferenceKind::EntryDiffers { .. } => "entry_differs",
            DifferenceKind::NameRepeated { .. } => "name_repeated",
            DifferenceKind::UnknownPayment { .. } => "unknown_payment",
            DifferenceKind::Unmatched { .. } => "unmatched",
            DifferenceKind::UnnamedMovement => "unnamed_movement",
            DifferenceKind::ListedForReview => "listed_for_review",
            DifferenceKind::Unreadable { .. } => "unreadable",
        }
    }

    /// Of a row whose names lead to no operation, for this `reason`.
    pub(super) const fn of_unknown(reason: UnknownReference) -> DifferenceKind {
        match reason {
            UnknownReference::Unnamed | UnknownReference::Unknown { .. } | UnknownReference::OtherGateway => {
                DifferenceKind::UnknownPayment { reason }
            }
            reason => DifferenceKind::Unmatched { reason },
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DifferenceKind::OnlyInReport => f.write_str("the ledger does not have it"),
            DifferenceKind::OnlyInLedger { what, name, amount } => {
                write!(f, "the report does not have the {what}")?;
                match name {
                    Some(name) => write!(f, " {name} of {amount}"),
                    None => write!(f, " of {amount}"),
                }
            }
            DifferenceKind::AmountDiffers { ledger } => write!(f, "the ledger has {ledger}"),
            DifferenceKind::CurrencyDiffers { ledger } => write!(f, "the payment is in {ledger}"),
            DifferenceKind::StatusDiffers { ledger } => write!(f, "the ledger has it as {ledger}"),
            DifferenceKind::NotCaptured => f.write_str("the ledger only holds the money"),
            DifferenceKind::Unallocated => f.write_str("its attempt is unknown"),
            DifferenceKind::PossibleDuplicate => f.write_str("it may be one that was requested here"),
            DifferenceKind::FeeUnknown => f.write_str("the fee is not recorded"),
            DifferenceKind::PayoutUnknown => f.write_str("the payout is not recorded"),
            DifferenceKind::EntryDiffers { fields } => {
                let fields: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
                write!(f, "it is recorded with other contents: {} differ", fields.join(", "))
            }
            DifferenceKind::NameRepeated { first_line } => {
                write!(f, "line {first_line} has the same name with other contents")
            }
            DifferenceKind::UnknownPayment { reason } | DifferenceKind::Unmatched { reason } => {
                f.write_str(&of_row(*reason))
            }
            DifferenceKind::UnnamedMovement => {
                f.write_str("the dispute has a movement of funds without a name, which may be this one")
            }
            DifferenceKind::ListedForReview => {
                f.write_str("the ledger has it, and the payment needs a review")
            }
            DifferenceKind::Unreadable { reason, .. } => f.write_str(reason),
        }
    }
}

/// One line: `line 7: only_in_report: refund re_1 of 20 usd: the ledger does not have it (pay_…)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.row, &self.kind) {
            (Some(row), _) => write!(f, "line {}: ", row.line)?,
            (None, DifferenceKind::Unreadable { line, .. }) => write!(f, "line {line}: ")?,
            (None, _) => {}
        }
        write!(f, "{}: ", self.kind.as_str())?;
        if let Some(row) = &self.row {
            write!(f, "{} {} of {}: ", row.kind, row.name, row.amount)?;
        }
        write!(f, "{}", self.kind)?;
        match (self.payment, self.operation) {
            (Some(payment), Some(operation)) => write!(f, " ({payment}, {operation})")?,
            (Some(payment), None) => write!(f, " ({payment})")?,
            _ => {}
        }
        let reviews: Vec<&str> = self.reviews.iter().map(|review| review.as_str()).collect();
        match (self.is_settled, reviews.join(", ").as_str()) {
            (true, "") => f.write_str(" [applied]"),
            (true, reviews) => write!(f, " [applied; listed for review: {reviews}]"),
            (false, "") => Ok(()),
            (false, reviews) => write!(f, " [for review: {reviews}]"),
        }
    }
}

/// Why a row of a report matches nothing.
fn of_row(reason: UnknownReference) -> Cow<'static, str> {
    let reason = match reason {
        UnknownReference::Unnamed => "the row names no payment",
        UnknownReference::Unknown { field } => {
            let field = if field == "gateway_operation_id" { "name" } else { field };
            return format!("the ledger has nothing at this gateway with this {field}").into();
        }
        UnknownReference::Conflicting => "the names in the row belong to different payments or attempts",
        UnknownReference::OtherGateway => "the payment was never at this gateway",
        UnknownReference::Several => {
            "several operations can be meant: the row needs the name of the operation, or of its attempt"
        }
        UnknownReference::MayBeOurs => {
            "an operation that was requested here may be meant, and is not finished: reconcile again later"
        }
        UnknownReference::NothingThere => "the payment has nothing at this gateway that the row can be about",
    };
    reason.into()
}
