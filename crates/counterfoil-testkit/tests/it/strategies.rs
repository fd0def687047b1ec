//! The strategies that users' tests are made with, and the shrinking of scripts.

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use counterfoil::command::Request;
use counterfoil::money::{Currency, Money};
use counterfoil::status::PaymentStatus;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::planted::{Bug, PlantedStore};
use counterfoil_testkit::{Script, block_on, compare, laws, strategies};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::watched::config;

/// So many values, the same each time.
fn some<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn amounts_are_of_every_kind_of_currency_and_at_every_end() {
    let amounts = some(&strategies::money(), 500);
    let places: BTreeSet<u32> = amounts.iter().map(|money| money.currency().exponent()).collect();
    assert_eq!(places, BTreeSet::from([0, 2, 3, 4]));
    for end in [1, Money::MAX_MINOR] {
        assert!(amounts.iter().any(|money| money.minor() == end), "{end}");
    }
    assert!(amounts.iter().all(|money| !money.is_zero()));
    let parts = some(&strategies::part_of(amounts[0]), 50);
    assert!(parts.iter().all(|part| !part.is_zero() && part.minor() <= amounts[0].minor()));
    assert!(some(&strategies::money_in(Currency::JPY), 20).iter().all(|yen| yen.currency() == Currency::JPY));
}

#[test]
fn there_is_a_history_to_every_status() {
    for status in PaymentStatus::ALL {
        for history in some(&strategies::history_to(*status), 3) {
            assert_eq!(history.payment().status(), *status);
            assert_eq!(history.events().len(), history.states().len());
        }
    }
}

#[test]
fn commands_are_of_many_kinds() {
    let all = some(&strategies::commands(40), 20).concat();
    let refunds = all.iter().filter(|command| matches!(command.request, Request::Refund(_))).count();
    assert!(all.len() > 100 && refunds > 5, "{refunds} of {}", all.len());
    let recorded = all.iter().filter(|command| matches!(command.request, Request::RecordRefund(_))).count();
    assert!(recorded > 1, "{recorded} of {}", all.len());
}

proptest! {
    #![proptest_config(config(100))]

    /// Invariants 1, 3, 7, 8, 10, 11, 13, 14, 16, 18, 19, 32, 42, 43, 44 and 47: the laws as they are told from outside.
    #[test]
    fn every_step_of_every_history_is_lawful(histories in strategies::histories(60)) {
        for history in histories {
            for (before, event, after) in history.moves() {
                prop_assert_eq!(laws::of_step(before, event, after), Ok(()), "{:?}", history);
            }
        }
    }
}

/// A law that is broken is told: of a step that was left out, and of one that time cannot have made.
#[test]
fn a_history_with_a_step_left_out_breaks_a_law() {
    let history = &some(&strategies::history_to(PaymentStatus::PartiallyRefunded), 1)[0];
    let (states, events) = (history.states(), history.events());
    let last = states.len() - 1;
    let broken = laws::of_step(Some(&states[last - 2]), &events[last], &states[last]).unwrap_err();
    assert!(["32", "11"].contains(&broken.invariant), "{broken}");
}

/// Invariant 34: two stores that differ, by a script that is as small as it can be.
#[test]
fn a_script_that_fails_is_made_smaller_and_can_be_repeated() {
    let differs = |script: &Script| {
        block_on(compare(script, &MemoryStore::new(), &PlantedStore::new(Bug::UpdateVersionIgnored)));
    };
    let failing = (1..=200).map(|seed| Script::seeded(seed, 50));
    let said = failing.map(|script| catch_unwind(move || script.hold(differs))).find_map(Result::err);
    let said = said.expect("one of them finds it");
    let said = said.downcast_ref::<String>().unwrap();
    let (_, hex) = said.split_once("Script::from_hex(\"").unwrap();
    let (hex, _) = hex.split_once('"').unwrap();
    let script = Script::from_hex(hex);
    assert!(script.steps.len() <= 3, "{said}");
    assert!(catch_unwind(|| differs(&script)).is_err(), "{said}");
}
