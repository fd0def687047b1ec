//! Which operation a report is about and what that is of, in every order.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterfoil::account::Owed;
use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::ledger::{Ledger, NewPayment, Notification, Update};
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, FailureClass, Outcome, Payment, PaymentMethod, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil::text::{GatewayPaymentId, Message};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::desk::created;
use counterfoil_testkit::fixtures::{
    Said, caller, canceled, card, evidence, failed, gateway, invoice, reversed, succeeded, usd,
};
use counterfoil_testkit::{Desk, block_on};

/// What a gateway reports: its own name, the kind, what it says, and the name of the parent, if it gives one.
type Word = (&'static str, fn(Evidence) -> Told, Said, Option<&'static str>);

fn notification(name: &str, (called, told, said, parent): &Word) -> Notification {
    let about = About {
        gateway_payment_id: Some("pi_1".parse().unwrap()),
        gateway_attempt_id: parent.map(|parent| parent.parse().unwrap()),
        ..About::default()
    };
    let told = told(evidence(said.clone(), 1).with_gateway_operation_id(called.parse().unwrap()));
    Notification::new("sandbox".parse().unwrap(), name.parse().unwrap(), about, told)
}

/// A payment that was made at the gateway once `words` were told in this order; of what is not known, the gateway tells
/// again later. And what is not known in the end.
async fn told(words: &[Word], order: &[usize]) -> (Arc<Payment>, BTreeSet<usize>) {
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
    let me = caller("acme");
    let new = NewPayment::new(usd(100), invoice("inv_1"), PaymentMethod::Card(None)).recorded_only();
    // All that is due is less than what most words are of.
    let owed = Owed { amount_due: usd(70), number: None, payable: true };
    ledger.register(&me, invoice("inv_1"), owed).await.unwrap();
    let id = ledger.create(&me, new).await.unwrap().payment().unwrap().id();
    let named = Update::default().with_gateway_payment_id("pi_1".parse().unwrap());
    ledger.update(&me, id, named).await.unwrap();
    let (mut left, mut count) = (order.to_vec(), usize::MAX);
    while left.len() < count {
        count = left.len();
        for place in std::mem::take(&mut left) {
            if let Err(error) = ledger.notify(&me, notification(&format!("evt_{place}"), &words[place])).await
            {
                assert!(matches!(error.rejection(), Some(Rejection::NothingKnown(_))), "{error}");
                left.push(place);
            }
        }
    }
    (ledger.payment(&me.scope, id).await.unwrap().unwrap(), left.into_iter().collect())
}

fn orders(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(of - 1);
    let with_last = |order: &Vec<usize>, place: usize| {
        let mut order = order.clone();
        order.insert(place, of - 1);
        order
    };
    (0..of).flat_map(|place| shorter.iter().map(move |order| with_last(order, place))).collect()
}

fn authorized(name: &'static str, cents: i64) -> Word {
    (name, Told::Authorization, succeeded(Some(usd(cents))), None)
}

fn charged(name: &'static str, cents: i64) -> Word {
    (name, Told::Attempt, succeeded(Some(usd(cents))), None)
}

fn captured(name: &'static str, cents: i64, parent: impl Into<Option<&'static str>>) -> Word {
    (name, Told::Capture, succeeded(Some(usd(cents))), parent.into())
}

fn refunded(name: &'static str, cents: i64, parent: impl Into<Option<&'static str>>) -> Word {
    (name, Told::Refund, succeeded(Some(usd(cents))), parent.into())
}

fn voided(name: &'static str, cents: i64, parent: &'static str) -> Word {
    (name, Told::Void, succeeded(Some(usd(cents))), Some(parent))
}

fn returned(name: &'static str, cents: i64, parent: &'static str) -> Word {
    (name, Told::Returned, reversed().of(usd(cents)), Some(parent))
}

fn expired(name: &'static str, cents: Option<i64>) -> Word {
    let said = cents.map_or_else(reversed, |cents| reversed().of(usd(cents)));
    (name, Told::Authorization, said, None)
}

fn declined(name: &'static str, told: fn(Evidence) -> Told) -> Word {
    (name, told, failed(FailureClass::Hard), None)
}

/// All that no order may change.
type Facts = (PaymentStatus, [Money; 5], Option<Money>, BTreeSet<Review>, BTreeSet<usize>);

fn facts((payment, unknown): (Arc<Payment>, BTreeSet<usize>)) -> Facts {
    let amounts =
        [payment.authorized(), payment.captured(), payment.held(), payment.refunded(), payment.capturable()];
    (payment.status(), amounts, payment.excess(), payment.reviews(), unknown)
}

