//! Reconciling a gateway's settlement report with the ledger: what only one side has, what differs, and how the rows of
//! the report become evidence.
//!
//! A lost webhook is invisible until somebody compares. A report of a gateway names every movement of money that the
//! gateway made. [`Ledger::reconcile`] holds each row against the ledger and each operation of the ledger against the
//! rows. It writes nothing, unless it is told to [apply](Reconcile::applying) the report: then each row goes through the
//! same command as a notification, under an id that is made of the row's kind and name. So a report that is applied twice
//! has one effect.
//!
//! Fees and payouts move money between the host's own accounts. They are events of the account `gateway:NAME`, and are
//! posted to `fees:NAME` and `payouts:NAME`.
//!
//! ```
//! # use std::sync::Arc;
//! use counterfoil::ledger::reconcile::{DifferenceKind, Reconcile, ReportRow, RowKind};
//! # use counterfoil::ledger::{Ledger, NewPayment};
//! # use counterfoil::money::{Currency, Money};
//! # use counterfoil::payment::{Destination, PaymentMethod};
//! # use counterfoil::scope::{Caller, Scope};
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! # let store = Arc::new(counterfoil_memory::MemoryStore::new());
//! # let ledger = Ledger::new(store).with_gateway(Arc::new(counterfoil_sandbox::Sandbox::new()));
//! # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "gateway:sandbox".parse()?);
//! # let usd = |text| Money::parse(text, Currency::USD);
//! # let new = NewPayment::new(usd("100")?, Destination::invoice("inv_1".parse()?), PaymentMethod::Card(None));
//! let paid = ledger.create(&caller, new).await?;
//! let attempt = paid.payment().unwrap().attempts().next().unwrap();
//! let name = attempt.gateway_operation_id().unwrap().clone();
//!
//! // The report has the charge and its fee, and a payout.
//! let charge = ReportRow::new(RowKind::Charge, name, usd("100")?, attempt.created_at);
//! let fee = charge.fee(RowKind::Fee, usd("3.20")?).unwrap();
//! let payout = ReportRow::new(RowKind::Payout, "po_1".parse()?, usd("90")?, attempt.created_at);
//! let rows = || [&charge, &fee, &payout].map(|row| Ok(row.clone()));
//!
//! let gateway = "sandbox".parse()?;
//! let found = ledger.reconcile(&caller, &gateway, rows(), Reconcile::dry_run()).await?;
//! let kinds: Vec<_> = found.differences.iter().map(|difference| difference.kind.clone()).collect();
//! assert_eq!(kinds, [DifferenceKind::FeeUnknown, DifferenceKind::PayoutUnknown]);
//!
//! let applied = ledger.reconcile(&caller, &gateway, rows(), Reconcile::applying()).await?;
//! assert!(applied.is_settled());
//! assert_eq!(applied.owed[&Currency::USD], 680, "100 less the fee and the payout");
//!
//! let again = ledger.reconcile(&caller, &gateway, rows(), Reconcile::applying()).await?;
//! assert_eq!((again.differences.len(), again.written), (0, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//!
//! * A returned charge and a dispute that only the ledger has are not listed: the ledger keeps no time of them.
//! * The period is compared with the time at which the ledger wrote an operation down, and a fee or payout happened.
//!   What was charged at the edge of the period may stand in the next report.
//! * A dry run decides each row by itself. A row that rests on one before it (a refund of a charge that only the report
//!   has) is unmatched then, and is found when the report is applied.
//! * Money that a gateway converts to another currency is owed in the one, and paid out in the other.

mod compare;
mod difference;
mod only_in_ledger;
mod preview;
mod row;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

pub use difference::{Difference, DifferenceKind};
pub use row::{ReportRow, RowKind, UnreadableRow};

use self::compare::{Compared, Comparison};
use self::preview::Preview;
use self::row::Identity;
use super::{Ledger, LedgerError};
use crate::account::GatewayEntryKind;
use crate::clock::Timestamp;
use crate::command::{Command, Notify, RecordGatewayEntry, Rejection, Request};
use crate::id::PaymentId;
use crate::money::Currency;
use crate::payment::OperationId;
use crate::scope::Caller;
use crate::store::{ExecuteError, StoreError};
use crate::text::GatewayName;

/// How a report is reconciled.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reconcile {
    /// Whether the rows of the report are written down as evidence.
    pub apply: bool,
    /// The first and the last moment that the report covers; `None`: those of its rows.
    pub period: Option<(Timestamp, Timestamp)>,
    progress: Option<Observer>,
}

#[derive(Clone)]
struct Observer(Arc<dyn Fn(Progress) + Send + Sync>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// How far a reconciliation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// The rows that were read.
    pub rows: u64,
    /// The payments of the ledger that were held against the rows.
    pub payments: u64,
}

impl Reconcile {
    /// Only compares, and writes nothing.
    #[must_use]
    pub fn dry_run() -> Reconcile {
        Reconcile::default()
    }

    /// Compares, and writes down the rows as evidence.
    #[must_use]
    pub fn applying() -> Reconcile {
        Reconcile { apply: true, ..Reconcile::default() }
    }

    /// Sets the first and the last moment that the report covers.
    #[must_use]
    pub const fn over(mut self, first: Timestamp, last: Timestamp) -> Reconcile {
        self.period = Some((first, last));
        self
    }

