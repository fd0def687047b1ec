//! A reconciliation, row by row.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::compare::{Compared, Comparison};
use super::options::Observer;
use super::preview::Preview;
use super::row::Identity;
use super::{Difference, DifferenceKind, Progress, Reconcile, Reconciled, ReportRow, UnreadableRow};
use crate::account::GatewayEntryKind;
use crate::clock::Timestamp;
use crate::command::{Command, Notify, RecordGatewayEntry, Rejection, Request};
use crate::id::PaymentId;
use crate::ledger::{Ledger, LedgerError};
use crate::money::Currency;
use crate::payment::{OperationId, Payment, Review};
use crate::scope::Caller;
use crate::store::ExecuteError;
use crate::text::GatewayName;

/// A reconciliation under way.
pub(super) struct Reconciler<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) caller: &'a Caller,
    pub(super) gateway: &'a GatewayName,
    how: Reconcile,
    /// Of each row that was read, what it says and its line.
    pub(super) names: HashMap<Identity, (Identity, u64)>,
    /// The operations that the report has.
    pub(super) operations: HashSet<OperationId>,
    /// The times of the first and the last row.
    rows_from_to: Option<(Timestamp, Timestamp)>,
    /// The name that the fee beside the last row has, and the payment of that row.
    last: Option<(String, PaymentId)>,
    /// The name that the fee beside the last row that matched nothing has.
    unmatched: Option<String>,
    pub(super) progress: Progress,
    pub(super) done: Reconciled,
}

/// How many rows are read between two reports of progress.
const PROGRESS_EVERY: u64 = 100;

