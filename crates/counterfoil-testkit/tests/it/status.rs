//! Statuses and histories: invariants 10 to 14, 16 to 19, 32 and 38.

use counterfoil::command::Request;
use counterfoil::event::Body;
use counterfoil::payment::{Operation, Payment, Review};
use counterfoil::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};
use counterfoil::store::Head;
use counterfoil_testkit::Script;
use proptest::prelude::*;

use crate::watched::{Life, Watched, captured, config, find};

fn lives(script: &Script) -> Vec<Life> {
    Watched::run(script).lives()
}

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 10.
    #[test]
    fn a_status_is_what_the_facts_make_it(script in Script::any(40)) {
        for state in lives(&script).iter().flat_map(|life| &life.states) {
            prop_assert_eq!(state.status(), state.derive());
        }
    }

    /// Invariant 11, for payments and for their operations.
    #[test]
    fn every_move_is_an_edge_that_its_cause_allows(script in Script::any(40)) {
        for life in lives(&script) {
            for (event, before, after) in life.moves() {
                let (from, to) = (before.map(Payment::status), after.status());
                prop_assert!(
                    PaymentStatus::GRAPH.allows(from, to, event.cause()),
                    "{:?} to {} by {:?}", from, to, event.cause()
                );
                for operation in after.operations() {
                    let from = before.and_then(|before| before.operation(operation.id)).map(Operation::status);
                    prop_assert!(
                        OperationStatus::GRAPH.allows(from, operation.status(), event.cause()),
                        "{:?} to {} by {:?}", from, operation.status(), event.cause()
                    );
                }
            }
        }
    }

    /// Invariant 12.
    #[test]
    fn a_command_is_accepted_where_the_table_allows_it(script in Script::any(40)) {
        for step in Watched::run(&script).steps.iter().filter(|step| step.answer.wrote()) {
            let action = match &step.command.request {
                Request::Process(_) => Action::Process,
                Request::Archive(_) => Action::Archive,
                _ => continue,
            };
            let before = step.before.as_ref().unwrap();
            prop_assert!(allowed(before.status(), action), "{} while {}", action, before.status());
            prop_assert_eq!(before.archived_at(), None);
            let to = step.after.as_ref().unwrap().status();
            prop_assert!(PaymentStatus::GRAPH.allows(Some(before.status()), to, Cause::Command));
        }
    }

    /// Invariants 13 and 14; nothing is refunded or held yet.
    #[test]
    fn statuses_of_money_have_money_and_others_have_none(script in Script::any(40)) {
        for state in lives(&script).iter().flat_map(|life| &life.states) {
            let of_money = matches!(state.status(), PaymentStatus::Succeeded | PaymentStatus::Overpaid);
            prop_assert_eq!(captured(state) > 0, of_money, "{}", state.status());
            let asked = state.terms().amount.minor();
            prop_assert_eq!(captured(state) > asked, state.status() == PaymentStatus::Overpaid);
        }
    }

    /// Invariant 16: a second one only by late evidence on one that was not sent, and then it is marked.
    #[test]
    fn one_attempt_is_live_at_most(script in Script::any(60)) {
        for state in lives(&script).iter().flat_map(|life| &life.states) {
            let live = state.attempts().filter(|attempt| attempt.status().is_live());
            let unmarked = live.filter(|attempt| !attempt.reviews().contains(&Review::Contradiction));
            prop_assert!(unmarked.count() <= 1);
        }
    }

    /// Invariants 17 and 18.
    #[test]
    fn attempts_start_one_after_the_other_and_are_numbered_without_a_gap(script in Script::any(60)) {
        for life in lives(&script) {
            for (event, before, after) in life.moves() {
                if let (Body::Started(_), Some(before)) = (event.body(), before) {
                    prop_assert!(before.live_attempt().is_none(), "one was under way");
                }
                prop_assert!(after.attempts().zip(1..).all(|(attempt, number)| attempt.number == number));
            }
        }
    }

    /// Invariant 19.
    #[test]
    fn times_rise_and_first_times_stay(script in Script::any(40)) {
        for life in lives(&script) {
            prop_assert!(life.events.is_sorted_by(|one, next| one.at() < next.at()));
            let first = |wanted: &[PaymentStatus]| {
                life.moves().find(|(_, _, after)| wanted.contains(&after.status())).map(|(event, ..)| event.at())
            };
            let succeeded = first(&[PaymentStatus::Succeeded, PaymentStatus::Overpaid]);
            prop_assert_eq!(life.end().succeeded_at(), succeeded);
            prop_assert_eq!(life.end().failed_at(), first(&[PaymentStatus::Failed]));
        }
    }

    /// Invariant 32.
    #[test]
    fn a_version_rises_by_one_with_every_event(script in Script::any(40)) {
        for step in Watched::run(&script).steps {
            let [before, after] = &step.heads;
            let version = |heads: &[Head], of: &Head| {
                let found = heads.iter().find(|head| head.scope == of.scope && head.stream == of.stream);
                found.map_or(0, |head| head.version)
            };
            let risen = after.iter().map(|head| head.version - version(before, head));
            // A payment out of a wallet is an event of each.
            let most = u64::from(step.answer.wrote());
            prop_assert!(risen.clone().all(|by| by <= most));
            prop_assert_eq!(risen.sum::<u64>() > 0, step.answer.wrote());
        }
    }

    /// Invariant 38: the events make what was stored, now and at every time before.
    #[test]
    fn events_replay_to_the_state_at_every_time(script in Script::any(40)) {
        let watched = Watched::run(&script);
        for life in watched.lives() {
            let (id, scope) = (life.end().id(), life.end().scope());
            let stored = find(&watched.store, scope, id);
            prop_assert_eq!(stored.as_deref(), Some(life.end()));
            let seen = watched.steps.iter().filter_map(|step| step.after.as_deref());
            for seen in seen.filter(|payment| payment.id() == id && payment.scope() == scope) {
                let replayed = life.states.iter().find(|state| state.version() == seen.version());
                prop_assert_eq!(replayed, Some(seen));
            }
        }
    }
}
