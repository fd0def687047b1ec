//! What can be asked and said of a payment in a walk.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::super::{
    About, CancelQueued, Capture, Command, Create, Discover, Lapse, Notify, Policy, Poll, Process,
    RecordAttempt, RecordRefund, Recorded, Refund, Report, Request, Resolution, Resolve, SendQueued, Target,
    Told, Update, Void, settable,
};
use crate::account::AccountId;
use crate::clock::Timestamp;
use crate::destinations::Known;
use crate::gateway::CaptureReversals;
use crate::id::{AttemptId, CaptureId, PaymentId, RefundId, UpdateId, VoidId};
use crate::money::{Currency, Money};
use crate::payment::{
    CaptureMethod, Checkout, Destination, DisputeStage, DisputeWord, DisputeWordKind, Evidence, Failure,
    FailureClass, OperationId, Outcome, Payment, PaymentMethod, References, RetrySchedule, Work, attempt_id,
};
use crate::scope::{Caller, Scope};
use crate::store::Key;
use crate::text::{ErrorCode, GatewayName, Message, Metadata};

/// At most so many of each kind: of what comes after, it would be more of the same.
const MOST_ATTEMPTS: usize = 2;
const MOST_OTHERS: usize = 2;
const MOST_OPERATIONS: usize = 4;
/// Longer than anything that is waited for.
const LONG: Duration = Duration::from_secs(1_000_000);

pub(super) fn money(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD).unwrap()
}

pub(super) fn payment_id() -> PaymentId {
    PaymentId::new(Uuid::from_u128(1))
}

pub(super) fn destination_key() -> Key {
    Key::Account(scope(), AccountId::destination(&destination()))
}

fn destination() -> Destination {
    Destination::invoice("i".parse().unwrap())
}

fn scope() -> Scope {
    Scope::new("t".parse().unwrap(), "e".parse().unwrap())
}

fn gateway() -> GatewayName {
    "g".parse().unwrap()
}

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH.saturating_add(Duration::from_secs(seconds))
}

/// The rules of a walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    Usual,
    /// A declined payment is tried again once, by a schedule.
    Retries,
    /// A failed payment can be processed again.
    Reopens,
}

/// How a payment begins.
pub(super) struct Start {
    pub(super) name: &'static str,
    method: CaptureMethod,
    process: bool,
    rules: Rules,
    expires: bool,
    /// Whether its operations are queued first.
    queued: bool,
}

pub(super) fn starts() -> Vec<Start> {
    use CaptureMethod::{Automatic, Manual};
    let start = |name, method, process| Start {
        name,
        method,
        process,
        rules: Rules::Usual,
        expires: false,
        queued: false,
    };
    vec![
        start("charged", Automatic, true),
        start("recorded", Automatic, false),
        Start { expires: true, ..start("held", Manual, true) },
        Start { rules: Rules::Retries, ..start("charged, with retries", Automatic, true) },
        Start { rules: Rules::Reopens, ..start("charged, processed again", Automatic, true) },
        Start { queued: true, expires: true, ..start("queued", Manual, true) },
    ]
}

impl Start {
    /// The command that asks for `request`.
    pub(super) fn ask(&self, payment: Option<&Payment>, request: Request) -> Command {
        let mut policy = Policy::default();
        if self.rules == Rules::Retries {
            policy.retries = RetrySchedule::new([Duration::from_secs(60)]).unwrap();
        }
        policy.process_failed = self.rules == Rules::Reopens;
        let caller = Caller::new(scope(), "a".parse().unwrap());
        // After every lease, every delay, and the time to expire.
        let at = payment.map_or(at(1_000), |payment| payment.updated_at().saturating_add(LONG));
        Command { caller, at, policy: Arc::new(policy), gateways: [gateway()].into(), request }
    }

    pub(super) fn create(&self) -> Command {
        self.ask(
            None,
            Request::Create(Create {
                payment: payment_id(),
                amount: money(2),
                destination: destination(),
                known: Known::Unasked,
                method: PaymentMethod::Card(None),
                capture_method: self.method,
                expires_at: self.expires.then(|| at(2_000)),
                checkout: Checkout::default(),
                metadata: Metadata::default(),
                idempotency_key: None,
                process: self.process.then(|| AttemptId::new(Uuid::from_u128(100))),
                queued: self.queued,
            }),
        )
    }

