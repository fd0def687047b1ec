//! The shell: what it does between two commands, and when a store or a gateway lets it down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{About, Rejection, Resolution, Told, UnknownReference};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::ledger::{
    Ledger, NewPayment, NewRefund, NewResolution, NewTopUp, Notification, Processing, Update,
};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    Destination, DisputeWord, DisputeWordKind, Evidence, Outcome, PaymentMethod, Review,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::store::{Cursor, ExecuteError, PaymentStore, StoreErrorKind};
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::faulty::{Fault, FaultyStore};
use counterfoil_testkit::fixtures::{invoice, usd};

const FINE: Fault = Fault::None;
const LOST: Fault = Fault::lost(StoreErrorKind::Io);
const NOTHING_DONE: Fault = Fault::nothing_done(StoreErrorKind::Io);
const REFUSED: Fault = Fault::failed(StoreErrorKind::Io);

/// A store whose next commands go wrong like this.
fn shaky(faults: &[Fault]) -> Arc<FaultyStore> {
    let store = FaultyStore::new(MemoryStore::new());
    store.next_commands(faults.iter().cloned());
    Arc::new(store)
}

fn caller() -> Caller {
    let scope = Scope::new("acme".parse().unwrap(), "test".parse().unwrap());
    Caller::new(scope, "ann".parse().unwrap())
}

fn card(instrument: &str) -> NewPayment {
    let method = PaymentMethod::Card(Some(instrument.parse().unwrap()));
    let invoice = Destination::invoice("inv_1".parse().unwrap());
    NewPayment::new(Money::parse("99.50", Currency::USD).unwrap(), invoice, method)
}

fn ledger(store: Arc<dyn PaymentStore>) -> (Ledger, Arc<Sandbox>) {
    let sandbox = Arc::new(Sandbox::new());
    (Ledger::new(store).with_gateway(sandbox.clone()), sandbox)
}

async fn count_payments(store: &dyn PaymentStore) -> usize {
    store.heads(&Cursor::START, 1_000).await.unwrap().len()
}

/// INVARIANTS 24, 25: whichever commit is in doubt, there is one payment and one charge.
#[tokio::test]
async fn a_commit_in_doubt_is_settled_by_asking_again() {
    for faults in [
        &[LOST][..],
        &[NOTHING_DONE],
        &[NOTHING_DONE, LOST],
        &[FINE, LOST],
        &[FINE, NOTHING_DONE, NOTHING_DONE],
        &[LOST, FINE, LOST],
    ] {
        let store = shaky(faults);
        let (ledger, sandbox) = ledger(store.clone());
        let receipt = ledger.create(&caller(), card("pm_ok")).await.unwrap();
        assert!(!receipt.replayed, "{faults:?}: this call made it");
        assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Succeeded, "{faults:?}");
        assert_eq!((count_payments(store.as_ref()).await, sandbox.calls()), (1, 1), "{faults:?}");
    }
}

#[tokio::test]
async fn a_top_up_in_doubt_is_this_calls_own_once_it_is_known() {
    let new = NewTopUp::new("w1".parse().unwrap(), Money::parse("5", Currency::USD).unwrap());
    let (ledger, _) = ledger(shaky(&[LOST]));
    let receipt = ledger.top_up(&caller(), new.with_idempotency_key("t".parse().unwrap())).await.unwrap();
    assert!(!receipt.replayed);
    assert_eq!(receipt.account().unwrap().version(), 1);
}

#[tokio::test]
async fn an_update_in_doubt_is_this_calls_own_once_it_is_known() {
    let store = shaky(&[FINE, FINE, LOST]);
    let (ledger, _) = ledger(store);
    let made = ledger.create(&caller(), card("pm_ok")).await.unwrap();
    let (id, version) = (made.payment().unwrap().id(), made.payment().unwrap().version());
    let update = Update::to(PaymentStatus::Refunded).if_version(version);
    let receipt = ledger.update(&caller(), id, update.clone()).await.unwrap();
    assert!(!receipt.replayed, "this call made it");
    assert_eq!(receipt.payment().unwrap().version(), version + 1);
    assert!(ledger.update(&caller(), id, update).await.unwrap().replayed, "it is so already");
}

#[tokio::test]
async fn doubt_that_does_not_end_is_reported_as_doubt_and_names_the_payment() {
    for faults in [[NOTHING_DONE, NOTHING_DONE, NOTHING_DONE], [LOST, LOST, LOST], [LOST, REFUSED, REFUSED]] {
        let store = shaky(&faults);
        let (ledger, sandbox) = ledger(store.clone());
        let error = ledger.create(&caller(), card("pm_ok")).await.unwrap_err();
        assert!(matches!(error.error(), ExecuteError::Unknown(_)), "{faults:?}: {error:?}");
        assert!(error.payment().is_some());
        assert_eq!(sandbox.calls(), 0, "nothing is sent before it is known to be written down");
    }
}

