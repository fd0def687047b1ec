//! A ledger over the memory store and the sandbox, with one clock.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::ledger::{Ledger, NewPayment, Notification};
use counterfoil::money::Money;
use counterfoil::payment::{Payment, PaymentMethod};
use counterfoil::scope::{Caller, Scope};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, usd};
use counterfoil_testkit::{ManualClock, SeededIds};

pub(crate) struct Shop {
    pub(crate) ledger: Ledger,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) caller: Caller,
}

/// What the books of a gateway and those of a ledger say alike: captured, held, refunded.
pub(crate) type Amounts = [Option<Money>; 3];

impl Shop {
    pub(crate) fn new() -> Shop {
        Shop::at(Sandbox::new())
    }

    pub(crate) fn at(sandbox: Sandbox) -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(sandbox.with_clock(clock.clone()));
        let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(sandbox.clone());
        let ledger = ledger.with_clock(clock.clone()).with_ids(Arc::new(SeededIds::new(1)));
        Shop { ledger, sandbox, clock, caller: caller("acme") }
    }

    /// A payment of 100 cents.
    pub(crate) async fn pay(&self, card: &str) -> Arc<Payment> {
        self.create(new(card)).await
    }

    /// A hold of 100 cents.
    pub(crate) async fn hold(&self, card: &str) -> Arc<Payment> {
        self.create(new(card).captured_later()).await
    }

    pub(crate) async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&self.caller, new).await.unwrap().payment().unwrap().clone()
    }

    /// As it is now.
    pub(crate) async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(&self.caller.scope, payment.id()).await.unwrap().unwrap()
    }

    /// Lets time pass and does what is due then.
    pub(crate) async fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        assert!(self.ledger.run_due(100).await.unwrap().failed.is_empty());
    }

    /// Hands the gateway's notifications to the ledger, and tells how many there were.
    pub(crate) async fn deliver(&self) -> usize {
        let told = self.sandbox.take_notifications();
        for (scope, notification) in told.clone() {
            self.hand_over(scope, notification).await;
        }
        told.len()
    }

    pub(crate) async fn hand_over(&self, scope: Scope, told: Notification) {
        let webhook = Caller::new(scope, "webhook".parse().unwrap());
        self.ledger.notify(&webhook, told).await.unwrap();
    }

    pub(crate) fn gateway_amounts(&self, payment: &Payment) -> Amounts {
        let id = payment.id();
        [self.sandbox.captured(id), self.sandbox.held(id), self.sandbox.refunded(id)]
    }
}

pub(crate) fn new(card: &str) -> NewPayment {
    NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(Some(instrument(card))))
}

pub(crate) fn ledger_amounts(payment: &Payment) -> Amounts {
    let amounts = [payment.captured(), payment.held(), payment.refunded()];
    amounts.map(|amount| Some(amount).filter(|amount| !amount.is_zero()))
}

/// So many cents captured, held and refunded.
pub(crate) fn cents(amounts: [i64; 3]) -> Amounts {
    amounts.map(|amount| Some(usd(amount)).filter(|amount| !amount.is_zero()))
}
