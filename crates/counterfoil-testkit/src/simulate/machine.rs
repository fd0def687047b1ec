//! The machines that a billing service runs on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::Policy;
use counterfoil::gateway::Gateway;
use counterfoil::ledger::Ledger;
use counterfoil::store::PaymentStore;

use super::world::World;
use crate::clock::SeededIds;

/// A machine: a clock that is a little off, and a ledger, anew after each crash.
#[derive(Debug)]
pub(super) struct Machine {
    clock: Arc<OwnClock>,
    parts: Parts,
    number: u64,
    starts: u64,
    ledger: Ledger,
}

/// What every machine works with.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) store: Arc<dyn PaymentStore>,
    pub(super) gateway: Arc<dyn Gateway>,
    pub(super) policy: Policy,
}

#[derive(Debug)]
struct OwnClock {
    world: Arc<World>,
    off_by_micros: AtomicI64,
}

impl Clock for OwnClock {
    fn now(&self) -> Timestamp {
        let micros =
            self.world.now().unix_micros().saturating_add(self.off_by_micros.load(Ordering::Relaxed));
        Timestamp::from_unix_micros(micros).unwrap_or(Timestamp::EPOCH)
    }
}

impl Machine {
    pub(super) fn new(world: &Arc<World>, number: u64, parts: &Parts) -> Machine {
        let clock = Arc::new(OwnClock { world: world.clone(), off_by_micros: AtomicI64::new(0) });
        let ledger = parts.ledger(&clock, number);
        Machine { clock, parts: parts.clone(), number, starts: 0, ledger }
    }

    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Nothing is left of what it had in mind. Ids are never given twice.
    pub(super) fn start_again(&mut self) {
        self.starts += 1;
        self.ledger = self.parts.ledger(&self.clock, self.number + self.starts * 16);
    }

    /// Its clock is off by so much from now on.
    pub(super) fn set_clock(&self, off_by_micros: i64) {
        self.clock.off_by_micros.store(off_by_micros, Ordering::Relaxed);
    }
}

impl Parts {
    fn ledger(&self, clock: &Arc<OwnClock>, ids: u64) -> Ledger {
        Ledger::new(self.store.clone())
            .with_gateway(self.gateway.clone())
            .with_clock(clock.clone())
            .with_ids(Arc::new(SeededIds::new(ids)))
            .with_policy(self.policy.clone())
    }
}