#[tokio::test]
async fn a_refused_write_is_not_tried_again() {
    let store = shaky(&[REFUSED]);
    let (ledger, sandbox) = ledger(store.clone());
    let error = ledger.create(&caller(), card("pm_ok")).await.unwrap_err();
    assert!(matches!(error.error(), ExecuteError::NotCommitted(_)));
    assert_eq!((store.executed(), sandbox.calls()), (1, 0));
}

/// INVARIANTS 24: money may have moved, so it must not be called a no; asking the gateway ends it.
#[tokio::test]
async fn a_lost_answer_of_the_gateway_is_in_doubt_and_an_inquiry_settles_it() {
    let store = shaky(&[FINE, REFUSED, REFUSED, REFUSED]);
    let (ledger, sandbox) = ledger(store);
    let error = ledger.create(&caller(), card("pm_ok")).await.unwrap_err();
    assert!(matches!(error.error(), ExecuteError::Unknown(_)), "{error:?}");
    let id = error.payment().unwrap();
    let scope = caller().scope;
    let payment = ledger.payment(&scope, id).await.unwrap().unwrap();
    assert_eq!(payment.status(), PaymentStatus::Processing);

    let receipt = ledger.inquire(&caller(), id).await.unwrap().unwrap();
    assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!((sandbox.calls(), sandbox.charges()), (1, 1));
    assert!(ledger.inquire(&caller(), id).await.unwrap().is_none(), "nothing is open any more");
}

/// What the sandbox is told to do, and where the attempt and the payment then stand.
#[tokio::test]
async fn every_answer_of_the_gateway_has_its_status() {
    let expected = [
        ("pm_anything", OperationStatus::Succeeded, PaymentStatus::Succeeded),
        ("pm_sandbox_decline", OperationStatus::Failed, PaymentStatus::Failed),
        ("pm_sandbox_decline_hard", OperationStatus::Failed, PaymentStatus::Failed),
        ("pm_sandbox_pending", OperationStatus::Processing, PaymentStatus::Processing),
        ("pm_sandbox_action", OperationStatus::RequiresAction, PaymentStatus::RequiresAction),
        ("pm_sandbox_timeout_paid", OperationStatus::Unknown, PaymentStatus::Processing),
        ("pm_sandbox_down", OperationStatus::NotSent, PaymentStatus::Pending),
        ("pm_sandbox_overpaid", OperationStatus::Succeeded, PaymentStatus::Overpaid),
    ];
    for (instrument, attempt, status) in expected {
        let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
        let receipt = ledger.create(&caller(), card(instrument)).await.unwrap();
        let payment = receipt.payment().unwrap();
        let stands = (payment.operations()[0].status(), payment.status());
        assert_eq!(stands, (attempt, status), "{instrument}");
        assert_eq!(sandbox.calls(), 1, "{instrument}");
        let captured = payment.captured();
        assert_eq!(Some(captured).filter(|money| !money.is_zero()), moved(&sandbox, payment), "{instrument}");
        let flagged = payment.reviews().contains(&Review::AmountMismatch);
        assert_eq!(flagged, instrument == "pm_sandbox_overpaid", "INVARIANTS 30");
    }
}

/// What the gateway took, where we have heard of it.
fn moved(sandbox: &Sandbox, payment: &counterfoil::payment::Payment) -> Option<Money> {
    sandbox.taken(payment.id()).filter(|_| payment.status() != PaymentStatus::Processing)
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_about_and_never_retried() {
    let ends = [
        ("pm_sandbox_timeout_paid", Some(PaymentStatus::Succeeded)),
        ("pm_sandbox_timeout_declined", Some(PaymentStatus::Failed)),
        ("pm_sandbox_timeout_unknown", None),
    ];
    for (instrument, end) in ends {
        let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
        let receipt = ledger.create(&caller(), card(instrument)).await.unwrap();
        let id = receipt.payment().unwrap().id();
        let refused = ledger.process(&caller(), id, Processing::default()).await.unwrap_err();
        assert!(matches!(refused.rejection(), Some(Rejection::NotAllowed { .. })), "INVARIANTS 17");
        let told = ledger.inquire(&caller(), id).await.unwrap();
        let status = told.map(|receipt| receipt.payment().unwrap().status());
        assert_eq!((status, sandbox.calls()), (end, 1), "{instrument}");
    }
}

#[tokio::test]
async fn another_instrument_and_a_key_make_the_next_attempt() {
    let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
    let receipt = ledger.create(&caller(), card("pm_sandbox_down")).await.unwrap();
    let id = receipt.payment().unwrap().id();
    let how = Processing::default()
        .with_instrument("pm_good".parse().unwrap())
        .with_idempotency_key("again".parse().unwrap());
    let first = ledger.process(&caller(), id, how.clone()).await.unwrap();
    let payment = first.payment().unwrap();
    assert_eq!(payment.status(), PaymentStatus::Succeeded);
    let instruments: Vec<_> =
        payment.attempts().map(|a| a.instrument.as_ref().unwrap().to_string()).collect();
    assert_eq!(instruments, ["pm_sandbox_down", "pm_good"]);

    let second = ledger.process(&caller(), id, how).await.unwrap();
    assert_eq!((second.replayed, second.sequence), (true, first.sequence));
    assert_eq!(sandbox.calls(), 2, "one call per attempt");
}

#[derive(Debug)]
struct Jumping(AtomicI64);

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        // A minute passes between any two looks at the clock.
        let seconds = self.0.fetch_add(60, Ordering::SeqCst);
        Timestamp::from_unix_micros(1_700_000_000_000_000 + seconds * 1_000_000).unwrap()
    }
}

