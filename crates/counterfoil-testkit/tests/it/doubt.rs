//! A store that fails while a script runs, opened again: invariants 35 and 41.

use std::path::Path;
use std::sync::Arc;

use counterfoil::command::Command;
use counterfoil::store::{ExecuteError, PaymentStore, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::faulty::{Fault, FaultyStore};
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::{Answer, Script, block_on};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::idempotency::{claim, key_of};
use crate::watched::config;

/// What becomes of a command, as its caller hears it, and what nobody hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Goes,
    /// Nothing is done, and its caller knows.
    Refused,
    /// Nothing is done, and nobody knows.
    Void,
    /// It is done, and nobody knows.
    Lost,
}

impl Fate {
    const fn fault(self) -> Fault {
        match self {
            Fate::Goes => Fault::None,
            Fate::Refused => Fault::failed(StoreErrorKind::Io),
            Fate::Void => Fault::nothing_done(StoreErrorKind::Io),
            Fate::Lost => Fault::lost(StoreErrorKind::Io),
        }
    }

    const fn is_done(self) -> bool {
        matches!(self, Fate::Goes | Fate::Lost)
    }
}

fn fates(most: usize) -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Goes), 1 => Just(Fate::Refused), 1 => Just(Fate::Void), 1 => Just(Fate::Lost)
    ];
    vec(fate, most)
}

proptest! {
    #![proptest_config(config(100))]

    /// Invariants 35 and 41, for a store that is looked at by others afterwards.
    #[test]
    fn what_failed_in_memory_is_whole_or_absent(script in Script::any(40), fates in fates(40)) {
        let store = Arc::new(PlantedStore::new(Bug::None));
        holds(&script, &fates, store.clone(), move || store)?;
    }
}

proptest! {
    #![proptest_config(config(30))]

    /// Invariants 35 and 41, for a file that is opened again.
    #[test]
    fn what_failed_in_a_file_is_whole_or_absent(script in Script::any(40), fates in fates(40)) {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| Arc::new(SqliteStore::open(path).unwrap());
        let path = folder.path().join("books.db");
        holds(&script, &fates, open(&path), || open(&path))?;
    }
}

/// Runs the script on a store that fails so, opens it again, and holds it against one that was only asked for what was
/// done; then settles what is in doubt.
fn holds<S: PaymentStore>(
    script: &Script,
    fates: &[Fate],
    store: Arc<S>,
    again: impl FnOnce() -> Arc<S>,
) -> Result<(), TestCaseError> {
    let faulty = FaultyStore::before(store);
    faulty.next_commands(fates.iter().map(|fate| fate.fault()));
    let run = |(command, fate): (Command, &Fate)| {
        let answer = block_on(faulty.execute(command.clone()));
        (command, *fate, answer)
    };
    let heard: Vec<_> = script.commands().into_iter().zip(fates).map(run).collect();
    drop(faulty);
    let store = again();
    let model = MemoryStore::new();
    for (command, fate, heard) in &heard {
        let done = fate.is_done().then(|| Answer::of(block_on(model.execute(command.clone()))));
        match heard {
            Ok(_) => prop_assert_eq!(&Some(Answer::of(heard.clone())), &done),
            Err(ExecuteError::Rejected(_)) => prop_assert!(matches!(done, Some(Answer::Refused(_)))),
            Err(ExecuteError::NotCommitted(_) | ExecuteError::Unknown(_)) => {}
        }
    }
    are_equal(&*store, &model)?;
    for (command, _, _) in &heard {
        let Some(key) = key_of(command) else { continue };
        prop_assert_eq!(claim(&*store, &key), claim(&model, &key), "{:?}", key);
    }
    for (command, ..) in heard.iter().filter(|(_, _, heard)| matches!(heard, Err(ExecuteError::Unknown(_)))) {
        let [got, expected] = [&*store as &dyn PaymentStore, &model]
            .map(|store| Answer::of(block_on(store.execute(command.clone()))));
        prop_assert_eq!(got, expected, "asked again: {:?}", command);
    }
    are_equal(&*store, &model)
}

/// Events, rows, claims, postings and balances: each as the others say, and all as in the model.
fn are_equal(store: &dyn PaymentStore, model: &dyn PaymentStore) -> Result<(), TestCaseError> {
    let [got, expected] = [store, model].map(|store| block_on(verify(store)).map(|books| books.digest));
    let whole = got.map_err(|error| TestCaseError::fail(format!("half of something: {error}")))?;
    prop_assert_eq!(whole, expected.unwrap());
    Ok(())
}
