//! Several gateways, and payments that were made at one.

use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::ledger::{Ledger, NewAttempt, NewPayment, NewRefund, Notification, Processing, Update};
use counterfoil::payment::{Evidence, PaymentMethod, Review};
use counterfoil::status::{Cause, PaymentStatus};
use counterfoil::store::PaymentStore;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{self, caller, invoice, usd};

fn books() -> (Ledger, [Arc<Sandbox>; 2]) {
    let [first, second] = ["first", "second"].map(|name| Arc::new(Sandbox::named(name.parse().unwrap())));
    let ledger = Ledger::new(Arc::new(MemoryStore::new()));
    (ledger.with_gateway(first.clone()).with_gateway(second.clone()), [first, second])
}

fn card() -> NewPayment {
    NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None))
}

#[tokio::test]
async fn a_payment_goes_through_the_gateway_it_asks_for_or_the_first_one() {
    let (ledger, [first, second]) = books();
    let caller = caller("acme");
    let plain = ledger.create(&caller, card()).await.unwrap();
    assert_eq!(plain.payment().unwrap().gateway().unwrap().as_str(), "first");
    let asked = ledger.create(&caller, card().with_gateway("second".parse().unwrap())).await.unwrap();
    assert_eq!(asked.payment().unwrap().gateway().unwrap().as_str(), "second");
    assert_eq!((first.charges(), second.charges()), (1, 1));

    let third = card().with_gateway("third".parse().unwrap());
    let refused = ledger.create(&caller, third.clone()).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::UnknownGateway("third".parse().unwrap())));

    // Recording asks no gateway; what is changed later counts.
    let id = ledger.create(&caller, third.recorded_only()).await.unwrap().payment().unwrap().id();
    let mut update = Update::default();
    update.change.gateway = Some("second".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    let done = ledger.process(&caller, id, Processing::default()).await.unwrap();
    assert_eq!(done.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!((first.charges(), second.charges()), (1, 2));
}

#[tokio::test]
async fn a_payment_link_names_its_gateway_and_waits_for_the_payer() {
    let (ledger, _) = books();
    let link = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::PaymentLink(None));
    let refused = ledger.create(&caller("acme"), link.clone()).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::GatewayRequired(_))));
    let made = ledger.create(&caller("acme"), link.with_gateway("second".parse().unwrap())).await.unwrap();
    let payment = made.payment().unwrap();
    assert_eq!(payment.status(), PaymentStatus::RequiresAction);
    assert!(payment.live_attempt().unwrap().payment_url().is_some());
}

/// INVARIANTS 25, 29: what a gateway has is asked about, however often, and never charged.
#[tokio::test]
async fn a_payment_that_was_made_at_its_gateway_is_polled_and_never_charged() {
    let (ledger, [first, _]) = books();
    let caller = caller("acme");
    let ends = [
        ("sandbox_paid_1", PaymentStatus::Succeeded),
        ("sandbox_declined_1", PaymentStatus::Failed),
        ("unheard_of", PaymentStatus::Pending),
    ];
    for (name, status) in ends {
        let id = ledger.create(&caller, card().recorded_only()).await.unwrap().payment().unwrap().id();
        let update = Update::default().with_gateway_payment_id(name.parse().unwrap());
        let known = ledger.update(&caller, id, update).await.unwrap();
        assert_eq!(known.payment().unwrap().status(), PaymentStatus::Pending);

        let polled = ledger.process(&caller, id, Processing::default()).await.unwrap();
        let payment = polled.payment().unwrap();
        assert_eq!(payment.status(), status, "{name}");
        let attempts = usize::from(status != PaymentStatus::Pending);
        assert_eq!(payment.attempts().count(), attempts);
        assert_eq!(payment.version(), 2 + attempts as u64);
        if let Some(event) = ledger.history(&caller.scope, &polled.stream, 2, 1).await.unwrap().first() {
            assert_eq!(event.cause(), Cause::Evidence);
        }
        // Nothing to ask about any more, or no news.
        let again = ledger.inquire(&caller, id).await.unwrap();
        assert!(again.is_none_or(|again| again.replayed));
        let stored = ledger.payment(&caller.scope, id).await.unwrap().unwrap();
        assert_eq!(stored.version(), 2 + attempts as u64);
    }
    assert_eq!(first.calls(), 0);
    verify(ledger.store().as_ref()).await.unwrap();
}

#[tokio::test]
async fn without_its_gateway_a_payment_made_there_cannot_be_processed() {
    let (ledger, _) = books();
    let caller = caller("acme");
    let id = ledger.create(&caller, card().recorded_only()).await.unwrap().payment().unwrap().id();
    let mut update = Update::default().with_gateway_payment_id("pi_1".parse().unwrap());
    update.change.gateway = Some("elsewhere".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    let refused = ledger.process(&caller, id, Processing::default()).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::AtGateway { payment: id }));
}

