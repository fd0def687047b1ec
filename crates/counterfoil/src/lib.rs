//! Payments that are right: created exactly once however often a request is retried, moved only along a
//! [published graph](status), every attempt, refund and dispute kept, and nothing forgotten when the process is killed.
//!
//! A [`Ledger`](ledger::Ledger) is all that a billing service needs, over a [store](store::PaymentStore) of its
//! choice (`counterfoil-memory`, `counterfoil-sqlite`) and the [gateways](gateway::Gateway) that move its money
//! (`counterfoil-sandbox` moves none):
//!
//! ```
//! use std::sync::Arc;
//!
//! use counterfoil::ledger::{Ledger, NewPayment, NewRefund};
//! use counterfoil::money::{Currency, Money};
//! use counterfoil::payment::{Destination, PaymentMethod};
//! use counterfoil::scope::{Caller, Scope};
//! use counterfoil::status::PaymentStatus;
//! use counterfoil::verify::verify;
//! use counterfoil_memory::MemoryStore;
//! use counterfoil_sandbox::Sandbox;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
//! let caller = Caller::new(Scope::new("acme".parse()?, "production".parse()?), "billing".parse()?);
//!
//! let amount = Money::parse("99.50", Currency::USD)?;
//! let card = PaymentMethod::Card(Some("pm_1".parse()?));
//! let invoice = Destination::invoice("inv_2026_001".parse()?);
//! let new = NewPayment::new(amount, invoice, card).with_idempotency_key("order-42".parse()?);
//! let payment = ledger.create(&caller, new.clone()).await?.payment().unwrap().clone();
//! assert_eq!(payment.status(), PaymentStatus::Succeeded);
//!
//! // A retry charges nobody twice.
//! assert!(ledger.create(&caller, new).await?.replayed);
//!
//! let seven = Money::parse("7", Currency::USD)?;
//! ledger.refund(&caller, payment.id(), NewRefund::of(seven)).await?;
//!
//! // Unknown outcomes, retries, holds that ran out: a host calls this about every second.
//! ledger.run_due(100).await?;
//!
//! // The history proves itself.
//! verify(ledger.store().as_ref()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! - What is asked of it: [`ledger`], with its [errors](ledger::LedgerError) and what
//!   [is due](ledger::Ledger::run_due).
//! - What a gateway's report says otherwise: [`reconcile`](ledger::reconcile).
//! - What it is about: [`payment`]s and their attempts, captures, refunds and disputes; [`money`], which is exact;
//!   [`account`]s, such as wallets; where they may stand, and what leads there: [`status`].
//! - What a host brings: a [`gateway`], a [`store`], its own invoices ([`destinations`]), and the time ([`clock`]).
//! - What is kept: [`event`]s in chains of hashes, and how they are [proved](verify).
//! - [`command`]s are the rules themselves, without any I/O, for those who write a store.
//! - [`docs::gateways`]: what an adapter of a gateway has to do. [`docs::evidence`]: how reports are attributed and counted,
//!   and what to do about each reason for a review.
//! - [`docs::invariants`]: what always holds. [`docs::events`]: the bytes of events, for other readers.
//!
//! `counterfoil-testkit` has the suite that a store must pass, strategies and a simulator for tests of one's own;
//! `counterfoil-http` the same library as an axum router.

#![deny(clippy::indexing_slicing)]

pub mod account;
pub mod claim;
pub mod clock;
mod codec;
pub mod command;
pub mod destinations;
pub mod event;
pub mod gateway;
mod hash;
pub mod id;
pub mod ledger;
pub mod money;
pub mod payment;
pub mod scope;
pub mod status;
pub mod store;
mod stream;
pub mod text;
pub mod verify;
mod word;

pub use codec::Damage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

/// Pages that are not about one item.
pub mod docs {
    #[doc = include_str!("../docs/invariants.md")]
    pub mod invariants {}

    #[doc = include_str!("../docs/events.md")]
    pub mod events {}

    #[doc = include_str!("../docs/evidence.md")]
    pub mod evidence {}

    #[doc = include_str!("../docs/gateways.md")]
    pub mod gateways {}
}
