//! The canonical bytes of events, fixed from the first version: one vector per kind of event and outcome.
//!
//! A difference here means that histories written by an older version no longer verify. New kinds and
//! fields add lines (`BLESS=1` writes the file anew); a changed line is a defect.

mod moves;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::command::{
    Archive, Command, Create, Discover, Policy, Process, RecordAttempt, Recorded, Report, Request, Target,
    TopUp, Update,
};
use counterfoil::destinations::{DestinationInfo, Known};
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::id::{AttemptId, PaymentId, TopUpId, UpdateId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    CaptureMethod, Checkout, Destination, Evidence, Failure, FailureClass, OperationId, Outcome,
    PaymentMethod, References,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Cursor, PaymentStore};
use counterfoil::text::Metadata;
use counterfoil_memory::MemoryStore;
use uuid::Uuid;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn create(number: u128, method: PaymentMethod, process: bool) -> Create {
    Create {
        payment: PaymentId::new(id(number)),
        amount: usd("99.50"),
        destination: Destination::invoice("inv_2026_001".parse().unwrap()),
        known: Known::Unasked,
        method,
        capture_method: CaptureMethod::Automatic,
        expires_at: None,
        checkout: Checkout::default(),
        metadata: Metadata::default(),
        idempotency_key: None,
        process: process.then(|| AttemptId::new(id(number + 1))),
        queued: false,
    }
}

fn process(payment: u128, attempt: u128) -> Request {
    Request::Process(Process {
        payment: PaymentId::new(id(payment)),
        attempt: AttemptId::new(id(attempt)),
        number: None,
        instrument: Some("pm_other".parse().unwrap()),
        known: Known::Unasked,
        idempotency_key: Some("process-1".parse().unwrap()),
        queued: false,
    })
}

fn report(payment: u128, attempt: u128, outcome: Outcome) -> Request {
    let evidence = Evidence::new(outcome, "2026-01-02T03:04:05.5Z".parse().unwrap());
    Request::Report(Report {
        payment: PaymentId::new(id(payment)),
        operation: OperationId::Attempt(AttemptId::new(id(attempt))),
        evidence: evidence.with_gateway_operation_id(format!("ch_{attempt}").parse().unwrap()),
    })
}

fn report_of(payment: u128, attempt: u128, amount: Money) -> Request {
    match report(payment, attempt, Outcome::Succeeded) {
        Request::Report(mut report) => {
            report.evidence.amount = Some(amount);
            Request::Report(report)
        }
        other => other,
    }
}

fn update(payment: u128, place: u128, change: References, target: Option<Target>) -> Request {
    let update = UpdateId::new(id(payment + place));
    Request::Update(Update { update, payment: PaymentId::new(id(payment)), if_version: None, change, target })
}

fn set(payment: u128, status: PaymentStatus, at: Option<&str>) -> Request {
    let at = at.map(|at| at.parse().unwrap());
    update(
        payment,
        if status == PaymentStatus::Pending { 8 } else { 9 },
        References::default(),
        Some(Target { status, at }),
    )
}

fn record(payment: u128, attempt: u128, outcome: Recorded) -> Request {
    let named = matches!(outcome, Recorded::Succeeded { .. });
    Request::RecordAttempt(RecordAttempt {
        payment: PaymentId::new(id(payment)),
        attempt: AttemptId::new(id(attempt)),
        outcome,
        gateway: None,
        gateway_attempt_id: named.then(|| format!("ch_{attempt}").parse().unwrap()),
        idempotency_key: named.then(|| "record-1".parse().unwrap()),
    })
}

/// A payment that its gateway calls by a name, and what the gateway then tells of it.
fn made_there(payment: u128, outcome: Outcome) -> [Request; 3] {
    let mut change = References::default();
    change.gateway_payment_id = Some(format!("pi_{payment}").parse().unwrap());
    let discover = Discover {
        payment: PaymentId::new(id(payment)),
        attempt: AttemptId::new(id(payment + 1)),
        gateway: "sandbox".parse().unwrap(),
        gateway_payment_id: format!("pi_{payment}").parse().unwrap(),
        evidence: Evidence::new(outcome, "2026-01-02T03:04:05.5Z".parse().unwrap()),
    };
    [
        Request::Create(create(payment, PaymentMethod::Card(None), false)),
        update(payment, 7, change, None),
        Request::Discover(discover),
    ]
}

