//! Defects of the SQLite store, by names that a child understands.

use counterfoil_sqlite::{Defect, SqliteOptions};

/// Those that a child can be asked for.
const OF_CHILDREN: [Defect; 8] = [
    Defect::SynchronousNormal,
    Defect::ShownBeforeSync,
    Defect::AcknowledgedBeforeCommit,
    Defect::ClaimInSecondTransaction,
    Defect::ChangeInTwoTransactions,
    Defect::CommitErrorSwallowed,
    Defect::CommitErrorIsNo,
    Defect::GoesOnAfterFailedSync,
];

/// How a child is asked for it.
pub(crate) fn name(defect: Option<Defect>) -> String {
    defect.map_or_else(|| "sound".to_owned(), |defect| format!("{defect:?}"))
}

/// A store with the defect of this name.
pub(crate) fn named(name: &str) -> SqliteOptions {
    let defect = OF_CHILDREN.into_iter().find(|defect| format!("{defect:?}") == name);
    assert!(defect.is_some() || name == "sound", "{name} is no defect of a child's store");
    options(defect)
}

/// A store with a defect, or a sound one.
pub(crate) fn options(defect: Option<Defect>) -> SqliteOptions {
    let sound = SqliteOptions::default();
    defect.map_or_else(|| sound.clone(), |defect| sound.clone().with_defect(defect))
}
