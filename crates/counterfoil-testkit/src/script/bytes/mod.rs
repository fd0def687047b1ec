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

use self::asked::{new_attempt, new_payment, new_top_up, processing};
use self::told::evidence;
use self::updates::update;
use super::{STEP, Step};
use crate::fixtures;

impl Step {
    /// The step that these bytes spell: first its kind, then who, which payment, which key or operation, how
    /// much, and the rest.
    pub(super) fn from_bytes(bytes: [u8; STEP]) -> Step {
        let [kind, who, place, name, amount, what, how, when] = bytes;
        let caller = other_caller(who);
        let payment = payment(place);
        match kind % 64 {
            0..=11 => Step::Create {
                caller: self::caller(who),
                new: new_payment(name, amount, what, how),
                known: known(when),
                expires_in: (when % 8 == 7).then(|| seconds(when / 8)),
                gateway: has_gateway(how),
            },
            12..=14 => Step::Process {
                caller,
                payment,
                how: processing(name, what),
                number: None,
                known: known(when),
                gateway: has_gateway(how),
            },
            15..=25 => Step::Report {
                caller,
                payment,
                operation: usize::from(name % 8),
                evidence: evidence(name / 8, amount, what, how, when),
            },
            26 => Step::RecordAttempt { caller, payment, new: new_attempt(name, amount, what, how) },
            27 | 28 => Step::Discover {
                caller,
                payment,
                gateway: gateway(how / 32).unwrap_or_else(fixtures::gateway),
                name: fixtures::gateway_payment(gateway_id(when / 4).unwrap_or("ch_5")),
                evidence: evidence(name, amount, what, how, when),
            },
            29..=33 => Step::Update { caller, payment, update: update(name, amount, what, how, when) },
            34 => Step::Archive { caller, payment },
            35 => Step::TopUp { caller: self::caller(who), new: new_top_up(name, amount, what) },
            36 => Step::Again { command: usize::from(place) },
            37..=39 => {
                Step::Clock { seconds: if what < 128 { seconds(what) } else { i64::from(what) - 256 } }
            }
            _ => moves::step(bytes, caller, payment),
        }
    }
}

/// Moments after now, or now, that make a difference: leases, polls, retries.
fn seconds(which: u8) -> i64 {
    [1, 5, 61, 600, 3_600, 4 * 3_600, 90_000, 0][usize::from(which % 8)]
}

/// Mostly one of a few, so that much happens to it.
fn payment(place: u8) -> usize {
    usize::from(if place < 192 { place % 4 } else { place })
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
    (who % 16 > 12).then(|| caller(who))
}

fn has_gateway(how: u8) -> bool {
    how % 16 != 15
}

/// Mostly no key, and never many different ones: they have to meet.
fn idempotency_key(name: u8) -> Option<IdempotencyKey> {
    let key = name % 8;
    (key > 3).then(|| fixtures::key(&format!("key-{key}")))
}

/// Amounts that are near each other, too many, too few, of other currencies, and the ends of what there is.
fn money(amount: u8) -> Money {
    let (minor, currency) = match amount % 16 {
        0..=5 => (1_000, Currency::USD),
        6 => (999, Currency::USD),
        7 => (1_001, Currency::USD),
        8 => (300, Currency::USD),
        9 => (1, Currency::USD),
        10 => (0, Currency::USD),
        11 => (Money::MAX_MINOR, Currency::USD),
        12 => (5_000, Currency::USD),
        13 => (1_000, Currency::JPY),
        14 => (1_000, Currency::KWD),
        _ => (0, Currency::JPY),
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
        212..=217 => Known::Found(DestinationInfo::owing(fixtures::usd(1_000))),
        218..=223 => Known::Found(DestinationInfo::owing(fixtures::usd(2_500))),
        224..=235 => Known::Found(payable(Currency::USD).with_number(number)),
        236..=239 => Known::Found(payable(Currency::USD).not_payable()),
        240..=245 => Known::Found(payable(Currency::JPY)),
        246..=250 => Known::Absent,
        251..=255 => Known::Unavailable,
        _ => Known::Unasked,
    }
}

/// None, one that there is, the other, and one that there is not.
fn gateway(which: u8) -> Option<GatewayName> {
    match which % 8 {
        5 => Some(fixtures::gateway()),
        6 => Some(fixtures::other_gateway()),
        7 => Some("no-gateway".parse().expect("a valid name")),
        _ => None,
    }
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
