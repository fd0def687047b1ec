//! A settlement report against the ledger: each kind of difference, and a report that is applied twice. INVARIANTS 48.

use std::sync::Arc;

use counterfoil::account::{AccountId, GatewayEntry, GatewayEntryKind, Settled};
use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::event::{Hash, StreamId};
use counterfoil::ledger::reconcile::{
    Difference, DifferenceKind, Reconcile, Reconciled, ReportRow, RowKind, UnreadableRow,
};
use counterfoil::ledger::{
    Ledger, NewCapture, NewPayment, NewRecordedRefund, NewRefund, NewVoid, Notification,
};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    Destination, DisputeWord, DisputeWordKind, Evidence, Operation, Payment, PaymentMethod, Review,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::OperationStatus;
use counterfoil::store::Position;
use counterfoil::text::{GatewayName, GatewayOperationId};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;

struct Books {
    ledger: Ledger,
    caller: Caller,
    gateway: GatewayName,
}

type Row = Result<ReportRow, UnreadableRow>;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn noon() -> Timestamp {
    "2026-12-01T12:00:00Z".parse().unwrap()
}

fn row(kind: RowKind, name: &str, amount: &str) -> ReportRow {
    ReportRow::new(kind, name.parse().unwrap(), usd(amount), noon())
}

/// With the gateway's name of the attempt that it is of.
fn of(row: ReportRow, attempt: &Operation) -> ReportRow {
    let gateway_attempt_id = attempt.gateway_operation_id().cloned();
    row.about(About { gateway_attempt_id, ..About::default() })
}

/// With our own id of the payment.
fn about(row: ReportRow, payment: &Payment) -> ReportRow {
    row.about(About { payment: Some(payment.id()), ..About::default() })
}

/// The row with another amount.
fn of_amount(mut row: ReportRow, amount: Money) -> ReportRow {
    row.amount = amount;
    row
}

/// So many minutes later: in the period of another report.
fn later(mut row: ReportRow, minutes: u64) -> ReportRow {
    row.occurred_at = noon().saturating_add(std::time::Duration::from_secs(60 * minutes));
    row
}

fn attempt(payment: &Payment) -> &Operation {
    payment.attempts().next().unwrap()
}

fn name(payment: &Payment) -> &GatewayOperationId {
    attempt(payment).gateway_operation_id().unwrap()
}

/// The row of a payment's charge as the gateway made it.
fn charge(payment: &Payment) -> ReportRow {
    ReportRow::new(RowKind::Charge, name(payment).clone(), payment.terms().amount, noon())
}

impl Books {
    fn new() -> Books {
        let scope = Scope::new("acme".parse().unwrap(), "production".parse().unwrap());
        Books {
            ledger: Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new())),
            caller: Caller::new(scope, "gateway:sandbox".parse().unwrap()),
            gateway: "sandbox".parse().unwrap(),
        }
    }

    async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&self.caller, new).await.unwrap().payment().unwrap().clone()
    }

    /// A payment of 100 by this card of the sandbox.
    fn by(card: &str) -> NewPayment {
        let card = PaymentMethod::Card(Some(card.parse().unwrap()));
        NewPayment::new(usd("100"), Destination::invoice("inv_1".parse().unwrap()), card)
    }

    async fn paid(&self) -> Arc<Payment> {
        self.create(Books::by("pm_1")).await
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(&self.caller.scope, payment.id()).await.unwrap().unwrap()
    }

    async fn reconcile(&self, rows: impl IntoIterator<Item = Row>, how: Reconcile) -> Reconciled {
        self.ledger.reconcile(&self.caller, &self.gateway, rows, how).await.unwrap()
    }

    async fn digest(&self) -> Hash {
        verify(self.ledger.store().as_ref()).await.unwrap().digest
    }

    /// The only difference of a report of these rows, which is found in a dry run that writes nothing, and again when
    /// the report is applied, and settled then or not.
    async fn one(&self, rows: &[ReportRow], is_settled: bool) -> Difference {
        let rows = || rows.iter().cloned().map(Row::Ok);
        let before = self.digest().await;
        let [found] = only(self.reconcile(rows(), Reconcile::dry_run()).await);
        assert_eq!(self.digest().await, before, "a dry run writes nothing");
        assert!(!found.is_settled);
        let [applied] = only(self.reconcile(rows(), Reconcile::applying()).await);
        assert_eq!((&applied.kind, &applied.row, applied.payment), (&found.kind, &found.row, found.payment));
        assert_eq!(applied.is_settled, is_settled);
        let after = self.digest().await;
        let again = self.reconcile(rows(), Reconcile::applying()).await;
        assert_eq!((again.written, self.digest().await), (0, after), "a second application writes nothing");
        assert_eq!(again.differences.is_empty(), is_settled, "{:?}", again.differences);
        applied
    }

    async fn notify(&self, id: &str, about: About, told: Told) {
        let notification = Notification::new(self.gateway.clone(), id.parse().unwrap(), about, told);
        self.ledger.notify(&self.caller, notification).await.unwrap();
    }

    async fn settled(&self) -> Settled {
        let account = self.ledger.gateway_account(&self.caller.scope, &self.gateway).await.unwrap();
        account.map_or(Settled::default(), |account| account.settled(Currency::USD))
    }
}

#[track_caller]
fn only(found: Reconciled) -> [Difference; 1] {
    found.differences.try_into().unwrap_or_else(|all| panic!("not one difference: {all:#?}"))
}

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
async fn fees_and_payouts_are_recorded_and_refused_with_other_contents() {
    let books = Books::new();
    let payment = books.paid().await;
    let fee = charge(&payment).fee(RowKind::Fee, usd("3")).unwrap();
    let rows = [charge(&payment), fee.clone()];
    assert_eq!(books.one(&rows, true).await.kind, DifferenceKind::FeeUnknown);
    let payout = later(row(RowKind::Payout, "po_1", "90"), 1);
    assert_eq!(books.one(&[payout], true).await.kind, DifferenceKind::PayoutUnknown);
    assert_eq!(books.settled().await, Settled { fees: 300, payouts: 9_000 });

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
    assert_eq!(books.settled().await, Settled { fees: 200, payouts: 0 });
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
    assert_eq!((found.written, books.settled().await.fees), (1, 300));
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
