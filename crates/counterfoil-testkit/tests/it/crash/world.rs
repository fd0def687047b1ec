//! What stands between a crash and the next start: the store, the gateway, and time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil::gateway::Finality;
use counterfoil::ledger::{Ledger, Notification};
use counterfoil::money::Currency;
use counterfoil::payment::{Payment, RetrySchedule};
use counterfoil::scope::{Caller, Scope};
use counterfoil::store::{Filter, Query};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::crash::Crash;
use counterfoil_testkit::fixtures::{caller, wallet};

/// The wallet of those who pay with credits.
pub(super) const WALLET: &str = "w";

pub(super) struct World {
    pub(super) store: Arc<MemoryStore>,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) caller: Caller,
    /// What the gateway told and nobody has acknowledged yet, so that it tells it again.
    untold: Mutex<VecDeque<(Scope, Notification)>>,
}

impl World {
    pub(super) fn new(finality: Finality) -> World {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()).with_finality(finality));
        let store = Arc::new(MemoryStore::new());
        World { store, sandbox, clock, caller: caller("acme"), untold: Mutex::default() }
    }

    pub(super) fn ledger(&self, crash: Option<&Crash>) -> Ledger {
        let ledger = match crash {
            Some(crash) => {
                Ledger::new(crash.store(self.store.clone())).with_gateway(crash.gateway(self.sandbox.clone()))
            }
            None => Ledger::new(self.store.clone()).with_gateway(self.sandbox.clone()),
        };
        let hours = RetrySchedule::new([Duration::from_secs(3_600); 2]).unwrap();
        ledger.with_clock(self.clock.clone()).with_policy(Policy::default().with_retries(hours))
    }

    /// The gateway's webhooks, a payer who pays where it is asked to, and what is due, for so many times so long.
    pub(super) async fn settle(&self, crash: Option<&Crash>, times: usize, minutes: u64) {
        let ledger = self.ledger(crash);
        for _ in 0..times {
            self.deliver(&ledger).await;
            if let Some(payment) = self.payment().await {
                self.sandbox.act(payment.id(), true);
            }
            self.clock.advance(Duration::from_secs(60 * minutes));
            let run = ledger.run_due(100).await.unwrap();
            assert!(run.failed.is_empty(), "{:?}", run.failed);
        }
    }

    async fn deliver(&self, ledger: &Ledger) {
        self.untold.lock().unwrap().extend(self.sandbox.take_notifications());
        loop {
            let Some((scope, told)) = self.untold.lock().unwrap().front().cloned() else { return };
            let webhook = Caller::new(scope, "webhook".parse().unwrap());
            ledger.notify(&webhook, told).await.unwrap();
            self.untold.lock().unwrap().pop_front();
        }
    }

    /// The one payment of this world, if it was made.
    pub(super) async fn payment(&self) -> Option<Arc<Payment>> {
        let query = Query::new(Filter::default(), 10);
        let page = self.ledger(None).list(&self.caller.scope, &query).await.unwrap();
        assert!(page.payments.len() <= 1, "it was made twice");
        page.payments.into_iter().next()
    }

    /// What is in the wallet.
    pub(super) async fn credits(&self) -> i64 {
        let found = self.ledger(None).wallet(&self.caller.scope, &wallet(WALLET)).await.unwrap();
        found.expect("it was filled").balance(Currency::USD).minor()
    }
}
