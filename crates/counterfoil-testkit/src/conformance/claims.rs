//! Idempotency keys.

use std::sync::Arc;

use counterfoil::claim::RequestField::{
    self, Amount, Currency as CurrencyField, DestinationId, Metadata as MetadataField, PaymentId,
    PaymentMethodId, PaymentMethodType, ProcessPayment, WalletId,
};
use counterfoil::command::{Command, Rejection};
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::money::Currency;
use counterfoil::payment::PaymentMethod;
use counterfoil::scope::Caller;
use counterfoil::text::{Actor, Metadata};

use super::trial::{Trial, card_payment, place};
use crate::desk::{created, started};
use crate::fixtures::{
    caller, card, evidence, instrument, invoice, key, money, not_sent, scope, succeeded, usd, wallet,
};

pub(super) async fn the_same_key_gives_the_same_receipt(trial: &mut Trial) {
    let recorded = trial.desk.create(&trial.caller, card_payment().recorded_only());
    trial.done(&recorded).await;
    let somebody_else = Caller::new(trial.caller.scope.clone(), Actor::new("else").expect("a valid actor"));
    let ask = |caller: &Caller| {
        let processing = Processing::default().with_idempotency_key(key("k"));
        [
            trial.desk.create(caller, card_payment().with_idempotency_key(key("k"))),
            trial.desk.process(caller, created(&recorded), processing),
            trial.desk.top_up(caller, NewTopUp::new(wallet("w"), usd(5)).with_idempotency_key(key("k"))),
        ]
    };
    for (first, again) in ask(&trial.caller).iter().zip(&ask(&somebody_else)) {
        let first = trial.done(first).await;
        let streams = trial.heads().await;
        let again = trial.done(again).await;
        assert_eq!((first.replayed, again.replayed), (false, true));
        assert_eq!((place(&again), &again.subject), (place(&first), &first.subject));
        assert_eq!(trial.heads().await, streams, "nothing was written");
    }
}

pub(super) async fn a_key_gives_its_first_receipt_after_later_events_too(trial: &mut Trial) {
    let new = card_payment().with_idempotency_key(key("k"));
    let create = trial.desk.create(&trial.caller, new.clone());
    let first = trial.done(&create).await;
    trial.report(created(&create), started(&create), evidence(not_sent(), 1)).await;
    let how = Processing::default().with_idempotency_key(key("p"));
    let process = trial.desk.process(&trial.caller, created(&create), how.clone());
    let second = trial.done(&process).await;
    trial.report(created(&create), started(&process), evidence(succeeded(None), 1)).await;

    let again = trial.done(&trial.desk.create(&trial.caller, new)).await;
    assert_eq!((place(&again), again.replayed), (place(&first), true));
    let stored = trial.payment(created(&create)).await;
    assert_eq!(again.payment(), Some(&stored), "the payment is shown as it stands now");
    let again = trial.done(&trial.desk.process(&trial.caller, created(&create), how)).await;
    assert_eq!((place(&again), again.replayed), (place(&second), true));
    assert_eq!(stored.attempts().count(), 2);
}

pub(super) async fn another_request_under_a_key_names_what_differs(trial: &mut Trial) {
    let notes = |value: &str| Metadata::new([("note", value)]).expect("valid metadata");
    let new = card_payment().with_metadata(notes("1")).with_idempotency_key(key("k"));
    let first = trial.desk.create(&trial.caller, new.clone());
    let stream = trial.done(&first).await.stream;
    let changed = |change: fn(&mut NewPayment)| {
        let mut other = new.clone();
        change(&mut other);
        other
    };
    let others: [(NewPayment, &[RequestField]); 7] = [
        (changed(|new| new.amount = usd(1_001)), &[Amount]),
        (changed(|new| new.amount = money(1_000, Currency::EUR)), &[CurrencyField]),
        (changed(|new| new.destination = invoice("inv_2")), &[DestinationId]),
        (changed(|new| new.method = PaymentMethod::Offline), &[PaymentMethodType]),
        (changed(|new| new.method = PaymentMethod::Card(Some(instrument("pm_1")))), &[PaymentMethodId]),
        (changed(|new| new.metadata = Metadata::default()), &[MetadataField]),
        (new.clone().with_metadata(notes("2")).recorded_only(), &[MetadataField, ProcessPayment]),
    ];
    let heads = trial.heads().await;
    for (other, fields) in others {
        let refused = trial.refused(&trial.desk.create(&trial.caller, other)).await;
        assert_eq!(refused, Rejection::KeyMismatch { stream: stream.clone(), fields: fields.to_vec() });
    }
    assert_eq!(trial.heads().await, heads, "nothing was written");
    assert!(trial.done(&trial.desk.create(&trial.caller, new)).await.replayed);
    of_processing_and_topping_up(trial).await;
}

