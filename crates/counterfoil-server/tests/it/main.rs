//! The program as its users meet it: real processes, real sockets, real files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod connections;
mod crash;
mod described;
mod drain;
mod due;
mod export;
mod graph;
mod half_closed;
mod odd_books;
mod packages;
mod program;
mod published;
mod reconcile;
mod refusals;
mod restore;
mod serve;
mod slow;
mod told;
mod verify;
