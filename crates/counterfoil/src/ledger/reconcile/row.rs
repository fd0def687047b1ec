//! A row of a gateway's report, and the evidence that it is.

use sha2::{Digest, Sha256};

use crate::account::{GatewayEntry, GatewayEntryKind};
use crate::clock::Timestamp;
use crate::command::{About, Told};
use crate::id::PaymentId;
use crate::ledger::Notification;
use crate::money::Money;
use crate::payment::{DisputeWord, DisputeWordKind, Evidence, Operation, OperationId, Outcome};
use crate::text::{GatewayName, GatewayOperationId, Message, NotificationId};
use crate::word::words;

words! {
    /// What a row of a settlement report says happened.
    RowKind, "kind of a report row" {
        /// The gateway took money from a payer.
        Charge = 1, "charge";
        /// The gateway took money that it held.
        Capture = 2, "capture";
        /// The gateway gave money back to a payer.
        Refund = 3, "refund";
        /// A bank took money back.
        Return = 4, "return";
        /// A dispute took money.
        DisputeWithdrawal = 5, "dispute_withdrawal";
        /// A dispute gave money back.
        DisputeReinstatement = 6, "dispute_reinstatement";
        /// The gateway charged a fee.
        Fee = 7, "fee";
        /// The gateway refunded a fee.
        FeeRefund = 8, "fee_refund";
        /// The gateway paid out what it owed.
        Payout = 9, "payout";
        /// A payout came back to the gateway.
        PayoutReversal = 10, "payout_reversal";
    }
}

impl RowKind {
    /// The fee or payout that a row of this kind is, and whether it went the other way.
    pub(super) const fn entry(self) -> Option<(GatewayEntryKind, bool)> {
        match self {
            RowKind::Fee => Some((GatewayEntryKind::Fee, false)),
            RowKind::FeeRefund => Some((GatewayEntryKind::Fee, true)),
            RowKind::Payout => Some((GatewayEntryKind::Payout, false)),
            RowKind::PayoutReversal => Some((GatewayEntryKind::Payout, true)),
            _ => None,
        }
    }

    /// The kind whose names a row of this kind shares.
    const fn namesake(self) -> RowKind {
        match self {
            RowKind::FeeRefund => RowKind::Fee,
            RowKind::PayoutReversal => RowKind::Payout,
            kind => kind,
        }
    }

    /// Whether a row of this kind is about an operation like `operation`.
    pub(super) fn is_about(self, operation: &Operation) -> bool {
        match self {
            RowKind::Charge => operation.id.is_attempt(),
            RowKind::Capture => operation.id.is_capture(),
            RowKind::Refund => operation.id.is_refund(),
            RowKind::Return => operation.is_inflow(),
            _ => false,
        }
    }
}

/// A row of a gateway's report: one movement of money, under the gateway's own name of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportRow {
    /// What happened.
    pub kind: RowKind,
    /// The gateway's name of it: the `gateway_operation_id` that its notifications carry. Of a movement of a dispute's
    /// funds, the name of the movement.
    pub name: GatewayOperationId,
    /// The amount that moved; more than zero.
    pub amount: Money,
    /// When it happened, by the gateway's clock.
    pub occurred_at: Timestamp,
    /// The payment, the operation and its parent, by all names that the report gives.
    pub about: About,
    /// Of a charge: the gateway's name of the capture, where the payment turns out to have held the money first.
    pub capture: Option<GatewayOperationId>,
    /// The line of the report, for messages.
    pub line: u64,
}

impl ReportRow {
    /// A row that names nothing but itself.
    #[must_use]
    pub fn new(kind: RowKind, name: GatewayOperationId, amount: Money, occurred_at: Timestamp) -> ReportRow {
        ReportRow { kind, name, amount, occurred_at, about: About::default(), capture: None, line: 0 }
    }

    /// Sets the names of its payment, its operation and its parent.
    #[must_use]
    pub fn about(mut self, about: About) -> ReportRow {
        self.about = about;
        self
    }

    /// Sets the gateway's name of the capture, in case that the charge was held first.
    #[must_use]
    pub fn captured_as(mut self, capture: GatewayOperationId) -> ReportRow {
        self.capture = Some(capture);
        self
    }

    /// Sets the line of the report that it stands on.
    #[must_use]
    pub const fn on_line(mut self, line: u64) -> ReportRow {
        self.line = line;
        self
    }

