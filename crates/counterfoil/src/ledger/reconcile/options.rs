//! How a report is reconciled, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Difference;
use crate::clock::Timestamp;
use crate::money::Currency;

/// How a report is reconciled.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reconcile {
    /// Whether the rows of the report are written down as evidence.
    pub apply: bool,
    /// The first and the last moment that the report covers; `None`: those of its rows.
    pub period: Option<(Timestamp, Timestamp)>,
    pub(super) progress: Option<Observer>,
}

#[derive(Clone)]
pub(super) struct Observer(pub(super) Arc<dyn Fn(Progress) + Send + Sync>);

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
    /// The number of rows that add a review item to their payment when they are applied. In a dry run: that would.
    pub listed: u64,
    /// What differs, in the order of the report; what only the ledger has comes last.
    pub differences: Vec<Difference>,
    /// What the gateway owes by the books, per currency, in minor units: the accounts `gateway:NAME` and `disputed:NAME`
    /// together, with their signs turned around.
    pub owed: BTreeMap<Currency, i128>,
}

impl Reconciled {
    /// Whether the report and the ledger agree now. Payments may be [listed](Self::listed) for review all the same.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.differences.iter().all(|difference| difference.is_settled)
    }
}