    /// Everything that can be asked, said, or done by time, with a name for it.
    pub(super) fn moves(&self, payment: &Payment) -> Vec<(String, Command)> {
        let mut moves = Start::evidence(payment);
        moves.extend(Start::turns(payment));
        moves.extend(Start::commands(payment));
        moves.extend(Start::resolutions(payment));
        moves.extend(self.with_another_instrument(payment));
        moves.extend(Start::found(payment));
        moves.extend(Start::disputes(payment));
        moves.extend(Start::due(payment));
        moves.extend(Start::cancellations(payment));
        if self.queued {
            moves.extend(moves.clone().into_iter().filter_map(queued));
        }
        moves.into_iter().map(|(name, request)| (name, self.ask(Some(payment), request))).collect()
    }

    /// What a gateway says of operations that are known.
    pub(super) fn evidence(payment: &Payment) -> Vec<(String, Request)> {
        let asked = payment.operations().iter().filter(|operation| operation.gateway.is_some());
        let reports = asked.flat_map(|operation| {
            let report = |evidence| Report { payment: payment_id(), operation: operation.id, evidence };
            outcomes(operation.id).into_iter().map(move |evidence| {
                let name = format!("{}: {:?}", operation.id.noun(), evidence.outcome);
                (name, Request::Report(report(evidence)))
            })
        });
        reports.collect()
    }

    /// What a gateway says of attempts that nobody here made: that it holds, and that it was a charge.
    pub(super) fn turns(payment: &Payment) -> Vec<(String, Request)> {
        let theirs =
            payment.attempts().filter(|attempt| !attempt.is_requested() && attempt.gateway.is_some());
        let turns = theirs.zip(200..).flat_map(|(attempt, number)| {
            let said = |minor| Evidence::succeeded(at(5)).with_amount(money(minor));
            let words = [Told::Authorization(said(2)), Told::Attempt(said(1))].into_iter().zip([0, 50]);
            words.map(move |(told, more)| {
                let name = format!("told of it: {told:?}");
                (name, notify(Uuid::from_u128(number + more), Some(attempt.id), told))
            })
        });
        turns.collect()
    }

    fn commands(payment: &Payment) -> Vec<(String, Request)> {
        let next = Uuid::from_u128(100 + payment.operations().len() as u128);
        let attempts = payment.attempts().count();
        let others = payment.operations().len() - attempts;
        let mut commands: Vec<(String, Request)> = Vec::new();
        if attempts < MOST_ATTEMPTS {
            commands.push(("process".into(), process(next, None)));
            commands.push(("record a failed attempt".into(), record(next)));
        }
        if others < MOST_OTHERS && payment.operations().len() < MOST_OPERATIONS {
            for (amount, is_final) in [(None, true), (Some(money(1)), false), (Some(money(1)), true)] {
                let capture = Request::Capture(capture(next, amount, is_final));
                commands.push((format!("capture {amount:?}, final {is_final}"), capture));
            }
            for amount in [None, Some(money(1))] {
                commands.push((format!("refund {amount:?}"), Request::Refund(refund(next, amount))));
            }
            for at in [None, Some(gateway())] {
                let name = format!("record a refund of 1 at {at:?}");
                commands.push((name, record_refund(next, money(1), at)));
            }
            commands.push(("void".into(), Request::Void(void(next, true))));
            commands.push(("void, no reversals".into(), Request::Void(void(next, false))));
            for status in settable(payment.status()) {
                commands.push((format!("set {status}"), set(next, status)));
            }
        }
        commands.push(("made at its gateway".into(), made_there()));
        commands
    }

