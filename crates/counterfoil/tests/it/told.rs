//! What is told of what was made at a gateway, in every order.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterfoil::account::Owed;
use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::ledger::{Ledger, NewPayment, Notification, Update};
use counterfoil::payment::{Evidence, FailureClass, Outcome, Payment, PaymentMethod, Review};
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil::text::{GatewayPaymentId, Message};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::desk::created;
use counterfoil_testkit::fixtures::{caller, card, failed, gateway, invoice, succeeded, usd};
use counterfoil_testkit::{Desk, block_on};

type Word = (&'static str, fn(Evidence) -> Told, Outcome);

fn notification(name: &str, (called, told, outcome): &Word) -> Notification {
    let about = About { gateway_payment_id: Some("pi_1".parse().unwrap()), ..About::default() };
    let evidence = Evidence::new(outcome.clone(), Timestamp::EPOCH);
    let told = told(evidence.with_gateway_operation_id(called.parse().unwrap()));
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
                assert_eq!(error.rejection(), Some(&Rejection::NothingKnown));
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

/// INVARIANTS 26, 28.
#[tokio::test]
async fn what_was_made_at_a_gateway_is_the_same_in_whatever_order_it_is_told() {
    let ok = |cents| succeeded(Some(usd(cents)));
    let undone = || Outcome::Reversed { error_message: Message::lossy("run out") };
    let canceled = || Outcome::Canceled { error_message: Message::lossy("given up") };
    let stories: [&[Word]; 22] = [
        &[("g", Told::Authorization, ok(100)), ("g", Told::Authorization, undone())],
        &[("g", Told::Attempt, ok(100)), ("g", Told::Attempt, canceled())],
        &[("g", Told::Attempt, ok(50)), ("g", Told::Attempt, failed(FailureClass::Hard))],
        &[("g", Told::Authorization, ok(100)), ("v", Told::Void, ok(100))],
        &[
            ("g", Told::Authorization, ok(100)),
            ("c", Told::Capture, ok(60)),
            ("v", Told::Void, ok(40)),
            ("r", Told::Refund, ok(20)),
        ],
        &[
            ("g", Told::Authorization, ok(100)),
            ("c", Told::Capture, ok(60)),
            ("g", Told::Authorization, undone()),
        ],
        // What is told of as a hold is a charge, once it is told to have brought money.
        &[("g", Told::Authorization, ok(100)), ("g", Told::Attempt, ok(100))],
        &[
            ("g", Told::Authorization, ok(100)),
            ("g", Told::Attempt, ok(100)),
            ("g", Told::Authorization, undone()),
            ("c", Told::Capture, ok(60)),
        ],
        &[("g", Told::Authorization, ok(100)), ("g", Told::Attempt, ok(100)), ("v", Told::Void, ok(100))],
        &[("g", Told::Authorization, ok(100)), ("g", Told::Attempt, ok(60))],
        &[("g", Told::Authorization, ok(150)), ("g", Told::Attempt, ok(100))],
        &[("g", Told::Authorization, ok(100)), ("g", Told::Attempt, ok(0))],
        &[("g", Told::Authorization, ok(0)), ("g", Told::Attempt, ok(100))],
        &[("g", Told::Authorization, ok(100)), ("g", Told::Attempt, failed(FailureClass::Hard))],
        // What takes is of a hold where there is one, whatever was known when it was told.
        &[("g", Told::Attempt, ok(100)), ("h", Told::Authorization, ok(100)), ("c", Told::Capture, ok(60))],
        &[("g", Told::Attempt, ok(60)), ("h", Told::Authorization, ok(100)), ("v", Told::Void, ok(60))],
        &[
            ("g", Told::Authorization, ok(100)),
            ("h", Told::Authorization, ok(50)),
            ("c", Told::Capture, ok(50)),
            ("d", Told::Capture, ok(100)),
            ("v", Told::Void, ok(100)),
        ],
        // What never brought anything has nothing to give back.
        &[
            ("g", Told::Attempt, failed(FailureClass::Hard)),
            ("g", Told::Authorization, ok(100)),
            ("g", Told::Returned, undone()),
        ],
        // What takes from a hold waits for it, whatever else was tried.
        &[
            ("d", Told::Attempt, failed(FailureClass::Soft)),
            ("g", Told::Authorization, ok(100)),
            ("c", Told::Capture, ok(100)),
        ],
        // A return of one is none of another.
        &[
            ("g", Told::Authorization, ok(100)),
            ("c", Told::Capture, ok(60)),
            ("e", Told::Returned, undone()),
            ("e", Told::Capture, ok(40)),
        ],
        // A success without an amount is of all there is.
        &[("g", Told::Attempt, ok(100)), ("r", Told::Refund, succeeded(None)), ("r", Told::Refund, ok(60))],
        // A gateway may call everything alike.
        &[("g", Told::Authorization, ok(100)), ("g", Told::Capture, ok(60)), ("g", Told::Refund, ok(20))],
    ];
    for story in stories {
        let facts = |(payment, unknown): (Arc<Payment>, BTreeSet<usize>)| {
            let amounts = [
                payment.authorized(),
                payment.captured(),
                payment.held(),
                payment.refunded(),
                payment.capturable(),
            ];
            (payment.status(), amounts, payment.excess(), payment.reviews(), unknown)
        };
        let first = facts(told(story, &orders(story.len())[0]).await);
        for order in orders(story.len()) {
            assert_eq!(facts(told(story, &order).await), first, "{story:?} in the order {order:?}");
        }
    }
}

/// INVARIANTS 26: of several holds, what was captured or voided is of the one that it fits.
#[tokio::test]
async fn what_is_found_is_of_the_hold_that_it_fits() {
    let ok = |cents| succeeded(Some(usd(cents)));
    let auth = |name, cents| -> Word { (name, Told::Authorization, ok(cents)) };
    let capture = |name, cents| -> Word { (name, Told::Capture, ok(cents)) };
    let void = |cents| -> Word { ("v", Told::Void, ok(cents)) };
    let run_out = Outcome::Reversed { error_message: Message::lossy("run out") };
    let gone = || -> Word { ("g", Told::Authorization, run_out.clone()) };
    let stories: [(&[Word], i64, i64); 5] = [
        (&[auth("g", 100), auth("h", 60), void(60)], 100, 100),
        (&[auth("g", 100), capture("c", 30), void(70), auth("h", 100)], 100, 100),
        // One lapse that is told twice.
        (&[auth("g", 100), gone(), void(100), auth("h", 100)], 100, 100),
        (&[auth("g", 100), gone(), capture("c", 60), auth("h", 100)], 100, 100),
        (&[auth("g", 100), auth("h", 100), capture("c", 70), capture("d", 60), capture("e", 30)], 40, 40),
    ];
    for (story, held, capturable) in stories {
        let order: Vec<usize> = (0..story.len()).collect();
        let (payment, _) = told(story, &order).await;
        assert_eq!((payment.held(), payment.capturable()), (usd(held), usd(capturable)), "{story:?}");
        assert!(payment.reviews().contains(&Review::Contradiction), "somebody should look: {story:?}");
    }
}

/// INVARIANTS 28, 30: what a void is told to have released must have been there.
#[tokio::test]
async fn a_void_of_more_than_was_left_is_marked() {
    let ok = |cents| succeeded(Some(usd(cents)));
    let hold = || -> Word { ("g", Told::Authorization, ok(100)) };
    let capture = |cents| -> Word { ("c", Told::Capture, ok(cents)) };
    let void = |name, outcome| -> Word { (name, Told::Void, outcome) };
    let stories: [(&[Word], bool); 7] = [
        (&[hold(), capture(100), void("v", ok(100))], true),
        (&[hold(), capture(60), void("v", ok(40)), void("w", ok(60))], true),
        (&[hold(), void("v", ok(100)), capture(100)], true),
        (&[hold(), void("v", ok(250))], true),
        (&[("g", Told::Attempt, ok(100)), void("v", ok(250))], true),
        (&[hold(), capture(60), void("v", ok(40))], false),
        // All that there is, is what is left.
        (&[hold(), capture(60), void("v", succeeded(None))], false),
    ];
    for (story, marked) in stories {
        for order in orders(story.len()) {
            let (payment, _) = told(story, &order).await;
            assert_eq!(payment.reviews().contains(&Review::Contradiction), marked, "{story:?}");
        }
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
    let brought = || Evidence::new(succeeded(Some(usd(100))), Timestamp::EPOCH);
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
