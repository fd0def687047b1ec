//! What can be seen of accounts.

use std::collections::BTreeMap;

use counterfoil::account::{Account, GatewayTotals, Owed, Totals};
use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::money::{Currency, Money};
use uuid::Uuid;

/// What can be seen of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletFacts {
    /// What it holds, per currency it ever held, sorted by currency.
    pub balances: Vec<Money>,
    /// How many events it has.
    pub version: u64,
    /// The time of its last event.
    pub updated_at: Timestamp,
}

impl WalletFacts {
    /// What can be seen of a stored wallet.
    #[must_use]
    pub fn of(account: &Account) -> WalletFacts {
        WalletFacts {
            balances: account.balances().collect(),
            version: account.version(),
            updated_at: account.updated_at(),
        }
    }
}

/// What can be seen of the account of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFacts {
    /// The sums of its fees and payouts, in each currency in which it reported any.
    pub totals: BTreeMap<Currency, GatewayTotals>,
    /// The number of its events.
    pub version: u64,
    /// The time of its last event.
    pub updated_at: Timestamp,
}

impl GatewayFacts {
    /// What can be seen of a stored account.
    #[must_use]
    pub fn of(account: &Account) -> GatewayFacts {
        let currencies = account.gateway_currencies();
        GatewayFacts {
            totals: currencies.map(|currency| (currency, account.gateway_totals(currency))).collect(),
            version: account.version(),
            updated_at: account.updated_at(),
        }
    }
}

/// What can be seen of a destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationFacts {
    /// What is owed for it, if that was registered.
    pub owed: Option<Owed>,
    /// What its payments come to, in each currency in which they come to anything.
    pub totals: BTreeMap<Currency, Totals>,
    /// A payment of which nobody knows by then whether it was charged.
    pub in_doubt: Option<PaymentId>,
    /// How many events it has of its own.
    pub version: u64,
}

impl DestinationFacts {
    /// What can be seen of a stored one at `now`.
    #[must_use]
    pub fn of(account: &Account, now: Timestamp) -> DestinationFacts {
        let totals = Currency::all().map(|currency| (currency, account.totals(currency)));
        DestinationFacts {
            owed: account.owed().cloned(),
            totals: totals.filter(|(_, totals)| *totals != Totals::default()).collect(),
            in_doubt: account.in_doubt(PaymentId::new(Uuid::nil()), now),
            version: account.version(),
        }
    }
}
