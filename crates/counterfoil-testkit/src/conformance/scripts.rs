//! Whole scripts.

use counterfoil::store::ExecuteError;

use super::trial::{Trial, ok};
use crate::planted::{Bug, PlantedStore};
use crate::run::{compare, run_against_model};
use crate::script::Script;

pub(super) async fn a_script_goes_as_the_model_says(trial: &mut Trial) {
    run_against_model(&Script::seeded(1, 150), &*trial.store).await;
}

pub(super) async fn another_script_goes_as_the_model_says(trial: &mut Trial) {
    run_against_model(&Script::seeded(2, 150), &*trial.store).await;
}

/// INVARIANTS 34: equal answers, and equal digests, as any other store.
pub(super) async fn a_script_leaves_the_same_books_in_every_store(trial: &mut Trial) {
    compare(&Script::seeded(4, 150), &*trial.store, &PlantedStore::new(Bug::None)).await;
}

/// In parallel no answer is certain but these: the store does not fail, and the books are good. Executing
/// everything once more makes nothing worse.
pub(super) async fn a_script_in_parallel_leaves_good_books(trial: &mut Trial) {
    let commands = Script::seeded(3, 200).commands();
    for _ in 0..2 {
        for answer in trial.together(commands.clone()).await {
            assert!(matches!(answer, Ok(_) | Err(ExecuteError::Rejected(_))), "{answer:?}");
        }
        trial.digest().await;
    }
    for head in trial.heads().await {
        let events = ok(trial.store.history(&head.scope, &head.stream, 0, 1_000).await);
        let sequences: Vec<u64> = events.iter().map(|event| event.sequence()).collect();
        assert_eq!(sequences, (1..=head.version).collect::<Vec<u64>>());
    }
}
