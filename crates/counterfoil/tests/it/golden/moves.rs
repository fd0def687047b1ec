//! What came with the third version of the bytes: money that moves later, and what time does.

use std::time::Duration;

use counterfoil::account::{GatewayEntry, GatewayEntryKind, Owed};
use counterfoil::command::{
    About, CancelQueued, Capture, Create, Lapse, Notify, Policy, Poll, Process, RecordGatewayEntry,
    RecordRefund, Refund, Register, Report, Request, Resolution, Resolve, SendQueued, Told, Void,
};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, CaptureId, PaymentId, RefundId, UpdateId, VoidId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    CaptureMethod, Destination, DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, Failure,
    FailureClass, OperationId, Outcome, PaymentMethod, References, RetrySchedule, Work,
};
use counterfoil::text::{Message, Metadata};

use super::{create, id, update, usd};

/// Seconds, rules, and what is asked.
pub(super) fn requests() -> Vec<(i64, Policy, Request)> {
    let mut all: Vec<(i64, Request)> = Vec::new();
    for (start, requests) in [
        (100, held()),
        (200, refunded()),
        (300, disputed()),
        (400, settled()),
        (600, named()),
        (800, gateway_entries()),
    ] {
        all.extend((start..).zip(requests));
    }
    all.extend(timed());
    all.extend(retried());
    all.extend(queued());
    all.sort_by_key(|(second, _)| *second);
    all.into_iter().map(|(second, request)| (second, policy(), request)).collect()
}

fn policy() -> Policy {
    Policy::default()
        .with_retries(RetrySchedule::new([Duration::from_secs(3_600)]).unwrap())
        .charging_beside_doubt()
        .processing_failed()
}

fn payment(number: u128) -> PaymentId {
    PaymentId::new(id(number))
}

fn why() -> Message {
    "why".parse().unwrap()
}

fn at() -> counterfoil::clock::Timestamp {
    "2026-01-02T03:04:05.5Z".parse().unwrap()
}

fn no() -> Outcome {
    Outcome::Failed(Failure { class: FailureClass::Hard, code: "no".parse().unwrap(), message: why() })
}

fn yes() -> Outcome {
    Outcome::Succeeded
}

fn card(number: u128) -> Create {
    let destination = Destination::invoice("inv_2026_002".parse().unwrap());
    Create { destination, ..create(number, PaymentMethod::Card(None), true) }
}

fn manual(number: u128) -> Request {
    let expires_at = Some("2023-11-15T22:13:20Z".parse().unwrap());
    Request::Create(Create { capture_method: CaptureMethod::Manual, expires_at, ..card(number) })
}

fn report(number: u128, operation: OperationId, outcome: Outcome) -> Request {
    let evidence = Evidence::new(outcome, at());
    Request::Report(Report { payment: payment(number), operation, evidence })
}

fn attempt(number: u128) -> OperationId {
    AttemptId::new(id(number)).into()
}

fn capture(number: u128, place: u128, amount: &str, is_final: bool) -> Request {
    Request::Capture(Capture {
        payment: payment(number),
        capture: CaptureId::new(id(number + place)),
        amount: Some(usd(amount)),
        is_final,
        idempotency_key: is_final.then(|| "capture-1".parse().unwrap()),
        queued: false,
    })
}

fn refund(number: u128, place: u128, full: bool) -> Request {
    Request::Refund(Refund {
        payment: payment(number),
        refund: RefundId::new(id(number + place)),
        amount: full.then(|| usd("9.50")),
        reason: full.then(why),
        metadata: if full { Metadata::new([("ticket", "7")]).unwrap() } else { Metadata::default() },
        idempotency_key: full.then(|| "refund-1".parse().unwrap()),
        queued: false,
    })
}

