//! INVARIANTS 44: the schedule of retries stands beside manual attempts; failed payments that are tried again; retries
//! that are given up.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::account::Owed;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Policy, Recorded, Rejection};
use counterfoil::event::{Body, Event, StreamId};
use counterfoil::ledger::{Ledger, NewAttempt, NewPayment, Processing, Update};
use counterfoil::payment::{Evidence, FailureClass, Outcome, Payment, PaymentMethod, RetrySchedule};
use counterfoil::status::{Action, OperationStatus, PaymentStatus};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::ManualClock;
use counterfoil_testkit::fixtures::{caller, credits, failed, instrument, invoice, usd};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const SOFT: &str = "pm_sandbox_decline";
const HARD: &str = "pm_sandbox_decline_hard";

struct Shop {
    ledger: Ledger,
    sandbox: Arc<Sandbox>,
    clock: Arc<ManualClock>,
    start: Timestamp,
}

/// After 1, 3 and 7 days.
fn schedule() -> Policy {
    let days = [1, 3, 7].map(|days| Duration::from_secs(days * DAY));
    Policy::default().with_retries(RetrySchedule::new(days).unwrap())
}

impl Shop {
    fn new(policy: Policy) -> Shop {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()));
        let ledger = Ledger::new(Arc::new(MemoryStore::new()))
            .with_gateway(sandbox.clone())
            .with_policy(policy)
            .with_clock(clock.clone());
        let start = clock.now();
        Shop { ledger, sandbox, clock, start }
    }

    async fn create(&self, card: &str) -> Arc<Payment> {
        let method = PaymentMethod::Card(Some(instrument(card)));
        let new = NewPayment::new(usd(1_000), invoice("inv_1"), method);
        self.ledger.create(&caller("acme"), new).await.unwrap().payment().unwrap().clone()
    }

    async fn now(&self, payment: &Payment) -> Arc<Payment> {
        self.ledger.payment(payment.scope(), payment.id()).await.unwrap().unwrap()
    }

    fn at(&self, hours: u64) -> Timestamp {
        self.start.saturating_add(Duration::from_secs(hours * HOUR))
    }

    /// Lets time pass until so many hours after the start, and does what is due every hour.
    async fn until(&self, hours: u64) {
        while self.clock.now() < self.at(hours) {
            self.clock.advance(Duration::from_secs(HOUR));
            self.run_due().await;
        }
    }

    async fn run_due(&self) {
        let failed = self.ledger.run_due(100).await.unwrap().failed;
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// A caller's own attempt, with its own instrument or another one.
    async fn process(&self, payment: &Payment, card: Option<&str>) -> Result<Arc<Payment>, Rejection> {
        let how = Processing::default();
        let how = card.map_or(how.clone(), |card| how.with_instrument(instrument(card)));
        match self.ledger.process(&caller("acme"), payment.id(), how).await {
            Ok(receipt) => Ok(receipt.payment().unwrap().clone()),
            Err(error) => Err(error.rejection().unwrap().clone()),
        }
    }

    async fn name(&self, payment: &Payment, card: &str) {
        let update = Update::default().with_instrument(instrument(card));
        self.ledger.update(&caller("acme"), payment.id(), update).await.unwrap();
    }

    /// When its attempts were made, in hours after the start; negative: by the schedule.
    async fn hours(&self, payment: &Payment) -> Vec<i64> {
        let payment = self.now(payment).await;
        let hour =
            |at: Timestamp| (at.unix_micros() - self.start.unix_micros()) / 1_000_000 / HOUR.cast_signed();
        let signed = |scheduled: bool, hour: i64| if scheduled { -hour } else { hour };
        payment
            .attempts()
            .map(|attempt| signed(attempt.kind.is_scheduled(), hour(attempt.created_at)))
            .collect()
    }

    /// Its gateway declines its last attempt, which was waiting for the payer.
    async fn decline_last(&self, payment: &Payment, class: FailureClass) {
        let attempt = self.now(payment).await.attempts().last().unwrap().id;
        let no = Evidence::new(failed(class).outcome, self.clock.now());
        self.ledger.report(&caller("acme"), payment.id(), attempt, no).await.unwrap();
    }

    async fn owe(&self, cents: i64, payable: bool) {
        let owed = Owed { amount_due: usd(cents), number: None, payable };
        self.ledger.register(&caller("acme"), invoice("inv_1"), owed).await.unwrap();
    }

    async fn last_event(&self, payment: &Payment) -> Arc<Event> {
        let stream = StreamId::Payment(payment.id());
        let events = self.ledger.history(payment.scope(), &stream, 0, 100).await.unwrap();
        events.last().unwrap().clone()
    }
}

