//! Holds, refunds and destinations, through a ledger.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::Owed;
use counterfoil::clock::Clock;
use counterfoil::command::{Command, Policy, Receipt, Rejection, Resolution};
use counterfoil::gateway::CaptureReversals;
use counterfoil::ledger::{Ledger, NewCapture, NewPayment, NewRefund, NewResolution, NewVoid};
use counterfoil::payment::{Attention, Outcome, Payment, PaymentMethod, RetrySchedule, Review};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::store::{ExecuteError, PaymentStore};
use counterfoil::verify::{Problem, VerifyError, verify};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{caller, evidence, instrument, invoice, succeeded, usd};
use counterfoil_testkit::{Desk, ManualClock, block_on};

struct Shop {
    ledger: Ledger,
    sandbox: Arc<Sandbox>,
    clock: Arc<ManualClock>,
}

impl Shop {
    fn new(policy: Policy) -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()));
        let ledger = Ledger::new(Arc::new(MemoryStore::new()))
            .with_gateway(sandbox.clone())
            .with_policy(policy)
            .with_clock(clock.clone());
        Shop { ledger, sandbox, clock }
    }

    async fn create(&self, new: NewPayment) -> Arc<Payment> {
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().clone()
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(payment.scope(), payment.id()).await.unwrap().unwrap()
    }

    /// Lets time pass second by second, and does what is due.
    async fn wait(&self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            assert!(self.ledger.run_due(100).await.unwrap().failed.is_empty());
        }
    }
}

fn card(name: &str, cents: i64) -> NewPayment {
    NewPayment::new(usd(cents), invoice("inv_1"), PaymentMethod::Card(Some(instrument(name))))
}

/// INVARIANTS 17, 25: one attempt, one charge, by nobody's doing but time's.
#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_found_by_the_loop_within_seconds() {
    let shop = Shop::new(Policy::default());
    let payment = shop.create(card("pm_sandbox_timeout_paid", 100)).await;
    assert_eq!(payment.status(), PaymentStatus::Processing);
    assert_eq!(payment.live_attempt().unwrap().status(), OperationStatus::Unknown);
    let refused = shop.ledger.create(&caller("acme"), card("pm_1", 100)).await.unwrap_err();
    assert!(matches!(refused.rejection(), Some(Rejection::DestinationInDoubt { .. })), "{refused}");
    shop.wait(3).await;
    let payment = shop.now(&payment).await;
    assert_eq!(payment.status(), PaymentStatus::Succeeded);
    assert_eq!((payment.attempts().count(), shop.sandbox.charges()), (1, 1));
}

/// INVARIANTS 7, 39: the 55th partial payment counts, the 56th has no room, and what was added up is proved.
#[tokio::test]
async fn an_invoice_is_paid_in_55_parts_and_no_more() {
    let shop = Shop::new(Policy::default());
    let owed = Owed { amount_due: usd(55 * 7), number: Some("C-7".parse().unwrap()), payable: true };
    shop.ledger.register(&caller("acme"), invoice("inv_1"), owed).await.unwrap();
    for part in 1..=55 {
        let payment = shop.create(card("pm_1", 7)).await;
        assert_eq!(payment.terms().number.as_ref().unwrap().as_str(), "C-7");
        let known = shop.ledger.destination(payment.scope(), &invoice("inv_1")).await.unwrap().unwrap();
        let totals = known.totals(usd(0).currency());
        assert_eq!(
            (totals.paid, totals.remaining(usd(55 * 7), &Policy::default())),
            (7 * part, usd(7 * (55 - i64::try_from(part).unwrap())))
        );
    }
    let refused = shop.ledger.create(&caller("acme"), card("pm_1", 1)).await.unwrap_err();
    assert!(
        matches!(refused.rejection(), Some(Rejection::ExceedsDue { remaining, .. }) if remaining.is_zero())
    );
    let cash = NewPayment::new(usd(1), invoice("inv_1"), PaymentMethod::Offline);
    let cash = shop.create(cash).await;
    assert_eq!(
        (cash.status(), cash.excess()),
        (PaymentStatus::Overpaid, Some(usd(1))),
        "money that is there counts"
    );
    verify(shop.ledger.store().as_ref()).await.unwrap();
}