    /// What an operator can decide about each operation and dispute.
    fn resolutions(payment: &Payment) -> Vec<(String, Request)> {
        let mut decided = Vec::new();
        for operation in payment.operations().iter().filter(|operation| operation.gateway.is_some()) {
            let mut resolutions = vec![
                Resolution::Succeeded { amount: None },
                Resolution::Failed,
                Resolution::NotSent,
                Resolution::Returned { amount: None },
                Resolution::Returned { amount: Some(money(1)) },
                Resolution::Another,
            ];
            resolutions.extend(
                payment.attempts().filter_map(attempt_id).map(|attempt| Resolution::Allocated { attempt }),
            );
            let twins =
                payment.requested_twins(operation).map(|twin| Resolution::SameAs { operation: twin.id });
            resolutions.extend(twins);
            decided.extend(resolutions.into_iter().map(|resolution| (Some(operation.id), resolution)));
        }
        for dispute in payment.disputes().iter().map(|dispute| dispute.id) {
            let lost = [None, Some(money(1))].map(|amount| Resolution::Lost { dispute, amount });
            decided.push((None, Resolution::Won { dispute }));
            decided.extend(lost.map(|resolution| (None, resolution)));
        }
        decided.into_iter().map(|(operation, resolution)| resolve(operation, resolution)).collect()
    }

    /// A manual attempt with another instrument, which a failed payment takes too.
    fn with_another_instrument(&self, payment: &Payment) -> Option<(String, Request)> {
        let wanted = self.rules == Rules::Reopens && payment.attempts().count() < MOST_ATTEMPTS;
        let next = Uuid::from_u128(100 + payment.operations().len() as u128);
        wanted.then(|| ("process with another instrument".into(), process_with(next, "pm_2")))
    }

    /// What a gateway tells of that was made there.
    fn found(payment: &Payment) -> Vec<(String, Request)> {
        let next = Uuid::from_u128(100 + payment.operations().len() as u128);
        let others = payment.operations().len() - payment.attempts().count();
        let mut told = Vec::new();
        if others < MOST_OTHERS && payment.operations().len() < MOST_OPERATIONS {
            let one = || named(Outcome::Succeeded, next).with_amount(money(1));
            told.extend([Told::Refund(one()), Told::Capture(one()), Told::Void(one())]);
            told.push(Told::Refund(named(failed(FailureClass::Soft), next)));
        }
        let undone = || Evidence::new(Outcome::Reversed { error_message: why() }, at(7));
        let one_back = || undone().with_amount(money(1)).with_gateway_operation_id("back".parse().unwrap());
        told.extend([Told::Returned(undone()), Told::Returned(one_back())]);
        told.push(Told::Authorization(undone().with_amount(money(1))));
        let canceled = Outcome::ReturnCanceled { error_message: why() };
        told.push(Told::Returned(Evidence::new(canceled, at(8))));
        if payment.attempts().count() < MOST_ATTEMPTS && payment.gateway_payment_id().is_some() {
            told.push(Told::Authorization(named(Outcome::Succeeded, next)));
        }
        let mut found: Vec<_> =
            told.into_iter().map(|told| (format!("told of {told:?}"), notify(next, None, told))).collect();
        if payment.attempts().count() < MOST_ATTEMPTS && payment.gateway_payment_id().is_some() {
            for outcome in [Outcome::Succeeded, failed(FailureClass::Hard)] {
                let name = format!("found at its gateway: {outcome:?}");
                let (payment, attempt) = (payment_id(), AttemptId::new(next));
                let (gateway, gateway_payment_id) = (gateway(), "made-there".parse().unwrap());
                let evidence = named(outcome.clone(), next);
                let discover = Discover { payment, attempt, gateway, gateway_payment_id, evidence };
                found.push((name, Request::Discover(discover)));
            }
        }
        found
    }

    /// What a gateway that was asked tells of a dispute.
    pub(super) fn disputes(payment: &Payment) -> Vec<(String, Request)> {
        let is_there = payment.attempts().any(|attempt| attempt.gateway.is_some());
        if !is_there && payment.gateway_payment_id().is_none() {
            return Vec::new();
        }
        dispute_words().into_iter().map(|(word, movement)| of_dispute(word, movement)).collect()
    }

    /// Requests that cancel the queued operations.
    fn cancellations(payment: &Payment) -> impl Iterator<Item = (String, Request)> {
        let queued = payment.operations().iter().filter(|operation| operation.is_queued());
        queued.map(|operation| {
            let (update, payment) = (UpdateId::new(Uuid::from_u128(80)), payment_id());
            let operation = operation.id;
            (
                format!("cancel {operation}"),
                Request::CancelQueued(CancelQueued { update, payment, operation }),
            )
        })
    }

