//! What a command does.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Rejection, Request};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Evidence, FailureClass, Outcome, PaymentMethod};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Key, Lookup};
use counterfoil::text::{Actor, Message, Metadata, PaymentUrl};
use uuid::Uuid;

use super::trial::{Trial, card_payment, place};
use crate::desk::{created, started};
use crate::fixtures::{
    ach, card, credits, evidence, failed, gateway_operation, instrument, invoice, key, money, not_sent,
    pending, scope, succeeded, usd, wallet,
};

pub(super) async fn every_method_is_created_in_its_first_status(trial: &mut Trial) {
    trial.top_up("full", 1_000).await;
    let cases = [
        (card(), PaymentStatus::Processing, PaymentStatus::Initiated),
        (PaymentMethod::Card(Some(instrument("pm_1"))), PaymentStatus::Processing, PaymentStatus::Initiated),
        (ach(), PaymentStatus::Processing, PaymentStatus::Initiated),
        (PaymentMethod::Offline, PaymentStatus::Succeeded, PaymentStatus::Pending),
        (credits("full"), PaymentStatus::Succeeded, PaymentStatus::Pending),
        (credits("empty"), PaymentStatus::Failed, PaymentStatus::Pending),
    ];
    for (method, processed, recorded) in cases {
        let new = NewPayment::new(usd(1_000), invoice("inv_1"), method);
        for (new, status) in [(new.clone(), processed), (new.recorded_only(), recorded)] {
            let attempts = usize::from(new.process);
            let command = trial.desk.create(&trial.caller, new);
            let receipt = trial.done(&command).await;
            let payment = trial.payment(created(&command)).await;
            assert_eq!(receipt.payment(), Some(&payment), "a receipt shows what is stored");
            assert_eq!((payment.status(), payment.attempts().count()), (status, attempts), "{command:?}");
            assert_eq!((receipt.sequence, receipt.replayed, payment.version()), (1, false, 1));
        }
    }
}

pub(super) async fn the_same_command_again_is_a_replay(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    let (payment, attempt) = (created(&create), started(&create));
    let told = trial.desk.report(&trial.caller, payment, attempt, evidence(not_sent(), 1));
    let process = trial.desk.process(&trial.caller, payment, Processing::default());
    let top_up = trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(5)));
    let commands = [create, told, process, top_up];
    let mut first = Vec::new();
    for command in &commands {
        first.push(trial.done(command).await);
    }
    assert!(first.iter().all(|receipt| !receipt.replayed));
    let before = trial.digest().await;
    for (command, first) in commands.iter().zip(&first) {
        let again = trial.done(command).await;
        assert!(again.replayed, "{command:?}");
        if !matches!(command.request, Request::Report(_)) {
            assert_eq!(place(&again), place(first), "{command:?}");
        }
    }
    assert_eq!(trial.digest().await, before, "a replay writes nothing");
}

pub(super) async fn another_request_with_a_taken_id_is_refused(trial: &mut Trial) {
    let first = trial.desk.create(&trial.caller, card_payment());
    trial.done(&first).await;
    let id = created(&first);
    let mut other = trial.desk.create(&trial.caller, card_payment());
    if let Request::Create(create) = &mut other.request {
        create.payment = id;
    }
    assert_eq!(trial.refused(&other).await, Rejection::IdTaken(StreamId::Payment(id)));
    assert_eq!(trial.payment(id).await.version(), 1);
}

