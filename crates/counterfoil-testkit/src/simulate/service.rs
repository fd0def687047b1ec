//! The billing service of whoever simulates.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::ledger::{Ledger, LedgerError};
use counterfoil::scope::Caller;

use super::world::World;
use crate::fixtures;

/// What a service is given for an order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Till {
    /// The ledger of the machine that it runs on.
    pub ledger: Ledger,
    /// As whom.
    pub caller: Caller,
    /// The number of the order: after a crash, or when it is not known whether it went well, the same once more.
    pub order: u64,
}

type Answer<T> = Pin<Box<dyn Future<Output = T>>>;
type Serve = Rc<dyn Fn(Till) -> Answer<Result<(), LedgerError>>>;
type Expect = Rc<dyn Fn(Till) -> Answer<Result<(), String>>>;

/// A service, and what it expects of an order when all has come to rest.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) serve: Serve,
    pub(super) expect: Expect,
}

impl Service {
    pub(super) fn new<S, E>(
        serve: impl Fn(Till) -> S + 'static,
        expect: impl Fn(Till) -> E + 'static,
    ) -> Service
    where
        S: Future<Output = Result<(), LedgerError>> + 'static,
        E: Future<Output = Result<(), String>> + 'static,
    {
        Service {
            serve: Rc::new(move |till| Box::pin(serve(till))),
            expect: Rc::new(move |till| Box::pin(expect(till))),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

/// The orders that a service is at, one after the other.
#[derive(Debug)]
pub(super) struct Orders {
    service: Service,
    order: AtomicU64,
}

impl Orders {
    pub(super) fn new(service: Service) -> Orders {
        Orders { service, order: AtomicU64::new(0) }
    }

    pub(super) async fn work(&self, world: &World, ledger: &Ledger) {
        while !world.is_closing() {
            world.wait(1).await;
            self.serve(ledger).await;
        }
    }

    /// Serves the next order, or the last one again. `Err`: it is not known how that went.
    pub(super) async fn serve(&self, ledger: &Ledger) -> bool {
        let order = self.order.load(Ordering::Relaxed);
        let done = (self.service.serve)(till(ledger, order)).await;
        let over = done.map_or_else(|error| error.rejection().is_some(), |()| true);
        if over {
            self.order.store(order + 1, Ordering::Relaxed);
        }
        over
    }

    /// Whether every order that was served came to what is expected.
    pub(super) async fn are_as_expected(&self, ledger: &Ledger) -> Result<(), String> {
        for order in 0..self.order.load(Ordering::Relaxed) {
            let expected = (self.service.expect)(till(ledger, order)).await;
            expected.map_err(|what| format!("order {order}: {what}"))?;
        }
        Ok(())
    }
}

fn till(ledger: &Ledger, order: u64) -> Till {
    Till { ledger: ledger.clone(), caller: fixtures::caller("acme"), order }
}
