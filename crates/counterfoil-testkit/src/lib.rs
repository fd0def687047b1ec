//! What Counterfoil's stores are proved with, and yours; and what a billing service that stands on Counterfoil is tested
//! with.
//!
//! # For a store of one's own
//!
//! * [`guide::one_lock`] shows the smallest whole store, [`guide::writing_a_store`] how one is written where others
//!   write too.
//! * [`conformance!`] is the suite: a named test per behaviour of the
//!   [`PaymentStore`](counterfoil::store::PaymentStore) contract, each on a store of its own.
//! * A [`Script`] is what callers do to the books, made of any bytes. Property tests, comparisons of stores
//!   and the fuzzer all take theirs from here: [`compare`] runs one on two stores.
//! * The [`Model`](model::Model) says what must come of it, from the published rules and without the core's code:
//!   [`run_against_model`], [`JudgedStore`].
//! * [`planted`] is a store with defects to switch on: the suite must find each of them.
//!
//! # For a billing service
//!
//! * [`guide::billing_service`] takes a small one through all of the following.
//! * [`ManualClock`] and [`SeededIds`] are time and ids that a test decides, [`sandbox`] the gateway that it steers,
//!   [`fixtures`] short names for what is needed all the time.
//! * [`faulty`] is a store that fails when it is told to.
//! * [`crash`] stops a flow between any two of its steps.
//! * [`simulate`] runs a whole service, under all that may go wrong, the same way for each seed.
//! * [`strategies`] are for property tests of one's own: money, payments, commands, whole legal histories.
//! * [`laws`] is what must hold of every payment and of every step of one.
//! * [`Desk`] makes single commands, [`calls`] whole sequences of what is asked of a ledger.
//!
//! # In `Cargo.toml`
//!
//! ```toml
//! [dev-dependencies]
//! counterfoil-testkit = { path = "counterfoil/crates/counterfoil-testkit", default-features = false }
//! counterfoil-memory = { path = "counterfoil/crates/counterfoil-memory" } # a store to test a service on
//! ```
//!
//! The default feature, `torture`, is for the program of that name, which puts this library's own stores under faults; it
//! needs SQLite and a C compiler. What of other crates shows in this one is re-exported: [`proptest`](https://docs.rs/proptest) and [`sandbox`].
//!
//! What is made here of a seed is the same each time: a [`Script`], a [`Desk`]'s commands, a [simulation](simulate) over a
//! store that answers at once. A [`Ledger`](counterfoil::ledger::Ledger) of your own has the machine's clock and random ids
//! until it is given a [`ManualClock`] and [`SeededIds`], and a [hostile gateway](sandbox::Sandbox::adversarial) goes by
//! those ids. Left to chance is how threads meet, in the cases of the suite that let them, and what property tests try,
//! which tell what failed. What fails panics, as tests do, and says how it is repeated where it was made of a seed.
#![allow(clippy::missing_panics_doc, reason = "in here, to panic is to say that a test has failed")]

pub mod calls;
mod clock;
pub mod conformance;
pub mod crash;
pub mod desk;
pub mod faulty;
pub mod fixtures;
pub mod guide;
mod judged;
pub mod laws;
pub mod model;
pub mod planted;
mod run;
pub mod script;
mod sheltered;
pub mod simulate;
pub mod strategies;

/// The gateway that tests steer.
#[doc(inline)]
pub use counterfoil_sandbox as sandbox;
/// What properties are written with, in the version that [`strategies`] and [`Script::any`] are of.
pub use proptest;

pub use clock::{ManualClock, SeededIds};
pub use desk::Desk;
pub use judged::JudgedStore;
pub use run::{Answer, Trace, block_on, compare, run, run_against_model, run_commands_against_model};
pub use script::Script;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