fn record_refund(number: u128, place: u128, full: bool) -> Request {
    Request::RecordRefund(RecordRefund {
        payment: payment(number),
        refund: RefundId::new(id(number + place)),
        amount: full.then(|| usd("9.50")),
        gateway: full.then(|| "sandbox".parse().unwrap()),
        gateway_refund_id: full.then(|| "re_400".parse().unwrap()),
        occurred_at: full.then(|| "2023-11-14T22:13:20Z".parse().unwrap()),
        reason: full.then(why),
        metadata: Metadata::default(),
        idempotency_key: full.then(|| "refund-2".parse().unwrap()),
    })
}

fn void(number: u128, place: u128, reason: Option<Message>) -> Request {
    let idempotency_key = reason.is_some().then(|| "void-1".parse().unwrap());
    Request::Void(Void {
        payment: payment(number),
        void: VoidId::new(id(number + place)),
        reason,
        reversals: ["sandbox".parse().unwrap()].into_iter().collect(),
        idempotency_key,
        queued: false,
    })
}

fn resolve(number: u128, place: u128, resolution: Resolution) -> Request {
    let update = UpdateId::new(id(number + place));
    Request::Resolve(Resolve { update, payment: payment(number), operation: None, resolution, note: why() })
}

fn told(number: u128, place: u128, about: About, told: Told, named: bool) -> Request {
    Request::Notify(Notify {
        gateway: "sandbox".parse().unwrap(),
        notification: format!("evt_{number}_{place}").parse().unwrap(),
        about: About { payment: Some(payment(number)), ..about },
        told,
        funds: named.then(|| format!("txn_{place}").parse().unwrap()),
        id: id(number + place),
    })
}

/// Holds: captured in two parts, and released; captured whole, and the capture reversed.
fn held() -> Vec<Request> {
    vec![
        manual(200),
        report(200, attempt(201), yes()),
        capture(200, 2, "40", false),
        report(200, CaptureId::new(id(202)).into(), yes()),
        capture(200, 3, "20", true),
        report(200, CaptureId::new(id(203)).into(), no()),
        void(200, 4, Some(why())),
        report(200, VoidId::new(id(204)).into(), yes()),
        manual(210),
        report(210, attempt(211), yes()),
        report(210, attempt(211), Outcome::Reversed { error_message: why() }),
        manual(370),
        report(370, attempt(371), yes()),
        capture(370, 2, "99.50", false),
        report(370, CaptureId::new(id(372)).into(), yes()),
        void(370, 3, None),
        report(370, VoidId::new(id(373)).into(), yes()),
    ]
}

/// Refunds, through the gateway and in our own books.
fn refunded() -> Vec<Request> {
    let found = Evidence::succeeded(at()).with_amount(usd("5"));
    let found = found.with_gateway_operation_id("re_220".parse().unwrap());
    let undone = || Evidence::new(Outcome::Reversed { error_message: why() }, at());
    let back = undone().with_amount(usd("7")).with_gateway_operation_id("back_1".parse().unwrap());
    let canceled = Evidence::new(Outcome::ReturnCanceled { error_message: why() }, at());
    vec![
        Request::Create(card(220)),
        report(220, attempt(221), yes()),
        refund(220, 2, true),
        report(220, RefundId::new(id(222)).into(), yes()),
        report(220, RefundId::new(id(222)).into(), no()),
        told(220, 3, About::default(), Told::Refund(found), false),
        told(220, 4, About::default(), Told::Returned(undone()), false),
        told(220, 6, About::default(), Told::Returned(back), false),
        told(220, 7, About::default(), Told::Returned(canceled), false),
        resolve(220, 5, Resolution::Dismissed),
        Request::Create(create(230, PaymentMethod::Offline, true)),
        refund(230, 2, false),
        Request::Create(create(240, PaymentMethod::Offline, true)),
        void(240, 2, None),
        Request::Create(card(250)),
        report(250, attempt(251), yes()),
        void(250, 2, None),
        report(250, VoidId::new(id(252)).into(), yes()),
        Request::Create(card(400)),
        report(400, attempt(401), yes()),
        record_refund(400, 2, true),
        record_refund(400, 3, false),
    ]
}

