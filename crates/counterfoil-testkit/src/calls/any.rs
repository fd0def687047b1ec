//! Any calls.

use std::fmt::{Debug, Display};

use counterfoil::clock::Timestamp;
use counterfoil::command::Recorded;
use counterfoil::ledger::{NewAttempt, NewPayment, NewRecordedRefund, NewTopUp, Processing, Update};
use counterfoil::payment::PaymentMethod;
use counterfoil::status::PaymentStatus;
use counterfoil::text::{IdempotencyKey, Message, Metadata};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::select;

use super::Call;
use crate::fixtures;

/// Any calls, 1 to `most` of them.
pub fn any_calls(most: usize) -> impl Strategy<Value = Vec<Call>> {
    let place = || any::<u8>().prop_map(usize::from);
    let call = proptest::prop_oneof![
        6 => new_payment().prop_map(Call::Create),
        3 => (place(), processing()).prop_map(|(place, how)| Call::Process(place, how)),
        2 => (place(), new_attempt()).prop_map(|(place, new)| Call::Record(place, new)),
        2 => (place(), new_recorded_refund()).prop_map(|(place, new)| Call::RecordRefund(place, new)),
        6 => (place(), update(), option::weighted(0.3, 0..2_u64))
            .prop_map(|(place, update, seen)| Call::Update(place, update, seen)),
        1 => place().prop_map(Call::Archive),
        1 => new_top_up().prop_map(Call::TopUp),
        1 => (1..120_u32).prop_map(Call::Wait),
    ];
    vec(call, 1..=most)
}

fn text<T: std::str::FromStr<Err: Display + Debug>>(text: &str) -> T {
    text.parse().expect("the fixture's text is valid")
}

/// Few keys: they have to meet.
fn key() -> impl Strategy<Value = Option<IdempotencyKey>> {
    option::weighted(0.4, select(vec!["one", "two", "three"]).prop_map(fixtures::key))
}

fn metadata() -> impl Strategy<Value = Metadata> {
    select(vec![0, 1, 2]).prop_map(|size| {
        let entries = [("order", "7"), ("note", "line\nbreak \"quoted\" ü")].into_iter().take(size);
        Metadata::new(entries).expect("valid metadata")
    })
}

fn method() -> impl Strategy<Value = PaymentMethod> {
    let instruments = [
        "pm_1",
        "pm_sandbox_decline",
        "pm_sandbox_pending",
        "pm_sandbox_action",
        "pm_sandbox_timeout_paid",
        "pm_sandbox_timeout_unknown",
        "pm_sandbox_down",
        "pm_sandbox_overpaid",
    ];
    let instrument = || select(instruments.to_vec()).prop_map(fixtures::instrument);
    proptest::prop_oneof![
        4 => option::of(instrument()).prop_map(PaymentMethod::Card),
        1 => instrument().prop_map(PaymentMethod::Ach),
        1 => instrument().prop_map(PaymentMethod::Upi),
        1 => option::of(instrument()).prop_map(PaymentMethod::PaymentLink),
        1 => Just(PaymentMethod::Offline),
        2 => Just(fixtures::credits("main")),
    ]
}

fn new_payment() -> impl Strategy<Value = NewPayment> {
    // One currency: in which order several faults of one request are found is nobody's business.
    let amount = select(vec![fixtures::usd(1_000), fixtures::usd(1)]);
    let gateway = option::weighted(0.3, select(vec!["test-gateway", "elsewhere"]));
    (amount, method(), metadata(), key(), any::<bool>(), gateway).prop_map(
        |(amount, method, metadata, key, process, gateway)| {
            let mut new = NewPayment::new(amount, fixtures::invoice("inv_1"), method);
            (new.metadata, new.idempotency_key, new.process) = (metadata, key, process);
            new.checkout.gateway = gateway.map(text);
            new
        },
    )
}

fn processing() -> impl Strategy<Value = Processing> {
    (option::weighted(0.2, Just(fixtures::instrument("pm_2"))), key()).prop_map(|(instrument, key)| {
        let mut how = Processing::default();
        (how.instrument, how.idempotency_key) = (instrument, key);
        how
    })
}

fn new_attempt() -> impl Strategy<Value = NewAttempt> {
    let message = || option::of(select(vec!["no funds", "card refused"]).prop_map(text::<Message>));
    let outcome = proptest::prop_oneof![
        Just(Recorded::Succeeded { amount: None }),
        Just(Recorded::Succeeded { amount: Some(fixtures::usd(1_001)) }),
        message().prop_map(|error_message| Recorded::Failed { error_message }),
    ];
    (outcome, made_at(), option::of(select(vec!["ch_1", "ch_2"])), key()).prop_map(
        |(outcome, gateway, id, key)| {
            let mut new = NewAttempt::new(outcome);
            (new.gateway, new.idempotency_key) = (gateway.map(text), key);
            new.gateway_attempt_id = id.map(fixtures::gateway_operation);
            new
        },
    )
}

/// Where something was made elsewhere: mostly off-gateway.
fn made_at() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.3, select(vec!["test-gateway", "elsewhere"]))
}

fn new_recorded_refund() -> impl Strategy<Value = NewRecordedRefund> {
    let amount = option::weighted(0.8, select(vec![fixtures::usd(300), fixtures::usd(1_000)]));
    let id = option::of(select(vec!["re_1", "re_2"]));
    (amount, made_at(), id, key(), any::<bool>()).prop_map(|(amount, gateway, id, key, given)| {
        let mut new = NewRecordedRefund::default();
        (new.amount, new.gateway, new.idempotency_key) = (amount, gateway.map(text), key);
        new.gateway_refund_id = id.map(fixtures::gateway_operation);
        new.occurred_at = given.then(|| fixtures::second(7));
        new
    })
}

fn update() -> impl Strategy<Value = Update> {
    let status = option::weighted(0.8, (select(PaymentStatus::ALL.to_vec()), any::<bool>()));
    let gateway_payment_id =
        option::weighted(0.2, select(vec!["sandbox_paid_1", "sandbox_declined_1", "pi_1"]));
    let notes = option::weighted(0.3, metadata());
    (status, gateway_payment_id, notes, option::weighted(0.2, Just(fixtures::instrument("pm_2")))).prop_map(
        |(status, gateway_payment_id, metadata, instrument)| {
            let mut update = Update::default();
            update.status = status.map(|(status, given)| (status, given.then_some(moment(status)).flatten()));
            update.change.gateway_payment_id = gateway_payment_id.map(fixtures::gateway_payment);
            (update.change.metadata, update.change.instrument) = (metadata, instrument);
            update
        },
    )
}

/// Long ago; only of statuses that have a time of their own.
fn moment(status: PaymentStatus) -> Option<Timestamp> {
    let timed =
        [PaymentStatus::Succeeded, PaymentStatus::Failed, PaymentStatus::Refunded, PaymentStatus::Voided];
    timed.contains(&status).then(|| fixtures::second(7))
}

fn new_top_up() -> impl Strategy<Value = NewTopUp> {
    (select(vec![1_000, 1]), key()).prop_map(|(cents, key)| {
        let mut new = NewTopUp::new(fixtures::wallet("main"), fixtures::usd(cents));
        new.idempotency_key = key;
        new
    })
}
