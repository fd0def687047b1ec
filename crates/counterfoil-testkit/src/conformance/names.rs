//! Names that can be taken once, of every kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use counterfoil::account::{GatewayEntry, GatewayEntryKind};
use counterfoil::claim::{Claim, ClaimKind};
use counterfoil::command::{About, Command, RecordGatewayEntry, Recorded, Told};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{
    NewAttempt, NewCapture, NewPayment, NewRefund, NewTopUp, NewVoid, Notification, Processing, Update,
};
use counterfoil::payment::{DisputeWord, DisputeWordKind, OperationId};
use counterfoil::scope::Caller;
use counterfoil::store::{Key, Lookup};

use super::scope::strangers;
use super::trial::{Trial, card_payment};
use crate::desk::{created, started};
use crate::fixtures::{
    card, evidence, gateway, gateway_operation, gateway_payment, invoice, key, reversed, second, succeeded,
    usd, wallet,
};

pub(super) async fn one_name_may_be_of_every_kind(trial: &mut Trial) {
    let mut taken = take(trial, &trial.caller, "x").await;
    // What a name is kept as (ids, and what gateways say with the gateway's name in front) is a key as good as any other.
    let kept: BTreeSet<_> = taken.iter().map(|claim| claim.key.name.clone()).collect();
    for name in kept.iter().filter(|name| &***name != "x") {
        taken.extend(take(trial, &trial.caller, name).await);
    }
    assert_kept(trial, &taken).await;
}

pub(super) async fn long_names_are_compared_to_their_end(trial: &mut Trial) {
    let mut taken = Vec::new();
    for end in ["a", "b"] {
        let longest = "\u{1f600}".repeat(254) + end;
        taken.extend(take(trial, &trial.caller, &longest).await);
    }
    assert_kept(trial, &taken).await;
}

pub(super) async fn names_of_other_scopes_are_other_names(trial: &mut Trial) {
    let mut taken = take(trial, &trial.caller, "x").await;
    for stranger in strangers() {
        taken.extend(take(trial, &stranger, "x").await);
    }
    assert_kept(trial, &taken).await;
}

/// Takes `text` as a name of every kind there is: what was taken by it, each kind once or more.
async fn take(trial: &Trial, caller: &Caller, text: &str) -> Vec<Arc<Claim>> {
    // The account of the gateway has events of other names too.
    let mut streams = BTreeMap::new();
    for command in [moved(trial, caller, text), beside(trial, caller, text)].concat() {
        let receipt = trial.done(&command).await;
        assert!(!receipt.replayed, "nobody has done it before: {command:?}");
        streams.entry(receipt.stream).or_insert(receipt.sequence);
    }
    let mut taken = Vec::new();
    for (stream, first) in streams {
        let history = trial.history(&caller.scope, &stream).await;
        let own = history.iter().filter(|event| event.sequence() >= first);
        taken.extend(own.flat_map(|event| event.claims()).cloned());
    }
    let kinds: BTreeSet<ClaimKind> = taken.iter().map(|claim| claim.key.kind).collect();
    assert_eq!(
        kinds,
        ClaimKind::ALL.iter().copied().collect(),
        "{text:?} is free, whatever it names elsewhere"
    );
    taken
}

/// One payment that money is held for, taken, given back and let go: its gateway calls each step so, and a dispute too.
fn moved(trial: &Trial, caller: &Caller, text: &str) -> Vec<Command> {
    let desk = &trial.desk;
    let new = NewPayment::new(usd(1_000), invoice(text), card()).captured_later();
    let create = desk.create(caller, new.with_idempotency_key(key(text)));
    let payment = created(&create);
    let named = |command: &Command| {
        let said = evidence(succeeded(None), 1).with_gateway_operation_id(gateway_operation(text));
        desk.report(caller, payment, started(command), said)
    };
    let some = NewCapture::of(usd(600)).keeping_the_rest().with_idempotency_key(key(text));
    let capture = desk.capture(caller, payment, some);
    let refund = desk.refund(caller, payment, NewRefund::of(usd(100)).with_idempotency_key(key(text)));
    let void = desk.void(caller, payment, NewVoid::default().with_idempotency_key(key(text)));
    let returned = desk.notify(caller, returned(payment, started(&capture), text));
    let steps = [create, capture, refund, void];
    let mut commands: Vec<Command> =
        steps.into_iter().flat_map(|step| [step.clone(), named(&step)]).collect();
    commands.push(returned);
    commands.push(desk.notify(caller, disputed(payment, text)));
    commands
}

/// A return of money that a capture brought, in a notification that has a name of its own.
fn returned(payment: PaymentId, capture: OperationId, text: &str) -> Notification {
    let about = About { payment: Some(payment), operation: Some(capture), ..About::default() };
    let said = evidence(reversed().of(usd(1)), 2).with_gateway_operation_id(gateway_operation(text));
    let name = payment.to_string().parse().expect("a valid name");
    Notification::new(gateway(), name, about, Told::Returned(said))
}

fn disputed(payment: PaymentId, text: &str) -> Notification {
    let mut about = About { payment: Some(payment), ..About::default() };
    about.gateway_dispute_id = text.parse().ok();
    let word = DisputeWord::new(DisputeWordKind::Opened, second(2)).with_amount(usd(50));
    Notification::new(gateway(), text.parse().expect("a valid name"), about, Told::Dispute(word))
}

/// What else takes a name, of other payments.
fn beside(trial: &Trial, caller: &Caller, text: &str) -> Vec<Command> {
    let desk = &trial.desk;
    let [processed, recorded] = [(); 2].map(|()| desk.create(caller, card_payment().recorded_only()));
    let how = Processing::default().with_idempotency_key(key(text));
    let attempt = NewAttempt::new(Recorded::Failed { error_message: None }).with_idempotency_key(key(text));
    let name = Update::default().with_gateway_payment_id(gateway_payment(text));
    let credits = NewTopUp::new(wallet(text), usd(1)).with_idempotency_key(key(text));
    let then = [
        desk.process(caller, created(&processed), how),
        desk.record_attempt(caller, created(&recorded), attempt),
        desk.update(caller, created(&recorded), name),
        desk.top_up(caller, credits),
        desk.record_gateway_entry(caller, gateway_entry(GatewayEntryKind::Fee, text)),
        desk.record_gateway_entry(caller, gateway_entry(GatewayEntryKind::Payout, text)),
    ];
    [processed, recorded].into_iter().chain(then).collect()
}

fn gateway_entry(kind: GatewayEntryKind, text: &str) -> RecordGatewayEntry {
    let entry = GatewayEntry::new(gateway_operation(text), usd(1), second(2));
    RecordGatewayEntry { gateway: gateway(), kind, entry }
}

/// Each name is there, and leads to where it was taken.
async fn assert_kept(trial: &Trial, taken: &[Arc<Claim>]) {
    let keys: Vec<Key> = taken.iter().map(|claim| Key::Claim(claim.key.clone())).collect();
    let state = trial.read(&keys).await;
    assert_eq!(state.len(), keys.len(), "no name was taken twice");
    for claim in taken {
        let found = state.claim(&claim.key);
        assert!(matches!(found, Lookup::Present(found) if found == claim), "{claim:?} is {found:?}");
    }
}
