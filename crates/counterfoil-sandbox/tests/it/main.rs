//! The sandbox under a real ledger: what each switch comes to, what its books refuse, what its notifications change,
//! and that its books and the ledger's agree however badly it behaves.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod adversary;
mod disputes;
mod moves;
mod notifications;
mod parallel;
mod refusals;
mod support;
mod switches;
