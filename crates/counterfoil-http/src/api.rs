//! What the API needs.

use std::sync::Arc;

use counterfoil::clock::{Clock, SystemClock};
use counterfoil::id::RandomIds;
use counterfoil::ledger::Ledger;
use tokio::sync::Semaphore;

use crate::amount::Amounts;
use crate::keys::ApiKeys;
use crate::notification::{Endpoint, Endpoints};
use crate::task::Flows;

/// How many lists are looked for at a time. One can take a whole core for a while, and the rest must go on.
const LISTS: usize = 2;

/// What the API answers from: the books, and who may ask.
#[derive(Debug)]
pub struct Api {
    pub(crate) ledger: Ledger,
    pub(crate) keys: ApiKeys,
    pub(crate) amounts: Amounts,
    pub(crate) endpoints: Endpoints,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) request_ids: RandomIds,
    pub(crate) flows: Flows,
    /// Turns at looking at many payments at once.
    pub(crate) lists: Arc<Semaphore>,
}

impl Api {
    /// An API over `ledger` for the holders of `keys`. Amounts are answered as JSON numbers.
    #[must_use]
    pub fn new(ledger: Ledger, keys: ApiKeys) -> Api {
        Api {
            ledger,
            keys,
            amounts: Amounts::default(),
            endpoints: Endpoints::default(),
            clock: Arc::new(SystemClock),
            request_ids: RandomIds::default(),
            flows: Flows::default(),
            lists: Arc::new(Semaphore::new(LISTS)),
        }
    }

    /// With amounts answered like this. In the `data` of events they are always strings, as they are kept.
    #[must_use]
    pub fn with_amounts(mut self, amounts: Amounts) -> Api {
        self.amounts = amounts;
        self
    }

    /// With this endpoint for a gateway's notifications, instead of one of the same id.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Api {
        self.endpoints.insert(endpoint);
        self
    }

    /// Telling time by this clock, which should be the ledger's: how old a signature is.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Api {
        self.clock = clock;
        self
    }

    /// The requests that write and are under way: what to wait for before the store is closed.
    #[must_use]
    pub fn flows(&self) -> Flows {
        self.flows.clone()
    }
}
