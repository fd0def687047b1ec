//! What the API needs.

use counterfoil::id::RandomIds;
use counterfoil::ledger::Ledger;

use crate::amount::Amounts;
use crate::keys::ApiKeys;
use crate::task::Flows;

/// What the API answers from: the books, and who may ask.
#[derive(Debug)]
pub struct Api {
    pub(crate) ledger: Ledger,
    pub(crate) keys: ApiKeys,
    pub(crate) amounts: Amounts,
    pub(crate) request_ids: RandomIds,
    pub(crate) flows: Flows,
}

impl Api {
    /// An API over `ledger` for the holders of `keys`. Amounts are answered as JSON numbers.
    #[must_use]
    pub fn new(ledger: Ledger, keys: ApiKeys) -> Api {
        Api {
            ledger,
            keys,
            amounts: Amounts::default(),
            request_ids: RandomIds::default(),
            flows: Flows::default(),
        }
    }

    /// With amounts answered like this. In the `data` of events they are always strings, as they are kept.
    #[must_use]
    pub fn with_amounts(mut self, amounts: Amounts) -> Api {
        self.amounts = amounts;
        self
    }

    /// The requests that write and are under way: what to wait for before the store is closed.
    #[must_use]
    pub fn flows(&self) -> Flows {
        self.flows.clone()
    }
}
