//! Deciding and evolving alone: what the rules cost without any store.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::{Command, Decision};
use counterfoil::event::evolve_payment;
use counterfoil::payment::Payment;
use counterfoil::store::{Group, Record, State, Step};

use crate::driver::{now, per_second};
use crate::workload::Workload;

/// Decides one transition after the other of a single payment, each with its event sealed and folded.
///
/// # Panics
///
/// If a command is refused.
#[must_use]
pub fn decide(workload: &Workload, over: Duration) -> u64 {
    let (mut state, _) = first_payment(workload);
    let mut commands = workload.commands(0);
    timed(over, || {
        let command = commands.next_command();
        match command.decide(&state).expect("every command of a workload is legal") {
            Decision::Write(change) => change.records.into_iter().for_each(|record| state.insert(record)),
            other => panic!("a transition writes: {other:?}"),
        }
    })
}

/// Folds one event after the other.
///
/// # Panics
///
/// If an event does not follow.
#[must_use]
pub fn evolve(workload: &Workload, over: Duration) -> u64 {
    let (state, before) = first_payment(workload);
    let mut commands = workload.commands(0);
    let Ok(Decision::Write(change)) = commands.next_command().decide(&state) else {
        panic!("a transition writes");
    };
    let event = change.events.first().expect("a transition is an event").clone();
    timed(over, || {
        evolve_payment(Some(&before), &event).expect("it follows");
    })
}

/// A state that holds the first payment of `workload` with its destination, and that payment.
fn first_payment(workload: &Workload) -> (State, Arc<Payment>) {
    let create: Vec<Command> = workload.preload().take(1).collect();
    let mut group = Group::new(&create);
    let plan = loop {
        match group.step() {
            Step::Load(keys) => group.load(keys, |_| None),
            Step::Decided(plan) => break plan,
        }
    };
    let mut state = State::new();
    plan.rows.iter().for_each(|row| state.insert(row.after.clone()));
    // Payments stand before accounts.
    match plan.rows.into_iter().next().map(|row| row.after) {
        Some(Record::Payment(payment)) => (state, payment),
        other => panic!("a payment was created: {other:?}"),
    }
}

fn timed(over: Duration, mut step: impl FnMut()) -> u64 {
    let start = now();
    let mut count = 0;
    while start.elapsed() < over {
        // The clock is looked at now and then only.
        for _ in 0..256 {
            step();
        }
        count += 256;
    }
    per_second(count, start.elapsed())
}