    /// What time does.
    fn due(payment: &Payment) -> Vec<(String, Request)> {
        let next = Uuid::from_u128(100 + payment.operations().len() as u128);
        let id = payment_id();
        let few = payment.attempts().count() < MOST_ATTEMPTS;
        let due = payment.next_due().map(|(_, work)| work);
        due.into_iter()
            .filter_map(|work| {
                let request = match work {
                    Work::Send { operation } => Request::SendQueued(SendQueued {
                        update: UpdateId::new(Uuid::from_u128(70)),
                        payment: id,
                        operation,
                        known: Known::Unasked,
                    }),
                    // More often is more of the same.
                    Work::Poll { polls: 0, .. } => Request::Poll(Poll { payment: id, work, resend: true }),
                    Work::Poll { .. } | Work::LookUp { .. } => return None,
                    Work::Retry { number } if few => process(next, Some(number)),
                    Work::Retry { .. } | Work::GiveUp | Work::Expire => {
                        Request::Lapse(Lapse { payment: id, work, reason: Some(why()) })
                    }
                };
                Some((format!("due: {work:?}"), request))
            })
            .collect()
    }
}

/// The same request for a queued operation. None if the request starts no operation at a gateway.
fn queued((name, mut request): (String, Request)) -> Option<(String, Request)> {
    let queued = match &mut request {
        Request::Process(process) if process.number.is_none() => &mut process.queued,
        Request::Capture(capture) => &mut capture.queued,
        Request::Refund(refund) => &mut refund.queued,
        Request::Void(void) => &mut void.queued,
        _ => return None,
    };
    *queued = true;
    Some((format!("{name}, queued"), request))
}

fn process(attempt: Uuid, number: Option<u32>) -> Request {
    Request::Process(Process {
        payment: payment_id(),
        attempt: AttemptId::new(attempt),
        number,
        instrument: None,
        known: Known::Unasked,
        idempotency_key: None,
        queued: false,
    })
}

pub(super) fn process_with(attempt: Uuid, instrument: &str) -> Request {
    let mut request = process(attempt, None);
    if let Request::Process(process) = &mut request {
        process.instrument = Some(instrument.parse().unwrap());
    }
    request
}

fn record(attempt: Uuid) -> Request {
    Request::RecordAttempt(RecordAttempt {
        payment: payment_id(),
        attempt: AttemptId::new(attempt),
        outcome: Recorded::Failed { error_message: None },
        gateway: None,
        gateway_attempt_id: None,
        idempotency_key: None,
    })
}

pub(super) fn record_refund(id: Uuid, amount: Money, gateway: Option<GatewayName>) -> Request {
    Request::RecordRefund(RecordRefund {
        payment: payment_id(),
        refund: RefundId::new(id),
        amount: Some(amount),
        gateway,
        gateway_refund_id: None,
        occurred_at: None,
        reason: None,
        metadata: Metadata::default(),
        idempotency_key: None,
    })
}

pub(super) fn refund(id: Uuid, amount: Option<Money>) -> Refund {
    Refund {
        payment: payment_id(),
        refund: RefundId::new(id),
        amount,
        reason: None,
        metadata: Metadata::default(),
        idempotency_key: None,
        queued: false,
    }
}

/// The gateway has it, under this name.
pub(super) fn made_there() -> Request {
    let there =
        References { gateway_payment_id: Some("made-there".parse().unwrap()), ..References::default() };
    update(Uuid::from_u128(50), there, None)
}

fn update(id: Uuid, change: References, target: Option<Target>) -> Request {
    let (update, payment) = (UpdateId::new(id), payment_id());
    Request::Update(Update { update, payment, if_version: None, change, target })
}

pub(super) fn capture(id: Uuid, amount: Option<Money>, is_final: bool) -> Capture {
    let (payment, capture) = (payment_id(), CaptureId::new(id));
    Capture { payment, capture, amount, is_final, idempotency_key: None, queued: false }
}

/// A void by a gateway that can reverse a capture, or cannot.
pub(super) fn void(id: Uuid, reverses: bool) -> Void {
    let (payment, void, reversals) = (payment_id(), VoidId::new(id), reversals(reverses));
    Void { payment, void, reason: None, reversals, idempotency_key: None, queued: false }
}