/// INVARIANTS 26, 28.
#[tokio::test]
async fn reports_lead_to_the_same_payment_in_every_order() {
    let stories: [&[Word]; 24] = [
        &[authorized("g", 100), expired("g", None)],
        &[authorized("g", 100), expired("g", Some(30)), captured("c", 50, "g")],
        &[charged("g", 100), ("g", Told::Attempt, canceled(), None)],
        &[charged("g", 50), declined("g", Told::Attempt)],
        &[authorized("g", 100), voided("v", 100, "g")],
        &[authorized("g", 100), captured("c", 60, "g"), voided("v", 40, "g"), refunded("r", 20, "g")],
        &[authorized("g", 100), captured("c", 60, None), expired("g", None)],
        // One name that is reported as held and as charged is one attempt.
        &[authorized("g", 100), charged("g", 100)],
        &[authorized("g", 100), charged("g", 100), expired("g", None), captured("c", 60, "g")],
        &[authorized("g", 100), charged("g", 100), voided("v", 100, "g")],
        &[authorized("g", 100), charged("g", 60)],
        &[authorized("g", 150), charged("g", 100)],
        &[authorized("g", 100), charged("g", 0)],
        &[authorized("g", 0), charged("g", 100)],
        &[authorized("g", 100), declined("g", Told::Attempt)],
        // Without a parent it is of the only source; of several, of none.
        &[charged("g", 100), authorized("h", 100), captured("c", 60, None)],
        &[charged("g", 60), authorized("h", 100), refunded("r", 60, None)],
        &[charged("g", 60), authorized("h", 100), voided("v", 60, "h")],
        &[authorized("g", 100), authorized("h", 50), captured("c", 50, "h"), captured("d", 100, None)],
        // A parent that is reported later counts.
        &[authorized("g", 100), authorized("h", 50), captured("c", 50, None), captured("c", 50, "h")],
        // Two parents of one capture: it is of neither.
        &[authorized("g", 100), authorized("h", 50), captured("c", 50, "g"), captured("c", 50, "h")],
        &[charged("g", 100), returned("a", 30, "g"), returned("a", 20, "g"), returned("b", 50, "g")],
        // A success without an amount is of all there is.
        &[charged("g", 100), ("r", Told::Refund, succeeded(None), None), refunded("r", 60, None)],
        // A gateway may call everything alike.
        &[authorized("g", 100), captured("g", 60, None), refunded("g", 20, None)],
    ];
    for story in stories {
        let first = facts(told(story, &orders(story.len())[0]).await);
        for order in orders(story.len()) {
            assert_eq!(facts(told(story, &order).await), first, "{story:?} in the order {order:?}");
        }
    }
}

/// An unallocated capture counts, and takes its amount from every hold.
#[tokio::test]
async fn a_capture_of_one_of_several_holds_takes_from_each() {
    let story = [authorized("g", 100), authorized("h", 60), captured("c", 30, None)];
    for order in orders(story.len()) {
        let (payment, _) = told(&story, &order).await;
        assert_eq!((payment.captured(), payment.held(), payment.capturable()), (usd(30), usd(100), usd(70)));
        assert_eq!(payment.captures().next().unwrap().parent(), None);
        assert!(payment.reviews().contains(&Review::Unallocated), "an operator allocates it");
    }
}

/// A void that names no parent, where two attempts can be meant, is told again.
#[tokio::test]
async fn a_void_of_one_of_several_attempts_must_name_it() {
    let nameless = ("v", Told::Void as fn(Evidence) -> Told, succeeded(None), None);
    let (payment, unknown) = told(&[authorized("g", 100), authorized("h", 60), nameless], &[0, 1, 2]).await;
    assert_eq!((payment.held(), unknown), (usd(160), [2].into()));
    let (payment, unknown) =
        told(&[authorized("g", 100), authorized("h", 60), voided("v", 60, "h")], &[0, 1, 2]).await;
    assert_eq!((payment.held(), unknown), (usd(100), [].into()));
}

/// INVARIANTS 2, 30: what a void is told to have released must have been there.
#[tokio::test]
async fn a_void_of_more_than_was_left_is_flagged() {
    let all = ("v", Told::Void as fn(Evidence) -> Told, succeeded(None), Some("g"));
    let hold = || authorized("g", 100);
    let stories: [(&[Word], bool); 5] = [
        (&[hold(), captured("c", 60, "g"), voided("v", 40, "g"), voided("w", 60, "g")], true),
        (&[hold(), voided("v", 250, "g")], true),
        (&[hold(), captured("c", 100, "g"), voided("v", 60, "g")], true),
        (&[hold(), captured("c", 60, "g"), voided("v", 40, "g")], false),
        // All that there is, is what is left.
        (&[hold(), captured("c", 60, "g"), all], false),
    ];
    for (story, flagged) in stories {
        for order in orders(story.len()) {
            let (payment, _) = told(story, &order).await;
            assert_eq!(payment.reviews().contains(&Review::Exceeded), flagged, "{story:?}");
        }
    }
}