#[tokio::test]
async fn a_caller_that_is_too_late_does_not_send() {
    let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
    let ledger = ledger.with_clock(Arc::new(Jumping(AtomicI64::new(0))));
    let receipt = ledger.create(&caller(), card("pm_ok")).await.unwrap();
    let payment = receipt.payment().unwrap();
    assert_eq!(payment.operations()[0].status(), OperationStatus::NotSent);
    assert_eq!((payment.status(), sandbox.calls()), (PaymentStatus::Pending, 0));
}

#[tokio::test]
async fn without_a_gateway_a_card_is_refused_and_nothing_is_written() {
    let store = Arc::new(MemoryStore::new());
    let ledger = Ledger::new(store.clone());
    let error = ledger.create(&caller(), card("pm_ok")).await.unwrap_err();
    assert!(matches!(error.rejection(), Some(Rejection::NoGateway(_))));
    assert_eq!(count_payments(store.as_ref()).await, 0);
}

#[tokio::test]
async fn credits_are_taken_in_the_step_that_pays() {
    let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
    let usd = |text| Money::parse(text, Currency::USD).unwrap();
    let new = NewTopUp::new("w1".parse().unwrap(), usd("100")).with_idempotency_key("t1".parse().unwrap());
    ledger.top_up(&caller(), new.clone()).await.unwrap();
    assert!(ledger.top_up(&caller(), new).await.unwrap().replayed);
    let pay = |amount| {
        let credits = PaymentMethod::Credits("w1".parse().unwrap());
        NewPayment::new(usd(amount), Destination::invoice("inv_1".parse().unwrap()), credits)
    };
    let enough = ledger.create(&caller(), pay("60")).await.unwrap();
    assert_eq!(enough.payment().unwrap().status(), PaymentStatus::Succeeded);
    let too_much = ledger.create(&caller(), pay("60")).await.unwrap();
    let payment = too_much.payment().unwrap();
    assert_eq!(payment.status(), PaymentStatus::Failed);
    assert_eq!(payment.error_message().unwrap().as_str(), "the wallet does not hold enough credits");
    let wallet = ledger.wallet(&caller().scope, &"w1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(wallet.balance(Currency::USD), usd("40"));
    assert_eq!(sandbox.calls(), 0);
    counterfoil::verify::verify(ledger.store().as_ref()).await.unwrap();
}

/// A key answers for what became of it: who repeats an unknown outcome learns it, and nothing is charged again.
#[tokio::test]
async fn repeating_the_key_of_an_unknown_outcome_asks_the_gateway() {
    let (ledger, sandbox) = ledger(Arc::new(MemoryStore::new()));
    let new = card("pm_sandbox_timeout_paid").with_idempotency_key("k".parse().unwrap());
    let first = ledger.create(&caller(), new.clone()).await.unwrap();
    assert_eq!(first.payment().unwrap().status(), PaymentStatus::Processing);
    let again = ledger.create(&caller(), new).await.unwrap();
    assert!(again.replayed);
    assert_eq!((&again.stream, again.sequence), (&first.stream, first.sequence), "INVARIANTS 20");
    assert_eq!(again.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!((sandbox.calls(), sandbox.charges()), (1, 1));
}

#[tokio::test]
async fn an_answer_of_the_gateway_is_written_down_at_the_next_try() {
    let store = shaky(&[FINE, REFUSED, REFUSED]);
    let (ledger, sandbox) = ledger(store);
    let receipt = ledger.create(&caller(), card("pm_ok")).await.unwrap();
    assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Succeeded);
    assert_eq!(sandbox.calls(), 1);
}

/// A gateway under another name, that knows of nothing and says that this is final.
#[derive(Debug)]
struct Other(GatewayName, Finality);

#[async_trait]
impl Gateway for Other {
    fn name(&self) -> &GatewayName {
        &self.0
    }

    fn finality(&self) -> Finality {
        self.1
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        Evidence::new(Outcome::Unknown { error_message: "lost".parse().unwrap() }, charge.deadline)
    }

    async fn capture(&self, asked: &Modification) -> Evidence {
        Evidence::new(Outcome::Unknown { error_message: "lost".parse().unwrap() }, asked.deadline)
    }

    async fn refund(&self, asked: &Modification) -> Evidence {
        self.capture(asked).await
    }

    async fn void(&self, asked: &Modification) -> Evidence {
        self.capture(asked).await
    }

    async fn inquire(&self, _: &Inquiry) -> Option<Evidence> {
        None
    }

    async fn look_up(&self, _: &LookUp) -> Option<Evidence> {
        None
    }
}

#[tokio::test]
async fn only_the_gateway_that_was_asked_for_the_money_is_asked_what_became_of_it() {
    let store = Arc::new(MemoryStore::new());
    let (first, _) = ledger(store.clone());
    let receipt = first.create(&caller(), card("pm_sandbox_timeout_paid")).await.unwrap();
    let other = Other("other".parse().unwrap(), Finality::After(Duration::ZERO));
    let later = Arc::new(Jumping(AtomicI64::new(10_000_000_000)));
    let second = Ledger::new(store).with_gateway(Arc::new(other)).with_clock(later);
    let id = receipt.payment().unwrap().id();
    assert!(second.inquire(&caller(), id).await.unwrap().is_none());
}

/// "I know nothing of it" counts once the lease is over and the gateway's finality has passed, not before.
#[tokio::test]
async fn what_never_arrived_is_not_sent_once_that_is_final() {
    let clock = Arc::new(Standing(AtomicI64::new(0)));
    let at = |finality| {
        let gateway = Other("other".parse().unwrap(), finality);
        Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(gateway)).with_clock(clock.clone())
    };
    let hour = Finality::After(Duration::from_secs(3_600));
    for (finality, seconds, end) in [
        (hour, 60 + 3_599, None),
        (hour, 60 + 3_600, Some(PaymentStatus::Pending)),
        (Finality::Never, 1_000_000, None),
    ] {
        let ledger = at(finality);
        clock.0.store(0, Ordering::SeqCst);
        let receipt = ledger.create(&caller(), card("pm_1")).await.unwrap();
        clock.0.store(seconds, Ordering::SeqCst);
        let told = ledger.inquire(&caller(), receipt.payment().unwrap().id()).await.unwrap();
        assert_eq!(told.map(|receipt| receipt.payment().unwrap().status()), end, "{finality:?} {seconds}");
    }
}