pub(super) async fn attempts_are_numbered_from_one(trial: &mut Trial) {
    let (payment, mut attempt) = trial.charging().await;
    for number in 2..6 {
        trial.report(payment, attempt, evidence(not_sent(), 1)).await;
        let command = trial.desk.process(&trial.caller, payment, Processing::default());
        let receipt = trial.done(&command).await;
        attempt = started(&command);
        let stored = trial.payment(payment).await;
        assert_eq!(receipt.payment(), Some(&stored));
        assert_eq!(stored.attempts().map(|attempt| attempt.number).max(), Some(number));
    }
    let numbers: Vec<u32> = trial.payment(payment).await.attempts().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

pub(super) async fn versions_rise_by_one(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    let outcomes = [pending(), failed(FailureClass::Soft), succeeded(None)];
    for (outcome, version) in outcomes.into_iter().zip(2..) {
        let receipt = trial.report(payment, attempt, evidence(outcome, 1)).await;
        assert_eq!(receipt.sequence, version);
        assert_eq!(trial.payment(payment).await.version(), version);
    }
    for version in 1..4 {
        assert_eq!(trial.top_up("w", 5).await.sequence, version);
    }
}

pub(super) async fn a_refused_command_writes_nothing(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    trial.top_up("w", 5).await;
    let nobody = PaymentId::new(Uuid::nil());
    let (desk, caller) = (&trial.desk, &trial.caller);
    let mut no_gateway = desk.create(caller, card_payment());
    no_gateway.gateways = Arc::default();
    let refused = [
        desk.create(caller, NewPayment::new(usd(0), invoice("inv_1"), card())),
        no_gateway,
        desk.process(caller, payment, Processing::default()),
        desk.process(caller, nobody, Processing::default()),
        desk.report(caller, nobody, attempt, evidence(succeeded(None), 1)),
        desk.archive(caller, payment),
        desk.top_up(caller, NewTopUp::new(wallet("w"), usd(0))),
        desk.top_up(caller, NewTopUp::new(wallet("w"), usd(Money::MAX_MINOR))),
    ];
    let (heads, digest) = (trial.heads().await, trial.digest().await);
    for command in refused {
        trial.refused(&command).await;
        assert_eq!(trial.heads().await, heads, "{command:?}");
    }
    assert_eq!(trial.digest().await, digest);
}

pub(super) async fn large_and_odd_values_come_back_as_they_were(trial: &mut Trial) {
    let texts = ["😀", "\u{301}e", "a'b\"c\\d%_", "ß ", "\u{feff}x", "{}"];
    let longest = |text: &str, max: usize| text.chars().cycle().take(max).collect::<String>();
    let mut payments = Vec::new();
    for (text, minor) in texts.into_iter().zip([Money::MAX_MINOR, 1, 7, 1 << 31, (1 << 53) - 2, 999]) {
        let who = Actor::new(longest(text, 255)).expect("a valid actor");
        let caller = Caller::new(scope(&longest(text, 64), &longest(text, 64)), who);
        let notes = (0..50).map(|n| (longest(&format!("{n} {text}"), 40), longest("a\n\t😀", 500)));
        let method = PaymentMethod::Card(Some(instrument(&longest(text, 255))));
        let new = NewPayment::new(money(minor, Currency::KWD), invoice(&longest(text, 255)), method)
            .with_metadata(Metadata::new(notes).expect("valid metadata"))
            .with_idempotency_key(key(&longest(text, 255)));
        let command = trial.desk.create(&caller, new);
        trial.done(&command).await;
        for evidence in odd_evidence(&longest(text, 255)) {
            let report = trial.desk.report(&caller, created(&command), started(&command), evidence);
            payments.push((command.clone(), trial.done(&report).await));
        }
        let top_up = NewTopUp::new(wallet(&longest(text, 255)), money(minor, Currency::JPY));
        trial.done(&trial.desk.top_up(&caller, top_up.with_idempotency_key(key(&longest(text, 255))))).await;
    }
    for (command, _) in &payments {
        let stored = trial.find(&command.caller.scope, created(command)).await.expect("it was created");
        let Request::Create(asked) = &command.request else { panic!("a create") };
        let terms = stored.terms();
        assert_eq!((terms.amount, &terms.destination), (asked.amount, &asked.destination));
        assert_eq!((&terms.method, &terms.metadata), (&asked.method, &asked.metadata));
        assert_eq!(
            (&terms.idempotency_key, &terms.created_by),
            (&asked.idempotency_key, &command.caller.actor)
        );
        assert_eq!(stored.captured(), asked.amount);
        assert!(trial.done(command).await.replayed);
    }
}

fn odd_evidence(id: &str) -> [Evidence; 3] {
    let url = PaymentUrl::new("😀".repeat(2_000)).expect("a valid address");
    let latest = |outcome| Evidence::new(outcome, Timestamp::MAX);
    [
        latest(Outcome::RequiresAction { payment_url: Some(url) }),
        latest(Outcome::Unknown { error_message: Message::lossy(&"中".repeat(1_000)) }),
        latest(Outcome::Succeeded).with_gateway_operation_id(gateway_operation(id)),
    ]
}

pub(super) async fn event_times_rise_though_the_clock_steps_back(trial: &mut Trial) {
    let start = trial.desk.clock().now();
    let (payment, attempt) = trial.charging().await;
    trial.top_up("w", 1).await;
    trial.desk.clock().set(Timestamp::EPOCH);
    for outcome in [pending(), failed(FailureClass::Hard), succeeded(None)] {
        trial.report(payment, attempt, evidence(outcome, 1)).await;
    }
    trial.top_up("w", 1).await;
    trial.desk.clock().set(start.saturating_add(Duration::from_secs(60)));
    trial.top_up("w", 1).await;
    for stream in [StreamId::Payment(payment), StreamId::Account(AccountId::wallet(&wallet("w")))] {
        let events = trial.history(&trial.caller.scope, &stream).await;
        assert!(events.len() >= 3 && events.is_sorted_by(|one, next| one.at() < next.at()), "{stream}");
    }
}

pub(super) async fn every_key_is_answered_present_or_absent(trial: &mut Trial) {
    let scope = trial.caller.scope.clone();
    let command = trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key("k")));
    trial.done(&command).await;
    trial.top_up("w", 1).await;
    let (payment, nobody) = (created(&command), PaymentId::new(Uuid::max()));
    let [held, unheld] = ["w", "v"].map(|name| AccountId::wallet(&wallet(name)));
    let events = trial.history(&scope, &StreamId::Payment(payment)).await;
    let claim = events[0].claims()[0].clone();
    let mut free = claim.key.clone();
    free.name = "free".into();
    let keys = [
        Key::Account(scope.clone(), unheld.clone()),
        Key::Payment(scope.clone(), nobody),
        Key::Claim(free.clone()),
        Key::Payment(scope.clone(), payment),
        Key::Claim(claim.key.clone()),
        Key::Account(scope.clone(), held.clone()),
        Key::Payment(scope.clone(), payment),
    ];
    let state = trial.read(&keys).await;
    assert!(keys.iter().all(|key| state.has(key)));
    assert_eq!(state.len(), 6, "nothing but what was asked for");
    assert!(matches!(state.payment(&scope, payment), Lookup::Present(_)));
    assert!(matches!(state.account(&scope, &held), Lookup::Present(_)));
    assert_eq!(state.claim(&claim.key), Lookup::Present(&claim));
    assert_eq!(state.payment(&scope, nobody), Lookup::Absent);
    assert_eq!(state.account(&scope, &unheld), Lookup::Absent);
    assert_eq!(state.claim(&free), Lookup::Absent);
    assert!(trial.read(&[]).await.is_empty());
}
