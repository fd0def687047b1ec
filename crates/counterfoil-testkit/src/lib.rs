//! What Counterfoil's stores are proved with, and yours.
//!
//! * [`conformance!`] is the suite: a named test per behaviour of the
//!   [`PaymentStore`](counterfoil::store::PaymentStore) contract, each on a store of its own.
//! * A [`Script`] is what callers do to the books, made of any bytes. Property tests, comparisons of stores
//!   and the fuzzer all take theirs from here.
//! * The [`Model`](model::Model) says what must come of it, from the published rules and without the core's code.
//! * [`planted`] is a store with defects to switch on: the suite must find each of them.
//! * [`guide::writing_a_store`] tells how a store is written, and which case fails while a step is missing.
//! * [`crash`] stops a flow between any two of its steps.
//! * [`simulate`] runs a whole billing service, under all that may go wrong, the same way for each seed.
//! * [`strategies`] are for property tests of one's own: money, payments, commands, whole legal histories.
//! * [`laws`] is what must hold of every payment and of every step of one.
//! * [`faulty`] is a store that fails when it is told to, for the tests of whoever uses one.
//!
//! How a billing service is tested with all of this, the [`guide`] shows.
//!
//! Everything here is deterministic: time is a [`ManualClock`], ids are [`SeededIds`].
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
pub use counterfoil_sandbox as sandbox;
/// What properties are written with: the version that the [`strategies`] are of.
pub use proptest;

pub use clock::{ManualClock, SeededIds};
pub use desk::Desk;
pub use judged::JudgedStore;
pub use run::{Answer, Trace, block_on, compare, run, run_against_model};
pub use script::Script;
