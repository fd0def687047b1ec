//! A line of a report, and what its columns say.

use std::collections::HashMap;

use counterfoil::command::About;
use counterfoil::ledger::reconcile::{ReportRow, RowKind, UnreadableRow};
use counterfoil::payment::OperationId;
use csv::StringRecord;

use super::report::Row;
use super::value::{Problem, Signed};

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident = $name:literal;)+) => {
        /// A field of a row that a column can be mapped to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Field {
            $($(#[$doc])* $field,)+
        }

        impl Field {
            /// The field with this name.
            pub(crate) fn from_name(name: &str) -> Option<Field> {
                match name { $($name => Some(Field::$field),)+ _ => None }
            }

            /// The name of the field.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Field::$field => $name,)+ }
            }
        }
    };
}

fields! {
    /// What happened.
    Kind = "kind";
    /// The gateway's name of it.
    Name = "name";
    /// The amount in whole units, as in 99.50.
    Amount = "amount";
    /// The currency of the amount and of the fee.
    Currency = "currency";
    /// When it happened.
    OccurredAt = "occurred_at";
    /// The fee beside it; negative if the fee was refunded.
    Fee = "fee";
    /// The gateway's name of the capture.
    Capture = "capture";
    /// Our id of the payment.
    PaymentId = "payment_id";
    /// Our id of the operation.
    OperationId = "operation_id";
    /// The gateway's name of the payment.
    GatewayPaymentId = "gateway_payment_id";
    /// The gateway's name of the attempt that it is of.
    GatewayAttemptId = "gateway_attempt_id";
    /// The gateway's name of the dispute.
    DisputeId = "dispute_id";
}

/// A line of a report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) header: &'a HashMap<String, usize>,
    pub(super) mappings: &'a HashMap<Field, String>,
    pub(super) record: &'a StringRecord,
    pub(super) number: u64,
}

impl<'a> Line<'a> {
    /// What stands in a column, if anything does.
    pub(super) fn column(&self, name: &str) -> Option<&'a str> {
        let place = self.header.get(name)?;
        self.record.get(*place).filter(|text| !text.is_empty())
    }

    /// What stands in the first of these columns in which anything does.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.column(name))
    }

    /// What stands in the column of a field: the mapped one, or that of its name.
    pub(super) fn field(&self, field: Field) -> Option<&'a str> {
        self.column(self.mappings.get(&field).map_or(field.name(), String::as_str))
    }

    /// The names that are mapped, or stand in columns of their own names.
    pub(super) fn about(&self) -> Result<About, Problem> {
        let payment = self.parsed(Field::PaymentId)?;
        // Our own id of an operation finds no payment, and keeps the gateway's name of it from finding one.
        let operation: Option<OperationId> = self.parsed(Field::OperationId)?;
        Ok(About {
            operation: operation.filter(|_| payment.is_some()),
            payment,
            gateway_payment_id: self.parsed(Field::GatewayPaymentId)?,
            gateway_attempt_id: self.parsed(Field::GatewayAttemptId)?,
            gateway_dispute_id: self.parsed(Field::DisputeId)?,
            attempt: None,
        })
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        field: Field,
    ) -> Result<Option<T>, Problem> {
        let parsed = self.field(field).map(str::parse).transpose();
        parsed.map_err(|error| Problem(format!("{}: {error}", field.name())))
    }

    /// A line that is no row, and why.
    pub(super) fn unreadable(&self, reason: impl Into<String>) -> Vec<Row> {
        vec![Err(UnreadableRow::new(self.number, reason.into()))]
    }

    /// A row, and the row of the fee beside it.
    pub(super) fn rows(&self, row: ReportRow, fee: Option<Signed>) -> Vec<Row> {
        let row = row.on_line(self.number);
        let fee = fee.filter(|fee| !fee.amount.is_zero()).map(|fee| {
            let kind = if fee.is_negative { RowKind::FeeRefund } else { RowKind::Fee };
            let too_long = || UnreadableRow::new(self.number, "the name of its fee is too long".to_owned());
            row.fee(kind, fee.amount).ok_or_else(too_long)
        });
        [Ok(row)].into_iter().chain(fee).collect()
    }
}
