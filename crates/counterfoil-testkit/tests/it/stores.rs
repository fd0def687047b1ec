//! Stores as a whole: invariants 34, and 36 with 22.

use std::collections::BTreeSet;

use counterfoil::command::Command;
use counterfoil::scope::Scope;
use counterfoil::store::PaymentStore;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::{Answer, Script, block_on, compare, run_against_model};
use proptest::prelude::*;

use crate::watched::{Watched, config, heads};

proptest! {
    #![proptest_config(config(200))]

    /// What all the rest is measured by.
    #[test]
    fn the_memory_store_does_what_the_model_says(script in Script::any(40)) {
        block_on(run_against_model(&script, &MemoryStore::new()));
    }

    /// Invariant 34, for two stores of different make.
    #[test]
    fn stores_give_equal_answers_and_digests(script in Script::any(40)) {
        block_on(compare(&script, &MemoryStore::new(), &PlantedStore::new(Bug::None)));
    }

    /// Invariants 22 and 36: what a scope sees is the same as if it were alone.
    #[test]
    fn other_scopes_might_as_well_not_be(script in Script::any(60)) {
        let watched = Watched::run(&script);
        let scopes: BTreeSet<Scope> =
            watched.steps.iter().map(|step| step.command.caller.scope.clone()).collect();
        for scope in scopes {
            let alone = MemoryStore::new();
            for step in watched.steps.iter().filter(|step| step.command.caller.scope == scope) {
                let command: Command = step.command.clone();
                prop_assert_eq!(&Answer::of(block_on(alone.execute(command))), &step.answer);
            }
            let own: Vec<_> = heads(&watched.store).into_iter().filter(|head| head.scope == scope).collect();
            prop_assert_eq!(heads(&alone), own);
        }
    }
}