fn disputed() -> Vec<Request> {
    let word = |kind| DisputeWord::new(kind, at());
    let dispute = || About { gateway_dispute_id: Some("dp_1".parse().unwrap()), ..About::default() };
    let opened = word(DisputeWordKind::Opened)
        .with_amount(usd("50"))
        .with_due_by(at())
        .with_status(DisputeStatus::NeedsResponse)
        .with_reason("fraudulent".parse().unwrap(), why());
    let mut words = vec![word(DisputeWordKind::Opened).at_stage(DisputeStage::Inquiry), opened];
    words.push(word(DisputeWordKind::Updated).with_status(DisputeStatus::UnderReview));
    words.push(word(DisputeWordKind::FundsWithdrawn).with_amount(usd("50")));
    words.push(word(DisputeWordKind::Lost));
    words.push(word(DisputeWordKind::Won).at_stage(DisputeStage::Arbitration));
    words.push(word(DisputeWordKind::FundsReinstated).with_amount(usd("50")));
    let mut requests = vec![Request::Create(card(260)), report(260, attempt(261), yes())];
    requests.extend((10..).zip(words).map(|(place, word)| {
        let named = matches!(word.kind, DisputeWordKind::FundsWithdrawn);
        told(260, place, dispute(), Told::Dispute(word), named)
    }));
    requests
}

/// A person's word, and what is owed.
fn settled() -> Vec<Request> {
    let register = |amount_due, number: Option<&str>, payable| {
        let destination = Destination::invoice("inv_2026_003".parse().unwrap());
        let number = number.map(|number| number.parse().unwrap());
        Request::Register(Register {
            destination,
            owed: Owed { amount_due: usd(amount_due), number, payable },
        })
    };
    let offline = Create {
        destination: Destination::invoice("inv_2026_003".parse().unwrap()),
        ..create(280, PaymentMethod::Offline, true)
    };
    vec![
        register("90", Some("C-3"), true),
        Request::Create(offline),
        register("90", None, false),
        Request::Create(card(270)),
        report(270, attempt(271), Outcome::Unknown { error_message: why() }),
        resolve(270, 2, Resolution::NotSent),
    ]
}

/// What was made at the gateway, under names there: a hold that was a charge, and what cannot be.
fn named() -> Vec<Request> {
    let called =
        |outcome, name: &str| Evidence::new(outcome, at()).with_gateway_operation_id(name.parse().unwrap());
    let called_of = |amount: Money, name: &str| called(yes(), name).with_amount(amount);
    let yen = Money::parse("7", Currency::JPY).unwrap();
    let mut change = References::default();
    change.gateway_payment_id = Some("pi_330".parse().unwrap());
    let words = [
        Told::Authorization(called(yes(), "ch_1")),
        Told::Capture(called_of(usd("40"), "ch_1")),
        Told::Void(called_of(usd("9.50"), "ch_1")),
        Told::Refund(called_of(usd("20"), "ch_1")),
        Told::Refund(called_of(yen, "re_1")),
        Told::Attempt(called(yes(), "ch_1")),
        Told::Authorization(called_of(usd("120"), "ch_1")),
    ];
    let told = (10..).zip(words).map(|(place, word)| told(330, place, About::default(), word, false));
    let mut requests =
        vec![Request::Create(Create { process: None, ..card(330) }), update(330, 1, change, None)];
    requests.extend(told);
    requests
}

/// Fees and payouts of a gateway, and such that went the other way.
fn gateway_entries() -> Vec<Request> {
    let entry = |name: &str, amount| GatewayEntry::new(name.parse().unwrap(), usd(amount), at());
    let record = |kind, entry| {
        Request::RecordGatewayEntry(RecordGatewayEntry { gateway: "sandbox".parse().unwrap(), kind, entry })
    };
    vec![
        record(GatewayEntryKind::Fee, entry("txn_1", "3.20").for_payment(payment(330))),
        record(GatewayEntryKind::Fee, entry("txn_2", "1.10").reversed()),
        record(GatewayEntryKind::Payout, entry("po_1", "96.80")),
        record(GatewayEntryKind::Payout, entry("po_2", "96.80").reversed()),
    ]
}

