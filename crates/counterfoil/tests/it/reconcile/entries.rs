//! Fees and payouts, and rows that match nothing.

use super::*;

#[tokio::test]
async fn fees_and_payouts_are_recorded_and_refused_with_other_contents() {
    let books = Books::new();
    let payment = books.paid().await;
    let fee = charge(&payment).fee(RowKind::Fee, usd("3")).unwrap();
    let rows = [charge(&payment), fee.clone()];
    assert_eq!(books.one(&rows, true).await.kind, DifferenceKind::FeeUnknown);
    let payout = later(row(RowKind::Payout, "po_1", "90"), 1);
    assert_eq!(books.one(&[payout], true).await.kind, DifferenceKind::PayoutUnknown);
    assert_eq!(books.totals().await, GatewayTotals { fees: 300, payouts: 9_000 });

    let events = StreamId::Account(AccountId::gateway(&books.gateway));
    let events = books.ledger.history(&books.caller.scope, &events, 0, 10).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.body().kind()).collect();
    assert_eq!(kinds, ["gateway.fee", "gateway.payout"]);
    let (_, entry) = events[0].body().gateway_entry().unwrap();
    assert_eq!(entry.payment, Some(payment.id()), "the fee is of the payment of its row");

    let found = books.one(&[of_amount(fee.clone(), usd("4"))], false).await;
    assert!(matches!(&found.kind, DifferenceKind::EntryDiffers { fields } if fields.len() == 1), "{found}");
    let mut back = fee;
    back.kind = RowKind::FeeRefund;
    assert!(matches!(books.one(&[back], false).await.kind, DifferenceKind::EntryDiffers { .. }));

    let refund = later(row(RowKind::FeeRefund, "fee_2", "1"), 2);
    assert_eq!(books.one(&[refund], true).await.kind, DifferenceKind::FeeUnknown);
    let reversal = later(row(RowKind::PayoutReversal, "po_2", "90"), 3);
    assert_eq!(books.one(&[reversal], true).await.kind, DifferenceKind::PayoutUnknown);
    assert_eq!(books.totals().await, GatewayTotals { fees: 200, payouts: 0 });
}

#[tokio::test]
async fn a_name_twice_in_a_report_counts_once() {
    let books = Books::new();
    let first = row(RowKind::Fee, "fee_1", "3").on_line(2);
    let same = first.clone().on_line(3);
    let other = of_amount(first.clone(), usd("4")).on_line(4);
    let rows = [first, same, other].map(Row::Ok);
    let found = books.reconcile(rows, Reconcile::applying()).await;
    let kinds: Vec<_> = found.differences.iter().map(|it| (it.kind.clone(), it.is_settled)).collect();
    let repeated = (DifferenceKind::NameRepeated { first_line: 2 }, false);
    assert_eq!(kinds, [(DifferenceKind::FeeUnknown, true), repeated]);
    assert_eq!((found.written, books.totals().await.fees), (1, 300));
}

#[tokio::test]
async fn rows_that_match_nothing_are_named_and_left() {
    let books = Books::new();
    let (one, other) = (books.paid().await, books.paid().await);
    let found = books.one(&[row(RowKind::Charge, "ch_9", "5")], false).await;
    assert!(matches!(found.kind, DifferenceKind::UnknownPayment { .. }), "{found}");
    let found = books.one(&[about(charge(&one), &other)], false).await;
    assert!(matches!(found.kind, DifferenceKind::Unmatched { .. }), "{found}");

    let unreadable = Err(UnreadableRow::new(7, "it has no name".to_owned()));
    let nothing = of_amount(row(RowKind::Fee, "fee_1", "1"), usd("0"));
    let found = books.reconcile([unreadable, Ok(nothing)], Reconcile::applying()).await;
    let lines: Vec<_> = found.differences.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["line 7: unreadable: it has no name", "line 0: unreadable: the amount is zero"]);
}

#[tokio::test]
async fn the_fee_beside_a_row_that_matches_nothing_is_left() {
    let books = Books::new();
    let (one, other) = (books.paid().await, books.paid().await);
    for row in [row(RowKind::Charge, "ch_9", "5"), about(charge(&one), &other)] {
        let fee = row.fee(RowKind::Fee, usd("3")).unwrap();
        let rows = || [row.clone(), fee.clone()].map(Row::Ok);
        let dry = books.reconcile(rows(), Reconcile::dry_run()).await;
        let found = books.reconcile(rows(), Reconcile::applying()).await;
        assert_eq!(found.differences, dry.differences);
        let kinds: Vec<_> = found.differences.iter().map(|it| (it.kind.as_str(), it.is_settled)).collect();
        assert_eq!(kinds[1], ("fee_unknown", false), "{kinds:?}");
        assert_eq!((found.written, books.totals().await), (0, GatewayTotals::default()));
    }
}

#[tokio::test]
async fn progress_is_told_and_a_rejected_entry_says_what_differs() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let books = Books::new();
    books.paid().await;
    let seen = Arc::new(AtomicU64::new(0));
    let told = seen.clone();
    let how = Reconcile::dry_run().with_progress(move |progress| {
        told.fetch_max(progress.rows + progress.payments, Ordering::Relaxed);
    });
    books.reconcile((0..250).map(|n| Ok(row(RowKind::Fee, &format!("fee_{n}"), "1"))), how).await;
    assert_eq!(seen.load(Ordering::Relaxed), 251);

    let record = |amount| {
        let entry = GatewayEntry::new("fee_1".parse().unwrap(), usd(amount), noon());
        books.ledger.record_gateway_entry(&books.caller, books.gateway.clone(), GatewayEntryKind::Fee, entry)
    };
    record("1").await.unwrap();
    assert!(record("1").await.unwrap().replayed);
    let refused = record("2").await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::GatewayEntryDiffers { .. })));
    assert_eq!(refused.to_string(), "fee fee_1 of sandbox is recorded with other contents");
}
