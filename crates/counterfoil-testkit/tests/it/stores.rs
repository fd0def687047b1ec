//! Stores as a whole: invariants 34, 36 with 22, and the part of 44 that there is.

use std::collections::BTreeSet;

use counterfoil::command::Command;
use counterfoil::scope::Scope;
use counterfoil::store::PaymentStore;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::model::{Model, PaymentFacts};
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::script::Step;
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

    /// Invariant 44, as far as anything happens by time: without the clock's steps all money is where it was.
    /// What a person may set depends on leases, so nobody sets anything here.
    #[test]
    fn time_alone_moves_no_money(script in Script::any(40)) {
        let steps = script.steps.into_iter().filter(|step| !matches!(step, Step::Update { .. }));
        let script = Script { steps: steps.collect() };
        let still = script.steps.iter().filter(|step| !matches!(step, Step::Clock { .. })).cloned().collect();
        prop_assert_eq!(money(&script), money(&Script { steps: still }));
    }
}

/// Where the money of each payment and wallet is, as the store has it. The model lists payments in the order
/// of their ids, which is that of their creation within a scope.
fn money(script: &Script) -> Vec<String> {
    let store = MemoryStore::new();
    block_on(run_against_model(script, &store));
    let mut model = Model::default();
    script.commands().iter().for_each(|command| drop(model.execute(command)));
    let seen = |facts: PaymentFacts| format!("{:?} {:?} {:?}", facts.status, facts.captured, facts.reviews);
    let payments = model.payments().map(|(scope, _, facts)| format!("{scope} {}", seen(facts)));
    let wallets = model.wallets().map(|(scope, id, facts)| format!("{scope} {id} {:?}", facts.balances));
    payments.chain(wallets).collect()
}
