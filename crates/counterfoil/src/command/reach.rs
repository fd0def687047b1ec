//! Walks every state that the present actions can reach and holds the graphs against what was seen.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{
    Command, Create, Decision, Discover, Policy, Process, RecordAttempt, Recorded, Rejection, Report,
    Request, Target, Update, settable,
};
use crate::clock::Timestamp;
use crate::destinations::Known;
use crate::id::{AttemptId, PaymentId, UpdateId};
use crate::money::{Currency, Money};
use crate::payment::{
    Checkout, Destination, Evidence, Failure, FailureClass, Operation, OperationId, Outcome, Payment,
    PaymentMethod, References,
};
use crate::scope::{Caller, Scope};
use crate::status::{Cause, Graph, OperationStatus, PaymentStatus};
use crate::store::{Key, Record, State};
use crate::text::{ErrorCode, GatewayName, Message, Metadata};

const MOST_ATTEMPTS: u128 = 2;
const MOST_OTHERS: u128 = 2;

fn asked() -> Money {
    Money::from_minor(100, Currency::USD).unwrap()
}

fn gateway() -> GatewayName {
    "g".parse().unwrap()
}

fn payment_id() -> PaymentId {
    PaymentId::new(Uuid::from_u128(1))
}

fn attempt_id(number: u128) -> AttemptId {
    AttemptId::new(Uuid::from_u128(100 + number))
}

fn command(request: Request) -> Command {
    let scope = Scope::new("t".parse().unwrap(), "e".parse().unwrap());
    let caller = Caller::new(scope, "a".parse().unwrap());
    let policy = Arc::new(Policy::default());
    Command { caller, at: Timestamp::MAX, policy, gateways: [gateway()].into(), request }
}

fn create(process: bool) -> Command {
    command(Request::Create(Create {
        payment: payment_id(),
        amount: asked(),
        destination: Destination::invoice("i".parse().unwrap()),
        known: Known::Unasked,
        method: PaymentMethod::Card(None),
        checkout: Checkout::default(),
        metadata: Metadata::default(),
        idempotency_key: None,
        process: process.then(|| attempt_id(1)),
    }))
}

fn process(number: u128) -> Command {
    command(Request::Process(Process {
        payment: payment_id(),
        attempt: attempt_id(number),
        instrument: None,
        known: Known::Unasked,
        idempotency_key: None,
    }))
}

/// Evidence of every outcome, in amounts and times that make a difference.
fn evidence() -> Vec<Evidence> {
    let at = |seconds| Timestamp::EPOCH.saturating_add(Duration::from_secs(seconds));
    let why = || Message::lossy("why");
    let refusal = Failure { class: FailureClass::Soft, code: ErrorCode::lossy("no"), message: why() };
    let more = Money::from_minor(101, Currency::USD).unwrap();
    let nothing = Money::zero(Currency::USD);
    [
        (Outcome::Succeeded { reported: None }, 0),
        (Outcome::Succeeded { reported: Some(more) }, 0),
        (Outcome::Succeeded { reported: Some(nothing) }, 0),
        (Outcome::Failed(refusal), 0),
        (Outcome::Pending, 1),
        (Outcome::RequiresAction { payment_url: None }, 2),
        (Outcome::Canceled { error_message: why() }, 0),
        (Outcome::Pending, 3),
        (Outcome::NotSent { error_message: why() }, 0),
        (Outcome::Unknown { error_message: why() }, 0),
    ]
    .into_iter()
    .map(|(outcome, seconds)| Evidence::new(outcome, at(seconds)))
    .collect()
}

fn update(number: u128, change: References, target: Option<Target>) -> Command {
    let (update, payment) = (UpdateId::new(Uuid::from_u128(1_000 + number)), payment_id());
    command(Request::Update(Update { update, payment, if_version: None, change, target }))
}

/// The status to be set; what that writes down gets an id of its own.
fn set(status: PaymentStatus, number: u128) -> Command {
    update(number, References::default(), Some(Target { status, at: None }))
}

fn known_to_its_gateway() -> Command {
    let change =
        References { gateway_payment_id: Some("made-there".parse().unwrap()), ..References::default() };
    update(0, change, None)
}

fn record(number: u128) -> Command {
    command(Request::RecordAttempt(RecordAttempt {
        payment: payment_id(),
        attempt: attempt_id(number),
        outcome: Recorded::Failed { error_message: None },
        gateway_attempt_id: None,
        idempotency_key: None,
    }))
}

fn discover(number: u128, evidence: Evidence) -> Command {
    let (payment, attempt) = (payment_id(), attempt_id(number));
    let evidence = evidence.with_gateway_operation_id(format!("found-{number}").parse().unwrap());
    let (gateway, gateway_payment_id) = (gateway(), "made-there".parse().unwrap());
    command(Request::Discover(Discover { payment, attempt, gateway, gateway_payment_id, evidence }))
}

fn next(before: Option<&Arc<Payment>>, command: &Command) -> Option<Arc<Payment>> {
    let mut state = State::new();
    match before {
        Some(payment) => state.insert(Record::Payment(payment.clone())),
        None => state.insert_absent(Key::Payment(command.caller.scope.clone(), payment_id())),
    }
    loop {
        match command.decide(&state) {
            Ok(Decision::Write(change)) => return change.receipt.payment().cloned(),
            // Names are free: whose they are is another test's matter.
            Ok(Decision::Load(keys)) => keys.into_iter().for_each(|key| state.insert_absent(key)),
            Ok(Decision::Same(_))
            | Err(
                Rejection::NotAllowed { .. } | Rejection::NotSettable { .. } | Rejection::AtGateway { .. },
            ) => return None,
            other => panic!("{other:?}"),
        }
    }
}

