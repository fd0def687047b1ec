//! Accounts: where money comes from and where it goes.
//!
//! Every movement is a set of [`Posting`]s that sum to zero. An account that must be bounded, as a wallet,
//! has a row and a stream of its own. What is paid has a row too, which keeps what its payments come to. The account of a
//! gateway has a stream of its fees and payouts, and a row with their sums. The balance of any other account, and of a
//! gateway's, is the sum of its postings.

mod destination;
mod gateway;

pub(crate) use destination::Share;
pub use destination::{Owed, Totals};
pub use gateway::{GatewayEntry, GatewayEntryKind, GatewayTotals};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::hash::Hash;
use crate::id::PaymentId;
use crate::money::{Currency, Money};
use crate::payment::{Destination, DestinationType};
use crate::scope::Scope;
use crate::text::{Actor, DestinationId, GatewayName, WalletId};

/// The name of an account within its scope. Sorted by its text, byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// A wallet of credits: never below zero.
    #[must_use]
    pub fn wallet(id: &WalletId) -> AccountId {
        AccountId(format!("wallet:{id}").into())
    }

    /// Where top-ups come from.
    #[must_use]
    pub fn funding() -> AccountId {
        AccountId("funding".into())
    }

    /// Money that reached the host outside of any gateway.
    #[must_use]
    pub fn offline() -> AccountId {
        AccountId("offline".into())
    }

    /// Money that a gateway took from payers, less its fees and what it paid out. It is negative while the gateway owes
    /// money.
    #[must_use]
    pub fn gateway(name: &GatewayName) -> AccountId {
        AccountId(format!("gateway:{name}").into())
    }

    /// The fees of a gateway.
    #[must_use]
    pub fn fees(name: &GatewayName) -> AccountId {
        AccountId(format!("fees:{name}").into())
    }

    /// What a gateway paid out: money on its way to the host's bank, or there.
    #[must_use]
    pub fn payouts(name: &GatewayName) -> AccountId {
        AccountId(format!("payouts:{name}").into())
    }

    /// What was paid.
    #[must_use]
    pub fn destination(destination: &Destination) -> AccountId {
        AccountId(format!("destination:{}:{}", destination.kind, destination.id).into())
    }

    /// Money that disputes took at a gateway.
    #[must_use]
    pub fn disputed(name: &GatewayName) -> AccountId {
        AccountId(format!("disputed:{name}").into())
    }

    /// Whether it must not fall below zero: then whatever moves its money is an event of its own stream too.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.0.starts_with("wallet:")
    }

    /// Whether it is something that is paid: its row keeps what its payments come to.
    #[must_use]
    pub fn is_destination(&self) -> bool {
        self.0.starts_with("destination:")
    }

    /// Whether it is the account of a gateway: its row keeps the sums of fees and payouts.
    #[must_use]
    pub fn is_gateway(&self) -> bool {
        self.0.starts_with("gateway:")
    }

    /// The gateway whose account it is.
    pub(crate) fn as_gateway(&self) -> Option<GatewayName> {
        GatewayName::new(self.0.strip_prefix("gateway:")?).ok()
    }

    /// The destination whose account it is.
    pub(crate) fn as_destination(&self) -> Option<Destination> {
        let (kind, id) = self.0.strip_prefix("destination:")?.split_once(':')?;
        Some(Destination { kind: DestinationType::from_name(kind)?, id: DestinationId::new(id).ok()? })
    }

    /// The name as text; [`from_text`](Self::from_text) takes it back.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account with this name, if it is one that could have been made here.
    #[must_use]
    pub fn from_text(text: &str) -> Option<AccountId> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let known = match kind {
            "wallet" => WalletId::new(rest).is_ok(),
            "gateway" | "disputed" | "fees" | "payouts" => GatewayName::new(rest).is_ok(),
            "destination" => rest.split_once(':').is_some_and(|(_, id)| !id.is_empty()),
            "funding" | "offline" => text == kind,
            _ => false,
        };
        known.then(|| AccountId(text.into()))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Encode for AccountId {
    fn encode(&self, to: &mut Writer) {
        to.text(self.as_str());
    }

    fn decode(from: &mut Reader<'_>) -> Result<AccountId, Damage> {
        AccountId::from_text(from.text()?).ok_or(Damage::Malformed("account id"))
    }
}

/// Money that an account gains, or loses when negative. The postings of one event sum to zero per currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Posting {
    /// Whose.
    pub account: AccountId,
    /// In which currency.
    pub currency: Currency,
    /// How many minor units; the smallest step of the currency.
    pub minor: i64,
}

impl Posting {
    /// The postings that move `amount` from one account to another; none when there is nothing to move.
    #[must_use]
    pub fn transfer(amount: Money, from: AccountId, to: AccountId) -> Vec<Posting> {
        let currency = amount.currency();
        if amount.is_zero() {
            return Vec::new();
        }
        vec![
            Posting { account: from, currency, minor: -amount.minor() },
            Posting { account: to, currency, minor: amount.minor() },
        ]
    }
}

