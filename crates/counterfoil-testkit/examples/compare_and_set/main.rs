//! A store of one's own: payments in a remote key-value store that can compare and set. How it was written, step by
//! step, is told in the guide, `counterfoil_testkit::guide::writing_a_store`; that it is right is shown by the suite,
//! in `tests/it/compare_and_set.rs`.
//!
//! Run it with `cargo run -p counterfoil-testkit --example compare_and_set`.

#![allow(clippy::print_stdout, reason = "it tells a story")]

mod layout;
mod remote;
mod store;

use std::sync::Arc;

use counterfoil::ledger::{Ledger, NewPayment, NewTopUp};
use counterfoil::store::PaymentStore;
use counterfoil::verify::verify;
use counterfoil_testkit::fixtures::{caller, credits, invoice, usd, wallet};

use remote::Remote;
use store::CompareAndSetStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let remote = Arc::new(Remote::default());
    let store = Arc::new(CompareAndSetStore::new(remote.clone()));
    let ledger = Ledger::new(store.clone());
    let caller = caller("acme");

    // The answer to the first commit gets lost; the ledger asks again, and there is one top-up.
    remote.lose_answers(1);
    ledger.top_up(&caller, NewTopUp::new(wallet("w"), usd(1_000))).await?;
    let paid = NewPayment::new(usd(700), invoice("INV-7"), credits("w"));
    let receipt = ledger.create(&caller, paid).await?;
    println!("the payment is {:?}", receipt.payment().map(|payment| payment.status()));

    store.close().await?;
    let again = CompareAndSetStore::new(remote);
    let verified = verify(&again).await?;
    println!(
        "connected again: {} events in {} streams",
        verified.events,
        verified.payments + verified.accounts
    );
    Ok(())
}
