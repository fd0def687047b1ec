//! Groups: commands that are decided together and written once.

use std::collections::HashMap;
use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Archive, Command, Create, Policy, Process, Receipt, Rejection, Request, TopUp};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, PaymentId, TopUpId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{CaptureMethod, Checkout, Destination, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{ExecuteError, Group, Key, Plan, Record, Step, StoreError, StoreErrorKind};
use counterfoil::text::Metadata;
use uuid::Uuid;

type Records = HashMap<Key, Record>;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn command(request: Request) -> Command {
    let scope = Scope::new("acme".parse().unwrap(), "test".parse().unwrap());
    let at = Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap();
    Command {
        gateways: ["g".parse().unwrap()].into(),
        caller: Caller::new(scope, "ann".parse().unwrap()),
        at,
        policy: Arc::new(Policy::default()),
        request,
    }
}

fn create(number: u128, method: PaymentMethod, key: Option<&str>) -> Command {
    command(Request::Create(Create {
        payment: PaymentId::new(Uuid::from_u128(number)),
        amount: usd("30"),
        destination: Destination::invoice("inv_1".parse().unwrap()),
        known: Known::Unasked,
        method,
        capture_method: CaptureMethod::Automatic,
        expires_at: None,
        checkout: Checkout::default(),
        metadata: Metadata::default(),
        idempotency_key: key.map(|key| key.parse().unwrap()),
        process: Some(AttemptId::new(Uuid::from_u128(1_000 + number))),
        queued: false,
    }))
}

fn process(number: u128) -> Command {
    command(Request::Process(Process {
        payment: PaymentId::new(Uuid::from_u128(number)),
        attempt: AttemptId::new(Uuid::from_u128(2_000 + number)),
        number: None,
        instrument: None,
        known: Known::Unasked,
        idempotency_key: None,
        queued: false,
    }))
}

fn archive(number: u128) -> Command {
    command(Request::Archive(Archive { payment: PaymentId::new(Uuid::from_u128(number)) }))
}

fn top_up() -> Command {
    command(Request::TopUp(TopUp {
        top_up: TopUpId::new(Uuid::from_u128(9)),
        wallet: "w1".parse().unwrap(),
        amount: usd("100"),
        idempotency_key: None,
    }))
}

fn credits() -> PaymentMethod {
    PaymentMethod::Credits("w1".parse().unwrap())
}

/// Decides `commands` on `records`, and says in how many rounds of loading.
fn decide(commands: &[Command], records: &Records) -> (Plan, usize) {
    let mut group = Group::new(commands);
    let mut rounds = 0;
    loop {
        match group.step() {
            Step::Load(keys) => {
                assert!(keys.is_sorted(), "asked for in lock order");
                rounds += 1;
                group.load(keys, |key| records.get(key).cloned());
            }
            Step::Decided(plan) => return (plan, rounds),
        }
    }
}

fn write(plan: Plan, records: &mut Records) -> Vec<Result<Receipt, ExecuteError>> {
    let claims = plan.claims.iter().cloned().map(Record::Claim);
    for record in claims.chain(plan.rows.iter().map(|row| row.after.clone())) {
        records.insert(record.key(), record);
    }
    plan.committed().collect()
}

fn statuses(answers: &[Result<Receipt, ExecuteError>]) -> Vec<PaymentStatus> {
    answers.iter().flatten().filter_map(|receipt| Some(receipt.payment()?.status())).collect()
}

/// INVARIANTS 20: the same key twice in one group is one effect, and so it is in the next group.
#[test]
fn one_key_in_one_group_is_one_payment() {
    let mut records = Records::new();
    let commands = [1, 2, 3].map(|number| create(number, PaymentMethod::Offline, Some("k")));
    let (plan, _) = decide(&commands, &records);
    assert_eq!((plan.events.len(), plan.claims.len(), plan.rows.len()), (1, 1, 2));
    let first = write(plan, &mut records);

    let (plan, rounds) = decide(&[create(4, PaymentMethod::Offline, Some("k"))], &records);
    assert!(plan.is_empty());
    assert_eq!(rounds, 2, "the claim leads to the payment");
    let later = write(plan, &mut records);

    let receipts: Vec<_> = first.iter().chain(&later).flatten().collect();
    assert_eq!(receipts.len(), 4);
    assert!(receipts.iter().all(|r| (&r.stream, r.sequence) == (&receipts[0].stream, 1)));
    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
}

/// INVARIANTS 31: what the earlier ones took, the later ones do not have.
#[test]
fn later_commands_see_what_earlier_ones_decided() {
    let commands: Vec<Command> =
        [top_up()].into_iter().chain((1..=5).map(|number| create(number, credits(), None))).collect();
    let mut records = Records::new();
    let (plan, rounds) = decide(&commands, &records);
    assert_eq!(rounds, 1, "all keys are known from the start");
    let wallet = plan.rows.last().unwrap();
    assert_eq!((wallet.before, wallet.after.version()), (0, 4), "written once, in its last state");
    let answers = write(plan, &mut records);
    let succeeded = statuses(&answers).iter().filter(|status| **status == PaymentStatus::Succeeded).count();
    assert_eq!((answers.len(), succeeded), (6, 3));
}

#[test]
fn a_payment_created_in_a_group_can_be_asked_for_in_it() {
    let mut waiting = create(1, credits(), None);
    if let Request::Create(create) = &mut waiting.request {
        create.process = None;
    }
    let (plan, _) = decide(&[waiting, top_up(), process(1)], &Records::new());
    assert_eq!(plan.events.len(), 4);
    let answers = write(plan, &mut Records::new());
    assert_eq!(statuses(&answers), [PaymentStatus::Pending, PaymentStatus::Succeeded]);
}

/// INVARIANTS 23, 33: a refusal leaves nothing behind and harms nobody.
#[test]
fn a_rejected_neighbour_changes_nothing() {
    let good = || create(1, PaymentMethod::Offline, Some("a"));
    let mut zero = create(2, PaymentMethod::Offline, Some("b"));
    if let Request::Create(create) = &mut zero.request {
        create.amount = usd("0");
    }
    let (alone, _) = decide(&[good()], &Records::new());
    let (together, _) = decide(&[zero, good(), process(7), archive(1)], &Records::new());
    assert_eq!(together.events, alone.events);
    assert_eq!(together.claims, alone.claims);
    assert_eq!(together.rows, alone.rows);
    let answers: Vec<_> = together.committed().collect();
    assert!(matches!(answers[0], Err(ExecuteError::Rejected(Rejection::AmountNotPositive))));
    assert!(answers[1].is_ok());
    assert!(matches!(answers[2], Err(ExecuteError::Rejected(Rejection::PaymentNotFound(_)))));
    assert!(matches!(answers[3], Err(ExecuteError::Rejected(Rejection::NotAllowed { .. }))));
}

/// A failed commit: who wrote or rests on it is in doubt, who was refused has simply no answer.
#[test]
fn a_commit_in_doubt_is_in_doubt_for_replays_too() {
    let commands = [
        create(1, PaymentMethod::Offline, Some("k")),
        create(2, PaymentMethod::Offline, Some("k")),
        process(7),
    ];
    let error = StoreError::new(StoreErrorKind::Io, "committing");
    let classes = |answers: Vec<Result<Receipt, ExecuteError>>| -> Vec<&str> {
        let class = |answer: Result<Receipt, ExecuteError>| match answer {
            Ok(_) => "ok",
            Err(ExecuteError::Rejected(_)) => "rejected",
            Err(ExecuteError::NotCommitted(_)) => "not committed",
            Err(ExecuteError::Unknown(_)) => "unknown",
        };
        answers.into_iter().map(class).collect()
    };
    let plan = || decide(&commands, &Records::new()).0;
    assert_eq!(classes(plan().committed().collect()), ["ok", "ok", "rejected"]);
    assert_eq!(classes(plan().in_doubt(&error).collect()), ["unknown", "unknown", "not committed"]);
    assert_eq!(classes(plan().not_committed(&error).collect()), ["not committed"; 3]);
}

#[test]
#[should_panic(expected = "the store was asked to load")]
fn a_store_that_does_not_load_is_stopped() {
    let commands = [create(1, PaymentMethod::Offline, None)];
    let mut group = Group::new(&commands);
    group.step();
    group.step();
}
