//! Edges that only a long way takes, or amounts that a walk has no steps for.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::{Report, Request, Resolution, Told};
use super::{Node, moves, step};
use crate::payment::{Evidence, FailureClass, Operation, Outcome, Payment};
use crate::status::{Cause, OperationStatus, PaymentStatus};
use crate::text::Message;

type Edges = BTreeSet<(PaymentStatus, PaymentStatus)>;
type OperationEdges = BTreeSet<(OperationStatus, OperationStatus)>;

/// What a gateway tells of.
#[derive(Clone, Copy)]
enum Word {
    /// Something that it did not tell of before, and how much that was.
    New(fn(Evidence) -> Told, i64),
    /// What it told to be a hold is a charge, of so much.
    Turned(i64),
    /// A bank took back all of what came.
    Back,
}

use Word::{Back, New, Turned};

/// A hold of 4 of which 1 was captured and 2 were released turns out to be a charge of 1: what was voided is all that
/// came, and what is left is our own attempt, wherever that stands.
const TURNED: [Word; 4] = [New(Told::Authorization, 4), New(Told::Capture, 1), New(Told::Void, 2), Turned(1)];
/// A charge that was voided was not, once there is a hold of which the void may be.
const LEFT: [Word; 3] = [New(Told::Attempt, 1), New(Told::Void, 1), New(Told::Authorization, 2)];

/// What came beside our own attempt was given back, in part or whole, and then a bank took all of it.
const TAKEN_BACK: [[Word; 3]; 2] = [
    [New(Told::Attempt, 2), New(Told::Refund, 1), Back],
    [New(Told::Attempt, 2), New(Told::Refund, 2), Back],
];

/// The edges that evidence takes in them.
pub(super) fn edges() -> Edges {
    let waits = || Outcome::RequiresAction { payment_url: None };
    let stories: [(Option<Outcome>, &[Word]); 8] = [
        (None, &TURNED),
        (Some(Outcome::Pending), &TURNED),
        (Some(waits()), &TURNED),
        (None, &LEFT),
        (Some(Outcome::Pending), &LEFT),
        (Some(waits()), &LEFT),
        (Some(waits()), &TAKEN_BACK[0]),
        (Some(waits()), &TAKEN_BACK[1]),
    ];
    let stories = stories.into_iter().flat_map(|(own, words)| told(own, words));
    stories.chain(grown()).chain([1, 2].into_iter().flat_map(came_and_went)).collect()
}

/// A refund came back and was declined as well; then more is reported of it than what came back.
pub(super) fn operation_edges() -> OperationEdges {
    let starts = moves::starts();
    let start = starts.iter().find(|start| start.name == "charged").unwrap();
    let take =
        |node: &Node, request| step(Some(node), &start.ask(Some(&node.payment), request)).unwrap().node;
    let report = |operation: &Operation, outcome: &Outcome, minor| {
        let evidence = Evidence::new(outcome.clone(), moves::at(1)).with_amount(moves::money(minor));
        Request::Report(Report { payment: moves::payment_id(), operation: operation.id, evidence })
    };
    let node = step(None, &start.create()).unwrap().node;
    let node = take(&node, report(&node.payment.operations()[0], &Outcome::Succeeded, 2));
    let mut node = take(&node, Request::Refund(moves::refund(Uuid::from_u128(101), None)));
    let back = Outcome::Reversed { error_message: Message::lossy("it came back") };
    let words = [(back, 2), (moves::failed(FailureClass::Soft), 2), (Outcome::Succeeded, 3)];
    let edges = words.iter().map(|(outcome, minor)| {
        let next = take(&node, report(&node.payment.operations()[1], outcome, *minor));
        let edge = (node.payment.operations()[1].status(), next.payment.operations()[1].status());
        node = next;
        edge
    });
    edges.filter(|(from, to)| from != to).collect()
}

/// A payment failed and was opened again, and the next attempt was never sent. Then the first one brought money after all, of
/// which `refunded` was given back, before a bank took all of it.
fn came_and_went(refunded: i64) -> Edges {
    let starts = moves::starts();
    let start = starts.iter().find(|start| start.name == "charged, processed again").unwrap();
    let why = || Message::lossy("why");
    let report = |operation: &Operation, outcome| {
        let (operation, evidence) = (operation.id, Evidence::new(outcome, moves::at(1)));
        Request::Report(Report { payment: moves::payment_id(), operation, evidence })
    };
    let first =
        |payment: &Payment, outcome| report(payment.attempts().next().expect("it was tried"), outcome);
    let asks: [&dyn Fn(&Payment) -> Request; 6] = [
        &|payment| first(payment, moves::failed(FailureClass::Soft)),
        &|_| moves::process_with(Uuid::from_u128(101), "pm_2"),
        &|payment| first(payment, Outcome::Succeeded),
        &|payment| {
            let last = payment.attempts().last().expect("it was tried again");
            report(last, Outcome::NotSent { error_message: why() })
        },
        &|_| moves::record_refund(Uuid::from_u128(102), moves::money(refunded), None),
        &|payment| first(payment, Outcome::Reversed { error_message: why() }),
    ];
    walk(start, &asks, Cause::Evidence)
}

/// A capture is of the only hold that is left, until that was never sent either: then it may be our own, which is on its
/// way, and moves nothing by itself.
pub(super) fn resolved_edges() -> Edges {
    let starts = moves::starts();
    let start = starts.iter().find(|start| start.name == "held").unwrap();
    let id = Uuid::from_u128;
    let done = |name, minor| moves::named(Outcome::Succeeded, id(name)).with_amount(moves::money(minor));
    let report = |operation: &Operation, evidence| {
        Request::Report(Report { payment: moves::payment_id(), operation: operation.id, evidence })
    };
    let declined = || Evidence::new(moves::failed(FailureClass::Soft), moves::at(2));
    let never_sent = |operation: &Operation| moves::resolve(Some(operation.id), Resolution::NotSent).1;
    let asks: [&dyn Fn(&Payment) -> Request; 9] = [
        &|payment| report(&payment.operations()[0], done(9, 2)),
        &|_| Request::Capture(moves::capture(id(101), None, true)),
        &|_| moves::notify(id(1_000), None, Told::Authorization(done(10, 3))),
        &|_| moves::notify(id(1_001), None, Told::Capture(done(11, 1))),
        &|payment| report(&payment.operations()[0], declined()),
        &|payment| never_sent(&payment.operations()[0]),
        &|payment| report(payment.operations().last().expect("a capture"), done(11, 2)),
        &|payment| report(&payment.operations()[2], declined()),
        &|payment| never_sent(&payment.operations()[2]),
    ];
    walk(start, &asks, Cause::Resolution)
}

/// The edges that those of these steps take that have this cause.
fn walk(start: &moves::Start, asks: &[&dyn Fn(&Payment) -> Request], cause: Cause) -> Edges {
    let mut node = step(None, &start.create()).unwrap().node;
    let edges = asks.iter().filter_map(|ask| {
        let request = ask(&node.payment);
        let next = step(Some(&node), &start.ask(Some(&node.payment), request)).unwrap();
        let is_meant = next.events.iter().all(|event| event.cause() == cause);
        let edge = (node.payment.status(), next.node.payment.status());
        node = next.node;
        Some(edge).filter(|(from, to)| is_meant && from != to)
    });
    edges.collect()
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
    walk(start, &asks, Cause::Evidence)
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
            Back => {
                let outcome = Outcome::Reversed { error_message: Message::lossy("it was taken back") };
                moves::notify(id, None, Told::Returned(Evidence::new(outcome, moves::at(7))))
            }
        }
    }
}
