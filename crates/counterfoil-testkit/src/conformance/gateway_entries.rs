//! Fees and payouts: what a gateway's report says about its own account.

use counterfoil::account::{AccountId, GatewayEntry, GatewayEntryKind, GatewayTotals};
use counterfoil::command::{About, RecordGatewayEntry, Rejection};
use counterfoil::ledger::Ledger;
use counterfoil::ledger::reconcile::{Reconcile, ReportRow, RowKind, UnreadableRow};
use counterfoil::money::Currency;
use counterfoil::payment::OperationId;
use counterfoil::store::{Key, Lookup};

use super::trial::Trial;
use crate::fixtures::{gateway, gateway_operation, second, usd};

fn fee(name: &str, cents: i64) -> RecordGatewayEntry {
    let entry = GatewayEntry::new(gateway_operation(name), usd(cents), second(1));
    RecordGatewayEntry { gateway: gateway(), kind: GatewayEntryKind::Fee, entry }
}

/// The sums of the gateway's account, and its version.
async fn totals(trial: &Trial) -> (GatewayTotals, u64) {
    let (scope, id) = (&trial.caller.scope, AccountId::gateway(&gateway()));
    let state = trial.read(&[Key::Account(scope.clone(), id.clone())]).await;
    match state.account(scope, &id) {
        Lookup::Present(account) => (account.gateway_totals(Currency::USD), account.version()),
        _ => (GatewayTotals::default(), 0),
    }
}

/// INVARIANTS 48.
pub(super) async fn a_name_is_recorded_once(trial: &mut Trial) {
    let record = |record| trial.desk.record_gateway_entry(&trial.caller, record);
    assert!(!trial.done(&record(fee("txn_1", 30))).await.replayed);
    let again = trial.done(&record(fee("txn_1", 30))).await;
    assert_eq!(
        totals(trial).await,
        (GatewayTotals { fees: 30, payouts: 0 }, 1),
        "a fee under one name counts once"
    );
    assert!(again.replayed && again.sequence == 1);

    let other = trial.refused(&record(fee("txn_1", 31))).await;
    assert!(matches!(other, Rejection::GatewayEntryDiffers { .. }), "{other:?}");
    let payout = RecordGatewayEntry { kind: GatewayEntryKind::Payout, ..fee("txn_1", 500) };
    trial.done(&record(payout)).await;
    let mut refund = fee("txn_2", 10);
    refund.entry = refund.entry.reversed();
    trial.done(&record(refund)).await;
    assert_eq!(totals(trial).await, (GatewayTotals { fees: 20, payouts: 500 }, 3));
    assert_eq!(trial.refused(&record(fee("txn_3", 0))).await, Rejection::AmountNotPositive);
}

/// INVARIANTS 48.
pub(super) async fn a_report_applied_twice_has_one_effect(trial: &mut Trial) {
    let (payment, _) = trial.charging().await;
    let about = About { payment: Some(payment), ..About::default() };
    let row = |kind, name: &str, cents| {
        ReportRow::new(kind, gateway_operation(name), usd(cents), second(1)).about(about.clone())
    };
    let charge = row(RowKind::Charge, "ch_1", 1_000);
    let fee = charge.fee(RowKind::Fee, usd(30)).expect("a short name");
    let rows = [charge, fee, row(RowKind::Refund, "re_1", 300), row(RowKind::Payout, "po_1", 600)];
    let ledger = Ledger::new(trial.store.clone());
    let rows = || rows.iter().cloned().map(Ok::<_, UnreadableRow>);
    let (scope, gateway) = (trial.caller.clone(), gateway());

    let first = ledger.reconcile(&scope, &gateway, rows(), Reconcile::applying()).await;
    assert_eq!(first.expect("a sound store").written, 4, "each row is written");
    let after = (totals(trial).await, trial.payment(payment).await);
    assert_eq!(after.0, (GatewayTotals { fees: 30, payouts: 600 }, 2));
    assert_eq!((after.1.captured(), after.1.refunded()), (usd(1_000), usd(300)));
    assert!(after.1.operations().iter().any(|operation| matches!(operation.id, OperationId::Refund(_))));

    let second = ledger.reconcile(&scope, &gateway, rows(), Reconcile::applying()).await;
    let second = second.expect("a sound store");
    assert_eq!(second.written, 0, "a report row applied twice");
    assert_eq!(second.differences, []);
    assert_eq!((totals(trial).await, trial.payment(payment).await), after, "it has one effect");
    assert_eq!(second.owed[&Currency::USD], 70, "1000 less 300, 30 and 600");
}
