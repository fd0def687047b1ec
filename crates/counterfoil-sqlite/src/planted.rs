//! Defects to switch on, so that a campaign can show that it finds them. For tests of the campaigns and of nothing
//! else: without the feature `planted` there is no way to ask for one.

use crate::SqliteOptions;

/// What is wrong with a store that was opened [to be broken](SqliteOptions::with_defect).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(not(feature = "planted"), expect(unreachable_pub, reason = "it is public with the feature"))]
pub enum Defect {
    /// `synchronous=NORMAL`: a commit is answered before it is synced.
    SynchronousNormal,
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
