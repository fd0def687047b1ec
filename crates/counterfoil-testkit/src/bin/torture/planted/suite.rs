//! Cases of the suite, on stores that are broken.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterfoil_sqlite::Defect;
use counterfoil_testkit::conformance::{Case, Open};
use counterfoil_testkit::planted::{Bug, PlantedStore};
use tempfile::tempdir;
use tokio::runtime::Builder;

use crate::defect::options;
use crate::run::words;

/// On one thread: tasks take turns, so it is always the same.
pub(super) fn on_memory(case: &str, bug: Bug) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let open = move || async move { PlantedStore::new(bug) };
    outcome(|| Case::named(case).run_in(runtime, open))
}

pub(super) fn on_sqlite(case: &str, defect: Option<Defect>) -> Result<(), String> {
    outcome(|| Case::named(case).run(sqlite(defect)))
}

/// A file of its own, opened with the defect.
fn sqlite(defect: Option<Defect>) -> impl Open {
    let folder = tempdir().expect("a temporary folder");
    move || {
        let path = folder.path().join("books.db");
        async move { options(defect).open(path).expect("a file that can be opened") }
    }
}

fn outcome(run: impl FnOnce()) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| words(panic.as_ref()))
}
