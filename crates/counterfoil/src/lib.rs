#![doc = include_str!("../README.md")]
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

/// Pages that are not about one item.
pub mod docs {
    #[doc = include_str!("../docs/invariants.md")]
    pub mod invariants {}

    #[doc = include_str!("../docs/events.md")]
    pub mod events {}
}