/// INVARIANTS 27: what came back turns the payment back.
#[tokio::test]
async fn a_refund_that_bounces_turns_refunded_back_to_succeeded() {
    let shop = Shop::new(Policy::default());
    let payment = shop.create(card("pm_sandbox_refund_bounces", 100)).await;
    shop.ledger.refund(&caller("acme"), payment.id(), NewRefund::all()).await.unwrap();
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Refunded);
    shop.clock.advance(Duration::from_secs(10));
    for (_, told) in shop.sandbox.take_notifications() {
        shop.ledger.notify(&caller("acme"), told).await.unwrap();
    }
    let back = shop.now(&payment).await;
    assert_eq!((back.status(), back.refundable()), (PaymentStatus::Succeeded, usd(100)));
    assert_eq!(back.reviews(), [Review::RefundBounced].into());
    let note = "sent again by hand".parse().unwrap();
    let dismissed = NewResolution::new(Resolution::Dismissed, note);
    shop.ledger.resolve(&caller("acme"), payment.id(), dismissed).await.unwrap();
    assert!(!shop.now(&payment).await.needs(Attention::Review));
}

/// INVARIANTS 44: bounded, one after the other, and then over.
#[tokio::test]
async fn a_soft_decline_is_tried_again_as_the_schedule_says_and_then_it_is_over() {
    let schedule = RetrySchedule::new([10, 30].map(Duration::from_secs)).unwrap();
    let shop = Shop::new(Policy::default().with_retries(schedule));
    let payment = shop.create(card("pm_sandbox_decline", 100)).await;
    assert_eq!(payment.status(), PaymentStatus::Pending);
    let first = payment.terms().created_at;
    assert_eq!(payment.next_attempt_at(), Some(first.saturating_add(Duration::from_secs(10))));
    shop.wait(9).await;
    assert_eq!(shop.now(&payment).await.attempts().count(), 1);
    shop.wait(1).await;
    assert_eq!(shop.now(&payment).await.attempts().count(), 2);
    shop.wait(100).await;
    let over = shop.now(&payment).await;
    assert_eq!((over.status(), over.attempts().count()), (PaymentStatus::Failed, 3));
    assert_eq!(shop.sandbox.calls(), 3);
}

/// A hard decline waits for another instrument until the schedule's end.
#[tokio::test]
async fn a_hard_decline_waits_for_another_instrument() {
    let schedule = || RetrySchedule::new([10, 30].map(Duration::from_secs)).unwrap();
    let shop = Shop::new(Policy::default().with_retries(schedule()));
    let payment = shop.create(card("pm_sandbox_decline_hard", 100)).await;
    shop.wait(39).await;
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Pending);
    let other = counterfoil::ledger::Processing::default().with_instrument(instrument("pm_other"));
    shop.ledger.process(&caller("acme"), payment.id(), other).await.unwrap();
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Succeeded);

    let given_up = shop.create(NewPayment::new(
        usd(100),
        invoice("inv_2"),
        PaymentMethod::Card(Some(instrument("pm_sandbox_decline_hard"))),
    ));
    let given_up = given_up.await;
    shop.wait(40).await;
    assert_eq!(shop.now(&given_up).await.status(), PaymentStatus::Failed);
}

/// INVARIANTS 8, 44: time releases a hold, but not under a capture that is on its way.
#[tokio::test]
async fn a_hold_expires_by_the_clock() {
    let shop = Shop::new(Policy::default());
    let end = shop.clock.now().saturating_add(Duration::from_secs(60));
    let payment = shop.create(card("pm_1", 100).captured_later().expiring_at(end)).await;
    shop.ledger
        .capture(&caller("acme"), payment.id(), NewCapture::of(usd(40)).keeping_the_rest())
        .await
        .unwrap();
    shop.wait(59).await;
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::PartiallyCaptured);
    shop.wait(1).await;
    let expired = shop.now(&payment).await;
    assert_eq!((expired.status(), expired.held()), (PaymentStatus::Succeeded, usd(0)));
    let late = shop.ledger.capture(&caller("acme"), payment.id(), NewCapture::all()).await.unwrap_err();
    assert!(matches!(late.rejection(), Some(Rejection::NotAllowed { action: Action::Capture, .. })));
}

/// INVARIANTS 4, 12: what is said to be possible is, to the minor unit, and what is said not to be is not.
#[tokio::test]
async fn actions_tell_the_truth() {
    let shop = Shop::new(Policy::default());
    let payment = shop.create(card("pm_1", 100).captured_later()).await;
    shop.ledger
        .capture(&caller("acme"), payment.id(), NewCapture::of(usd(60)).keeping_the_rest())
        .await
        .unwrap();
    let payment = shop.now(&payment).await;
    let actions = shop.ledger.actions(&payment);
    let of = |action| actions.iter().find(|possible| possible.action == action).unwrap().clone();
    assert_eq!(of(Action::Capture).max_amount, Some(usd(40)));
    assert_eq!(of(Action::Refund).max_amount, Some(usd(60)));
    assert_eq!(of(Action::Void).max_amount, Some(usd(40)));
    assert_eq!(of(Action::Process).reason.as_deref(), Some("the payment is PARTIALLY_CAPTURED"));
    let too_much =
        shop.ledger.refund(&caller("acme"), payment.id(), NewRefund::of(usd(61))).await.unwrap_err();
    let Some(Rejection::ExceedsRefundable { refundable, .. }) = too_much.rejection() else {
        panic!("{too_much}")
    };
    assert_eq!(*refundable, usd(60));
    shop.ledger.void(&caller("acme"), payment.id(), NewVoid::new()).await.unwrap();
    let payment = shop.now(&payment).await;
    assert_eq!((payment.status(), payment.captured()), (PaymentStatus::Succeeded, usd(60)));
}