impl<'a> Reconciler<'a> {
    pub(super) fn new(
        ledger: &'a Ledger,
        caller: &'a Caller,
        gateway: &'a GatewayName,
        how: Reconcile,
    ) -> Reconciler<'a> {
        Reconciler {
            ledger,
            caller,
            gateway,
            how,
            names: HashMap::new(),
            operations: HashSet::new(),
            rows_from_to: None,
            last: None,
            unmatched: None,
            progress: Progress::default(),
            done: Reconciled::default(),
        }
    }

    pub(super) async fn row(&mut self, row: Result<ReportRow, UnreadableRow>) -> Result<(), LedgerError> {
        self.done.rows += 1;
        self.progress.rows += 1;
        if self.progress.rows.is_multiple_of(PROGRESS_EVERY) {
            self.report_progress();
        }
        let row = match row {
            Ok(row) => row,
            Err(row) => {
                self.unreadable(row);
                return Ok(());
            }
        };
        if row.amount.is_zero() {
            self.unreadable(UnreadableRow::new(row.line, "the amount is zero".to_owned()));
            return Ok(());
        }
        let (from, to) = self.rows_from_to.unwrap_or((row.occurred_at, row.occurred_at));
        self.rows_from_to = Some((from.min(row.occurred_at), to.max(row.occurred_at)));
        match self.names.get(&row.identity()) {
            None => {
                self.names.insert(row.identity(), (row.contents(), row.line));
                if row.kind.entry().is_some() { self.entry(row).await } else { self.evidence(row).await }
            }
            Some((contents, _)) if *contents == row.contents() => Ok(()),
            Some((_, first_line)) => {
                let kind = DifferenceKind::NameRepeated { first_line: *first_line };
                self.differs(row, Found::of(kind));
                Ok(())
            }
        }
    }

    /// A fee or a payout.
    async fn entry(&mut self, row: ReportRow) -> Result<(), LedgerError> {
        let Some((kind, mut entry)) = row.entry() else { return Ok(()) };
        let beside = self.last.as_ref().filter(|(name, _)| row.name.as_str() == name);
        entry.payment = entry.payment.or(beside.map(|(_, payment)| *payment));
        let record = RecordGatewayEntry { gateway: self.gateway.clone(), kind, entry };
        let command = self.ledger.command(self.caller, Request::RecordGatewayEntry(record));
        let unknown = match kind {
            GatewayEntryKind::Fee => DifferenceKind::FeeUnknown,
            GatewayEntryKind::Payout => DifferenceKind::PayoutUnknown,
        };
        match Preview::of(self.ledger, &command).await? {
            Preview::Replay { .. } => self.done.matched += 1,
            // The row beside the fee matched nothing: it may belong to another gateway or another scope.
            Preview::Change { .. } if self.unmatched.as_deref() == Some(row.name.as_str()) => {
                self.differs(row, Found::of(unknown));
            }
            Preview::Change { .. } => {
                let is_settled = self.apply(command).await?;
                self.differs(row, Found { is_settled, ..Found::of(unknown) });
            }
            Preview::Rejected(Rejection::GatewayEntryDiffers { fields, .. }) => {
                self.differs(row, Found::of(DifferenceKind::EntryDiffers { fields }));
            }
            Preview::Rejected(rejection) => return Err(ExecuteError::Rejected(rejection).into()),
        }
        Ok(())
    }

    /// Evidence about a payment.
    async fn evidence(&mut self, row: ReportRow) -> Result<(), LedgerError> {
        let Some(command) = self.notify(&row) else {
            self.unreadable(UnreadableRow::new(row.line, "the name is too long".to_owned()));
            return Ok(());
        };
        let preview = Preview::of(self.ledger, &command).await?;
        let capture = preview.payments().and_then(|(before, after)| {
            self.compare(&row).hold(before, after).and_then(|hold| row.as_capture_of(hold, before.id()))
        });
        match capture.and_then(|capture| Some((self.notify(&capture)?, capture))) {
            Some((command, capture)) => {
                let preview = Preview::of(self.ledger, &command).await?;
                self.compared(row, &capture, command, preview).await
            }
            None => self.compared(row.clone(), &row, command, preview).await,
        }
    }

    /// Holds a row, which is `meant` like this, against the payment of its preview, and applies it.
    async fn compared(
        &mut self,
        row: ReportRow,
        meant: &ReportRow,
        command: Command,
        preview: Preview,
    ) -> Result<(), LedgerError> {
        if let Preview::Rejected(rejection) = preview {
            let Rejection::NothingKnown(reason) = rejection else {
                return Err(ExecuteError::Rejected(rejection).into());
            };
            self.unmatched = Some(row.fee_name());
            self.differs(row, Found::of(DifferenceKind::of_unknown(reason)));
            return Ok(());
        }
        let Some((before, after)) = preview.payments() else { return Ok(()) };
        let Compared { operation, difference, is_applicable } = self.compare(meant).of(before, after);
        self.operations.extend(operation);
        self.last = Some((row.fee_name(), before.id()));
        let mut is_settled = false;
        let reviews = if is_applicable { added_reviews(before, after) } else { BTreeSet::new() };
        self.done.listed += u64::from(!reviews.is_empty());
        if preview.is_change() && is_applicable && self.apply(command.clone()).await? {
            let now = Preview::of(self.ledger, &command).await?;
            let left = now.payments().map(|(before, after)| self.compare(meant).of(before, after));
            is_settled = left.is_some_and(|left| left.difference.is_none());
        }
        let noted = (!reviews.is_empty()).then_some(DifferenceKind::ListedForReview);
        match difference.or(noted) {
            None => self.done.matched += 1,
            Some(kind) => {
                self.differs(row, Found { kind, payment: Some(before.id()), operation, is_settled, reviews });
            }
        }
        Ok(())
    }

    fn compare<'r>(&'r self, row: &'r ReportRow) -> Comparison<'r> {
        Comparison { gateway: self.gateway, row }
    }

    /// The command that writes the row down. Its id is used if an operation comes to be known by it.
    fn notify(&self, row: &ReportRow) -> Option<Command> {
        let notification = row.notification(self.gateway)?;
        let at = self.ledger.clock.now();
        let notify = Notify {
            gateway: notification.gateway,
            notification: notification.notification,
            about: notification.about,
            told: notification.told,
            funds: notification.funds,
            id: self.ledger.ids.next(at),
        };
        Some(self.ledger.command_at(self.caller, at, Request::Notify(notify)))
    }

    /// Executes the command, unless this is a dry run. Whether it did.
    async fn apply(&mut self, command: Command) -> Result<bool, LedgerError> {
        if !self.how.apply {
            return Ok(false);
        }
        let receipt = self.ledger.execute(command).await?;
        self.done.written += u64::from(!receipt.replayed);
        Ok(true)
    }

    fn differs(&mut self, row: ReportRow, found: Found) {
        let Found { kind, payment, operation, is_settled, reviews } = found;
        let payment = payment.or(row.about.payment);
        let row = Some(row);
        self.done.differences.push(Difference { kind, row, payment, operation, is_settled, reviews });
    }

    fn unreadable(&mut self, UnreadableRow { line, reason }: UnreadableRow) {
        let kind = DifferenceKind::Unreadable { line, reason };
        let (row, payment, operation, is_settled) = (None, None, None, false);
        let reviews = BTreeSet::new();
        self.done.differences.push(Difference { kind, row, payment, operation, is_settled, reviews });
    }

    pub(super) fn owe(&mut self, currency: Currency, minor: i128) {
        if minor != 0 {
            *self.done.owed.entry(currency).or_default() += minor;
        }
    }

    /// Whether `at` is in the period of the report. A report without rows covers none, unless its period is given.
    pub(super) fn is_in_period(&self, at: Timestamp) -> bool {
        self.how.period.or(self.rows_from_to).is_some_and(|(from, to)| (from..=to).contains(&at))
    }

    pub(super) fn report_progress(&self) {
        if let Some(Observer(observer)) = &self.how.progress {
            observer(self.progress);
        }
    }
}

/// What was found out about a row that differs.
struct Found {
    kind: DifferenceKind,
    payment: Option<PaymentId>,
    operation: Option<OperationId>,
    is_settled: bool,
    reviews: BTreeSet<Review>,
}

impl Found {
    const fn of(kind: DifferenceKind) -> Found {
        Found { kind, payment: None, operation: None, is_settled: false, reviews: BTreeSet::new() }
    }
}

/// The review items that `after` has and `before` has not.
fn added_reviews(before: &Payment, after: &Payment) -> BTreeSet<Review> {
    after.reviews().difference(&before.reviews()).copied().collect()
}
