//! What is told of what was made at a gateway, in every order.

use std::collections::BTreeSet;
use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::command::{About, Rejection, Told};
use counterfoil::ledger::{Ledger, NewPayment, Notification, Update};
use counterfoil::payment::{Evidence, FailureClass, Outcome, Payment, PaymentMethod};
use counterfoil::text::Message;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::fixtures::{caller, failed, invoice, succeeded, usd};

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
            let amounts = [payment.captured(), payment.held(), payment.refunded(), payment.capturable()];
            (payment.status(), amounts, payment.reviews(), unknown)
        };
        let first = facts(told(story, &orders(story.len())[0]).await);
        for order in orders(story.len()) {
            assert_eq!(facts(told(story, &order).await), first, "{story:?} in the order {order:?}");
        }
    }
}