fn moves_of(payment: &Payment) -> Vec<Command> {
    let asked = payment.operations().iter().filter(|operation| operation.gateway.is_some());
    let reports = asked.flat_map(|operation| {
        let report = |evidence| Report { payment: payment_id(), operation: operation.id, evidence };
        evidence().into_iter().map(move |evidence| command(Request::Report(report(evidence))))
    });
    let attempts = payment.attempts().count() as u128;
    let more = [process(attempts + 1), record(attempts + 1)].into_iter();
    let at_gateway = payment.gateway_payment_id().is_some();
    let found =
        evidence().into_iter().filter(|_| at_gateway).map(|evidence| discover(attempts + 1, evidence));
    let more = more.chain(found).filter(|_| attempts < MOST_ATTEMPTS);
    let others = payment.operations().len() as u128 - attempts;
    let settable = settable(payment.status()).filter(|_| others < MOST_OTHERS);
    let set = settable.map(|status| set(status, payment.operations().len() as u128));
    reports.chain(more).chain(set).chain([known_to_its_gateway()]).collect()
}

/// What of a payment decides what can become of it: no times, no versions, no hashes, and of each operation only
/// what outranks the rest of what was said of it. The order of operations decides nothing.
fn essence(payment: &Payment) -> String {
    let mut operations: Vec<_> = payment.operations().iter().map(standing).collect();
    operations.sort();
    let at_gateway = payment.gateway_payment_id().is_some();
    format!("{:?} {:?} {at_gateway} {operations:?}", payment.submitted, payment.closed)
}

fn standing(operation: &Operation) -> String {
    let kind = operation.id.to_string().split('_').next().map(str::to_owned);
    let own = operation.gateway.is_some();
    format!("{kind:?} {own} {:?} {} {:?}", operation.status(), operation.amount, operation.reports.weight())
}

#[derive(Default)]
struct Seen {
    states: usize,
    payment: BTreeSet<(PaymentStatus, PaymentStatus)>,
    operation: BTreeSet<(OperationStatus, OperationStatus)>,
}

fn explore() -> Seen {
    let mut seen = Seen::default();
    let mut known = HashSet::new();
    let mut open: Vec<Arc<Payment>> =
        [true, false].map(|process| next(None, &create(process)).unwrap()).into();
    while let Some(payment) = open.pop() {
        if !known.insert(essence(&payment)) {
            continue;
        }
        for command in moves_of(&payment) {
            let Some(after) = next(Some(&payment), &command) else { continue };
            assert_eq!(after.status(), after.derive(), "INVARIANTS 10");
            if is_evidence(&command, &payment) {
                note(&mut seen, &payment, &after);
            }
            open.push(after);
        }
    }
    seen.states = known.len();
    seen
}

/// What a gateway says, or a person in its place.
fn is_evidence(command: &Command, payment: &Payment) -> bool {
    match &command.request {
        Request::Report(_) | Request::Discover(_) => true,
        Request::Update(update) => update.target.is_some() && payment.status() == PaymentStatus::Processing,
        _ => false,
    }
}

fn note(seen: &mut Seen, before: &Payment, after: &Payment) {
    if before.status() != after.status() {
        seen.payment.insert((before.status(), after.status()));
    }
    let status = |payment: &Payment, id: OperationId| payment.operation(id).map(Operation::status).unwrap();
    for operation in after.operations() {
        if before.operation(operation.id).is_none() {
            continue;
        }
        let (from, to) = (status(before, operation.id), operation.status());
        if from != to {
            seen.operation.insert((from, to));
        }
    }
}

fn table<S: Copy + Eq + Ord + std::fmt::Display + 'static>(graph: Graph<S>) -> BTreeSet<(S, S)> {
    let edges = graph.edges().into_iter();
    let by_evidence = edges.filter(|edge| edge.causes.contains(Cause::Evidence));
    by_evidence.filter_map(|edge| Some((edge.from?, edge.to))).collect()
}

/// INVARIANTS 11: the evidence edges of the payment's table are exactly those that `derive` can yield, and
/// an operation moves along its own. Set `BLESS=1` to write the golden file anew, then review it.
#[test]
fn evidence_moves_along_the_edges_of_the_tables_and_all_of_them() {
    let seen = explore();
    assert!(seen.states > 1_000, "only {} states", seen.states);
    assert_eq!(seen.payment, table(PaymentStatus::GRAPH));
    let unknown: Vec<_> = seen.operation.difference(&table(OperationStatus::GRAPH)).copied().collect();
    assert_eq!(unknown, []);

    let title = "# By evidence, from every state that the present actions reach.".to_owned();
    let payments = seen.payment.iter().map(|(from, to)| format!("payment {from} -> {to}"));
    let operations = seen.operation.iter().map(|(from, to)| format!("operation {from} -> {to}"));
    let lines: Vec<String> = [title].into_iter().chain(payments).chain(operations).collect();
    let drawn = lines.join("\n") + "\n";
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/evidence-edges.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &drawn).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap(), drawn);
}
