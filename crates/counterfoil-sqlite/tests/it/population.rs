//! Payments of every kind, close to each other in whatever lists filter and sort by.

use counterfoil::account::Owed;
use counterfoil::clock::Timestamp;
use counterfoil::command::{
    Command, Create, Policy, Poll, Process, Register, Report, Request, Target, Update,
};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, PaymentId, UpdateId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    CaptureMethod, Checkout, Destination, Evidence, Outcome, PaymentMethod, PaymentMethodType, References,
    Work,
};
use counterfoil::status::PaymentStatus;
use counterfoil::text::{Message, Metadata};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::support::*;

/// Names that a comparison other than byte by byte would take for each other, or lose.
pub(crate) const NAMES: [&str; 10] =
    ["a", "A", "a ", "é", "e\u{301}", "\u{feff}a", "\u{fffe}", "\u{ffff}", "7", "07"];
pub(crate) const GATEWAYS: [&str; 3] = ["gate", "Gate", "\u{1f4b6}"];

pub(crate) fn currencies() -> impl Strategy<Value = Currency> {
    select(vec![Currency::USD, Currency::JPY, Currency::KWD])
}

/// Few different ones, so that ids have to break ties.
pub(crate) fn time(seconds: u8) -> Timestamp {
    Timestamp::from_unix_micros(i64::from(seconds) * 1_000_000).unwrap()
}

/// The id of a payment by number; they do not rise with it.
pub(crate) fn payment_id(number: usize) -> PaymentId {
    PaymentId::new(Uuid::from_u128(
        (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
    ))
}

fn attempt_id(number: usize) -> AttemptId {
    AttemptId::new(payment_id(number).as_uuid())
}

/// The commands that these bytes spell. Some will be refused.
pub(crate) fn commands(steps: &[[u8; 8]]) -> Vec<Command> {
    let (acme, zebra) = (Maker::new("acme"), Maker::new("zebra"));
    let mut made = 0;
    let mut commands = vec![acme.top_up("w", 5_000), zebra.top_up("w", 5_000)];
    for step in steps {
        let maker = if step[0] % 4 == 0 { &zebra } else { &acme };
        let request = request(*step, &mut made);
        let gateways = GATEWAYS.map(|name| name.parse().unwrap()).into();
        // Whoever is asked in vain is not asked again.
        let policy = Policy::default().with_polls([]).into();
        let at = if matches!(request, Request::Poll(_)) { time(70) } else { time(step[1] % 5) };
        commands.push(Command { at, gateways, policy, ..maker.command(request) });
    }
    commands
}

fn request(step: [u8; 8], made: &mut usize) -> Request {
    let [_, _, kind, of, names @ ..] = step;
    let of = usize::from(of) % (*made + 1);
    let (payment, attempt) = (payment_id(of), attempt_id(of));
    match kind % 16 {
        0..=7 => {
            *made += 1;
            create(*made - 1, names)
        }
        8 => Request::Process(Process {
            payment,
            attempt,
            number: None,
            instrument: None,
            known: Known::Unasked,
            idempotency_key: None,
            queued: false,
        }),
        9 | 10 => {
            let evidence = Evidence::new(outcome(names), time(9)).with_amount(amount(names));
            Request::Report(Report { payment, operation: attempt.into(), evidence })
        }
        11 | 12 => Request::Update(update(payment, names)),
        13 => Request::Poll(Poll {
            payment,
            work: Work::Poll { operation: attempt.into(), polls: 0 },
            resend: false,
        }),
        14 => register(names),
        _ => Request::Archive(counterfoil::command::Archive { payment }),
    }
}

fn outcome([which, ..]: [u8; 4]) -> Outcome {
    match which % 5 {
        0 | 1 => Outcome::Succeeded,
        2 => Outcome::Unknown { error_message: Message::lossy("no answer") },
        3 => Outcome::Canceled { error_message: Message::lossy("by the payer") },
        _ => Outcome::Pending,
    }
}

/// What is reported with some successes.
fn amount([which, minor, ..]: [u8; 4]) -> Option<Money> {
    Money::from_minor(i64::from(minor), Currency::USD).ok().filter(|_| which % 5 == 1)
}

fn register([name, due, ..]: [u8; 4]) -> Request {
    let amount_due = Money::from_minor(i64::from(due) * 100, Currency::USD).unwrap();
    let destination = Destination::invoice(NAMES[usize::from(name) % NAMES.len()].parse().unwrap());
    Request::Register(Register { destination, owed: Owed { amount_due, number: None, payable: due % 8 > 0 } })
}

fn create(number: usize, [name, what, how, amount]: [u8; 4]) -> Request {
    let currency = [Currency::USD, Currency::JPY, Currency::KWD][usize::from(amount) % 3];
    let destination = NAMES[usize::from(name) % NAMES.len()].parse().unwrap();
    let kind = PaymentMethodType::ALL[usize::from(what) % PaymentMethodType::ALL.len()];
    let id = match kind {
        PaymentMethodType::Offline => None,
        _ => Some("w"),
    };
    let mut checkout = Checkout::default();
    checkout.gateway = (how % 3 == 0).then(|| GATEWAYS[usize::from(how / 3) % 3].parse().unwrap());
    Request::Create(Create {
        payment: payment_id(number),
        amount: Money::from_minor(i64::from(amount / 64) * 990 + 10, currency).unwrap(),
        destination: if how % 2 == 0 {
            Destination::invoice(destination)
        } else {
            Destination::customer(destination)
        },
        known: Known::Unasked,
        method: PaymentMethod::new(kind, id).unwrap(),
        capture_method: CaptureMethod::Automatic,
        expires_at: (how % 7 == 0).then(|| time(40 + amount / 64)),
        checkout,
        metadata: Metadata::default(),
        idempotency_key: None,
        process: (how % 5 < 2).then(|| attempt_id(number)),
        queued: false,
    })
}

fn update(payment: PaymentId, [name, what, how, to]: [u8; 4]) -> Update {
    let mut change = References::default();
    if what % 3 == 0 {
        change.gateway_payment_id = Some(NAMES[usize::from(name) % NAMES.len()].parse().unwrap());
    }
    if what % 3 == 1 {
        change.gateway_tracking_id = Some(NAMES[usize::from(name) % NAMES.len()].parse().unwrap());
    }
    if how % 4 == 0 {
        change.gateway = Some(GATEWAYS[usize::from(how / 4) % 3].parse().unwrap());
    }
    let target = (how % 4 == 1)
        .then(|| Target { status: PaymentStatus::ALL[usize::from(to) % PaymentStatus::ALL.len()], at: None });
    let id = [payment.as_uuid().as_bytes()[12..].try_into().unwrap(), [name, what, how, to]];
    let id = u128::from_be_bytes(id.as_flattened().repeat(2).try_into().unwrap());
    Update { update: UpdateId::new(Uuid::from_u128(id)), payment, if_version: None, change, target }
}
