//! The core from outside, with real stores and gateways over it.

mod currency;
mod golden;
mod ledger;
mod readme;