    /// The row of the fee that the report has beside this row. Its name is the kind and the name of this row, as in
    /// `charge:pi_1`. `None` if that is longer than a name may be.
    #[must_use]
    pub fn fee(&self, kind: RowKind, amount: Money) -> Option<ReportRow> {
        let name = GatewayOperationId::new(self.fee_name()).ok()?;
        Some(ReportRow { kind, name, amount, capture: None, ..self.clone() })
    }

    pub(super) fn fee_name(&self) -> String {
        format!("{}:{}", self.kind, self.name)
    }

    /// The row as a capture of `hold`, an attempt of `payment`.
    pub(super) fn as_capture_of(&self, hold: &Operation, payment: PaymentId) -> Option<ReportRow> {
        let OperationId::Attempt(attempt) = hold.id else { return None };
        let name = self.capture.clone()?;
        let (payment, attempt) = (Some(payment), Some(attempt));
        let about =
            About { payment, attempt, operation: None, gateway_attempt_id: None, ..self.about.clone() };
        Some(ReportRow { kind: RowKind::Capture, name, about, capture: None, ..self.clone() })
    }

    /// The fee or payout that it is.
    pub(super) fn entry(&self) -> Option<(GatewayEntryKind, GatewayEntry)> {
        let (kind, is_reversed) = self.kind.entry()?;
        let entry = GatewayEntry::new(self.name.clone(), self.amount, self.occurred_at);
        let entry = GatewayEntry { is_reversed, payment: self.about.payment, ..entry };
        Some((kind, entry))
    }

    /// The notification that a gateway would have sent about it. Its id is a function of the row's kind and name, so
    /// a row takes effect once. `None` for fees and payouts, and if the name is longer than such an id may be.
    pub(super) fn notification(&self, gateway: &GatewayName) -> Option<Notification> {
        let id = NotificationId::new(format!("report:{}:{}", self.kind, self.name)).ok()?;
        let evidence = |outcome| {
            let evidence = Evidence::new(outcome, self.occurred_at).with_amount(self.amount);
            evidence.with_gateway_operation_id(self.name.clone())
        };
        let moved = |kind| Told::Dispute(DisputeWord::new(kind, self.occurred_at).with_amount(self.amount));
        let told = match self.kind {
            RowKind::Charge => Told::Attempt(evidence(Outcome::Succeeded)),
            RowKind::Capture => Told::Capture(evidence(Outcome::Succeeded)),
            RowKind::Refund => Told::Refund(evidence(Outcome::Succeeded)),
            RowKind::Return => {
                let error_message = Message::lossy("returned, by the gateway's report");
                Told::Returned(evidence(Outcome::Reversed { error_message }))
            }
            RowKind::DisputeWithdrawal => moved(DisputeWordKind::FundsWithdrawn),
            RowKind::DisputeReinstatement => moved(DisputeWordKind::FundsReinstated),
            _ => return None,
        };
        let movement =
            NotificationId::new(self.name.as_str()).ok().filter(|_| matches!(told, Told::Dispute(_)));
        let notification = Notification::new(gateway.clone(), id, self.about.clone(), told);
        Some(Notification { funds: movement, ..notification })
    }

    /// A digest of what names it within a report.
    pub(super) fn identity(&self) -> Identity {
        identity(self.kind.namesake(), &self.name)
    }

    /// A digest of what it says, but for its time.
    pub(super) fn contents(&self) -> Identity {
        let amount = (self.amount.minor(), self.amount.currency().code());
        digest(&format!("{} {amount:?} {:?} {:?}", self.kind, self.about, self.capture))
    }
}

/// A digest of a row's name, or of its contents. A million rows are kept in some 50 megabytes.
pub(super) type Identity = [u8; 16];

/// The identity of a row with this kind and name.
pub(super) fn identity(kind: RowKind, name: &GatewayOperationId) -> Identity {
    digest(&format!("{kind} {name}"))
}

fn digest(text: &str) -> Identity {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let mut short = [0; 16];
    short.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    short
}

/// A row that cannot be used: it has no name, or it is of a kind that is not reconciled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableRow {
    /// The line of the report that it stands on.
    pub line: u64,
    /// Why it cannot be used.
    pub reason: String,
}

impl UnreadableRow {
    /// The row on this line, and why it cannot be used.
    #[must_use]
    pub const fn new(line: u64, reason: String) -> UnreadableRow {
        UnreadableRow { line, reason }
    }
}