/// A return is a fact with its own name and amount: of one name the largest, of several the sum, at most what came.
#[tokio::test]
async fn returns_add_up_by_their_names() {
    let canceled: Word = (
        "b",
        Told::Returned,
        Outcome::ReturnCanceled { error_message: Message::lossy("it was paid after all") }.into(),
        Some("g"),
    );
    let charge = || charged("g", 100);
    let [one, more, other] = [returned("a", 30, "g"), returned("a", 40, "g"), returned("b", 80, "g")];
    let stories: [(&[Word], PaymentStatus, i64, bool); 4] = [
        (&[charge(), one.clone()], PaymentStatus::Succeeded, 70, false),
        (&[charge(), one.clone(), more.clone()], PaymentStatus::Succeeded, 60, false),
        (&[charge(), more.clone(), other.clone()], PaymentStatus::Failed, 0, true),
        (&[charge(), more.clone(), other.clone(), canceled], PaymentStatus::Succeeded, 60, false),
    ];
    for (story, status, left, is_surplus) in stories {
        let (payment, unknown) = told(story, &(0..story.len()).collect::<Vec<_>>()).await;
        assert_eq!(
            (payment.status(), payment.captured(), unknown),
            (status, usd(left), [].into()),
            "{story:?}"
        );
        assert_eq!(payment.reviews().contains(&Review::Exceeded), is_surplus, "{story:?}");
    }
}

/// A refund made at the gateway that failed and succeeded gave nothing back, and is one of the amount that was told.
#[tokio::test]
async fn a_refund_that_failed_and_succeeded_counts_nothing() {
    let bounced: Word = ("r", Told::Refund, failed(FailureClass::Hard).of(usd(5)), None);
    let story = [charged("g", 100), bounced, refunded("r", 5, None)];
    for order in [[0, 1, 2], [0, 2, 1]] {
        let (payment, _) = told(&story, &order).await;
        let refund = payment.refunds().next().unwrap();
        assert_eq!(
            (refund.amount, payment.refunded(), refund.status()),
            (usd(5), usd(0), OperationStatus::Failed)
        );
        assert!(payment.reviews().contains(&Review::RefundBounced), "{order:?}");
    }
}

/// What its gateway says of a payment when it is asked, and of its own accord, in this order.
fn looked_up_and_told(words: &[fn(Evidence) -> Told], look_up_at: usize) -> Payment {
    let (desk, by, store) = (Desk::new(1), caller("acme"), MemoryStore::new());
    let pi: GatewayPaymentId = "pi_1".parse().unwrap();
    let create = desk.create(&by, NewPayment::new(usd(100), invoice("inv_1"), card()).recorded_only());
    let payment = created(&create);
    let execute = |command| block_on(store.execute(command)).unwrap();
    execute(create);
    execute(desk.update(&by, payment, Update::default().with_gateway_payment_id(pi.clone())));
    let brought = || Evidence::succeeded(Timestamp::EPOCH).with_amount(usd(100));
    for place in 0..=words.len() {
        if place == look_up_at {
            execute(desk.discover(&by, payment, pi.clone(), brought()));
        }
        if let Some(told) = words.get(place) {
            let about = About { payment: Some(payment), ..About::default() };
            let told = told(brought().with_gateway_operation_id(format!("of_{place}").parse().unwrap()));
            let name = format!("evt_{place}").parse().unwrap();
            execute(desk.notify(&by, Notification::new(gateway(), name, about, told)));
        }
    }
    let scope = by.scope;
    let state = block_on(store.read(&[Key::Payment(scope.clone(), payment)])).unwrap();
    let Lookup::Present(payment) = state.payment(&scope, payment) else { panic!("it is there") };
    Payment::clone(payment)
}

/// INVARIANTS 26: a look-up that names nothing is of the attempt that is known, as one that is told of later is of what
/// was looked up; and where that was held and captured, the capture is what it tells of.
#[test]
fn a_look_up_and_what_is_told_are_of_one_attempt() {
    type Story = (&'static [fn(Evidence) -> Told], &'static [usize]);
    let stories: [Story; 3] = [
        (&[Told::Attempt], &[0, 1]),
        (&[Told::Authorization], &[0, 1]),
        (&[Told::Authorization, Told::Capture], &[2]),
    ];
    for (words, places) in stories {
        for place in places {
            let payment = looked_up_and_told(words, *place);
            assert_eq!(
                (payment.captured(), payment.held()),
                (usd(100), usd(0)),
                "looked up as number {place}"
            );
            assert_eq!((payment.attempts().count(), payment.reviews()), (1, [].into()), "{words:?} {place}");
        }
    }
}
