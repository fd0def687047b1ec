//! A disk that takes no more, and then does again.

use std::process::Command as Process;
use std::sync::Arc;

use counterfoil::command::Rejection;
use counterfoil::payment::PaymentMethod;
use counterfoil::store::{ExecuteError, Health, Key, PaymentStore, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;

use crate::support::*;

/// Limits the size of files that this process writes; beyond it a write fails.
fn limit_file_size(limit: &str) {
    let process = format!("--pid={}", std::process::id());
    let limited = Process::new("prlimit").args([process, format!("--fsize={limit}:unlimited")]).status();
    assert!(limited.expect("prlimit, of util-linux").success());
}

/// INVARIANTS 41, and what the three classes of errors promise.
#[test]
fn a_failed_commit_is_unknown_and_the_writer_goes_on_when_it_can() {
    const CHILD: &str = "COUNTERFOIL_WRITE_FAILURE";
    if let Some(path) = std::env::var_os(CHILD) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        return runtime.block_on(fail_and_recover(Arc::new(SqliteStore::open(path).unwrap())));
    }
    // In a process of its own: the limit holds for all of it.
    let place = Place::new();
    let name = "write_failure::a_failed_commit_is_unknown_and_the_writer_goes_on_when_it_can";
    let output = again_as_child(name, CHILD, &place.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(verify(&*place.open())).unwrap().payments, 3);
}

async fn fail_and_recover(store: Arc<SqliteStore>) {
    let maker = Maker::new("acme");
    let first = maker.create(PaymentMethod::Offline, 1);
    store.execute(first.clone()).await.unwrap();
    let second = maker.create(PaymentMethod::Offline, 2);
    let refused = maker.create(PaymentMethod::Offline, 0);

    limit_file_size("1024");
    let answers = store.execute_batch(&[second.clone(), first.clone(), refused.clone()]);
    assert_eq!(unknown(&answers[0]), Some(StoreErrorKind::Io), "{answers:?}");
    assert_eq!(unknown(&answers[1]), Some(StoreErrorKind::Io), "a replay rests on what is in doubt");
    assert_eq!(not_committed(&answers[2]), Some(StoreErrorKind::Io), "a rejected command wrote nothing");
    let third = maker.create(PaymentMethod::Offline, 3);
    assert_eq!(not_committed(&store.execute(third.clone()).await), Some(StoreErrorKind::Io));
    assert_eq!(store.status().health, Health::Ok, "it goes on by itself");
    let key = Key::Payment(scope("acme"), created(&first));
    assert!(store.read(std::slice::from_ref(&key)).await.unwrap().get(&key).is_some());

    limit_file_size("unlimited");
    let answers = store.execute_batch(&[second, first, refused, third]);
    assert!(answers[0].is_ok() && answers[1].as_ref().unwrap().replayed);
    assert!(matches!(answers[2], Err(ExecuteError::Rejected(Rejection::AmountNotPositive))));
    assert!(!answers[3].as_ref().unwrap().replayed);
    assert_eq!(verify(&*store).await.unwrap().payments, 3);
}
