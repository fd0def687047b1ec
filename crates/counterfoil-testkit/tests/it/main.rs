//! The testkit on the memory store: the suite, the properties (they name the invariants of `counterfoil::docs`
//! that they check, by number), and the suite on stores that are broken on purpose.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod amounts;
mod calls;
mod compare_and_set;
mod conformance;
mod crash;
mod desk;
mod disputes;
mod doubt;
mod evidence;
mod faulty;
mod guide;
mod idempotency;
mod laws;
mod notifications;
mod one_lock;
mod planted;
mod races;
mod reversals;
mod simulate;
mod status;
mod stores;
mod strategies;
mod sums;
mod tampered;
mod time;
mod told;
mod torture;
mod watched;
