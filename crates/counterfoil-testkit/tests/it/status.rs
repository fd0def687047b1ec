//! Statuses and histories: invariants 10 to 14, 16 to 19, 32 and 38.

use std::collections::BTreeSet;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Policy, Rejection, Request};
use counterfoil::event::Body;
use counterfoil::ledger::NewPayment;
use counterfoil::payment::{DestinationType, FailureClass, Operation, OperationId, Outcome, Payment};
use counterfoil::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};
use counterfoil::store::{Head, PaymentStore};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    Said, caller, canceled, card, customer, evidence, failed, invoice, not_sent, pending, requires_action,
    succeeded, unknown, usd,
};
use counterfoil_testkit::{Answer, Desk, Script, block_on};
use proptest::prelude::*;
use proptest::sample::select;

use crate::sums::Sums;
use crate::watched::{Life, Step, Watched, config, find};

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
            let Some(before) = &step.before else { continue };
            let to = step.after.as_ref().unwrap().status();
            let mut moved = Some(before.status());
            let action = match &step.command.request {
                Request::Process(_) => Action::Process,
                Request::RecordAttempt(_) => Action::RecordAttempt,
                Request::Archive(_) => Action::Archive,
                Request::Capture(_) => Action::Capture,
                Request::Refund(_) | Request::RecordRefund(_) => Action::Refund,
                Request::Void(_) => Action::Void,
                Request::Update(update) => {
                    // What was named first may have made it PENDING, which is where the other thing started.
                    let named = update.change.gateway_payment_id.is_some();
                    if named && before.status() == PaymentStatus::Initiated && to != PaymentStatus::Pending {
                        moved = Some(PaymentStatus::Pending);
                    }
                    match &update.target {
                        Some(target) if target.status != before.status() => {
                            action_to(moved.unwrap(), target.status).unwrap()
                        }
                        _ => Action::Change,
                    }
                }
                _ => continue,
            };
            let from = moved.unwrap();
            prop_assert!(allowed(from, action) || to == PaymentStatus::Pending, "{} while {}", action, from);
            prop_assert_eq!(before.archived_at(), None);
            let cause = if action == Action::Resolve { Cause::Evidence } else { Cause::Command };
            prop_assert!(PaymentStatus::GRAPH.allows(Some(from), to, cause), "{} to {}", from, to);
        }
    }

    /// Invariants 13 and 14.
    #[test]
    fn statuses_of_money_have_money_and_others_have_none(script in Script::any(60)) {
        for state in lives(&script).iter().flat_map(|life| &life.states) {
            let sums = Sums::of(state);
            let (taken, back, held) = (sums.captured, sums.refunded, state.held().minor());
            let status = state.status();
            let of_money = [
                PaymentStatus::PartiallyCaptured,
                PaymentStatus::Succeeded,
                PaymentStatus::Overpaid,
                PaymentStatus::PartiallyRefunded,
                PaymentStatus::Refunded,
            ];
            prop_assert_eq!(taken > 0, of_money.contains(&status), "{}", status);
            prop_assert_eq!(taken > 0 && back >= taken, status == PaymentStatus::Refunded);
            prop_assert_eq!(0 < back && back < taken, status == PaymentStatus::PartiallyRefunded);
            prop_assert_eq!(taken == 0 && held > 0, status == PaymentStatus::Authorized);
            prop_assert_eq!(taken > 0 && back == 0 && held > 0, status == PaymentStatus::PartiallyCaptured);
            let over = taken > state.terms().amount.minor() || state.excess().is_some();
            let kept = taken > 0 && back == 0 && held == 0;
            prop_assert_eq!(kept && over, status == PaymentStatus::Overpaid);
        }
    }

    /// Invariant 16: a second one only by evidence that fits nothing, and then it is marked.
    #[test]
    fn one_attempt_is_live_at_most(script in Script::any(60)) {
        for state in lives(&script).iter().flat_map(|life| &life.states) {
            let live = state.attempts().filter(|attempt| attempt.status().is_live());
            let unmarked = live.filter(|attempt| attempt.reviews().is_empty());
            prop_assert!(unmarked.count() <= 1);
        }
    }

    /// Invariants 17 and 18; what was made at a gateway is found whatever is under way.
    #[test]
    fn attempts_start_one_after_the_other_and_are_numbered_without_a_gap(script in Script::any(60)) {
        for life in lives(&script) {
            for (event, before, after) in life.moves() {
                let (Body::Started(start), Some(before)) = (event.body(), before) else { continue };
                if event.cause() == Cause::Command && matches!(start.operation, OperationId::Attempt(_)) {
                    prop_assert!(before.live_attempt().is_none(), "one was under way");
                }
                prop_assert!(after.attempts().zip(1..).all(|(attempt, number)| attempt.number == number));
            }
        }
    }

    /// Invariant 17, whatever else happens: where the policy does not say otherwise, no attempt is started for an invoice
    /// while another payment of it may have been charged.
    #[test]
    fn an_invoice_in_doubt_is_not_charged(script in Script::any(80)) {
        let watched = Watched::run(&script);
        let lives = watched.lives();
        for step in watched.steps.iter().filter(|step| is_charge(step) && !step.command.policy.beside_doubt) {
            let own = step.after.as_ref().unwrap();
            let before = lives.iter().filter_map(|life| life.at(&step.heads[0]));
            let others = before.filter(|other| other.id() != own.id() && other.scope() == own.scope());
            let mut same = others.filter(|other| other.terms().destination == own.terms().destination);
            let is_invoice = own.terms().destination.kind == DestinationType::Invoice;
            prop_assert!(!is_invoice || !same.any(|other| is_in_doubt(other, step.command.at)), "{:?}", step.command);
        }
    }

    /// Invariant 17, for a second payment of what a first one pays: refused while that is in doubt, and only then.
    #[test]
    fn an_invoice_is_charged_beside_all_but_doubt(
        said in select(SAID), overdue: bool, is_invoice: bool, is_same: bool, beside: bool
    ) {
        let policy = if beside { Policy::default().charging_beside_doubt() } else { Policy::default() };
        let (store, desk, by) = (MemoryStore::new(), Desk::new(1).with_policy(policy), caller("acme"));
        let of = |id| if is_invoice { invoice(id) } else { customer(id) };
        let first = desk.create(&by, NewPayment::new(usd(100), of("1"), card()));
        let told = said.map(|said| desk.report(&by, created(&first), started(&first), evidence(said(), 1)));
        for command in std::iter::once(first.clone()).chain(told) {
            block_on(store.execute(command)).unwrap();
        }
        if overdue {
            desk.clock().advance(Policy::default().lease);
        }
        let second = NewPayment::new(usd(100), of(if is_same { "1" } else { "2" }), card());
        let answer = Answer::of(block_on(store.execute(desk.create(&by, second))));
        let unknown = said.is_some_and(|said| matches!(said().outcome, Outcome::Unknown { .. }));
        let doubt = unknown || (said.is_none() && overdue);
        let refused = doubt && is_invoice && is_same && !beside;
        let no = Rejection::DestinationInDoubt { destination: of("1"), payment: created(&first) };
        prop_assert_eq!(answer == Answer::Refused(no), refused);
        prop_assert_eq!(answer.wrote(), !refused);
    }

    /// Invariant 19: the first time stays. What had happened elsewhere happened when it is said to have.
    #[test]
    fn times_rise_and_first_times_stay(script in Script::any(40)) {
        for life in lives(&script) {
            prop_assert!(life.events.is_sorted_by(|one, next| one.at() < next.at()));
            let first = |wanted: &[PaymentStatus], of: fn(&Payment) -> Option<Timestamp>| {
                let entered = life.moves().find(|(_, _, after)| wanted.contains(&after.status()));
                let noted = entered.map(|(event, _, after)| (event.at(), of(after)));
                match noted {
                    None => of(life.end()).is_none(),
                    Some((at, noted)) => {
                        noted.is_some_and(|noted| noted <= at) && of(life.end()) == noted
                    }
                }
            };
            prop_assert!(first(&[PaymentStatus::Succeeded, PaymentStatus::Overpaid], Payment::succeeded_at));
            prop_assert!(first(&[PaymentStatus::Failed], Payment::failed_at));
            let back = [PaymentStatus::PartiallyRefunded, PaymentStatus::Refunded];
            prop_assert!(first(&back, Payment::refunded_at));
            prop_assert!(first(&[PaymentStatus::Voided], Payment::voided_at));
        }
    }

    /// Invariant 32.
    #[test]
    fn a_version_rises_by_one_with_every_event(script in Script::any(40)) {
        let watched = Watched::run(&script);
        for step in watched.steps {
            let [before, after] = &step.heads;
            let version = |heads: &[Head], of: &Head| {
                let found = heads.iter().find(|head| head.scope == of.scope && head.stream == of.stream);
                found.map_or(0, |head| head.version)
            };
            let risen = after.iter().map(|head| head.version - version(before, head));
            // A payment out of a wallet is an event of each; an update names and sets, each an event; other contents of
            // a notification are an event beside what they say.
            let most = match &step.command.request {
                Request::Update(_) | Request::Notify(_) => 2,
                _ => 1,
            };
            let most = if step.answer.wrote() { most } else { 0 };
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

/// What a gateway may have said of an attempt: nothing yet, too.
const SAID: &[Option<fn() -> Said>] = &[
    None,
    Some(unknown),
    Some(pending),
    Some(requires_action),
    Some(not_sent),
    Some(canceled),
    Some(|| failed(FailureClass::Soft)),
    Some(|| succeeded(None)),
];

/// Whether a command started an attempt at a gateway.
fn is_charge(step: &Step) -> bool {
    let attempt = match &step.command.request {
        Request::Create(create) => create.process,
        Request::Process(process) => Some(process.attempt),
        _ => None,
    };
    let made = step.after.as_ref().zip(attempt).and_then(|(payment, id)| payment.operation(id.into()));
    step.answer.wrote() && made.is_some_and(|attempt| attempt.gateway.is_some())
}

/// Invariant 17, in its own words.
fn is_in_doubt(payment: &Payment, at: Timestamp) -> bool {
    payment.attempts().any(|attempt| match attempt.status() {
        OperationStatus::Unknown => true,
        OperationStatus::Processing => attempt.runs_until().is_some_and(|until| until <= at),
        _ => false,
    })
}

/// What scripts do not lead to, no property of theirs says anything about.
#[test]
fn scripts_lead_to_every_status_there_is() {
    let mut payments = BTreeSet::new();
    let mut operations = BTreeSet::new();
    for seed in 0..100 {
        let store = MemoryStore::new();
        for command in Script::seeded(seed, 120).commands() {
            let Ok(receipt) = block_on(store.execute(command)) else { continue };
            if let Some(payment) = receipt.payment() {
                payments.insert(payment.status());
                operations.extend(payment.operations().iter().map(Operation::status));
            }
        }
    }
    assert_eq!(payments, PaymentStatus::ALL.iter().copied().collect());
    assert_eq!(operations, OperationStatus::ALL.iter().copied().collect());
}

/// What is asked by asking for a status.
fn action_to(from: PaymentStatus, to: PaymentStatus) -> Option<Action> {
    Some(match (from, to) {
        (PaymentStatus::Processing, _) => Action::Resolve,
        (_, PaymentStatus::Pending) => Action::Submit,
        (_, PaymentStatus::Succeeded) => Action::RecordAttempt,
        (_, PaymentStatus::Failed) => Action::Fail,
        (_, PaymentStatus::Voided) => Action::Void,
        (_, PaymentStatus::Refunded) => Action::Refund,
        _ => return None,
    })
}