fn instruments(payment: &Payment) -> Vec<&str> {
    payment.attempts().map(|attempt| attempt.instrument.as_ref().unwrap().as_str()).collect()
}

/// What the schedule does by itself: after 1 day, 3 days more, 7 days more, and then it is over.
#[tokio::test]
async fn schedule_alone_makes_its_attempts_and_ends() {
    let shop = Shop::new(schedule());
    let payment = shop.create(SOFT).await;
    shop.until(20 * 24).await;
    assert_eq!(shop.hours(&payment).await, [0, -24, -96, -264]);
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Failed);
}

#[tokio::test]
async fn manual_attempts_neither_use_nor_move_the_schedule() {
    let shop = Shop::new(schedule());
    let payment = shop.create(SOFT).await;
    for hour in [2, 5, 12, 40, 95, 100, 260] {
        shop.until(hour).await;
        let next = shop.now(&payment).await.next_attempt_at();
        let tried = shop.process(&payment, None).await.unwrap();
        assert_eq!((tried.status(), tried.next_attempt_at()), (PaymentStatus::Pending, next), "{hour}");
    }
    shop.until(20 * 24).await;
    assert_eq!(shop.hours(&payment).await, [0, 2, 5, 12, -24, 40, 95, -96, 100, 260, -264]);
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Failed);
    verify(shop.ledger.store().as_ref()).await.unwrap();
}

/// A manual attempt that is under way at the time of the next entry: that one is made when the attempt was declined.
#[tokio::test]
async fn entry_that_passed_during_a_manual_attempt_is_made_at_once() {
    let shop = Shop::new(schedule());
    let payment = shop.create(SOFT).await;
    shop.until(23).await;
    let waiting = shop.process(&payment, Some("pm_sandbox_action")).await.unwrap();
    assert_eq!(waiting.status(), PaymentStatus::RequiresAction);
    shop.until(30).await;
    assert_eq!(shop.hours(&payment).await, [0, 23]);
    shop.decline_last(&payment, FailureClass::Soft).await;
    shop.run_due().await;
    assert_eq!(shop.hours(&payment).await, [0, 23, -30]);
    // The delays between scheduled attempts never fall: the next one is 3 days later.
    shop.decline_last(&payment, FailureClass::Soft).await;
    shop.until(30 + 71).await;
    assert_eq!(shop.hours(&payment).await, [0, 23, -30]);
    shop.until(30 + 72).await;
    assert_eq!(shop.hours(&payment).await, [0, 23, -30, -102]);
}

#[tokio::test]
async fn attempt_that_failed_elsewhere_does_not_move_the_schedule() {
    let shop = Shop::new(schedule());
    let payment = shop.create(SOFT).await;
    shop.until(12).await;
    let new = NewAttempt::new(Recorded::Failed { error_message: None });
    shop.ledger.record_attempt(&caller("acme"), payment.id(), new).await.unwrap();
    assert_eq!(shop.now(&payment).await.next_attempt_at(), Some(shop.at(24)));
    shop.until(20 * 24).await;
    assert_eq!(shop.hours(&payment).await, [0, 12, -24, -96, -264]);
}

#[tokio::test]
async fn hard_decline_suspends_its_instrument_until_the_schedule_ends() {
    let shop = Shop::new(schedule());
    let payment = shop.create(HARD).await;
    shop.until(263).await;
    let waiting = shop.now(&payment).await;
    assert_eq!((waiting.status(), waiting.next_attempt_at()), (PaymentStatus::Pending, None));
    shop.until(264).await;
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Failed);
    assert_eq!(shop.sandbox.calls(), 1);
}

/// Whatever its class, a decline that is not soft is a hard one.
#[tokio::test]
async fn expired_instrument_and_fraud_suspend_as_well() {
    for class in FailureClass::ALL.iter().filter(|class| **class != FailureClass::Soft) {
        let shop = Shop::new(schedule());
        let payment = shop.create("pm_sandbox_action").await;
        shop.decline_last(&payment, *class).await;
        let waiting = shop.now(&payment).await;
        assert_eq!((waiting.status(), waiting.next_attempt_at()), (PaymentStatus::Pending, None), "{class}");
    }
}

