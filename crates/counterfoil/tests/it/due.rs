//! What is due, when gateways and books make it hard.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, NewAttempt, NewPayment, Update};
use counterfoil::payment::{Evidence, Outcome, Payment, PaymentMethod};
use counterfoil::text::{GatewayName, Message};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, usd};
use tokio::sync::Barrier;
use tokio::time::timeout;

struct Shop {
    ledger: Ledger,
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new() -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()));
        let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(sandbox);
        Shop { ledger: ledger.with_clock(clock.clone()), clock }
    }

    async fn create(&self, new: NewPayment) -> PaymentId {
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().id()
    }

    async fn payment(&self, id: PaymentId) -> Arc<Payment> {
        self.ledger.payment(&caller("acme").scope, id).await.unwrap().unwrap()
    }

    async fn run_after(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.ledger.run_due(10).await.unwrap();
    }
}

/// INVARIANTS 44, 47.
#[tokio::test]
async fn a_gateway_that_goes_on_saying_not_yet_is_asked_by_the_schedule_until_its_end() {
    let shop = Shop::new();
    let card = PaymentMethod::Card(Some(instrument("pm_sandbox_action")));
    let id = shop.create(NewPayment::new(usd(100), invoice("inv_1"), card)).await;
    for _ in 0..60 {
        shop.run_after(1).await;
    }
    let payment = shop.payment(id).await;
    assert!(payment.next_due().unwrap().0 > shop.clock.now(), "not due again at once");
    // After 1, 5 and 15 seconds; each question and its answer.
    assert_eq!(payment.version(), 2 + 2 * 3);
    for _ in 0..20 {
        shop.run_after(86_400).await;
    }
    let payment = shop.payment(id).await;
    assert!(payment.is_stuck() && payment.next_due().is_none());
}

/// INVARIANTS 47.
#[tokio::test]
async fn news_that_cannot_be_written_down_is_asked_for_by_the_schedule_too() {
    let (shop, me) = (Shop::new(), caller("acme"));
    let card = || NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None)).recorded_only();
    let taken = NewAttempt::succeeded().with_gateway_attempt_id("sandbox_paid_1".parse().unwrap());
    shop.ledger.record_attempt(&me, shop.create(card()).await, taken).await.unwrap();
    let id = shop.create(card()).await;
    let update = Update::default().with_gateway_payment_id("sandbox_paid_1".parse().unwrap());
    shop.ledger.update(&me, id, update).await.unwrap();

    shop.clock.advance(Duration::from_secs(2));
    let run = shop.ledger.run_due(10).await.unwrap();
    assert_eq!((run.due, run.failed.len()), (1, 1));
    assert_eq!(shop.ledger.run_due(10).await.unwrap().due, 0, "not due again at once");
    for _ in 0..20 {
        shop.run_after(86_400).await;
    }
    assert!(shop.payment(id).await.is_stuck());
}

/// A gateway that never says what became of a charge, and when it is asked answers only once it was asked about three.
#[derive(Debug)]
struct Meeting {
    name: GatewayName,
    asked: Barrier,
}

#[async_trait]
impl Gateway for Meeting {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn finality(&self) -> Finality {
        Finality::Never
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        Evidence::new(Outcome::Unknown { error_message: Message::lossy("no answer") }, charge.deadline)
    }

    async fn capture(&self, _: &Modification) -> Evidence {
        unreachable!("nothing is held")
    }

    async fn refund(&self, _: &Modification) -> Evidence {
        unreachable!("nothing goes back")
    }

    async fn void(&self, _: &Modification) -> Evidence {
        unreachable!("nothing is undone")
    }

    async fn inquire(&self, _: &Inquiry) -> Option<Evidence> {
        self.asked.wait().await;
        Some(Evidence::succeeded(Timestamp::EPOCH))
    }

    async fn look_up(&self, _: &LookUp) -> Option<Evidence> {
        None
    }
}

#[tokio::test]
async fn a_gateway_is_asked_about_several_payments_at_once() {
    let (clock, me) = (Arc::new(ManualClock::default()), caller("acme"));
    let meeting = Meeting { name: "meeting".parse().unwrap(), asked: Barrier::new(3) };
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(meeting));
    let ledger = ledger.with_clock(clock.clone());
    for invoice_of in ["inv_1", "inv_2", "inv_3"] {
        let new = NewPayment::new(usd(100), invoice(invoice_of), PaymentMethod::Card(None));
        ledger.create(&me, new).await.unwrap();
    }
    clock.advance(Duration::from_secs(2));
    let run = timeout(Duration::from_secs(20), ledger.run_due(10)).await;
    assert_eq!(run.expect("all three are asked about").unwrap().done, 3);
}
