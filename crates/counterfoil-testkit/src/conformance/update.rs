//! Names, notes, and statuses that are set.

use std::time::Duration;

use counterfoil::account::AccountId;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Rejection, Request};
use counterfoil::destinations::{DestinationInfo, Known};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewAttempt, NewPayment, Processing, Update};
use counterfoil::money::Currency;
use counterfoil::payment::{PaymentMethod, Review};
use counterfoil::status::PaymentStatus::{
    self, Failed, Pending, Processing as UnderWay, Refunded, Succeeded, Voided,
};
use counterfoil::text::{DestinationNumber, Metadata, PaymentMethodId};

use super::trial::{Trial, card_payment, place, split};
use crate::desk::created;
use crate::fixtures::{
    card, credits, customer, evidence, gateway_operation, gateway_payment, instrument, invoice, key,
    requires_action, second, succeeded, unknown, usd, wallet,
};

/// A payment of which the money came.
async fn paid(trial: &Trial) -> PaymentId {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(succeeded(None), 1)).await;
    payment
}

pub(super) async fn a_status_is_set_where_it_can_be(trial: &mut Trial) {
    for to in PaymentStatus::ALL {
        let waiting = trial.recorded(card_payment()).await;
        let pending = trial.recorded(NewPayment::new(usd(5), invoice("inv_1"), PaymentMethod::Offline)).await;
        let (acting, attempt) = trial.charging().await;
        trial.report(acting, attempt, evidence(requires_action(), 1)).await;
        // Beside one of which nobody knows what became of it, no invoice is charged.
        let (lost, attempt) = trial.charge(NewPayment::new(usd(5), customer("cus_1"), card())).await;
        trial.report(lost, attempt, evidence(unknown(), 1)).await;
        let [taken, voided, refunded] = [paid(trial).await, paid(trial).await, paid(trial).await];
        trial.done(&trial.set(voided, Update::to(Voided))).await;
        trial.done(&trial.set(refunded, Update::to(Refunded))).await;
        let can_be: [(PaymentId, &[PaymentStatus]); 7] = [
            (waiting, &[Pending, Succeeded, Failed, Voided]),
            (pending, &[Succeeded, Failed, Voided]),
            (acting, &[Voided]),
            (lost, &[Succeeded, Failed]),
            (taken, &[Refunded, Voided]),
            (voided, &[]),
            (refunded, &[]),
        ];
        for (id, statuses) in can_be {
            let before = trial.payment(id).await;
            let from = before.status();
            let command = trial.set(id, Update::to(*to));
            if from == *to {
                assert!(trial.done(&command).await.replayed, "it stands there");
            } else if statuses.contains(to) {
                let receipt = trial.done(&command).await;
                let after = trial.payment(id).await;
                assert_eq!((after.status(), receipt.payment()), (*to, Some(&after)), "from {from}");
                assert_eq!(after.version(), before.version() + 1);
            } else {
                let no = Rejection::NotSettable { payment: id, status: from, to: *to };
                assert_eq!(trial.refused(&command).await, no);
                assert_eq!(trial.payment(id).await, before);
            }
        }
    }
}

pub(super) async fn names_and_notes_are_kept_as_they_came(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let longest = |text: &str, max: usize| text.chars().cycle().take(max).collect::<String>();
    for (text, version) in ["😀", "e\u{301}", "a'b\"c\\d%_", "plain"].into_iter().zip(2..) {
        let notes = (0..50).map(|n| (longest(&format!("{n} {text}"), 40), longest("a\n\t😀", 500)));
        let mut update = Update::default()
            .with_metadata(Metadata::new(notes).expect("valid metadata"))
            .with_gateway_payment_id(gateway_payment(&longest(text, 255)))
            .with_error_message(longest(text, 1_000).parse().expect("a valid message"));
        update.change.gateway = longest(text, 64).parse().ok();
        update.change.gateway_tracking_id = longest(text, 255).parse().ok();
        update.change.instrument = Some(instrument(&longest(text, 255)));
        let change = update.change.clone();
        let receipt = trial.done(&trial.set(payment, update)).await;
        let stored = trial.payment(payment).await;
        assert_eq!((receipt.payment(), stored.version()), (Some(&stored), version));
        assert_eq!(Some(stored.metadata()), change.metadata.as_ref());
        assert_eq!(stored.gateway(), change.gateway.as_ref());
        assert_eq!(stored.gateway_payment_id(), change.gateway_payment_id.as_ref());
        assert_eq!(stored.gateway_tracking_id(), change.gateway_tracking_id.as_ref());
        assert_eq!(stored.instrument(), change.instrument.as_ref());
        assert_eq!(stored.error_message(), change.error_message.as_ref());
        assert_eq!(stored.status(), Pending, "the gateway has it");
    }
    let emptied = Update::default().with_metadata(Metadata::default());
    trial.done(&trial.set(payment, emptied)).await;
    let stored = trial.payment(payment).await;
    assert!(stored.metadata().is_empty());
    assert_eq!(stored.instrument().map(PaymentMethodId::as_str), Some("plain".repeat(51).as_str()));
}