    /// Calls `observer` now and then while it goes on.
    #[must_use]
    pub fn with_progress(mut self, observer: impl Fn(Progress) + Send + Sync + 'static) -> Reconcile {
        self.progress = Some(Observer(Arc::new(observer)));
        self
    }
}

/// What a reconciliation found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Reconciled {
    /// The number of rows that were read.
    pub rows: u64,
    /// The number of rows on which the report and the ledger agreed from the start.
    pub matched: u64,
    /// The number of rows by which an event was written.
    pub written: u64,
    /// What differs, in the order of the report; what only the ledger has comes last.
    pub differences: Vec<Difference>,
    /// What the gateway owes by the books, per currency, in minor units: the accounts `gateway:NAME` and `disputed:NAME`
    /// together, with their signs turned around.
    pub owed: BTreeMap<Currency, i128>,
}

impl Reconciled {
    /// Whether the report and the ledger agree now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.differences.iter().all(|difference| difference.is_settled)
    }
}

impl Ledger {
    /// Compares a settlement report of `gateway` with the ledger, and applies it if `how` says so: see
    /// [`reconcile`](self). The caller is the one in whose scope the report is, best with the actor `gateway:NAME`, as
    /// for notifications.
    ///
    /// It reads the rows one by one. Of each it keeps some 50 bytes, and all differences. The ledger is read in pages.
    /// Beside writers, what changes meanwhile may be listed as a difference; the next run settles that.
    ///
    /// # Errors
    ///
    /// The store's, or a row that is rejected for another reason than that it matches nothing. Rows before it stay
    /// applied, and a repetition goes on from there.
    pub async fn reconcile(
        &self,
        caller: &Caller,
        gateway: &GatewayName,
        rows: impl IntoIterator<Item = Result<ReportRow, UnreadableRow>>,
        how: Reconcile,
    ) -> Result<Reconciled, LedgerError> {
        let mut reconciler = Reconciler::new(self, caller, gateway, how);
        for row in rows {
            reconciler.row(row).await?;
        }
        reconciler.payments().await?;
        reconciler.entries().await?;
        Ok(reconciler.done)
    }
}

/// A reconciliation under way.
struct Reconciler<'a> {
    ledger: &'a Ledger,
    caller: &'a Caller,
    gateway: &'a GatewayName,
    how: Reconcile,
    /// Of each row that was read, what it says and its line.
    names: HashMap<Identity, (Identity, u64)>,
    /// The operations that the report has.
    operations: HashSet<OperationId>,
    /// The times of the first and the last row.
    rows_from_to: Option<(Timestamp, Timestamp)>,
    /// The name that the fee beside the last row has, and the payment of that row.
    last: Option<(String, PaymentId)>,
    progress: Progress,
    done: Reconciled,
}

/// How many rows are read between two reports of progress.
const PROGRESS_EVERY: u64 = 100;

impl<'a> Reconciler<'a> {
    fn new(
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
            progress: Progress::default(),
            done: Reconciled::default(),
        }
    }

    async fn row(&mut self, row: Result<ReportRow, UnreadableRow>) -> Result<(), LedgerError> {
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
            self.differs(row, Found::of(DifferenceKind::of_unknown(reason)));
            return Ok(());
        }
        let Some((before, after)) = preview.payments() else { return Ok(()) };
        let Compared { operation, difference, is_applicable } = self.compare(meant).of(before, after);
        self.operations.extend(operation);
        self.last = Some((row.fee_name(), before.id()));
        let mut is_settled = false;
        if preview.is_change() && is_applicable && self.apply(command.clone()).await? {
            let now = Preview::of(self.ledger, &command).await?;
            let left = now.payments().map(|(before, after)| self.compare(meant).of(before, after));
            is_settled = left.is_some_and(|left| left.difference.is_none());
        }
        match difference {
            None => self.done.matched += 1,
            Some(kind) => {
                self.differs(row, Found { kind, payment: Some(before.id()), operation, is_settled });
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
        let Found { kind, payment, operation, is_settled } = found;
        let payment = payment.or(row.about.payment);
        self.done.differences.push(Difference { kind, row: Some(row), payment, operation, is_settled });
    }

    fn unreadable(&mut self, UnreadableRow { line, reason }: UnreadableRow) {
        let kind = DifferenceKind::Unreadable { line, reason };
        let (row, payment, operation, is_settled) = (None, None, None, false);
        self.done.differences.push(Difference { kind, row, payment, operation, is_settled });
    }

    fn owe(&mut self, currency: Currency, minor: i128) {
        if minor != 0 {
            *self.done.owed.entry(currency).or_default() += minor;
        }
    }

    /// Whether `at` is in the period of the report. A report without rows covers none, unless its period is given.
    fn is_in_period(&self, at: Timestamp) -> bool {
        self.how.period.or(self.rows_from_to).is_some_and(|(from, to)| (from..=to).contains(&at))
    }

    fn report_progress(&self) {
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
}

impl Found {
    const fn of(kind: DifferenceKind) -> Found {
        Found { kind, payment: None, operation: None, is_settled: false }
    }
}

/// The store could not be read.
fn failed(error: StoreError) -> LedgerError {
    ExecuteError::NotCommitted(error).into()
}