/// INVARIANTS 12: a receipt names what its command started, and a replay the same, however it ended.
#[tokio::test]
async fn a_receipt_names_the_operation_that_its_command_started() {
    let shop = Shop::new(Policy::default());
    let me = caller("acme");
    let made = shop.ledger.create(&me, card("pm_1", 100).captured_later()).await.unwrap();
    let (attempt, payment) = (made.operation().unwrap(), made.payment().unwrap().id());
    assert!(attempt.id.is_attempt() && attempt.status() == OperationStatus::Succeeded);
    let part = NewCapture::of(usd(60)).keeping_the_rest().with_idempotency_key("part".parse().unwrap());
    let taken = shop.ledger.capture(&me, payment, part.clone()).await.unwrap();
    assert_eq!(taken.operation().unwrap().amount, usd(60));
    let voided = shop.ledger.void(&me, payment, NewVoid::new()).await.unwrap();
    assert_eq!(voided.operation().unwrap().amount, usd(40));
    let again = shop.ledger.capture(&me, payment, part).await.unwrap();
    assert_eq!(again.operation().unwrap().id, taken.operation().unwrap().id);
    let open = shop.ledger.create(&me, card("pm_1", 100).recorded_only()).await.unwrap();
    assert!(open.operation().is_none());
    let canceled = shop.ledger.void(&me, open.payment().unwrap().id(), NewVoid::new()).await.unwrap();
    assert!(canceled.operation().is_none(), "it only ends the payment");
}

/// What `actions` says of `resolve`: why not, if not.
fn why_not_resolved(shop: &Shop, payment: &Payment) -> Option<String> {
    let actions = shop.ledger.actions(payment);
    let resolve = actions.into_iter().find(|possible| possible.action == Action::Resolve).unwrap();
    assert_eq!(resolve.allowed, resolve.reason.is_none());
    resolve.reason
}

/// INVARIANTS 12: a person's word is taken where `actions` says so, and what is refused says what would do.
#[tokio::test]
async fn what_a_person_may_settle_is_told() {
    let shop = Shop::new(Policy::default());
    let me = caller("acme");
    let word = |resolution| NewResolution::new(resolution, "seen there".parse().unwrap());
    let nothing = "no outcome is open, and nothing is marked for review";
    let paid = shop.create(card("pm_sandbox_refund_timeout", 100)).await;
    let id = paid.id();
    assert_eq!(why_not_resolved(&shop, &paid).as_deref(), Some(nothing));
    for resolution in [Resolution::Failed, Resolution::Dismissed] {
        let refused = shop.ledger.resolve(&me, id, word(resolution)).await.unwrap_err();
        assert_eq!(refused.rejection(), Some(&Rejection::NothingToResolve { payment: id }));
    }

    let both = [(); 2].map(|()| NewRefund::of(usd(40)));
    let [first, second] = both.map(|new| shop.ledger.refund(&me, id, new));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(why_not_resolved(&shop, second.payment().unwrap()), None);
    let refused = shop.ledger.resolve(&me, id, word(Resolution::Failed)).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::SeveralOpen { payment: id }));
    for refund in [first, second].map(|receipt| receipt.operation().unwrap().id) {
        shop.ledger.resolve(&me, id, word(Resolution::Failed).about(refund)).await.unwrap();
    }

    let marked = shop.now(&paid).await;
    assert_eq!((marked.reviews(), why_not_resolved(&shop, &marked)), ([Review::Resolved].into(), None));
    let refused = shop.ledger.resolve(&me, id, word(Resolution::Failed)).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::NoneOpen { payment: id }));
    assert_eq!(refused.to_string(), "no outcome is open; `dismissed` settles what is marked");
    shop.ledger.resolve(&me, id, word(Resolution::Dismissed)).await.unwrap();
    let settled = shop.now(&paid).await;
    assert_eq!(why_not_resolved(&shop, &settled).as_deref(), Some(nothing));
}

