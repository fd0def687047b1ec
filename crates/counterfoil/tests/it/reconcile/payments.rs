//! Rows about payments, each kind of difference by itself.

use super::*;

#[tokio::test]
async fn a_refund_made_at_the_gateway_is_only_in_the_report() {
    let books = Books::new();
    let payment = books.paid().await;
    let rows = [charge(&payment), of(row(RowKind::Refund, "re_1", "20"), attempt(&payment))];
    let found = books.one(&rows, true).await;
    assert_eq!((found.kind, found.payment), (DifferenceKind::OnlyInReport, Some(payment.id())));
    assert_eq!(books.now(&payment).await.refunded(), usd("20"));
}

#[tokio::test]
async fn a_return_and_a_dispute_are_only_in_the_report() {
    let books = Books::new();
    let (returned, disputed) = (books.paid().await, books.paid().await);
    let rows = [of(row(RowKind::Return, "txn_1", "100"), attempt(&returned))];
    assert_eq!(books.one(&rows, true).await.kind, DifferenceKind::OnlyInReport);
    assert_eq!(books.now(&returned).await.captured(), usd("0"));

    let mut taken = of(row(RowKind::DisputeWithdrawal, "txn_2", "100"), attempt(&disputed));
    taken.about.gateway_dispute_id = Some("dp_1".parse().unwrap());
    assert_eq!(books.one(&[taken.clone()], true).await.kind, DifferenceKind::OnlyInReport);
    let back = ReportRow::new(RowKind::DisputeReinstatement, "txn_3".parse().unwrap(), usd("40"), noon());
    let rows = [taken.clone(), back.about(taken.about)];
    assert_eq!(books.one(&rows, true).await.kind, DifferenceKind::OnlyInReport);
    let dispute = books.now(&disputed).await.disputes()[0].clone();
    assert_eq!((dispute.withdrawn(), dispute.reinstated()), (usd("100"), usd("40")));
}

#[tokio::test]
async fn amounts_that_differ_are_named_and_the_larger_counts() {
    let books = Books::new();
    let payment = books.paid().await;
    let less = of_amount(charge(&payment), usd("99"));
    let found = books.one(&[less], false).await;
    assert_eq!(found.kind, DifferenceKind::AmountDiffers { ledger: usd("100") });
    assert_eq!(books.now(&payment).await.captured(), usd("100"));

    let payment = books.paid().await;
    let more = of_amount(charge(&payment), usd("101"));
    let found = books.one(&[more], true).await;
    assert_eq!(found.kind, DifferenceKind::AmountDiffers { ledger: usd("100") });
    let payment = books.now(&payment).await;
    assert_eq!(payment.captured(), usd("101"));
    assert!(!payment.reviews().is_empty(), "a person looks at it");
}

#[tokio::test]
async fn a_charge_under_another_name_is_listed_for_review() {
    let books = Books::new();
    let payment = books.paid().await;
    let rows = || [Ok(about(row(RowKind::Charge, "ch_other", "100"), &payment)), Ok(charge(&payment))];
    let dry = books.reconcile(rows(), Reconcile::dry_run()).await;
    assert!(dry.differences[0].to_string().ends_with(" [for review: contradiction]"), "{dry:?}");
    let applied = books.reconcile(rows(), Reconcile::applying()).await;
    let [difference] = &applied.differences[..] else { panic!("{applied:?}") };
    assert!(difference.to_string().ends_with(" [applied; listed for review: contradiction]"), "{difference}");
    assert_eq!((dry.listed, applied.listed), (1, 1));
    let payment = books.now(&payment).await;
    assert_eq!((payment.reviews(), payment.captured()), (difference.reviews.clone(), usd("200")));
    let again = books.reconcile(rows(), Reconcile::applying()).await;
    assert_eq!((again.listed, again.differences), (0, vec![]));
}

#[tokio::test]
async fn a_row_that_a_later_report_changes_is_applied_and_flagged() {
    let books = Books::new();
    let payment = books.paid().await;
    let refund = |amount| of(row(RowKind::Refund, "re_1", amount), attempt(&payment));
    books.one(&[charge(&payment), refund("20")], true).await;
    let found = books.one(&[charge(&payment), refund("30")], true).await;
    assert_eq!(found.kind, DifferenceKind::AmountDiffers { ledger: usd("20") });
    let payment = books.now(&payment).await;
    assert_eq!(payment.refunded(), usd("30"));
    assert!(payment.reviews().contains(&Review::NotificationIdReused), "{:?}", payment.reviews());
}

#[tokio::test]
async fn a_row_that_agrees_and_is_listed_for_review_is_named() {
    let books = Books::new();
    let payment = books.create(Books::by("pm_sandbox_pending")).await;
    books.one(&[charge(&payment)], true).await;
    assert!(books.now(&payment).await.reviews().is_empty());
    let found = books.one(&[about(charge(&payment), &payment)], true).await;
    assert_eq!(found.kind, DifferenceKind::ListedForReview, "{found}");
    assert_eq!(found.reviews, [Review::NotificationIdReused].into(), "{found}");
}

