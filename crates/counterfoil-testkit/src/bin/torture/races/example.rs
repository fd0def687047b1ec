//! The worked example of a store, as it stands in the examples.

#[path = "../../../../examples/compare_and_set/layout.rs"]
mod layout;
#[path = "../../../../examples/compare_and_set/remote.rs"]
#[expect(dead_code, reason = "no answer is lost in a race")]
mod remote;
#[path = "../../../../examples/compare_and_set/store.rs"]
mod store;

pub(super) use remote::Remote;
pub(super) use store::CompareAndSetStore;
