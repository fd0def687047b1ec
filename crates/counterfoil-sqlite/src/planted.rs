//! Defects to switch on, so that a suite or a campaign can show that it finds them. For tests of those and of nothing
//! else: without the feature `planted` there is no way to ask for one.

use crate::SqliteOptions;

/// What is wrong with a store that was opened [to be broken](SqliteOptions::with_defect).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "planted"),
    expect(unreachable_pub, dead_code, reason = "it is used with the feature")
)]
pub enum Defect {
    /// `synchronous=NORMAL`: a commit is answered before it is synced.
    SynchronousNormal,
    /// A group is answered before it is committed: that happens when the next one comes.
    AcknowledgedBeforeCommit,
    /// A commit that failed is answered like one that did not.
    CommitErrorSwallowed,
    /// A commit that failed is answered as if certainly nothing was written.
    CommitErrorIsNo,
    /// After a sync that failed it opens the file again and goes on, instead of taking no more.
    GoesOnAfterFailedSync,
    /// Claims are taken in a transaction of their own, behind the one that writes the rest.
    ClaimInSecondTransaction,
    /// What a group does to wallets is written in a transaction of its own, behind the one that writes the rest.
    ChangeInTwoTransactions,
    /// When one member of a group is refused, all of the group fails.
    RefusalFailsGroup,
    /// A member of a group that is refused is answered like its neighbour.
    RefusalAcknowledged,
    /// The members of a group do not see each other.
    MembersDecidedApart,
    /// What is committed is synced only after it can be seen.
    ShownBeforeSync,
    /// Whoever is refused leaves a transaction open.
    TransactionLeftOpen,
    /// No defect but an accident: a commit panics for whoever is called `panic`. Others must not suffer for it.
    Panics,
    /// The same, and what the commit held stays locked.
    LockKeptOnPanic,
}

impl SqliteOptions {
    /// Broken in this way.
    #[cfg(feature = "planted")]
    #[must_use]
    pub const fn with_defect(mut self, defect: Defect) -> SqliteOptions {
        self.defect = Some(defect);
        self
    }

    #[cfg(feature = "planted")]
    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    #[cfg(not(feature = "planted"))]
    #[expect(clippy::unused_self, reason = "with the feature it looks")]
    pub(crate) const fn has(&self, _: Defect) -> bool {
        false
    }
}