/// What came with the second version of the bytes.
fn later_requests() -> Vec<Request> {
    let why = || "why".parse().unwrap();
    let failure = Failure { class: FailureClass::Soft, code: "no".parse().unwrap(), message: why() };
    let mut checkout = Checkout::default();
    checkout.gateway = Some("sandbox".parse().unwrap());
    checkout.success_url = Some("https://shop.example/thanks".parse().unwrap());
    checkout.cancel_url = Some("https://shop.example/cart".parse().unwrap());
    checkout.save_card_and_make_default = true;
    checkout.options = Some("{\"locale\":\"de\"}".parse().unwrap());
    let info = DestinationInfo::payable_in(Currency::USD).with_number("C-7".parse().unwrap());
    let link = Create {
        destination: Destination::customer("cus_7".parse().unwrap()),
        known: Known::Found(info),
        checkout,
        ..create(70, PaymentMethod::PaymentLink(None), true)
    };
    let mut change = References::default();
    change.metadata = Some(Metadata::new([("order", "43")]).unwrap());
    change.gateway = Some("sandbox".parse().unwrap());
    change.gateway_tracking_id = Some("cs_1".parse().unwrap());
    change.instrument = Some("pm_2".parse().unwrap());
    change.error_message = Some(why());
    let mut emptied = References::default();
    emptied.metadata = Some(Metadata::default());
    let amount = Some(usd("99.49"));
    let card = |number, process| Request::Create(create(number, PaymentMethod::Card(None), process));
    let upi = PaymentMethod::Upi("a@bank".parse().unwrap());
    let mut requests = vec![
        Request::Create(link),
        report(70, 71, Outcome::Canceled { error_message: why() }),
        update(70, 7, change, None),
        update(70, 8, emptied, None),
        Request::Create(create(80, upi, false)),
        set(80, PaymentStatus::Pending, None),
        record(80, 81, Recorded::Failed { error_message: Some(why()) }),
        record(80, 82, Recorded::Succeeded { amount }),
        set(80, PaymentStatus::Refunded, Some("2023-11-14T22:13:20Z")),
        card(90, false),
        set(90, PaymentStatus::Failed, None),
        card(100, true),
        report(100, 101, Outcome::RequiresAction { payment_url: None }),
        set(100, PaymentStatus::Voided, None),
        Request::Create(create(110, PaymentMethod::Offline, true)),
        set(110, PaymentStatus::Voided, None),
        set(40, PaymentStatus::Refunded, None),
        card(120, true),
        report(120, 121, Outcome::Unknown { error_message: why() }),
        set(120, PaymentStatus::Succeeded, None),
    ];
    requests.extend(made_there(130, Outcome::Succeeded));
    requests.extend(made_there(140, Outcome::Failed(failure)));
    requests
}

/// One of everything, in an order that uses every field at least once with and once without a value.
fn requests() -> Vec<Request> {
    let why = || "why".parse().unwrap();
    let failure = Failure { class: FailureClass::Hard, code: "stolen_card".parse().unwrap(), message: why() };
    let full = Create {
        metadata: Metadata::new([("order", "42"), ("colour", "grün")]).unwrap(),
        idempotency_key: Some("order-42".parse().unwrap()),
        ..create(10, PaymentMethod::Card(Some("pm_1".parse().unwrap())), true)
    };
    let wallet = || PaymentMethod::Credits("w1".parse().unwrap());
    let url = Some("https://pay.example/1".parse().unwrap());
    let top_up = TopUp {
        top_up: TopUpId::new(id(1)),
        wallet: "w1".parse().unwrap(),
        amount: usd("120"),
        idempotency_key: Some("top-up-1".parse().unwrap()),
    };
    vec![
        Request::Create(full),
        report(10, 11, Outcome::Pending),
        report(10, 11, Outcome::RequiresAction { payment_url: url }),
        report_of(10, 11, usd("99.51")),
        Request::Create(create(20, PaymentMethod::Ach("ba_1".parse().unwrap()), false)),
        process(20, 21),
        report(20, 21, Outcome::Unknown { error_message: why() }),
        report(20, 21, Outcome::NotSent { error_message: why() }),
        report(20, 21, Outcome::Succeeded),
        Request::Create(create(30, PaymentMethod::Card(None), true)),
        report(30, 31, Outcome::Failed(failure)),
        Request::Archive(Archive { payment: PaymentId::new(id(30)) }),
        Request::TopUp(top_up),
        Request::Create(create(40, wallet(), true)),
        Request::Create(create(50, wallet(), true)),
        Request::Create(create(60, PaymentMethod::Offline, true)),
    ]
}

