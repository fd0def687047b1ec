//! The body of a gateway's notification.

use std::sync::Arc;

use counterfoil::command::{Command, Request};
use counterfoil::ledger::{Ledger, LedgerError, NewPayment};
use counterfoil::scope::Caller;
use counterfoil::store::PaymentStore;
use counterfoil::verify::verify;
use counterfoil_http::parse_notification;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, card, gateway, invoice, usd};
use counterfoil_testkit::{Desk, block_on};

/// Reads the bytes as what a gateway tells, of a payment by card that is on its way, and takes it twice: the second
/// time changes nothing, and the books are good.
pub fn notifications(data: &[u8]) {
    let Ok(told) = parse_notification(data, gateway()) else { return };
    let store = Arc::new(MemoryStore::new());
    let (caller, ledger) = (caller("acme"), Ledger::new(store.clone()));
    block_on(store.execute(payment(&caller))).expect("it is created");
    let first = block_on(ledger.notify(&caller, told.clone()));
    let books = block_on(verify(&*store)).expect("the books are good");
    let again = block_on(ledger.notify(&caller, told));
    match (first, again) {
        (Ok(_), Ok(again)) => assert!(again.replayed, "what is told twice takes effect once"),
        (Err(first), Err(again)) => assert_eq!(words(&first), words(&again)),
        (first, again) => panic!("another answer the second time: {first:?}, {again:?}"),
    }
    assert_eq!(block_on(verify(&*store)).expect("the books are good"), books);
}

/// A payment whose ids stand in the seeds.
fn payment(caller: &Caller) -> Command {
    let new = NewPayment::new(usd(1_000), invoice("inv_1"), card());
    let mut command = Desk::new(1).create(caller, new);
    if let Request::Create(create) = &mut command.request {
        create.payment = "pay_01j0000000e00800000000000a".parse().expect("an id");
        create.process = Some("att_01j0000000e00800000000000b".parse().expect("an id"));
    }
    command
}

fn words(error: &LedgerError) -> String {
    format!("{:?}", error.error())
}
