//! Money that several ask for at once: invariant 31, on the memory store and on a file.

use std::sync::{Arc, Barrier};
use std::thread;

use counterfoil::command::Command;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewVoid};
use counterfoil::money::Money;
use counterfoil::payment::{Operation, Payment};
use counterfoil::store::PaymentStore;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{caller, card, evidence, invoice, succeeded, usd};
use counterfoil_testkit::{Answer, Desk, block_on};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::watched::{config, find};

/// What each of several callers asks of ten dollars. What does not fit how they came, takes from the other side.
#[derive(Debug, Clone, Copy)]
enum Take {
    /// A refund, or a capture of a hold that is kept.
    Part(i64),
    /// All that is left, and so a capture that releases the rest.
    Rest,
    Void,
}

/// So many as ask for more than there is.
fn takes() -> impl Strategy<Value = Vec<Take>> {
    let take =
        prop_oneof![8 => (1..=700_i64).prop_map(Take::Part), 1 => Just(Take::Rest), 1 => Just(Take::Void)];
    vec(take, 2..10).prop_filter("they ask for more than there is", |takes| {
        let cents = takes.iter().map(|take| match take {
            Take::Part(cents) => *cents,
            Take::Rest | Take::Void => 1_000,
        });
        cents.sum::<i64>() > 1_000
    })
}

proptest! {
    #![proptest_config(config(60))]

    /// Invariant 31, in memory.
    #[test]
    fn at_once_no_more_is_taken_than_there_is(holds: bool, takes in takes()) {
        let store: Arc<dyn PaymentStore> = Arc::new(MemoryStore::new());
        race(&store, holds, &takes)?;
    }
}

proptest! {
    #![proptest_config(config(30))]

    /// Invariant 31, in a file.
    #[test]
    fn at_once_no_more_is_taken_of_a_file_than_there_is(holds: bool, takes in takes()) {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn PaymentStore> = Arc::new(SqliteStore::open(folder.path().join("books.db")).unwrap());
        race(&store, holds, &takes)?;
    }
}

fn race(store: &Arc<dyn PaymentStore>, holds: bool, takes: &[Take]) -> Result<(), TestCaseError> {
    let desk = Desk::new(1);
    let payment = funded(&**store, &desk, holds);
    let ask = |take: &Take| ask(&desk, payment, holds, *take);
    let commands: Vec<Command> = takes.iter().map(ask).collect();
    let answers = at_once(store, &commands);

    let after = now(&**store, payment);
    let operation = |command: &Command| after.operation(started(command));
    let mut sum = 0;
    for ((take, command), answer) in takes.iter().zip(&commands).zip(answers) {
        prop_assert_eq!(answer.wrote(), operation(command).is_some(), "{:?}", answer);
        sum += operation(command).map_or(0, reserves);
        // What would fit even now did fit then.
        let cents = if let Take::Part(cents) = take { *cents } else { 1_000 };
        prop_assert!(answer.wrote() || cents > left(&after, holds), "{:?} was {:?}", take, answer);
    }
    prop_assert!(sum <= 1_000, "{} was taken of 1000", sum);
    prop_assert_eq!(left(&after, holds), 1_000 - sum);

    for command in commands.iter().filter(|command| operation(command).is_some()) {
        let told = desk.report(&caller("acme"), payment, started(command), evidence(succeeded(None), 2));
        prop_assert!(Answer::of(block_on(store.execute(told))).wrote());
    }
    prop_assert_eq!(left(&now(&**store, payment), holds), 1_000 - sum, "what was open is done");
    block_on(verify(&**store)).unwrap();
    Ok(())
}

/// Ten dollars that came, or are held.
fn funded(store: &dyn PaymentStore, desk: &Desk, holds: bool) -> PaymentId {
    let by = caller("acme");
    let mut new = NewPayment::new(usd(1_000), invoice("inv_1"), card());
    if holds {
        new = new.captured_later();
    }
    let create = desk.create(&by, new);
    let came = desk.report(&by, created(&create), started(&create), evidence(succeeded(None), 1));
    let payment = created(&create);
    for command in [create, came] {
        assert!(Answer::of(block_on(store.execute(command))).wrote());
    }
    payment
}

fn ask(desk: &Desk, payment: PaymentId, holds: bool, take: Take) -> Command {
    let by = caller("acme");
    match take {
        Take::Part(cents) if holds => {
            desk.capture(&by, payment, NewCapture::of(usd(cents)).keeping_the_rest())
        }
        Take::Part(cents) => desk.refund(&by, payment, NewRefund::of(usd(cents))),
        Take::Rest if holds => desk.capture(&by, payment, NewCapture::all()),
        Take::Rest => desk.refund(&by, payment, NewRefund::all()),
        Take::Void => desk.void(&by, payment, NewVoid::default()),
    }
}

/// Each in a thread of its own, all let go at the same moment. The answers are in their order.
fn at_once(store: &Arc<dyn PaymentStore>, commands: &[Command]) -> Vec<Answer> {
    let start = Barrier::new(commands.len());
    thread::scope(|scope| {
        let call = |command: &Command| {
            start.wait();
            Answer::of(block_on(store.execute(command.clone())))
        };
        let callers: Vec<_> = commands.iter().map(|command| scope.spawn(move || call(command))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

fn now(store: &dyn PaymentStore, payment: PaymentId) -> Arc<Payment> {
    find(store, &caller("acme").scope, payment).unwrap()
}

fn reserves(operation: &Operation) -> i64 {
    operation.amount.minor() + operation.kind.releases().map_or(0, Money::minor)
}

/// What of it can still be asked for.
fn left(payment: &Payment, holds: bool) -> i64 {
    if holds { payment.capturable().minor() } else { payment.refundable().minor() }
}
