//! Tenants and environments never meet.

use counterfoil::account::AccountId;
use counterfoil::command::{Receipt, Recorded, Rejection, Request, Resolution};
use counterfoil::event::StreamId;
use counterfoil::ledger::{
    NewAttempt, NewCapture, NewPayment, NewRefund, NewResolution, NewTopUp, NewVoid, Processing, Update,
};
use counterfoil::payment::Work;
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::Key;
use counterfoil::text::Message;

use super::trial::{Trial, card_payment};
use crate::desk::{created, started};
use crate::fixtures::{
    caller, credits, evidence, gateway_payment, invoice, key, scope, succeeded, usd, wallet,
};

/// Another tenant, another environment, and two that are near in spelling.
pub(super) fn strangers() -> [Caller; 4] {
    let actor = caller("acme").actor;
    [
        caller("other"),
        Caller::new(scope("acme", "sandbox"), actor.clone()),
        Caller::new(scope("ACME", "production"), actor.clone()),
        Caller::new(scope("acme ", "production"), actor),
    ]
}

pub(super) async fn a_foreign_payment_does_not_exist(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment());
    trial.done(&create).await;
    let payment = created(&create);
    let before = trial.digest().await;
    let recorded = Recorded::Succeeded { amount: None };
    let resolution = || NewResolution::new(Resolution::Failed, Message::lossy("asked by telephone"));
    for stranger in strangers() {
        let commands = [
            trial.desk.process(&stranger, payment, Processing::default()),
            trial.desk.report(&stranger, payment, started(&create), evidence(succeeded(None), 1)),
            trial.desk.archive(&stranger, payment),
            trial.desk.update(&stranger, payment, Update::to(PaymentStatus::Voided)),
            trial.desk.capture(&stranger, payment, NewCapture::all()),
            trial.desk.refund(&stranger, payment, NewRefund::all()),
            trial.desk.void(&stranger, payment, NewVoid::default()),
            trial.desk.record_attempt(&stranger, payment, NewAttempt::new(recorded.clone())),
            trial.desk.discover(&stranger, payment, gateway_payment("gp_1"), evidence(succeeded(None), 1)),
            trial.desk.resolve(&stranger, payment, resolution()),
            trial.desk.poll(&stranger, payment, Work::Poll { operation: started(&create), polls: 0 }),
            trial.desk.lapse(&stranger, payment, Work::Poll { operation: started(&create), polls: 0 }),
        ];
        for command in commands {
            assert_eq!(trial.refused(&command).await, Rejection::PaymentNotFound(payment), "{command:?}");
        }
    }
    assert_eq!(trial.digest().await, before);
}

pub(super) async fn a_foreign_id_may_be_ones_own_too(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key("k")));
    trial.done(&create).await;
    for (stranger, cents) in strangers().into_iter().zip(1..) {
        let mut own = create.clone();
        own.caller = stranger.clone();
        if let Request::Create(create) = &mut own.request {
            create.amount = usd(cents);
        }
        assert!(!trial.done(&own).await.replayed);
        let stored = trial.find(&stranger.scope, created(&create)).await.expect("it was created");
        assert_eq!((stored.scope(), stored.terms().amount), (&stranger.scope, usd(cents)));
    }
    assert_eq!(trial.payment(created(&create)).await.terms().amount, usd(1_000));
    assert_eq!(trial.heads().await.len(), 5);
}

pub(super) async fn reads_and_histories_stay_within_their_scope(trial: &mut Trial) {
    let create = trial.desk.create(&trial.caller, card_payment().with_idempotency_key(key("k")));
    trial.done(&create).await;
    trial.top_up("w", 5).await;
    let accounts = [AccountId::wallet(&wallet("w")), AccountId::destination(&invoice("inv_1"))];
    let payment = StreamId::Payment(created(&create));
    let claim = trial.history(&trial.caller.scope, &payment).await[0].claims()[0].key.clone();
    for stranger in strangers() {
        let mut foreign = claim.clone();
        foreign.scope = stranger.scope.clone();
        let [wallet, paid] = accounts.clone().map(|account| Key::Account(stranger.scope.clone(), account));
        let keys =
            [Key::Payment(stranger.scope.clone(), created(&create)), wallet, paid, Key::Claim(foreign)];
        let state = trial.read(&keys).await;
        assert!(keys.iter().all(|key| state.has(key) && state.get(key).is_none()), "{state:?}");
        assert_eq!(state.len(), keys.len());
        for stream in [payment.clone(), StreamId::Account(accounts[0].clone())] {
            assert!(trial.history(&stranger.scope, &stream).await.is_empty(), "{stream} of {stranger:?}");
        }
    }
}

pub(super) async fn wallets_of_one_name_are_apart(trial: &mut Trial) {
    trial.top_up("w", 1_000).await;
    for (stranger, cents) in strangers().into_iter().zip(1..) {
        let new = NewPayment::new(usd(cents), invoice("inv_1"), credits("w"));
        let receipt = trial.done(&trial.desk.create(&stranger, new.clone())).await;
        let captured = |receipt: &Receipt| receipt.payment().map(|p| p.captured());
        assert_eq!(captured(&receipt), Some(usd(0)), "a stranger's wallet pays nothing");
        trial.done(&trial.desk.top_up(&stranger, NewTopUp::new(wallet("w"), usd(cents)))).await;
        let receipt = trial.done(&trial.desk.create(&stranger, new)).await;
        assert_eq!(captured(&receipt), Some(usd(cents)));
        let own = trial.wallet(&stranger.scope, "w").await.expect("it was topped up");
        assert_eq!((own.scope(), own.version()), (&stranger.scope, 2));
    }
    assert_eq!(trial.balance("w").await, 1_000);
}