#[tokio::test]
async fn manual_attempt_with_another_instrument_resumes_the_schedule_with_it() {
    let shop = Shop::new(schedule());
    let payment = shop.create(HARD).await;
    shop.until(40).await;
    let tried = shop.process(&payment, Some(SOFT)).await.unwrap();
    assert_eq!((tried.status(), tried.next_attempt_at()), (PaymentStatus::Pending, Some(shop.at(24))));
    shop.until(20 * 24).await;
    // The first entry has passed, so it is made at once; the others keep their distance.
    assert_eq!(shop.hours(&payment).await, [0, 40, -41, -113, -281]);
    assert_eq!(instruments(&*shop.now(&payment).await), [HARD, SOFT, SOFT, SOFT, SOFT]);
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Failed);
}

/// The schedule goes on with the instrument that is named next, or with one that was declined for a reason that may pass.
#[tokio::test]
async fn schedule_goes_on_with_an_instrument_that_is_left() {
    let shop = Shop::new(schedule());
    let payment = shop.create(HARD).await;
    shop.name(&payment, SOFT).await;
    assert_eq!(shop.now(&payment).await.next_attempt_at(), Some(shop.at(24)));
    shop.until(24).await;
    assert_eq!(instruments(&*shop.now(&payment).await), [HARD, SOFT]);
    shop.process(&payment, Some(HARD)).await.unwrap();
    shop.until(96).await;
    assert_eq!(instruments(&*shop.now(&payment).await), [HARD, SOFT, HARD, SOFT]);
}

/// What was never sent is sent again as what it was: a manual attempt does not become one of the schedule.
#[tokio::test]
async fn quick_repetition_of_a_manual_attempt_uses_no_entry() {
    let shop = Shop::new(schedule());
    let payment = shop.create(SOFT).await;
    shop.until(12).await;
    let down = shop.process(&payment, Some("pm_sandbox_down")).await.unwrap();
    assert_eq!(down.attempts().last().unwrap().status(), OperationStatus::NotSent);
    shop.clock.advance(Duration::from_secs(2));
    shop.run_due().await;
    let again = shop.now(&payment).await;
    let attempts: Vec<_> = again.attempts().map(|attempt| attempt.kind.is_scheduled()).collect();
    assert_eq!(attempts, [false, false, false]);
    let tried = shop.process(&payment, None).await.unwrap();
    assert_eq!(tried.next_attempt_at(), Some(shop.at(24)));
}

#[tokio::test]
async fn failed_payment_is_processed_again_only_where_the_policy_says_so() {
    let shop = Shop::new(Policy::default());
    let failed = shop.create(SOFT).await;
    assert_eq!(failed.status(), PaymentStatus::Failed);
    let disabled = Rejection::ProcessFailedDisabled { payment: failed.id() };
    assert_eq!(shop.process(&failed, Some("pm_2")).await, Err(disabled));
    let why = "the payment is FAILED, and processing failed payments again is not enabled";
    assert_eq!(may_process(&shop, &failed), (false, false, Some(why.to_owned())));

    let shop = Shop::new(Policy::default().processing_failed());
    let failed = shop.create(SOFT).await;
    let same = Rejection::SameInstrument { payment: failed.id(), instrument: Some(instrument(SOFT)) };
    assert_eq!(shop.process(&failed, None).await, Err(same.clone()));
    assert_eq!(shop.process(&failed, Some(SOFT)).await, Err(same));
    assert_eq!(may_process(&shop, &failed), (true, true, None));
    let paid = shop.process(&failed, Some("pm_2")).await.unwrap();
    assert_eq!((paid.status(), paid.closed(), paid.reviews().len()), (PaymentStatus::Succeeded, None, 0));
    verify(shop.ledger.store().as_ref()).await.unwrap();
}

/// Whether it may be processed, with another instrument than its own, and why not.
fn may_process(shop: &Shop, payment: &Payment) -> (bool, bool, Option<String>) {
    let actions = shop.ledger.actions(payment);
    let process = actions.into_iter().find(|possible| possible.action == Action::Process).unwrap();
    (process.allowed, process.needs_another_instrument, process.reason)
}

/// The instrument that was named since is another one too.
#[tokio::test]
async fn failed_payment_is_processed_again_with_the_instrument_named_since() {
    let shop = Shop::new(Policy::default().processing_failed());
    let failed = shop.create(SOFT).await;
    shop.name(&failed, "pm_2").await;
    assert_eq!(may_process(&shop, &*shop.now(&failed).await), (true, false, None));
    assert_eq!(shop.process(&failed, None).await.unwrap().status(), PaymentStatus::Succeeded);
}