impl Encode for Posting {
    fn encode(&self, to: &mut Writer) {
        self.account.encode(to);
        self.currency.encode(to);
        to.signed(self.minor);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Posting, Damage> {
        Ok(Posting {
            account: AccountId::decode(from)?,
            currency: Currency::decode(from)?,
            minor: from.signed()?,
        })
    }
}

/// An account that has a row: a wallet as it stood after its last event, which can hold no less than zero as [`Money`]
/// cannot say less; a destination, with what is owed for it and what its payments come to; or a gateway, with the sums of
/// its fees and payouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub(crate) scope: Scope,
    pub(crate) id: AccountId,
    pub(crate) version: u64,
    pub(crate) revision: u64,
    pub(crate) head: Hash,
    pub(crate) balances: BTreeMap<Currency, Money>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: Actor,
    pub(crate) owed: Option<Owed>,
    pub(crate) totals: BTreeMap<Currency, Totals>,
    pub(crate) doubts: BTreeMap<PaymentId, Timestamp>,
    pub(crate) gateway_totals: BTreeMap<Currency, GatewayTotals>,
}

impl Account {
    pub(crate) fn new(scope: Scope, id: AccountId, at: Timestamp, by: Actor) -> Account {
        Account {
            scope,
            id,
            version: 0,
            revision: 0,
            head: Hash::ZERO,
            balances: BTreeMap::new(),
            created_at: at,
            updated_at: at,
            updated_by: by,
            owed: None,
            totals: BTreeMap::new(),
            doubts: BTreeMap::new(),
            gateway_totals: BTreeMap::new(),
        }
    }

    pub(crate) fn change<E>(
        &mut self,
        amount: Money,
        change: fn(Money, Money) -> Result<Money, E>,
    ) -> Result<(), E> {
        let currency = amount.currency();
        self.balances.insert(currency, change(self.balance(currency), amount)?);
        Ok(())
    }

    /// Whose it is.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// The sequence of the last event of its own stream; 0 if there is none.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How often its row was changed: by its own events, and of a destination by those of its payments.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The hash of the last event of its own stream.
    #[must_use]
    pub fn head(&self) -> Hash {
        self.head
    }

    /// What it holds of `currency`.
    #[must_use]
    pub fn balance(&self, currency: Currency) -> Money {
        self.balances.get(&currency).copied().unwrap_or(Money::zero(currency))
    }

    /// What it holds, per currency it ever held, sorted by currency.
    pub fn balances(&self) -> impl Iterator<Item = Money> {
        self.balances.values().copied()
    }

    /// The time of its first event.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The time of its last event.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// Its state as bytes, for stores.
    #[must_use]
    pub fn encode_row(&self) -> Vec<u8> {
        let mut to = Writer::with_capacity(96);
        to.byte(LAYOUT);
        to.field(1, |w| w.varint(self.version));
        to.field(2, |w| w.raw(self.head.as_bytes()));
        to.field(3, |w| self.balances.values().for_each(|balance| balance.encode(w)));
        to.field(4, |w| self.created_at.encode(w));
        to.field(5, |w| self.updated_at.encode(w));
        to.field(6, |w| self.updated_by.encode(w));
        let revision = Some(&self.revision).filter(|revision| **revision != self.version);
        to.optional(7, revision, |w, revision| w.varint(*revision));
        to.optional(8, self.owed.as_ref(), |w, owed| owed.encode(w));
        to.optional(9, Some(&self.totals).filter(|sums| !sums.is_empty()), destination::encode_totals);
        to.optional(10, Some(&self.doubts).filter(|ids| !ids.is_empty()), destination::encode_doubts);
        to.optional(11, Some(&self.gateway_totals).filter(|sums| !sums.is_empty()), gateway::encode_totals);
        to.into_bytes()
    }

    /// The account `id` of `scope` with this state.
    pub fn decode_row(scope: Scope, id: AccountId, row: &[u8]) -> Result<Account, Damage> {
        let mut from = Reader::new(row);
        match from.byte()? {
            LAYOUT => {}
            number => return Err(Damage::Newer { what: "row layout", number: number.into() }),
        }
        let mut fields = from.fields()?;
        let version = fields.required(1, Reader::varint)?;
        let account = Account {
            scope,
            id,
            version,
            head: Hash::new(fields.required(2, Reader::array)?),
            balances: fields.required(3, decode_balances)?,
            created_at: fields.required(4, Timestamp::decode)?,
            updated_at: fields.required(5, Timestamp::decode)?,
            updated_by: fields.required(6, Actor::decode)?,
            revision: fields.optional(7, Reader::varint)?.unwrap_or(version),
            owed: fields.optional(8, Owed::decode)?,
            totals: fields.optional(9, destination::decode_totals)?.unwrap_or_default(),
            doubts: fields.optional(10, destination::decode_doubts)?.unwrap_or_default(),
            gateway_totals: fields.optional(11, gateway::decode_totals)?.unwrap_or_default(),
        };
        fields.end()?;
        Ok(account)
    }
}

/// Raised when the layout changes. A row is a cache: a store may always make it again from its events.
const LAYOUT: u8 = 1;

fn decode_balances(from: &mut Reader<'_>) -> Result<BTreeMap<Currency, Money>, Damage> {
    let mut balances = BTreeMap::new();
    while from.end().is_err() {
        let balance = Money::decode(from)?;
        balances.insert(balance.currency(), balance);
    }
    Ok(balances)
}
