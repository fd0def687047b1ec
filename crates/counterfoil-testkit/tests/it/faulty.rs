//! The failing store fails as it is told, and in nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};

use counterfoil::command::{Command, Request};
use counterfoil::ledger::NewTopUp;
use counterfoil::store::{
    Cursor, ExecuteError, Filter, PaymentStore, Position, Query, StoreError, StoreErrorKind,
};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::faulty::{Call, Fault, FaultyStore};
use counterfoil_testkit::fixtures::{caller, usd, wallet};
use counterfoil_testkit::{Desk, block_on};

use crate::watched::heads;

counterfoil_testkit::conformance!(without_faults, || async { FaultyStore::new(MemoryStore::new()) });

fn top_up(desk: &Desk) -> Command {
    desk.top_up(&caller("acme"), NewTopUp::new(wallet("w"), usd(1)))
}

#[test]
fn commands_go_wrong_one_after_the_other() {
    let (store, desk) = (FaultyStore::new(MemoryStore::new()), Desk::new(1));
    let io = StoreErrorKind::Io;
    store.next_commands([Fault::failed(io), Fault::nothing_done(io), Fault::None, Fault::lost(io)]);
    let execute = || block_on(store.execute(top_up(&desk)));
    let kind = |error: StoreError| assert_eq!(error.kind(), StoreErrorKind::Io);
    let written = || heads(&**store.inner()).first().map_or(0, |head| head.version);
    match execute() {
        Err(ExecuteError::NotCommitted(error)) => kind(error),
        other => panic!("{other:?}"),
    }
    match execute() {
        Err(ExecuteError::Unknown(error)) => kind(error),
        other => panic!("{other:?}"),
    }
    assert_eq!(written(), 0);
    assert!(execute().is_ok());
    match execute() {
        Err(ExecuteError::Unknown(error)) => kind(error),
        other => panic!("{other:?}"),
    }
    assert_eq!(written(), 2, "it was done, and nobody heard of it");
    assert!(execute().is_ok(), "the list is over");
    assert_eq!(store.executed(), 5);
}

#[test]
fn a_rule_sees_every_call() {
    let (store, desk) = (FaultyStore::new(MemoryStore::new()), Desk::new(1));
    let scope = caller("acme").scope;
    store.rule(|call| match call {
        Call::Execute(Command { request: Request::TopUp(_), .. }) => Fault::None,
        _ => Fault::failed(StoreErrorKind::Busy),
    });
    let command = top_up(&desk);
    let receipt = block_on(store.execute(command)).unwrap();
    let query = Query::new(Filter::default(), 1);
    let failed = [
        block_on(store.read(&[])).err(),
        block_on(store.list(&scope, &query)).err(),
        block_on(store.history(&scope, &receipt.stream, 0, 1)).err(),
        block_on(store.feed(None, Position::START, 1)).err(),
        block_on(store.news(Position::START)).err(),
        block_on(store.heads(&Cursor::START, 1)).err(),
        block_on(store.close()).err(),
    ];
    for error in failed {
        assert_eq!(error.map(|error| error.kind()), Some(StoreErrorKind::Busy));
    }
    store.rule(|_| Fault::None);
    assert!(block_on(store.close()).is_ok(), "it had not been closed");
}

#[test]
fn a_panic_harms_no_later_call() {
    let store = FaultyStore::new(MemoryStore::new());
    store.rule(|call| match call {
        Call::Read => Fault::Panic("as a test told it"),
        _ => Fault::None,
    });
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(store.read(&[])))).is_err());
    assert!(block_on(store.heads(&Cursor::START, 1)).is_ok());
}