#[derive(Debug)]
struct Standing(AtomicI64);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        let micros = 1_700_000_000_000_000 + self.0.load(Ordering::SeqCst) * 1_000_000;
        Timestamp::from_unix_micros(micros).unwrap()
    }
}

/// INVARIANTS 12: as `actions` says; a word too many would free a refund that went out.
#[tokio::test]
async fn what_is_settled_and_not_marked_cannot_be_resolved() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
    let me = counterfoil_testkit::fixtures::caller("acme");
    let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None));
    let id = ledger.create(&me, new).await.unwrap().payment().unwrap().id();
    let done = ledger.refund(&me, id, NewRefund::of(usd(100))).await.unwrap();
    let refund = done.payment().unwrap().refunds().next().unwrap().id;
    let word = NewResolution::new(Resolution::Failed, "it never came".parse().unwrap()).about(refund);
    let refused = ledger.resolve(&me, id, word).await.unwrap_err();
    assert_eq!(refused.rejection(), Some(&Rejection::Settled { payment: id }));
}

/// Also where there is no such payment: that is what the notification is about.
#[tokio::test]
async fn a_refused_notification_says_which_payment_it_named() {
    let ledger = Ledger::new(Arc::new(MemoryStore::new()));
    let payment = "pay_00000000000000000000000007".parse().unwrap();
    let dispute = Some("dp_1".parse().unwrap());
    for named in [Some(payment), None] {
        let about = About { payment: named, gateway_dispute_id: dispute.clone(), ..About::default() };
        let word = DisputeWord::new(DisputeWordKind::Opened, Timestamp::EPOCH);
        let gateway = "sandbox".parse().unwrap();
        let told = Notification::new(gateway, "n".parse().unwrap(), about, Told::Dispute(word));
        let error = ledger.notify(&caller(), told).await.unwrap_err();
        let field = if named.is_some() { "payment_id" } else { "dispute_id" };
        let unknown = Rejection::NothingKnown(UnknownReference::Unknown { field });
        assert_eq!((error.payment(), error.rejection()), (named, Some(&unknown)));
    }
}