/// INVARIANTS 9: what came through two gateways goes back through both.
#[tokio::test]
async fn money_goes_back_to_where_it_came_from() {
    let (ledger, _) = books();
    let caller = caller("acme");
    let down = PaymentMethod::Card(Some("pm_sandbox_down".parse().unwrap()));
    let made = ledger.create(&caller, NewPayment::new(usd(100), invoice("inv_1"), down)).await.unwrap();
    let (id, first) = (made.payment().unwrap().id(), made.payment().unwrap().operations()[0].id);
    let mut update = Update::default();
    update.change.gateway = Some("second".parse().unwrap());
    update.change.instrument = Some("pm_1".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    ledger.process(&caller, id, Processing::default()).await.unwrap();
    let late = fixtures::evidence(fixtures::succeeded(Some(usd(70))), 1);
    ledger.report(&caller, id, first, late).await.unwrap();
    let done = ledger.update(&caller, id, Update::to(PaymentStatus::Refunded)).await.unwrap();
    assert_eq!(done.payment().unwrap().refunded(), usd(170));
    let mut balances = std::collections::BTreeMap::new();
    for event in ledger.history(&caller.scope, &done.stream, 0, 100).await.unwrap() {
        for posting in event.postings() {
            *balances.entry(posting.account.to_string()).or_insert(0) += posting.minor;
        }
    }
    assert_eq!(balances.len(), 3, "two gateways and what was paid");
    assert!(balances.values().all(|balance| *balance == 0), "{balances:?}");
}

/// Ended here is not ended there.
#[tokio::test]
async fn a_gateway_is_still_asked_about_what_was_given_up_here() {
    let (ledger, _) = books();
    let caller = caller("acme");
    let id = ledger.create(&caller, card().recorded_only()).await.unwrap().payment().unwrap().id();
    let update = Update::default().with_gateway_payment_id("sandbox_paid_1".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    ledger.update(&caller, id, Update::to(PaymentStatus::Voided)).await.unwrap();
    let found = ledger.inquire(&caller, id).await.unwrap().unwrap();
    assert_eq!(found.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert!(found.payment().unwrap().reviews().contains(&Review::Contradiction));
}

#[tokio::test]
async fn an_attempt_that_was_given_up_hides_no_payment_that_was_made_there() {
    let (ledger, [first, _]) = books();
    let caller = caller("acme");
    let action = PaymentMethod::Card(Some("pm_sandbox_action".parse().unwrap()));
    let made = ledger.create(&caller, NewPayment::new(usd(100), invoice("inv_1"), action)).await.unwrap();
    let (id, attempt) = (made.payment().unwrap().id(), made.payment().unwrap().operations()[0].id);
    ledger.report(&caller, id, attempt, fixtures::evidence(fixtures::canceled(), 1)).await.unwrap();
    let update = Update::default().with_gateway_payment_id("sandbox_paid_1".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    let polled = ledger.process(&caller, id, Processing::default()).await.unwrap();
    assert_eq!(polled.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!(first.calls(), 1, "asked, not charged");
}

#[tokio::test]
async fn money_for_a_payment_that_was_ended_counts_and_is_marked() {
    let store: Arc<dyn PaymentStore> = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(store).with_gateway(Arc::new(Sandbox::new()));
    let caller = caller("acme");
    let id = ledger.create(&caller, card().recorded_only()).await.unwrap().payment().unwrap().id();
    let update = Update::default().with_gateway_payment_id("sandbox_paid_1".parse().unwrap());
    ledger.update(&caller, id, update).await.unwrap();
    ledger.process(&caller, id, Processing::default()).await.unwrap();
    let voided = ledger.update(&caller, id, Update::to(PaymentStatus::Voided)).await.unwrap();
    assert_eq!(voided.payment().unwrap().status(), PaymentStatus::Voided);

    let attempt = voided.payment().unwrap().attempts().next().unwrap().id;
    let outcome = fixtures::succeeded(Some(usd(150)));
    let evidence = fixtures::evidence(outcome, 1);
    let late = ledger.report(&caller, id, attempt, evidence).await.unwrap();
    let payment = late.payment().unwrap();
    assert_eq!((payment.status(), payment.captured()), (PaymentStatus::Succeeded, usd(50)));
    assert!(payment.reviews().contains(&Review::Contradiction));
}

/// INVARIANTS 9, 25: what came past every gateway goes back so once; the rest goes back through the gateway it came by.
#[tokio::test]
async fn money_that_came_past_a_gateway_is_given_back_past_it_once() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new()));
    let sandbox = Arc::new(Sandbox::new());
    let (ledger, me) = (ledger.with_gateway(sandbox.clone()), caller("acme"));
    let id = ledger.create(&me, card().recorded_only()).await.unwrap().payment().unwrap().id();
    ledger.record_attempt(&me, id, NewAttempt::succeeded()).await.unwrap();
    // The payer paid at the gateway too.
    ledger.update(&me, id, Update::default().with_gateway_payment_id("pi_1".parse().unwrap())).await.unwrap();
    let about = About { payment: Some(id), ..About::default() };
    let paid = Told::Attempt(Evidence::succeeded(Timestamp::EPOCH));
    let paid = Notification::new("sandbox".parse().unwrap(), "evt_1".parse().unwrap(), about, paid);
    assert_eq!(ledger.notify(&me, paid).await.unwrap().payment().unwrap().captured(), usd(200));

    ledger.refund(&me, id, NewRefund::of(usd(100))).await.unwrap();
    assert_eq!(sandbox.calls(), 0, "it came past the gateway");
    let done = ledger.refund(&me, id, NewRefund::of(usd(100))).await.unwrap();
    assert_eq!(sandbox.calls(), 1, "it came by the gateway");
    let refunds = done.payment().unwrap().refunds().map(|refund| refund.gateway.is_some());
    assert_eq!(refunds.collect::<Vec<_>>(), [false, true]);
    verify(ledger.store().as_ref()).await.unwrap();
}
