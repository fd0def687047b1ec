//! The smallest store of the guide passes the suite.

#[path = "../../examples/one_lock/books.rs"]
mod books;
#[path = "../../examples/one_lock/store.rs"]
mod store;

use store::OneLockStore;

counterfoil_testkit::conformance!(suite, || async { OneLockStore::new() });