#[tokio::test]
async fn another_currency_is_named_and_counts_as_nothing() {
    let books = Books::new();
    let payment = books.paid().await;
    let euros = of_amount(charge(&payment), Money::parse("100", Currency::EUR).unwrap());
    let found = books.one(&[euros], false).await;
    assert_eq!(found.kind, DifferenceKind::CurrencyDiffers { ledger: Currency::USD });
    assert_eq!(books.now(&payment).await.captured(), usd("100"));
}

#[tokio::test]
async fn a_charge_whose_webhook_was_lost_succeeds() {
    let books = Books::new();
    let payment = books.create(Books::by("pm_sandbox_pending")).await;
    let found = books.one(&[charge(&payment)], true).await;
    assert_eq!(found.kind, DifferenceKind::StatusDiffers { ledger: OperationStatus::Processing });
    assert_eq!(books.now(&payment).await.captured(), usd("100"));
}

#[tokio::test]
async fn a_charge_of_a_hold_is_its_capture() {
    let books = Books::new();
    let held = books.create(Books::by("pm_1").captured_later()).await;
    let found = books.one(&[of_amount(charge(&held), usd("60"))], false).await;
    assert_eq!(found.kind, DifferenceKind::NotCaptured, "the row names no capture");
    assert!(
        books.now(&held).await.reviews().is_empty(),
        "a capture of 60 says nothing about the hold of 100"
    );
    assert_eq!(books.now(&held).await.captured(), usd("0"));

    let captured_as = |name: &str| charge(&held).captured_as(name.parse().unwrap());
    let found = books.one(&[captured_as("pi_1:capture")], true).await;
    assert_eq!(found.kind, DifferenceKind::OnlyInReport);
    assert_eq!(books.now(&held).await.captured(), usd("100"));

    let held = books.create(Books::by("pm_1").captured_later()).await;
    let captured = books.ledger.capture(&books.caller, held.id(), NewCapture::all()).await.unwrap();
    let capture = captured.operation().unwrap().gateway_operation_id().unwrap().clone();
    let found = books.reconcile([Ok(charge(&held).captured_as(capture))], Reconcile::dry_run()).await;
    assert_eq!((found.matched, found.differences), (1, vec![]));
}

#[tokio::test]
async fn a_refund_of_two_charges_is_unallocated() {
    let books = Books::new();
    let payment = books.paid().await;
    let second = Evidence::succeeded(noon()).with_gateway_operation_id("ch_2".parse().unwrap());
    let whole = About { payment: Some(payment.id()), ..About::default() };
    books.notify("n_1", whole, Told::Attempt(second)).await;
    let found = books.one(&[about(row(RowKind::Refund, "re_1", "20"), &payment)], false).await;
    assert_eq!(found.kind, DifferenceKind::Unallocated);
}

#[tokio::test]
async fn a_refund_that_was_recorded_here_is_a_possible_duplicate() {
    let books = Books::new();
    let payment = books.paid().await;
    let recorded = NewRecordedRefund::of(usd("20")).with_gateway(books.gateway.clone());
    books.ledger.record_refund(&books.caller, payment.id(), recorded).await.unwrap();
    let found = books.one(&[of(row(RowKind::Refund, "re_1", "20"), attempt(&payment))], false).await;
    assert_eq!(found.kind, DifferenceKind::PossibleDuplicate);
    assert_eq!(books.now(&payment).await.refunded(), usd("20"), "it does not count twice");
}

#[tokio::test]
async fn a_movement_of_funds_without_a_name_is_not_counted_again() {
    let books = Books::new();
    let payment = books.paid().await;
    let mut whole = About { payment: Some(payment.id()), ..About::default() };
    whole.gateway_dispute_id = Some("dp_1".parse().unwrap());
    let word = DisputeWord::new(DisputeWordKind::FundsWithdrawn, noon()).with_amount(usd("100"));
    books.notify("n_1", whole.clone(), Told::Dispute(word)).await;
    let taken = row(RowKind::DisputeWithdrawal, "txn_1", "100").about(whole);
    assert_eq!(books.one(&[taken], false).await.kind, DifferenceKind::UnnamedMovement);
    assert_eq!(books.now(&payment).await.disputes()[0].withdrawn(), usd("100"));
}

#[tokio::test]
async fn a_return_of_everything_without_a_name_is_not_counted_again() {
    let books = Books::new();
    let payment = books.paid().await;
    let whole = About { payment: Some(payment.id()), ..About::default() };
    let error_message = "no funds".parse().unwrap();
    let back = Evidence::new(counterfoil::payment::Outcome::Reversed { error_message }, noon());
    books.notify("n_1", whole, Told::Returned(back)).await;
    let rows = [Ok(of(row(RowKind::Return, "txn_1", "100"), attempt(&payment)))];
    let found = books.reconcile(rows, Reconcile::applying()).await;
    assert_eq!((found.matched, found.written, found.differences), (1, 0, vec![]));
}