/// A refund that never arrived is sent again.
fn lost(number: u128, operation: OperationId) -> Request {
    let work = Work::Poll { operation, polls: 0 };
    Request::Poll(Poll { payment: payment(number), work, resend: true })
}

/// A scheduled attempt, a failed payment that is opened again, and a retry that is given up.
fn retried() -> Vec<(i64, Request)> {
    let soft = || {
        Outcome::Failed(Failure { class: FailureClass::Soft, code: "no".parse().unwrap(), message: why() })
    };
    let process = |attempt, number, instrument: Option<&str>| {
        Request::Process(Process {
            payment: payment(350),
            attempt: AttemptId::new(id(attempt)),
            number,
            instrument: instrument.map(|id| id.parse().unwrap()),
            known: Known::Unasked,
            idempotency_key: None,
            queued: false,
        })
    };
    let reason = Some("automatic retry given up: invoice inv_2026_002 is not payable".parse().unwrap());
    let lapse = Lapse { payment: payment(360), work: Work::Retry { number: 2 }, reason };
    vec![
        (530, Request::Create(card(350))),
        (531, report(350, attempt(351), soft())),
        (540, Request::Create(card(360))),
        (541, report(360, attempt(361), soft())),
        (100_010, process(352, Some(2), None)),
        (100_011, report(350, attempt(352), no())),
        (100_012, process(353, None, Some("pm_2"))),
        (100_013, Request::Lapse(lapse)),
    ]
}

/// An attempt that is queued and then sent, one that is queued and then canceled, and a refund that is only queued.
fn queued() -> Vec<(i64, Request)> {
    let create = |number| Request::Create(Create { queued: true, ..card(number) });
    let update = |number| UpdateId::new(id(number));
    let send = SendQueued {
        update: update(779),
        payment: payment(770),
        operation: attempt(771),
        known: Known::Unasked,
    };
    let cancel = CancelQueued { update: update(789), payment: payment(780), operation: attempt(781) };
    let Request::Refund(back) = refund(770, 2, false) else { unreachable!("it is a refund") };
    vec![
        (100_020, create(770)),
        (100_021, Request::SendQueued(send)),
        (100_022, report(770, attempt(771), yes())),
        (100_023, Request::Refund(Refund { queued: true, ..back })),
        (100_030, create(780)),
        (100_031, Request::CancelQueued(cancel)),
    ]
}

/// What time does: a poll in vain, what is given up, what expires.
fn timed() -> Vec<(i64, Request)> {
    let poll = |polls| Work::Poll { operation: attempt(291), polls };
    let poll = |polls| Request::Poll(Poll { payment: payment(290), work: poll(polls), resend: false });
    let lapse = |number, work| Request::Lapse(Lapse { payment: payment(number), work, reason: None });
    vec![
        (500, Request::Create(card(290))),
        (600, poll(0)),
        (700, poll(1)),
        (510, Request::Create(card(300))),
        (511, report(300, attempt(301), no())),
        (512, manual(310)),
        (513, report(310, attempt(311), yes())),
        (514, manual(320)),
        (515, report(320, attempt(321), Outcome::RequiresAction { payment_url: None })),
        (100_000, lapse(300, Work::GiveUp)),
        (100_001, lapse(310, Work::Expire)),
        (100_002, lapse(320, Work::Expire)),
        (520, Request::Create(card(340))),
        (521, report(340, attempt(341), yes())),
        (522, refund(340, 2, false)),
        (700, lost(340, RefundId::new(id(342)).into())),
    ]
}
