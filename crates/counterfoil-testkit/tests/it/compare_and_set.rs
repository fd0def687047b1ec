//! The worked example of a store passes the suite.

#[path = "../../examples/compare_and_set/layout.rs"]
mod layout;
#[path = "../../examples/compare_and_set/remote.rs"]
mod remote;
#[path = "../../examples/compare_and_set/store.rs"]
mod store;

use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::ledger::NewTopUp;
use counterfoil::store::{ExecuteError, Key, PaymentStore};
use counterfoil_testkit::fixtures::{caller, usd, wallet};
use counterfoil_testkit::{Desk, block_on};

use remote::Remote;
use store::CompareAndSetStore;

counterfoil_testkit::conformance!(suite, {
    let remote = std::sync::Arc::new(super::Remote::default());
    move || {
        let remote = remote.clone();
        async move { super::CompareAndSetStore::new(remote) }
    }
});

/// INVARIANTS 41: what is in doubt is settled by executing the same command again.
#[test]
fn an_answer_that_is_lost_is_no_no() {
    let remote = Arc::new(Remote::default());
    let store = CompareAndSetStore::new(remote.clone());
    let (desk, caller) = (Desk::new(1), caller("acme"));
    let command = desk.top_up(&caller, NewTopUp::new(wallet("w"), usd(5)));
    remote.lose_answers(1);
    assert!(matches!(block_on(store.execute(command.clone())), Err(ExecuteError::Unknown(_))));
    assert!(block_on(store.execute(command)).unwrap().replayed);
    let key = Key::Account(caller.scope, AccountId::wallet(&wallet("w")));
    assert!(block_on(store.read(std::slice::from_ref(&key))).unwrap().get(&key).is_some());
}