pub(super) fn reversals(reverses: bool) -> CaptureReversals {
    reverses.then(gateway).into_iter().collect()
}

fn set(id: Uuid, status: crate::status::PaymentStatus) -> Request {
    update(id, References::default(), Some(Target { status, at: None }))
}

pub(super) fn notify(id: Uuid, operation: Option<OperationId>, told: Told) -> Request {
    let gateway_dispute_id = matches!(told, Told::Dispute(_)).then(|| "dp_1".parse().unwrap());
    let about = About { payment: Some(payment_id()), operation, gateway_dispute_id, ..About::default() };
    let notification = format!("n {told:?}").chars().take(200).collect::<String>().parse().unwrap();
    Request::Notify(Notify { gateway: gateway(), notification, about, told, funds: None, id })
}

fn why() -> Message {
    Message::lossy("why")
}

pub(super) fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Failure { class, code: ErrorCode::lossy("no"), message: why() })
}

/// With a name at the gateway that nothing else has.
pub(super) fn named(outcome: Outcome, id: Uuid) -> Evidence {
    Evidence::new(outcome, at(5)).with_gateway_operation_id(format!("found-{id}").parse().unwrap())
}

/// Every outcome, in amounts and times that make a difference.
fn outcomes(of: OperationId) -> Vec<Evidence> {
    let mut outcomes = vec![
        (Outcome::Succeeded, None, 0),
        (failed(FailureClass::Soft), None, 0),
        (Outcome::Pending, None, 1),
        (Outcome::NotSent { error_message: why() }, None, 0),
        (Outcome::Unknown { error_message: why() }, None, 0),
    ];
    if of.is_attempt() {
        outcomes.extend([
            (Outcome::Succeeded, Some(money(3)), 0),
            (Outcome::Succeeded, Some(money(0)), 0),
            (Outcome::RequiresAction { payment_url: None }, None, 2),
            (Outcome::Canceled { error_message: why() }, None, 0),
            (Outcome::Pending, None, 3),
        ]);
    }
    if of.is_attempt() || of.is_capture() {
        outcomes.push((Outcome::Reversed { error_message: why() }, None, 0));
        outcomes.push((Outcome::Reversed { error_message: why() }, Some(money(1)), 0));
    }
    let evidence = |(outcome, amount, seconds): (Outcome, Option<Money>, u64)| {
        Evidence::new(outcome, at(seconds)).with_amount(amount)
    };
    outcomes.into_iter().map(evidence).collect()
}

pub(super) fn resolve(operation: Option<OperationId>, resolution: Resolution) -> (String, Request) {
    let (update, note) = (UpdateId::new(Uuid::from_u128(60)), Message::lossy("seen there"));
    let resolve = Resolve { update, payment: payment_id(), operation, resolution, note };
    (format!("resolve {operation:?} {resolution:?}"), Request::Resolve(resolve))
}

/// What is said of a dispute, and under which name funds moved. It is lost, then won, then lost, by the gateway's clock.
fn dispute_words() -> Vec<(DisputeWord, Option<&'static str>)> {
    use DisputeWordKind::{FundsReinstated, FundsWithdrawn, Lost, Opened, Won};
    let word = |kind, seconds| DisputeWord::new(kind, at(seconds)).with_amount(money(1));
    vec![
        (word(Opened, 9).at_stage(DisputeStage::Inquiry), None),
        (word(Opened, 9), None),
        (word(Lost, 9), None),
        (word(Won, 10), None),
        (word(Lost, 11), None),
        (word(FundsWithdrawn, 9), None),
        (word(FundsWithdrawn, 9), Some("txn_1")),
        (word(FundsReinstated, 9), None),
    ]
}

fn of_dispute(word: DisputeWord, movement: Option<&str>) -> (String, Request) {
    let told = Told::Dispute(word);
    let name = format!("told of {told:?}, funds {movement:?}");
    let mut request = notify(Uuid::from_u128(400), None, told);
    if let (Request::Notify(notify), Some(movement)) = (&mut request, movement) {
        notify.notification = format!("n {movement}").parse().unwrap();
        notify.funds = movement.parse().ok();
    }
    (name, request)
}