pub(super) async fn the_same_again_changes_nothing(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let new = NewAttempt::succeeded()
        .with_gateway_attempt_id(gateway_operation("ch_1"))
        .with_idempotency_key(key("k"));
    let written = trial.desk.record_attempt(&trial.caller, payment, new.clone());
    let notes = Update::default().with_metadata(Metadata::new([("a", "b")]).expect("valid metadata"));
    let commands =
        [trial.set(payment, notes.if_version(1)), written, trial.set(payment, Update::to(Refunded))];
    let mut first = Vec::new();
    for command in &commands {
        first.push(trial.done(command).await);
    }
    assert!(first.iter().all(|receipt| !receipt.replayed));
    let before = trial.digest().await;
    for command in &commands {
        assert!(trial.done(command).await.replayed, "{command:?}");
    }
    // The same attempt by its key, and by its gateway's name.
    let mut by_name = new.clone();
    by_name.idempotency_key = None;
    for new in [new, by_name] {
        let again = trial.done(&trial.desk.record_attempt(&trial.caller, payment, new)).await;
        assert_eq!((place(&again), again.replayed), (place(&first[1]), true));
    }
    assert_eq!(trial.digest().await, before);
    assert_eq!(trial.payment(payment).await.attempts().count(), 1);
}

pub(super) async fn a_moment_may_be_now_and_not_later(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let at = trial.desk.clock().now().saturating_add(Duration::from_millis(1));
    let later = at.saturating_add(Duration::from_micros(1_001));
    let [mut early, late] = [at, later].map(|at| trial.set(payment, Update::to_since(Succeeded, at)));
    assert_eq!(trial.refused(&late).await, Rejection::InFuture(later));
    trial.done(&early).await;
    assert_eq!(trial.payment(payment).await.succeeded_at(), Some(at));
    let back = trial.set(payment, Update::to_since(Refunded, second(7)));
    trial.done(&back).await;
    let stored = trial.payment(payment).await;
    assert_eq!((stored.refunded_at(), stored.succeeded_at()), (Some(second(7)), Some(at)));
    early.at = Timestamp::MAX;
    assert!(trial.done(&early).await.replayed, "what was written down is there, whatever came after");
}

pub(super) async fn nobody_settles_what_may_be_on_its_way(trial: &mut Trial) {
    for (to, status) in [(Succeeded, Succeeded), (Failed, Failed)] {
        let (payment, _) = trial.charging().await;
        let lease = trial.payment(payment).await.operations()[0].lease_until.expect("it has a lease");
        let mut command = trial.set(payment, Update::to(to));
        let just_before = lease.unix_micros() - 1;
        command.at = Timestamp::from_unix_micros(just_before).expect("a moment");
        let no = trial.refused(&command).await;
        assert_eq!(no, Rejection::InFlight { payment, until: lease });
        command.at = lease;
        let receipt = trial.done(&command).await;
        let stored = trial.payment(payment).await;
        assert_eq!((stored.status(), receipt.payment()), (status, Some(&stored)));
        assert!(stored.reviews().contains(&Review::Resolved), "a person said so");
    }
    let (payment, _) = trial.charging().await;
    assert_eq!(trial.payment(payment).await.status(), UnderWay);
}

