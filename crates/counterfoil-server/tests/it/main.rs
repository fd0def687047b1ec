//! The program as its users meet it: real processes, real sockets, real files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod connections;
mod crash;
mod drain;
mod graph;
mod program;
mod refusals;
mod serve;
mod slow;
mod verify;
