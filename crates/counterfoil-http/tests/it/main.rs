//! The API as its clients see it: requests into the router, answers out of it. Numbers of invariants are
//! those of the list in ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod bodies;
mod concurrency;
mod create;
mod envelope;
mod events;
mod faults;
mod hang_up;
mod idempotency;
mod isolation;
mod parser;
mod process;
mod refusals;
mod socket;
mod support;
mod wallets;
