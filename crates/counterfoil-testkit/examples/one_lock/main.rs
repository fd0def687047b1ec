//! The smallest whole store: maps behind one lock. The guide, `counterfoil_testkit::guide::one_lock`, goes through it; the
//! suite proves it, in `tests/it/one_lock.rs`.
//!
//! Run it with `cargo run -p counterfoil-testkit --example one_lock`.

#![allow(clippy::print_stdout, reason = "it tells a story")]

mod books;
mod store;

use std::sync::Arc;

use counterfoil::ledger::{Ledger, NewPayment, NewTopUp};
use counterfoil::verify::verify;
use counterfoil_testkit::fixtures::{caller, credits, invoice, usd, wallet};

use store::OneLockStore;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Arc::new(OneLockStore::new());
    let ledger = Ledger::new(store.clone());
    let caller = caller("acme");
    ledger.top_up(&caller, NewTopUp::new(wallet("w"), usd(1_000))).await?;
    let paid = NewPayment::new(usd(700), invoice("INV-7"), credits("w"));
    let receipt = ledger.create(&caller, paid).await?;
    println!("the payment is {:?}", receipt.payment().map(|payment| payment.status()));
    let verified = verify(store.as_ref()).await?;
    println!("{} events in {} streams", verified.events, verified.payments + verified.accounts);
    Ok(())
}