/// INVARIANTS 12: whoever is on the way with one refund keeps nobody from settling another.
#[test]
fn what_runs_is_not_settled_and_what_is_in_doubt_is() {
    let (desk, me, store) = (Desk::new(1), caller("acme"), MemoryStore::new());
    let execute = |command: Command| block_on(store.execute(command));
    let create = desk.create(&me, card("pm_1", 100));
    let payment = created(&create);
    let charge = desk.report(&me, payment, started(&create), evidence(succeeded(None), 1));
    for command in [create, charge, desk.refund(&me, payment, NewRefund::of(usd(40)))] {
        execute(command).unwrap();
    }
    let why_not = |receipt: &Receipt| {
        let actions = receipt.payment().unwrap().actions(
            desk.clock().now(),
            &Policy::default(),
            &CaptureReversals::default(),
        );
        actions.into_iter().find(|possible| possible.action == Action::Resolve).unwrap().reason
    };
    let late = desk.refund(&me, payment, NewRefund::of(usd(30)));
    let second = started(&late);
    let both = execute(late).unwrap();
    let first = both.payment().unwrap().refunds().next().unwrap();
    let until = first.runs_until().unwrap();
    assert_eq!(why_not(&both), Some(format!("its outcome may still come by itself until {until}")));
    let in_doubt = evidence(Outcome::Unknown { error_message: "no answer".parse().unwrap() }, 2);
    let unknown = execute(desk.report(&me, payment, second, in_doubt)).unwrap();
    assert_eq!(why_not(&unknown), None);
    let word = |id| NewResolution::new(Resolution::Failed, "seen there".parse().unwrap()).about(id);
    let refused = execute(desk.resolve(&me, payment, word(first.id))).unwrap_err();
    assert!(matches!(refused, ExecuteError::Rejected(Rejection::InFlight { .. })), "{refused}");
    execute(desk.resolve(&me, payment, word(second))).unwrap();
}

/// INVARIANTS 12: what is marked can be dismissed of an archived payment too.
#[test]
fn what_is_archived_and_marked_can_be_settled() {
    let (desk, me, store) = (Desk::new(1), caller("acme"), MemoryStore::new());
    let execute = |command: Command| block_on(store.execute(command)).unwrap();
    let create = desk.create(&me, card("pm_1", 100));
    let (payment, attempt) = (created(&create), started(&create));
    let allowed = |receipt: &Receipt| {
        let actions = receipt.payment().unwrap().actions(
            desk.clock().now(),
            &Policy::default(),
            &CaptureReversals::default(),
        );
        actions.into_iter().find(|possible| possible.action == Action::Resolve).unwrap().allowed
    };
    let word = |resolution| NewResolution::new(resolution, "seen there".parse().unwrap());
    execute(create);
    desk.clock().advance(Duration::from_secs(3_600));
    execute(desk.resolve(&me, payment, word(Resolution::Failed).about(attempt)));
    let archived = execute(desk.archive(&me, payment));
    assert!(allowed(&archived) && archived.payment().unwrap().archived_at().is_some());
    let dismissed = execute(desk.resolve(&me, payment, word(Resolution::Dismissed)));
    assert!(!allowed(&dismissed) && dismissed.payment().unwrap().archived_at().is_some());
}

/// INVARIANTS 7, 39: a total that is not what the payments come to is found.
#[tokio::test]
async fn a_lost_destination_row_is_found() {
    let shop = Shop::new(Policy::default());
    shop.create(card("pm_1", 100)).await;
    let forgetful = counterfoil_testkit::planted::PlantedStore::new(
        counterfoil_testkit::planted::Bug::DestinationNotWritten,
    );
    let ledger = Ledger::new(Arc::new(forgetful)).with_gateway(shop.sandbox.clone());
    ledger.create(&caller("acme"), card("pm_1", 100)).await.unwrap();
    let found = verify(ledger.store().as_ref()).await.unwrap_err();
    let VerifyError::Fault(fault) = found else { panic!("{found}") };
    assert!(matches!(fault.problem, Problem::Totals), "{fault:?}");
}

/// INVARIANTS 47: what cannot be done keeps nothing behind it from being done.
#[tokio::test]
async fn what_cannot_be_done_keeps_nothing_waiting() {
    let gone = Arc::new(Sandbox::named("gone".parse().unwrap()));
    let shop = Shop::new(Policy::default().charging_beside_doubt());
    let with_both = shop.ledger.clone().with_gateway(gone);
    for _ in 0..5 {
        let new = card("pm_sandbox_down", 100).with_gateway("gone".parse().unwrap());
        with_both.create(&caller("acme"), new).await.unwrap();
    }
    let behind = shop.create(card("pm_sandbox_timeout_paid", 100)).await;
    shop.clock.advance(Duration::from_secs(60));
    let run = shop.ledger.run_due(2).await.unwrap();
    assert_eq!((run.due, run.done, run.failed.len()), (6, 1, 5));
    assert_eq!(shop.now(&behind).await.status(), PaymentStatus::Succeeded);
}
