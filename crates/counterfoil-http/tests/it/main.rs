//! The API as its clients see it: requests into the router, answers out of it. Numbers of invariants are
//! those of the list in ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod attempts;
mod attribution;
mod bodies;
mod captures;
mod concurrency;
mod create;
mod delete;
mod destinations;
mod disputes;
mod envelope;
mod events;
mod faults;
mod feed;
mod fields;
mod gateways;
mod hang_up;
mod idempotency;
mod isolation;
mod list;
mod machine;
mod notifications;
mod openapi;
mod owed;
mod paging;
mod parser;
mod process;
mod refunds;
mod refusals;
mod reported_amounts;
mod resolve;
mod sequences;
mod shop;
mod silent;
mod socket;
mod statuses;
mod stream;
mod support;
mod update;
mod versions;
mod voids;
mod wallets;
