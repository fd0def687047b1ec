//! What the bytes of a step mean.

mod asked;
mod moves;
mod told;
mod updates;

use counterfoil::destinations::{DestinationInfo, Known};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::Destination;
use counterfoil::scope::Caller;
use counterfoil::text::{Actor, GatewayName, IdempotencyKey, Message, Metadata};

use self::asked::{gateway_entry, new_attempt, new_payment, new_top_up, processing};
use self::told::evidence;
use self::updates::update;
use super::{Place, STEP, Step};
use crate::fixtures;

impl Step {
    /// The step that these bytes spell: first its kind, then who, which payment, which key or operation, how
    /// much, and the rest.
    pub(super) fn from_bytes(bytes: [u8; STEP]) -> Step {
        let [kind, who, place, name, amount, what, how, when] = bytes;
        let caller = other_caller(who);
        let payment = payment(place);
        match kind % 64 {
            0..=4 => Step::Create {
                caller: self::caller(who),
                new: new_payment(name, amount, what, how),
                known: known(when),
                expires_in: (when % 4 == 3).then(|| if when == 255 { 0 } else { seconds(when / 8) }),
                gateway: has_gateway(how),
            },
            5..=7 => Step::Process {
                caller,
                payment,
                how: processing(name, what),
                number: None,
                known: known(when),
                gateway: has_gateway(how),
            },
            8..=20 => Step::Report {
                caller,
                payment,
                operation: operation(name),
                evidence: evidence(name / 8, amount, what, how, when),
            },
            21 => Step::RecordAttempt { caller, payment, new: new_attempt(name, amount, what, how, when) },
            22 => Step::Discover {
                caller,
                payment,
                gateway: gateway(how / 32).unwrap_or_else(fixtures::gateway),
                name: fixtures::gateway_payment(gateway_id(when / 4).unwrap_or("ch_5")),
                evidence: evidence(name, amount, what, how, when),
            },
            23..=26 => Step::Update { caller, payment, update: update(name, amount, what, how, when) },
            27 => Step::Archive { caller, payment },
            28 if when >= 128 => Step::RecordGatewayEntry {
                caller: self::caller(who),
                record: gateway_entry(name, amount, what, how),
            },
            28 => Step::TopUp { caller: self::caller(who), new: new_top_up(name, amount, what) },
            29 => Step::Again { command: usize::from(place) },
            30..=36 => {
                Step::Clock { seconds: if what < 224 { seconds(what) } else { i64::from(what) - 256 } }
            }
            _ => moves::step(bytes, caller, payment),
        }
    }
}

/// Moments after now, or now, that make a difference: leases, polls, retries.
fn seconds(which: u8) -> i64 {
    [1, 2, 5, 61, 600, 3_600, 4 * 3_600, 90_000][usize::from(which % 8)]
}

/// Mostly one of the last few, so that much happens to it.
fn payment(place: u8) -> usize {
    match place {
        0..=159 => 0,
        160..=207 => 1,
        208..=239 => 2,
        other => usize::from(other) - 237,
    }
}

/// Mostly one that goes on; else the first, or one of the last.
fn operation(name: u8) -> Place {
    match name % 8 {
        0..=3 => Place::Live(0),
        4 => Place::Live(1),
        5 => Place::First(0),
        other => Place::Last(usize::from(other) - 6),
    }
}

/// Two people of one scope, that tenant's other environment, and another tenant.
fn caller(who: u8) -> Caller {
    let (tenant, environment, actor) = match who % 4 {
        0 => ("acme", "production", "alice"),
        1 => ("acme", "production", "bob"),
        2 => ("acme", "sandbox", "alice"),
        _ => ("Zeta", "production", "alice"),
    };
    let actor = Actor::new(actor).expect("a valid actor");
    Caller::new(fixtures::scope(tenant, environment), actor)
}

/// Mostly the payment's own caller.
fn other_caller(who: u8) -> Option<Caller> {
    (who % 32 > 29).then(|| caller(who))
}

fn has_gateway(how: u8) -> bool {
    how % 16 != 15
}

/// Mostly no key, and never many different ones: they have to meet.
fn idempotency_key(name: u8) -> Option<IdempotencyKey> {
    let key = name % 16;
    (key > 12).then(|| fixtures::key(&format!("key-{key}")))
}

/// Amounts that are near each other, too many, too few, and seldom of other currencies or the ends of what there is.
fn money(amount: u8) -> Money {
    let (minor, currency) = match amount {
        240..=242 => (0, Currency::USD),
        243..=245 => (Money::MAX_MINOR, Currency::USD),
        246..=249 => (1_000, Currency::JPY),
        250..=253 => (1_000, Currency::KWD),
        254 | 255 => (0, Currency::JPY),
        _ => match amount % 16 {
            0..=7 => (1_000, Currency::USD),
            8 => (999, Currency::USD),
            9 => (1_001, Currency::USD),
            10..=12 => (300, Currency::USD),
            13 => (700, Currency::USD),
            14 => (1, Currency::USD),
            _ => (5_000, Currency::USD),
        },
    };
    fixtures::money(minor, currency)
}

fn destination(how: u8) -> Destination {
    match how % 32 {
        0..=11 => fixtures::invoice("inv_1"),
        12..=17 => fixtures::invoice("inv_2"),
        18..=21 => fixtures::invoice("inv_3"),
        _ => fixtures::customer("inv_1"),
    }
}

/// Mostly nobody is asked; else all that can be known of what is paid.
fn known(when: u8) -> Known {
    let payable = DestinationInfo::payable_in;
    let number = "No. 7".parse().expect("a valid number");
    match when {
        216..=223 => Known::Found(DestinationInfo::owing(fixtures::usd(1_000))),
        224..=231 => Known::Found(DestinationInfo::owing(fixtures::usd(2_500))),
        232..=251 => Known::Found(payable(Currency::USD).with_number(number)),
        252 => Known::Found(payable(Currency::USD).not_payable()),
        253 => Known::Found(payable(Currency::JPY)),
        254 => Known::Absent,
        255 => Known::Unavailable,
        _ => Known::Unasked,
    }
}

/// None, one that there is, the other, and one that there is not.
fn gateway(which: u8) -> Option<GatewayName> {
    match which % 8 {
        5 => Some(fixtures::gateway()),
        6 => Some(fixtures::other_gateway()),
        7 => Some(no_gateway()),
        _ => None,
    }
}

fn no_gateway() -> GatewayName {
    "no-gateway".parse().expect("a valid name")
}

fn metadata(which: u8) -> Metadata {
    let entries = if which.is_multiple_of(2) { vec![("order", "7")] } else { vec![] };
    Metadata::new(entries).expect("valid metadata")
}

/// Mostly none, and never many different ones: of operations and of payments, they have to meet.
fn gateway_id(which: u8) -> Option<&'static str> {
    match which % 8 {
        5 => Some("ch_5"),
        6 => Some("ch_6"),
        7 => Some("ch_7"),
        _ => None,
    }
}

fn message(which: u8) -> Message {
    Message::lossy(if which.is_multiple_of(2) { "a reason" } else { "another reason" })
}
