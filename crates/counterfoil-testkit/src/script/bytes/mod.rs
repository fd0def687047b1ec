//! What the bytes of a step mean.

use counterfoil::clock::Timestamp;
use counterfoil::command::Recorded;
use counterfoil::destinations::{DestinationInfo, Known};
use counterfoil::ledger::{NewAttempt, NewPayment, NewTopUp, Processing, Update};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    Destination, Evidence, Failure, FailureClass, Outcome, PaymentMethod, References,
};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::text::{Actor, ErrorCode, GatewayName, IdempotencyKey, Message, Metadata, PaymentUrl};

use super::{STEP, Step};
use crate::fixtures;

impl Step {
    /// The step that these bytes spell: first its kind, then who, which payment, which key or operation, how
    /// much, and the rest.
    pub(super) fn from_bytes(bytes: [u8; STEP]) -> Step {
        let [kind, who, place, name, amount, what, how, when] = bytes;
        let caller = other_caller(who);
        let payment = payment(place);
        match kind % 32 {
            0..=8 => Step::Create {
                caller: self::caller(who),
                new: new_payment(name, amount, what, how),
                known: known(when),
                gateway: has_gateway(how),
            },
            9..=11 => Step::Process {
                caller,
                payment,
                how: processing(name, what),
                known: known(when),
                gateway: has_gateway(how),
            },
            12..=17 => Step::Report {
                caller,
                payment,
                operation: usize::from(name % 4),
                evidence: evidence(name / 4, amount, what, how, when),
            },
            18..=19 => Step::RecordAttempt { caller, payment, new: new_attempt(name, amount, what, how) },
            20..=21 => Step::Discover {
                caller,
                payment,
                gateway: gateway(how / 32).unwrap_or_else(fixtures::gateway),
                name: fixtures::gateway_payment(gateway_id(when / 4).unwrap_or("ch_5")),
                evidence: evidence(name, amount, what, how, when),
            },
            22..=27 => Step::Update { caller, payment, update: update(name, amount, what, how, when) },
            28 => Step::Archive { caller, payment },
            29 => Step::TopUp { caller: self::caller(who), new: new_top_up(name, amount, what) },
            30 => Step::Again { command: usize::from(place) },
            _ => Step::Clock { seconds: i64::from(i8::from_ne_bytes([what])) },
        }
    }
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

/// Mostly nobody is asked; else all that can be known of what is paid.
fn known(when: u8) -> Known {
    let payable = DestinationInfo::payable_in;
    let number = "No. 7".parse().expect("a valid number");
    match when {
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

fn wallet(what: u8) -> &'static str {
    if what % 8 == 7 { "spare" } else { "main" }
}

fn method(what: u8) -> PaymentMethod {
    match what % 16 {
        0..=3 => fixtures::card(),
        4 | 5 => PaymentMethod::Card(Some(fixtures::instrument("pm_1"))),
        6 => fixtures::ach(),
        7 => PaymentMethod::PaymentLink(None),
        8 => PaymentMethod::Upi(fixtures::instrument("vpa_1")),
        9 | 10 => PaymentMethod::Offline,
        _ => fixtures::credits(wallet(what)),
    }
}

fn destination(how: u8) -> Destination {
    match how % 32 {
        0..=23 => fixtures::invoice("inv_1"),
        24..=29 => fixtures::invoice("inv_2"),
        _ => fixtures::customer("inv_1"),
    }
}

fn metadata(which: u8) -> Metadata {
    let entries = if which.is_multiple_of(2) { vec![("order", "7")] } else { vec![] };
    Metadata::new(entries).expect("valid metadata")
}

fn new_payment(name: u8, amount: u8, what: u8, how: u8) -> NewPayment {
    let mut new = NewPayment::new(money(amount), destination(how), method(what));
    if how % 64 > 48 {
        new = new.with_metadata(metadata(0));
    }
    if let Some(gateway) = gateway(what / 32) {
        new = new.with_gateway(gateway);
    }
    match name / 8 {
        28 => new.checkout.success_url = "https://host.example/well".parse().ok(),
        29 => new.checkout.cancel_url = "https://host.example/not".parse().ok(),
        30 => new.checkout.options = r#"{"a":1}"#.parse().ok(),
        31 => new.checkout.save_card_and_make_default = true,
        _ => {}
    }
    if let Some(key) = idempotency_key(name) {
        new = new.with_idempotency_key(key);
    }
    if how % 4 == 3 { new.recorded_only() } else { new }
}

fn processing(name: u8, what: u8) -> Processing {
    let mut how = Processing::default();
    if what % 4 == 3 {
        how = how.with_instrument(fixtures::instrument("pm_2"));
    }
    if let Some(key) = idempotency_key(name) {
        how = how.with_idempotency_key(key);
    }
    how
}

fn new_top_up(name: u8, amount: u8, what: u8) -> NewTopUp {
    let new = NewTopUp::new(fixtures::wallet(wallet(what)), money(amount));
    match idempotency_key(name) {
        Some(key) => new.with_idempotency_key(key),
        None => new,
    }
}

fn new_attempt(name: u8, amount: u8, what: u8, how: u8) -> NewAttempt {
    let error_message = how.is_multiple_of(2).then(|| message(what));
    let mut new = NewAttempt::new(match what % 8 {
        0..=2 => Recorded::Succeeded { amount: None },
        3 | 4 => Recorded::Succeeded { amount: Some(money(amount)) },
        _ => Recorded::Failed { error_message },
    });
    if let Some(id) = gateway_id(how / 2) {
        new = new.with_gateway_attempt_id(fixtures::gateway_operation(id));
    }
    match idempotency_key(name) {
        Some(key) => new.with_idempotency_key(key),
        None => new,
    }
}

fn update(name: u8, amount: u8, what: u8, how: u8, when: u8) -> Update {
    let mut update = match target(what) {
        Some(status) => match when % 16 {
            0..=11 => Update::to(status),
            15 => Update::to_since(status, Timestamp::MAX),
            second => Update::to_since(status, fixtures::second(second.into())),
        },
        None => Update::default(),
    };
    if target(what).is_none() || how.is_multiple_of(4) {
        change(&mut update.change, name, amount, what, how);
    }
    if when / 16 > 12 { update.if_version((when / 16 - 12).into()) } else { update }
}

fn target(what: u8) -> Option<PaymentStatus> {
    match what % 32 {
        0..=4 => Some(PaymentStatus::Succeeded),
        5..=9 => Some(PaymentStatus::Refunded),
        10..=14 => Some(PaymentStatus::Voided),
        15..=17 => Some(PaymentStatus::Failed),
        18 | 19 => Some(PaymentStatus::Pending),
        20 => Some(PaymentStatus::ALL[usize::from(what / 32) % PaymentStatus::ALL.len()]),
        _ => None,
    }
}

fn change(change: &mut References, name: u8, amount: u8, what: u8, how: u8) {
    if name % 4 == 1 {
        change.metadata = Some(metadata(how / 4));
    }
    change.gateway = gateway(name / 8);
    change.gateway_payment_id = gateway_id(amount).map(|id| id.parse().expect("a valid id"));
    if amount / 16 == 15 {
        change.gateway_tracking_id = Some("track_1".parse().expect("a valid id"));
    }
    if how % 16 > 13 {
        change.instrument = Some(fixtures::instrument("pm_3"));
    }
    change.error_message = how.is_multiple_of(8).then(|| message(what));
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

fn evidence(id: u8, amount: u8, what: u8, how: u8, when: u8) -> Evidence {
    let evidence = fixtures::evidence(outcome(amount, what, how), u32::from(when % 4));
    match gateway_id(id) {
        Some(id) => evidence.with_gateway_operation_id(fixtures::gateway_operation(id)),
        None => evidence,
    }
}

fn outcome(amount: u8, what: u8, how: u8) -> Outcome {
    let error_message = message(how);
    match what % 16 {
        0 | 8 | 9 => fixtures::succeeded(None),
        1 | 10 => fixtures::succeeded(Some(money(amount))),
        2 | 11 => {
            let class = FailureClass::ALL[usize::from(how) % FailureClass::ALL.len()];
            Outcome::Failed(Failure { class, code: ErrorCode::lossy("declined"), message: error_message })
        }
        3 => Outcome::Pending,
        4 | 12 | 13 => {
            let url = PaymentUrl::new("https://pay.example/1").expect("a valid address");
            Outcome::RequiresAction { payment_url: (how % 2 == 1).then_some(url) }
        }
        5 | 6 => Outcome::NotSent { error_message },
        14 => Outcome::Canceled { error_message },
        _ => Outcome::Unknown { error_message },
    }
}
