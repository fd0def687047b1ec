//! What is paid is the host's: the ledger asks before it begins anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use counterfoil::clock::Timestamp;
use counterfoil::command::Rejection;
use counterfoil::destinations::{DestinationInfo, Destinations, DestinationsUnavailable};
use counterfoil::ledger::{Ledger, LedgerError, NewAttempt, NewPayment, Processing};
use counterfoil::money::Currency;
use counterfoil::payment::{Destination, Evidence, Outcome, PaymentMethod};
use counterfoil::scope::Scope;
use counterfoil::status::PaymentStatus;
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, key, usd};

/// Invoices by name: `open`, `draft`, `yen`; no other. Can be switched off.
#[derive(Debug, Default)]
struct Invoices {
    away: AtomicBool,
    paid_off: AtomicBool,
}

#[async_trait]
impl Destinations for Invoices {
    async fn look_up(
        &self,
        _: &Scope,
        destination: &Destination,
    ) -> Result<Option<DestinationInfo>, DestinationsUnavailable> {
        if self.away.load(Ordering::SeqCst) {
            return Err(DestinationsUnavailable);
        }
        let open = DestinationInfo::payable_in(Currency::USD).with_number("R-2026-7".parse().unwrap());
        Ok(match destination.id.as_str() {
            "open" if self.paid_off.load(Ordering::SeqCst) => Some(open.not_payable()),
            "open" => Some(open),
            "draft" => Some(open.not_payable()),
            "yen" => Some(DestinationInfo::payable_in(Currency::JPY)),
            _ => None,
        })
    }
}

fn books() -> (Ledger, Arc<Invoices>, Arc<Sandbox>) {
    let (invoices, sandbox) = (Arc::new(Invoices::default()), Arc::new(Sandbox::new()));
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(sandbox.clone());
    (ledger.with_destinations(invoices.clone()), invoices, sandbox)
}

fn card(id: &str) -> NewPayment {
    NewPayment::new(usd(100), invoice(id), PaymentMethod::Card(None))
}

fn why<T>(refused: Result<T, LedgerError>) -> Rejection {
    let Err(error) = refused else { panic!("it was not refused") };
    error.rejection().unwrap().clone()
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_before_the_gateway_is_asked() {
    let (ledger, invoices, sandbox) = books();
    let caller = caller("acme");
    let paid = ledger.create(&caller, card("open")).await.unwrap();
    let number = paid.payment().unwrap().terms().number.clone();
    assert_eq!(number.unwrap().as_str(), "R-2026-7");

    let expected = [
        ("draft", Rejection::DestinationNotPayable(invoice("draft"))),
        ("yen", Rejection::DestinationCurrency { expected: Currency::JPY }),
        ("nowhere", Rejection::DestinationNotFound(invoice("nowhere"))),
    ];
    for (id, rejection) in expected {
        assert_eq!(why(ledger.create(&caller, card(id)).await), rejection);
        assert_eq!(why(ledger.create(&caller, card(id).recorded_only()).await), rejection);
    }
    invoices.away.store(true, Ordering::SeqCst);
    assert_eq!(why(ledger.create(&caller, card("open")).await), Rejection::DestinationsUnavailable);
    assert_eq!(sandbox.calls(), 1);
}

/// INVARIANTS 20: a replay is answered before anything that depends on the state of the world.
#[tokio::test]
async fn a_replay_is_answered_whatever_became_of_the_destination() {
    let (ledger, invoices, sandbox) = books();
    let new = card("open").with_idempotency_key(key("once"));
    let first = ledger.create(&caller("acme"), new.clone()).await.unwrap();
    invoices.paid_off.store(true, Ordering::SeqCst);
    let second = ledger.create(&caller("acme"), new.clone()).await.unwrap();
    invoices.away.store(true, Ordering::SeqCst);
    let third = ledger.create(&caller("acme"), new).await.unwrap();
    assert!(second.replayed && third.replayed);
    assert_eq!([second.stream, third.stream], [first.stream.clone(), first.stream]);
    assert_eq!(sandbox.charges(), 1);
}

#[tokio::test]
async fn an_attempt_asks_again_but_money_that_came_is_always_taken() {
    let (ledger, invoices, sandbox) = books();
    let caller = caller("acme");
    let id = ledger.create(&caller, card("open").recorded_only()).await.unwrap().payment().unwrap().id();
    invoices.paid_off.store(true, Ordering::SeqCst);
    let refused = ledger.process(&caller, id, Processing::default()).await;
    assert_eq!(why(refused), Rejection::DestinationNotPayable(invoice("open")));
    let recorded = ledger.record_attempt(&caller, id, NewAttempt::succeeded()).await.unwrap();
    assert_eq!(recorded.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!(sandbox.calls(), 0);
}

/// INVARIANTS 17: an outcome that nobody knows stands beside another attempt that evidence brought back to life.
#[tokio::test]
async fn an_invoice_is_in_doubt_whichever_of_its_live_attempts_is() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
    let me = caller("acme");
    let by = |name| PaymentMethod::Card(Some(instrument(name)));
    let down = NewPayment::new(usd(100), invoice("inv_1"), by("pm_sandbox_down"));
    let made = ledger.create(&me, down).await.unwrap().payment().unwrap().clone();
    let again = Processing::default().with_instrument(instrument("pm_sandbox_timeout_unknown"));
    ledger.process(&me, made.id(), again).await.unwrap();
    let waits = Evidence::new(Outcome::RequiresAction { payment_url: None }, Timestamp::EPOCH);
    ledger.report(&me, made.id(), made.operations()[0].id, waits).await.unwrap();
    let another = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None));
    let refused = why(ledger.create(&me, another).await);
    assert!(matches!(refused, Rejection::DestinationInDoubt { .. }), "{refused:?}");
    verify(ledger.store().as_ref()).await.unwrap();
}
