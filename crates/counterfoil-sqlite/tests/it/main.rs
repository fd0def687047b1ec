//! What is SQLite's own about this store. That it keeps the contract is checked by the suite in
//! `counterfoil-testkit`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::wildcard_imports,
    reason = "tests, with their helpers: all of it stops at the first surprise"
)]

mod books;
mod check;
mod commit;
mod contract;
mod damage;
mod destination;
mod due;
mod feed;
mod feed_worker;
mod kill;
mod list;
mod migration;
mod news;
mod open;
mod population;
mod reader;
mod rebuild;
mod restore;
mod support;
mod write_failure;
