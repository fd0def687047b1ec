//! Whole reports against all that the ledger has.

use super::*;

#[tokio::test]
async fn what_both_sides_have_is_no_difference() {
    let books = Books::new();
    let payment = books.paid().await;
    let refunded = books.ledger.refund(&books.caller, payment.id(), NewRefund::of(usd("30"))).await.unwrap();
    let refund = refunded.operation().unwrap().gateway_operation_id().unwrap().as_str();
    let rows = [charge(&payment), of(row(RowKind::Refund, refund, "30"), attempt(&payment))];
    let found = books.reconcile(rows.map(Row::Ok), Reconcile::dry_run()).await;
    assert_eq!((found.rows, found.matched, found.differences), (2, 2, vec![]));
    assert_eq!(found.owed[&Currency::USD], 7_000);
}

#[tokio::test]
async fn what_only_the_ledger_has_is_listed_within_the_period() {
    let books = Books::new();
    let payment = books.paid().await;
    let voided = books.paid().await;
    books.ledger.void(&books.caller, voided.id(), NewVoid::new()).await.unwrap();
    let fee = GatewayEntry::new("fee_1".parse().unwrap(), usd("3"), noon());
    let kind = GatewayEntryKind::Fee;
    books.ledger.record_gateway_entry(&books.caller, books.gateway.clone(), kind, fee).await.unwrap();

    let all = || Reconcile::dry_run().over(Timestamp::EPOCH, Timestamp::MAX);
    let found = books.reconcile([], all()).await;
    let kinds: Vec<_> = found.differences.iter().map(|difference| difference.kind.clone()).collect();
    let (name, fee) = (Some(name(&payment).clone()), Some("fee_1".parse().unwrap()));
    let attempt = DifferenceKind::OnlyInLedger { what: "attempt", name, amount: usd("100") };
    let fee = DifferenceKind::OnlyInLedger { what: "fee", name: fee, amount: usd("3") };
    assert_eq!(kinds, [attempt, fee], "a charge that was voided is settled by no gateway");
    assert_eq!(found.differences[0].operation, Some(payment.attempts().next().unwrap().id));

    let before = Reconcile::dry_run().over(Timestamp::EPOCH, "2001-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(books.reconcile([], before).await.differences, []);
    assert_eq!(books.reconcile([], Reconcile::dry_run()).await.differences, [], "no rows, no period");
}

/// A report with each kind of difference, applied twice with one effect.
#[tokio::test]
async fn a_report_with_every_kind_of_difference_is_applied_once() {
    let books = Books::new();
    let rows = every_kind(&books).await;
    let how = |how: Reconcile| how.over(Timestamp::EPOCH, Timestamp::MAX);
    let start = books.digest().await;
    let dry = books.reconcile(rows.clone(), how(Reconcile::dry_run())).await;
    assert_eq!(books.digest().await, start, "a dry run writes nothing");
    let mut words: Vec<_> = dry.differences.iter().map(|it| it.kind.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(
        words,
        [
            "amount_differs",
            "currency_differs",
            "entry_differs",
            "fee_unknown",
            "name_repeated",
            "not_captured",
            "only_in_ledger",
            "only_in_report",
            "payout_unknown",
            "possible_duplicate",
            "status_differs",
            "unallocated",
            "unknown_payment",
            "unmatched",
            "unnamed_movement",
            "unreadable",
        ]
    );

    let first = books.reconcile(rows.clone(), how(Reconcile::applying())).await;
    let kinds = |found: &Reconciled| -> Vec<_> {
        found.differences.iter().map(|it| (it.kind.clone(), it.row.clone())).collect()
    };
    assert_eq!(kinds(&first), kinds(&dry), "the dry run tells what is applied");
    let settled: Vec<_> =
        first.differences.iter().filter(|it| it.is_settled).map(|it| it.kind.as_str()).collect();
    assert_eq!(settled, ["only_in_report", "status_differs", "fee_unknown", "payout_unknown"]);

    let (digest, end) =
        (books.digest().await, books.ledger.feed(&books.caller.scope, Position::START, 1_000));
    let end = end.await.unwrap().entries.len();
    let second = books.reconcile(rows, how(Reconcile::applying())).await;
    let again = books.ledger.feed(&books.caller.scope, Position::START, 1_000).await.unwrap().entries.len();
    assert_eq!((second.written, books.digest().await, again), (0, digest, end), "it has one effect");
    let left = first.differences.iter().filter(|it| !it.is_settled).map(|it| it.kind.as_str());
    let second: Vec<_> = second.differences.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(second, left.collect::<Vec<_>>(), "what could not be settled is still named");
}

/// Rows that differ in every way from what is in the books then.
async fn every_kind(books: &Books) -> Vec<Row> {
    let refunded = books.paid().await;
    let pending = books.create(Books::by("pm_sandbox_pending")).await;
    let (less, euros, unmatched, disputed, missing) =
        (books.paid().await, books.paid().await, books.paid().await, books.paid().await, books.paid().await);
    let held = books.create(Books::by("pm_1").captured_later()).await;
    let twice = books.paid().await;
    let second = Evidence::succeeded(noon()).with_gateway_operation_id("ch_2".parse().unwrap());
    let whole = |payment: &Payment| About { payment: Some(payment.id()), ..About::default() };
    books.notify("n_1", whole(&twice), Told::Attempt(second)).await;
    let duplicate = books.paid().await;
    let recorded = NewRecordedRefund::of(usd("20")).with_gateway(books.gateway.clone());
    books.ledger.record_refund(&books.caller, duplicate.id(), recorded).await.unwrap();
    let mut dispute = whole(&disputed);
    dispute.gateway_dispute_id = Some("dp_1".parse().unwrap());
    let word = DisputeWord::new(DisputeWordKind::FundsWithdrawn, noon()).with_amount(usd("100"));
    books.notify("n_2", dispute.clone(), Told::Dispute(word)).await;
    let known = GatewayEntry::new("fee_1".parse().unwrap(), usd("3"), noon());
    let kind = GatewayEntryKind::Fee;
    books.ledger.record_gateway_entry(&books.caller, books.gateway.clone(), kind, known).await.unwrap();
    assert!(missing.operations().len() == 1, "no row is about it");
    let rows = [
        charge(&refunded),
        of(row(RowKind::Refund, "re_1", "20"), attempt(&refunded)),
        charge(&pending),
        of_amount(charge(&less), usd("99")),
        of_amount(charge(&euros), Money::parse("100", Currency::EUR).unwrap()),
        about(charge(&unmatched), &less).captured_as("x".parse().unwrap()),
        row(RowKind::Charge, "ch_9", "5"),
        charge(&disputed),
        row(RowKind::DisputeWithdrawal, "txn_1", "100").about(dispute),
        charge(&held),
        charge(&twice),
        about(row(RowKind::Refund, "re_2", "20"), &twice),
        charge(&duplicate),
        of(row(RowKind::Refund, "re_3", "20"), attempt(&duplicate)),
        row(RowKind::Fee, "fee_1", "4"),
        row(RowKind::Fee, "fee_2", "3"),
        row(RowKind::Fee, "fee_2", "4"),
        row(RowKind::Payout, "po_1", "90"),
    ];
    let unreadable = Err(UnreadableRow::new(99, "it has no name".to_owned()));
    rows.into_iter().map(Row::Ok).chain([unreadable]).collect()
}