pub(super) async fn what_cannot_be_paid_is_not_begun(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    let no = [
        (Known::Absent, Rejection::DestinationNotFound(invoice("inv_1"))),
        (Known::Unavailable, Rejection::DestinationsUnavailable),
        (
            Known::Found(DestinationInfo::payable_in(Currency::EUR)),
            Rejection::DestinationCurrency { expected: Currency::EUR },
        ),
        (
            Known::Found(DestinationInfo::payable_in(Currency::USD).not_payable()),
            Rejection::DestinationNotPayable(invoice("inv_1")),
        ),
    ];
    for (known, rejection) in no {
        let create = trial.desk.create(&trial.caller, card_payment());
        let process = trial.desk.process(&trial.caller, payment, Processing::default());
        for mut command in [create, process] {
            match &mut command.request {
                Request::Create(create) => create.known = known.clone(),
                Request::Process(process) => process.known = known.clone(),
                other => panic!("{other:?}"),
            }
            assert_eq!(trial.refused(&command).await, rejection);
        }
    }
    let mut numbered = trial.desk.create(&trial.caller, card_payment());
    if let Request::Create(create) = &mut numbered.request {
        let number = "No. 7 😀".parse().expect("a valid number");
        create.known = Known::Found(DestinationInfo::payable_in(Currency::USD).with_number(number));
    }
    trial.done(&numbered).await;
    let stored = trial.payment(created(&numbered)).await;
    let number = stored.terms().number.as_ref();
    assert_eq!(number.map(DestinationNumber::as_str), Some("No. 7 😀"));
}

pub(super) async fn of_updates_of_one_version_one_wins(trial: &mut Trial) {
    let payment = trial.recorded(card_payment()).await;
    for version in 1..4 {
        let update = |at: u64| {
            let notes = Metadata::new([("at", format!("{version} {at}"))]).expect("valid metadata");
            trial.set(payment, Update::default().with_metadata(notes).if_version(version))
        };
        let (won, lost) = split(trial.together((0..16).map(update).collect()).await);
        assert_eq!(won.len(), 1);
        for no in lost {
            assert_eq!(no, Rejection::VersionConflict { payment, version: version + 1 });
        }
        let stored = trial.payment(payment).await;
        assert_eq!((stored.version(), Some(&stored)), (version + 1, won[0].payment()));
    }
}

/// INVARIANTS 31, for money that is written down as given back.
pub(super) async fn credits_come_back_once(trial: &mut Trial) {
    for to in [Refunded, Voided] {
        trial.top_up("w", 100).await;
        let before = trial.balance("w").await;
        let create =
            trial.desk.create(&trial.caller, NewPayment::new(usd(70), invoice("inv_1"), credits("w")));
        trial.done(&create).await;
        let back = |_| trial.set(created(&create), Update::to(to));
        let (done, refused) = split(trial.together((0..16).map(back).collect()).await);
        assert_eq!((done.len(), refused.len()), (16, 0), "who comes later finds it there");
        assert_eq!(done.iter().filter(|receipt| !receipt.replayed).count(), 1);
        assert_eq!(trial.balance("w").await, before);
        let stored = trial.payment(created(&create)).await;
        assert_eq!((stored.status(), stored.version()), (to, 2));
    }
    let payment = trial.recorded(NewPayment::new(usd(70), invoice("inv_1"), credits("w"))).await;
    let stream = StreamId::Account(AccountId::wallet(&wallet("w")));
    let version = trial.history(&trial.caller.scope, &stream).await.len();
    let no = trial.refused(&trial.set(payment, Update::to(Succeeded))).await;
    assert!(matches!(no, Rejection::NotRecordable(_)), "credits move in our own books: {no}");
    assert_eq!(trial.history(&trial.caller.scope, &stream).await.len(), version);
}

/// INVARIANTS 20, 24: a command whose outcome was in doubt is executed again when much may have happened since. It
/// settles what it did, and does nothing else.
pub(super) async fn an_update_again_does_nothing_more_whatever_happened_since(trial: &mut Trial) {
    let (payment, attempt) = trial.charging().await;
    trial.report(payment, attempt, evidence(requires_action(), 1)).await;
    let void = trial.set(payment, Update::to(Voided));
    let first = trial.done(&void).await;
    trial.report(payment, attempt, evidence(succeeded(None), 2)).await;
    let again = trial.done(&void).await;
    assert!(again.replayed && place(&again) == place(&first));
    let stored = trial.payment(payment).await;
    assert_eq!((stored.status(), stored.captured()), (Succeeded, usd(1_000)), "the money that came is kept");

    let notes = |order: &str| Metadata::new([("order", order)]).expect("valid notes");
    let mine = trial.set(payment, Update::default().with_metadata(notes("1")).if_version(stored.version()));
    let first = trial.done(&mine).await;
    trial.done(&trial.set(payment, Update::default().with_metadata(notes("2")))).await;
    let again = trial.done(&mine).await;
    assert!(again.replayed && place(&again) == place(&first));
    assert_eq!(*trial.payment(payment).await.metadata(), notes("2"), "what came later is kept");
}