async fn histories() -> Vec<Vec<Arc<Event>>> {
    let store = MemoryStore::new();
    let scope = Scope::new("acme".parse().unwrap(), "production".parse().unwrap());
    let caller = Caller::new(scope, "ann".parse().unwrap());
    let first = requests().into_iter().chain(later_requests());
    let mut all: Vec<_> =
        (0..).zip(first).map(|(second, request)| (second, Policy::default(), request)).collect();
    all.extend(moves::requests());
    let gateways: Arc<[_]> = ["sandbox".parse().unwrap()].into();
    for (second, policy, request) in all {
        let at = Timestamp::from_unix_micros((1_700_000_000 + second) * 1_000_000 + 7).unwrap();
        let (caller, policy) = (caller.clone(), Arc::new(policy));
        let command = Command { caller, at, policy, gateways: gateways.clone(), request };
        let told = format!("{:?}", command.request);
        let receipt = store.execute(command).await.unwrap_or_else(|error| panic!("{told}: {error:?}"));
        assert!(!receipt.replayed, "{told} wrote nothing");
    }
    let mut histories = Vec::new();
    for head in store.heads(&Cursor::START, 100).await.unwrap() {
        histories.push(store.history(&head.scope, &head.stream, 0, 100).await.unwrap());
    }
    histories
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn the_bytes_of_events_never_change() {
    let mut lines = String::from("# stream sequence type | canonical bytes | hash\n");
    for event in histories().await.iter().flatten() {
        let (stream, sequence, kind) = (event.stream(), event.sequence(), event.body().kind());
        writeln!(lines, "{stream} {sequence} {kind} | {} | {}", hex(event.bytes()), event.hash()).unwrap();
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/events.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &lines).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap(), lines);
}

/// Every kind of event in words, to be read as a whole. The words may change: `BLESS=1` writes the file anew.
#[tokio::test]
async fn summaries_read_well() {
    let mut lines = String::new();
    for event in histories().await.iter().flatten() {
        writeln!(lines, "{}", event.summary()).unwrap();
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/summaries.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &lines).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden).unwrap(), lines);
}

#[tokio::test]
async fn bytes_decode_to_the_event_they_came_from() {
    for history in histories().await {
        let mut previous = Hash::ZERO;
        for event in history {
            assert_eq!(Event::decode(event.bytes(), event.hash()).as_ref(), Ok(event.as_ref()));
            assert!(event.follows(previous));
            assert!(!event.follows(event.hash()));
            previous = event.hash();
        }
    }
}

#[tokio::test]
async fn every_changed_or_missing_byte_breaks_the_event_or_its_hash() {
    for event in histories().await.iter().map(|history| &history[0]) {
        let bytes = event.bytes();
        for place in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[place] ^= 0x41;
            if let Ok(changed) = Event::decode(&changed, event.hash()) {
                assert!(!changed.follows(Hash::ZERO), "byte {place} is not covered");
            }
            assert!(
                Event::decode(&bytes[..place], event.hash()).is_err(),
                "{:?} cut at {place}",
                event.body()
            );
        }
    }
}

#[tokio::test]
async fn a_stream_id_tells_its_kind() {
    let streams: Vec<String> =
        histories().await.iter().map(|history| history[0].stream().to_string()).collect();
    assert!(streams.is_sorted_by_key(|stream| stream.starts_with("wallet:")), "payments sort first");
    let wallet = histories().await.pop().unwrap();
    assert!(matches!(wallet[0].stream(), StreamId::Account(id) if id.as_str() == "wallet:w1"));
}