async fn of_processing_and_topping_up(trial: &Trial) {
    let fields = |rejection| match rejection {
        Rejection::KeyMismatch { fields, .. } => fields,
        other => panic!("not a mismatch: {other:?}"),
    };
    let [one, other] = [0, 1].map(|_| trial.desk.create(&trial.caller, card_payment().recorded_only()));
    trial.done(&one).await;
    trial.done(&other).await;
    let how = Processing::default().with_idempotency_key(key("k"));
    trial.done(&trial.desk.process(&trial.caller, created(&one), how.clone())).await;
    let wrong = how.clone().with_instrument(instrument("pm_1"));
    let refused = trial.refused(&trial.desk.process(&trial.caller, created(&one), wrong)).await;
    assert_eq!(fields(refused), [PaymentMethodId]);
    let refused = trial.refused(&trial.desk.process(&trial.caller, created(&other), how)).await;
    assert_eq!(fields(refused), [PaymentId]);

    let ask = |name: &str, amount| NewTopUp::new(wallet(name), amount).with_idempotency_key(key("k"));
    trial.done(&trial.desk.top_up(&trial.caller, ask("w", usd(5)))).await;
    let refused = trial.refused(&trial.desk.top_up(&trial.caller, ask("v", money(6, Currency::EUR)))).await;
    assert_eq!(fields(refused), [Amount, CurrencyField, WalletId]);
}

pub(super) async fn keys_of_other_tenants_environments_and_kinds_never_meet(trial: &mut Trial) {
    let callers = [
        caller("acme"),
        Caller::new(scope("acme", "sandbox"), caller("acme").actor),
        caller("acme2"),
        Caller::new(scope("acm", "eproduction"), caller("acme").actor),
        Caller::new(scope("production", "acme"), caller("acme").actor),
    ];
    for (caller, cents) in callers.iter().zip(1..) {
        // Another amount each: had the keys met, it would be a mismatch.
        let new = NewPayment::new(usd(cents), invoice("inv_1"), card()).recorded_only();
        let create = trial.desk.create(caller, new.with_idempotency_key(key("k")));
        let how = Processing::default().with_idempotency_key(key("k"));
        let top_up = NewTopUp::new(wallet("w"), usd(cents)).with_idempotency_key(key("k"));
        let process = trial.desk.process(caller, created(&create), how);
        for command in [create, process, trial.desk.top_up(caller, top_up)] {
            assert!(!trial.done(&command).await.replayed, "{command:?}");
            assert!(trial.done(&command).await.replayed, "{command:?}");
        }
    }
    assert_eq!(trial.heads().await.len(), 2 * callers.len());
}

pub(super) async fn keys_are_compared_byte_by_byte(trial: &mut Trial) {
    let keys = ["key", "KEY", "key ", " key", "kéy", "ke\u{301}y", "key%", "key_", "k", "ﬀ", "ff"];
    for (name, cents) in keys.into_iter().zip(1..) {
        let new = NewPayment::new(usd(cents), invoice("inv_1"), card()).with_idempotency_key(key(name));
        assert!(!trial.done(&trial.desk.create(&trial.caller, new)).await.replayed, "{name:?}");
    }
    assert_eq!(trial.heads().await.len(), keys.len());
}

pub(super) async fn a_refused_command_binds_no_key(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    let how = Processing::default().with_idempotency_key(key("k"));
    let nothing = NewPayment::new(usd(0), invoice("inv_1"), card()).with_idempotency_key(key("k"));
    let empty = NewTopUp::new(wallet("w"), usd(0)).with_idempotency_key(key("k"));
    let mut no_gateway = trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key("k")));
    no_gateway.gateways = Arc::default();
    let refused: [Command; 4] = [
        trial.desk.create(&trial.caller, nothing),
        no_gateway,
        trial.desk.process(&trial.caller, payment, how.clone()),
        trial.desk.top_up(&trial.caller, empty),
    ];
    for command in &refused {
        trial.refused(command).await;
    }
    trial.report(payment, attempt, evidence(not_sent(), 1)).await;
    let accepted = [
        trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key("k"))),
        trial.desk.process(&trial.caller, payment, how),
        trial.desk.top_up(&trial.caller, NewTopUp::new(wallet("w"), usd(1)).with_idempotency_key(key("k"))),
    ];
    for command in &accepted {
        assert!(!trial.done(command).await.replayed, "{command:?}");
    }
}
