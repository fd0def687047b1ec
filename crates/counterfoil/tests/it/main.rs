//! The core from outside, with real stores and gateways over it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attribution;
mod charges;
mod currency;
mod destinations;
mod dismissed;
mod due;
mod feed;
mod gateways;
mod golden;
mod group;
mod ledger;
mod liar;
mod moves;
mod queued;
mod readme;
mod reconcile;
mod recorded;
mod retries;
mod update;
mod verify;
mod verify_beside;
mod verify_each;
mod voids;
