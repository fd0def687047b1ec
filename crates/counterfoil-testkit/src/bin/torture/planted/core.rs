//! Bugs that the core could have, played by a wrapper around a sound store, for in the core itself there is nothing to
//! switch: a retry under a new key, and a verifier that does not look at the end.

use std::sync::Arc;

use counterfoil::account::AccountId;
use counterfoil::command::{Command, Request};
use counterfoil::event::{Event, Hash};
use counterfoil::id::TopUpId;
use counterfoil::ledger::{Ledger, NewPayment, NewTopUp};
use counterfoil::money::Currency;
use counterfoil::store::{Key, Lookup, PaymentStore, StoreErrorKind};
use counterfoil::verify::{VerifyError, verify};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::faulty::{Fault, FaultyStore};
use counterfoil_testkit::fixtures::{caller, card, evidence, invoice, key, pending, succeeded, usd, wallet};
use counterfoil_testkit::{Desk, block_on};
use uuid::Uuid;

use super::meddled::Meddled;

/// The answer to a top-up is lost: the ledger settles it, and there is one top-up.
pub(super) fn lost_answer(broken: bool) -> Result<(), String> {
    let faulty = FaultyStore::new(MemoryStore::new());
    faulty.next_commands([Fault::lost(StoreErrorKind::Io)]);
    let mut store: Arc<dyn PaymentStore> = Arc::new(faulty);
    if broken {
        store =
            Arc::new(Meddled { inner: store, after_unknown: Some(Box::new(under_a_new_key)), shown: None });
    }
    let caller = caller("acme");
    let new = NewTopUp::new(wallet("w"), usd(5)).with_idempotency_key(key("k"));
    block_on(Ledger::new(store.clone()).top_up(&caller, new)).map_err(|error| error.to_string())?;
    let id = AccountId::wallet(&wallet("w"));
    let state = block_on(store.read(&[Key::Account(caller.scope.clone(), id.clone())]));
    let state = state.map_err(|error| error.to_string())?;
    match state.account(&caller.scope, &id) {
        Lookup::Present(account) if account.balance(Currency::USD) == usd(5) => Ok(()),
        other => Err(format!("a top-up of five came to {other:?}")),
    }
}

/// The same request as one that nobody has ever seen.
fn under_a_new_key(mut command: Command) -> Command {
    if let Request::TopUp(top_up) = &mut command.request {
        top_up.top_up = TopUpId::new(Uuid::max());
        top_up.idempotency_key = Some(key("another"));
    }
    command
}

/// Each event of a stream is damaged in turn, and named.
pub(super) fn damaged_events(broken: bool) -> Result<(), String> {
    let store: Arc<dyn PaymentStore> = Arc::new(MemoryStore::new());
    let last = block_on(five_events(&*store));
    for sequence in 1..=last {
        // A verifier that skips the last event sees what is sound there, whatever it is. This one is sound, and is shown that.
        let unseen = broken && sequence == last;
        let shown = move |event: Arc<Event>| {
            if event.sequence() == sequence && !unseen { damaged(&event) } else { event }
        };
        let store = Meddled { inner: store.clone(), after_unknown: None, shown: Some(Box::new(shown)) };
        match block_on(verify(&store)) {
            Err(VerifyError::Fault(fault)) if fault.sequence == sequence => {}
            other => return Err(format!("event {sequence} is damaged, but: {other:?}")),
        }
    }
    Ok(())
}

async fn five_events(store: &dyn PaymentStore) -> u64 {
    let (desk, caller) = (Desk::new(13), caller("acme"));
    let create = desk.create(&caller, NewPayment::new(usd(100), invoice("inv_1"), card()));
    let told = [pending(), succeeded(None), pending(), succeeded(Some(usd(99))), succeeded(None)];
    let reports = told.into_iter().zip(1..).map(|(outcome, second)| {
        desk.report(&caller, created(&create), started(&create), evidence(outcome, second))
    });
    let mut version = 0;
    for command in [create.clone()].into_iter().chain(reports.collect::<Vec<_>>()) {
        let receipt = store.execute(command).await.expect("a sound store");
        version = receipt.payment().map_or(version, |payment| payment.version());
    }
    version
}

/// The event with one bit of its hash turned.
fn damaged(event: &Event) -> Arc<Event> {
    let mut hash = *event.hash().as_bytes();
    hash[7] ^= 1;
    Arc::new(Event::decode(event.bytes(), Hash::new(hash)).expect("bytes that were an event"))
}
