//! What the bytes of a step mean.

use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Evidence, Failure, FailureClass, Outcome, PaymentMethod};
use counterfoil::scope::Caller;
use counterfoil::text::{Actor, ErrorCode, IdempotencyKey, Message, Metadata, PaymentUrl};

use super::{STEP, Step};
use crate::fixtures;

impl Step {
    /// The step that these bytes spell: first its kind, then who, which payment, which key or attempt, how
    /// much, and the rest.
    pub(super) fn from_bytes(bytes: [u8; STEP]) -> Step {
        let [kind, who, place, name, amount, what, how, when] = bytes;
        let payment = usize::from(place);
        match kind % 16 {
            0..=3 => Step::Create {
                caller: caller(who),
                new: new_payment(name, amount, what, how),
                gateway: has_gateway(how),
            },
            4..=5 => Step::Process {
                caller: other_caller(who),
                payment,
                how: processing(name, what),
                gateway: has_gateway(how),
            },
            6..=10 => Step::Report {
                caller: other_caller(who),
                payment,
                attempt: usize::from(name % 4),
                evidence: evidence(name / 4, amount, what, how, when),
            },
            11 => Step::Archive { caller: other_caller(who), payment },
            12..=13 => Step::TopUp { caller: caller(who), new: new_top_up(name, amount, what) },
            14 => Step::Again { command: payment },
            _ => Step::Clock { seconds: i64::from(i8::from_ne_bytes([what])) },
        }
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

fn wallet(what: u8) -> &'static str {
    if what % 8 == 7 { "spare" } else { "main" }
}

fn method(what: u8) -> PaymentMethod {
    match what % 8 {
        0 | 1 => fixtures::card(),
        2 => PaymentMethod::Card(Some(fixtures::instrument("pm_1"))),
        3 => fixtures::ach(),
        4 => PaymentMethod::Offline,
        _ => fixtures::credits(wallet(what)),
    }
}

fn new_payment(name: u8, amount: u8, what: u8, how: u8) -> NewPayment {
    let invoice = if how % 32 < 24 { "inv_1" } else { "inv_2" };
    let mut new = NewPayment::new(money(amount), fixtures::invoice(invoice), method(what));
    if how % 64 > 48 {
        new = new.with_metadata(Metadata::new([("order", "7")]).expect("valid metadata"));
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

fn evidence(id: u8, amount: u8, what: u8, how: u8, when: u8) -> Evidence {
    let evidence = fixtures::evidence(outcome(amount, what, how), u32::from(when % 4));
    match id % 8 {
        0..=4 => evidence,
        id => evidence.with_gateway_operation_id(fixtures::gateway_operation(&format!("ch_{id}"))),
    }
}

fn outcome(amount: u8, what: u8, how: u8) -> Outcome {
    let error_message = Message::lossy(if how.is_multiple_of(2) { "a reason" } else { "another reason" });
    match what % 8 {
        0 => fixtures::succeeded(None),
        1 => fixtures::succeeded(Some(money(amount))),
        2 => {
            let class = FailureClass::ALL[usize::from(how) % FailureClass::ALL.len()];
            Outcome::Failed(Failure { class, code: ErrorCode::lossy("declined"), message: error_message })
        }
        3 => Outcome::Pending,
        4 => {
            let url = PaymentUrl::new("https://pay.example/1").expect("a valid address");
            Outcome::RequiresAction { payment_url: (how % 2 == 1).then_some(url) }
        }
        5 | 6 => Outcome::NotSent { error_message },
        _ => Outcome::Unknown { error_message },
    }
}
