//! The reference store: what every other store must be equal to, and the one for tests and trying out.
//!
//! Everything lives in maps behind one lock, so the guarantees of
//! [`PaymentStore`](counterfoil::store::PaymentStore) hold for plain reasons. Nothing outlives the process.

mod store;

pub use store::MemoryStore;