#[tokio::test]
async fn archived_payment_and_returned_instrument_are_not_processed_again() {
    let shop = Shop::new(Policy::default().processing_failed());
    let paid = shop.create("pm_1").await;
    let charge = paid.attempts().last().unwrap().id;
    let outcome = Outcome::Reversed { error_message: "R01".parse().unwrap() };
    let returned = Evidence::new(outcome, shop.clock.now());
    shop.ledger.report(&caller("acme"), paid.id(), charge, returned.clone()).await.unwrap();
    assert_eq!(shop.now(&paid).await.status(), PaymentStatus::Failed);
    let same = Rejection::InstrumentReturned { payment: paid.id(), instrument: Some(instrument("pm_1")) };
    assert_eq!(shop.process(&paid, None).await, Err(same.clone()));
    assert_eq!(shop.process(&paid, Some(SOFT)).await.unwrap().status(), PaymentStatus::Failed);
    assert_eq!(shop.process(&paid, Some("pm_1")).await, Err(same));
    shop.ledger.archive(&caller("acme"), paid.id()).await.unwrap();
    let archived = Rejection::Archived { payment: paid.id() };
    assert_eq!(shop.process(&paid, Some("pm_2")).await, Err(archived));
}

/// INVARIANTS 26: what is repeated about an attempt that was over before does not end the payment again.
#[tokio::test]
async fn repeated_decline_of_an_earlier_attempt_does_not_close_the_payment_again() {
    let shop = Shop::new(Policy::default().processing_failed());
    let failed = shop.create(SOFT).await;
    let first = failed.attempts().last().unwrap().clone();
    let waiting = shop.process(&failed, Some("pm_sandbox_action")).await.unwrap();
    let no = Evidence::new(Outcome::Failed(first.failure().unwrap().clone()), first.updated_at);
    let said = shop.ledger.report(&caller("acme"), failed.id(), first.id, no).await.unwrap();
    assert!(said.replayed, "it is no news");
    let second = waiting.attempts().last().unwrap().id;
    let yes = Evidence::succeeded(shop.clock.now());
    shop.ledger.report(&caller("acme"), failed.id(), second, yes).await.unwrap();
    let paid = shop.now(&failed).await;
    assert_eq!((paid.status(), paid.reviews().len()), (PaymentStatus::Succeeded, 0));
}

/// What takes no other instrument stays failed.
#[tokio::test]
async fn credits_payment_is_not_processed_again() {
    let shop = Shop::new(Policy::default().processing_failed());
    let new = NewPayment::new(usd(1_000), invoice("inv_1"), credits("w_1"));
    let made = shop.ledger.create(&caller("acme"), new).await.unwrap();
    let failed = made.payment().unwrap();
    assert_eq!(failed.status(), PaymentStatus::Failed);
    let refused = Rejection::NotAllowed {
        payment: failed.id(),
        action: Action::Process,
        status: PaymentStatus::Failed,
    };
    assert_eq!(shop.process(failed, None).await, Err(refused));
    assert_eq!(may_process(&shop, failed), (false, false, Some("the payment is FAILED".to_owned())));
}

#[tokio::test]
async fn given_up_retry_says_why_and_names_the_invoice() {
    for (due, payable, why) in [
        (1_000, false, "invoice inv_1 is not payable"),
        (300, true, "only 3 usd of invoice inv_1 is still due"),
    ] {
        let shop = Shop::new(schedule());
        shop.owe(1_000, true).await;
        let payment = shop.create(SOFT).await;
        shop.until(12).await;
        shop.owe(due, payable).await;
        shop.until(24).await;
        let over = shop.now(&payment).await;
        let message = format!("automatic retry given up: {why}");
        assert_eq!((over.status(), over.attempts().count()), (PaymentStatus::Failed, 1));
        assert_eq!(over.error_message().map(ToString::to_string), Some(message.clone()));
        let event = shop.last_event(&payment).await;
        assert!(event.summary().contains(&message), "{}", event.summary());
        let Body::Closed(closing) = event.body() else { panic!("{event:?}") };
        assert_eq!(closing.reason.as_ref().map(ToString::to_string), Some(message));
        verify(shop.ledger.store().as_ref()).await.unwrap();
    }
}

/// A payment that is open again is not given up any more.
#[tokio::test]
async fn reason_of_a_given_up_retry_is_gone_when_the_payment_is_open_again() {
    let shop = Shop::new(schedule().processing_failed());
    shop.owe(1_000, true).await;
    let payment = shop.create(SOFT).await;
    shop.owe(1_000, false).await;
    shop.until(24).await;
    assert_eq!(shop.now(&payment).await.status(), PaymentStatus::Failed);
    shop.owe(1_000, true).await;
    let paid = shop.process(&payment, Some("pm_2")).await.unwrap();
    assert_eq!((paid.status(), paid.error_message()), (PaymentStatus::Succeeded, None));
}
