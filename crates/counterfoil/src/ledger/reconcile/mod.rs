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
//! * A fee beside a row that matches nothing is not applied: it may belong to another gateway or another scope. It is
//!   applied by the run in which its row matches.
//! * A dry run decides each row by itself. A row that rests on one before it (a refund of a charge that only the report
//!   has) is unmatched then, and is found when the report is applied.
//! * Money that a gateway converts to another currency is owed in the one, and paid out in the other.

mod compare;
mod difference;
mod only_in_ledger;
mod options;
mod preview;
mod reconciler;
mod row;

pub use difference::{Difference, DifferenceKind};
pub use options::{Progress, Reconcile, Reconciled};
pub use row::{ReportRow, RowKind, UnreadableRow};

use self::reconciler::Reconciler;
use super::{Ledger, LedgerError};
use crate::scope::Caller;
use crate::store::{ExecuteError, StoreError};
use crate::text::GatewayName;

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

/// The store could not be read.
fn failed(error: StoreError) -> LedgerError {
    ExecuteError::NotCommitted(error).into()
}
