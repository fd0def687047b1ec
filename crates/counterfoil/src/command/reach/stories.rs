//! Edges that only a long way takes, or amounts that a walk has no steps for.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::{Report, Request, Told};
use super::{moves, step};
use crate::payment::{Evidence, Operation, Outcome, Payment};
use crate::status::PaymentStatus;
use crate::text::Message;

type Edges = BTreeSet<(PaymentStatus, PaymentStatus)>;

/// What a gateway tells of.
#[derive(Clone, Copy)]
enum Word {
    /// Something that it did not tell of before, and how much that was.
    New(fn(Evidence) -> Told, i64),
    /// What it told to be a hold is a charge, of so much.
    Turned(i64),
}

use Word::{New, Turned};

/// A hold of 4 of which 1 was captured and 2 were released turns out to be a charge of 1: what was voided is all that
/// came, and what is left is our own attempt, wherever that stands.
const TURNED: [Word; 4] = [New(Told::Authorization, 4), New(Told::Capture, 1), New(Told::Void, 2), Turned(1)];
/// A charge that was voided was not, once there is a hold of which the void may be.
const LEFT: [Word; 3] = [New(Told::Attempt, 1), New(Told::Void, 1), New(Told::Authorization, 2)];

/// The edges that evidence takes in them.
pub(super) fn edges() -> Edges {
    let waits = || Outcome::RequiresAction { payment_url: None };
    let stories: [(Option<Outcome>, &[Word]); 5] = [
        (None, &TURNED),
        (Some(Outcome::Pending), &TURNED),
        (Some(waits()), &TURNED),
        (None, &LEFT),
        (Some(waits()), &LEFT),
    ];
    stories.into_iter().flat_map(|(own, words)| told(own, words)).chain(grown()).collect()
}

/// A capture of 3 is all of a hold of 4 of which 1 expired. It was one of 4, so it may be ours, which is on its way.
fn grown() -> Edges {
    let starts = moves::starts();
    let start = starts.iter().find(|start| start.name == "held").unwrap();
    let id = Uuid::from_u128;
    let capture = moves::named(Outcome::Succeeded, id(9)).with_amount(moves::money(3));
    let expired = Evidence::new(Outcome::Reversed { error_message: Message::lossy("expired") }, moves::at(7));
    let report = |operation: &Operation| {
        let evidence = Evidence::succeeded(moves::at(1)).with_amount(moves::money(4));
        Request::Report(Report { payment: moves::payment_id(), operation: operation.id, evidence })
    };
    let asks: [&dyn Fn(&Payment) -> Request; 5] = [
        &|payment| report(payment.attempts().next().expect("it is being authorized")),
        &|_| Request::Capture(moves::capture(id(101), None, true)),
        &|_| {
            moves::notify(id(1_000), None, Told::Authorization(expired.clone().with_amount(moves::money(1))))
        },
        &|_| moves::notify(id(1_001), None, Told::Capture(capture.clone())),
        &|payment| report(payment.operations().last().expect("a capture was reported")),
    ];
    let mut payment = step(None, &start.create()).unwrap().node;
    let edges = asks.map(|ask| {
        let request = ask(&payment.payment);
        let next = step(Some(&payment), &start.ask(Some(&payment.payment), request)).unwrap().node;
        let edge = (payment.payment.status(), next.payment.status());
        payment = next;
        edge
    });
    edges.into_iter().filter(|(from, to)| from != to).collect()
}

/// A payment that was made at its gateway, beside an attempt of our own where something is said of that.
fn told(own: Option<Outcome>, words: &[Word]) -> Edges {
    let starts = moves::starts();
    let start = starts.iter().find(|start| start.name == if own.is_some() { "charged" } else { "recorded" });
    let start = start.unwrap();
    let mut node = step(None, &start.create()).unwrap().node;
    let mut take = |ask: &dyn Fn(&Payment) -> Request| {
        let request = ask(&node.payment);
        let next = step(Some(&node), &start.ask(Some(&node.payment), request)).unwrap().node;
        let edge = (node.payment.status(), next.payment.status());
        node = next;
        edge
    };
    if let Some(outcome) = own {
        take(&|payment| {
            let operation = payment.attempts().next().expect("it is being charged").id;
            let evidence = moves::named(outcome.clone(), Uuid::from_u128(9));
            Request::Report(Report { payment: moves::payment_id(), operation, evidence })
        });
    }
    take(&|_| moves::made_there());
    let words = words.iter().zip(1_000..);
    let edges = words.map(|(word, id)| take(&|payment| word.tell(payment, Uuid::from_u128(id))));
    edges.filter(|(from, to)| from != to).collect()
}

impl Word {
    fn tell(self, payment: &Payment, id: Uuid) -> Request {
        match self {
            New(told, minor) => {
                let said = moves::named(Outcome::Succeeded, id).with_amount(moves::money(minor));
                moves::notify(id, None, told(said))
            }
            Turned(minor) => {
                let hold = payment.attempts().find(|attempt| attempt.is_hold()).map(|hold| hold.id);
                let said = Evidence::succeeded(moves::at(5)).with_amount(moves::money(minor));
                moves::notify(id, hold, Told::Attempt(said))
            }
        }
    }
}
