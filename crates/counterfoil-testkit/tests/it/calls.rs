//! Calls through a ledger, judged command by command.

use std::sync::Arc;

use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::calls::{Till, any_calls, play};
use counterfoil_testkit::{JudgedStore, block_on};
use proptest::proptest;

use crate::watched::config;

proptest! {
    #![proptest_config(config(400))]

    /// INVARIANTS 10–12, 15, 16, 18–23, 25, 29, 32, 33, 38: whatever is asked of a ledger with a gateway behind it,
    /// every command is answered as the model says, and the books are good.
    #[test]
    fn a_ledger_goes_as_the_model_says(calls in any_calls(30)) {
        let store = Arc::new(JudgedStore::new(MemoryStore::new()));
        let mut till = Till::new(store.clone());
        block_on(async {
            play(&calls, &mut till).await;
            verify(&*store).await.unwrap();
        });
    }
}
