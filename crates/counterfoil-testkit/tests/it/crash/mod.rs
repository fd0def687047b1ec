//! Every flow, stopped at every step; and whoever does then what is due, stopped at every step too.

mod flow;
mod world;

use counterfoil::money::Money;
use counterfoil::payment::{Attention, Payment};
use counterfoil::status::PaymentStatus;
use counterfoil::verify::verify;
use counterfoil_testkit::block_on;
use counterfoil_testkit::crash::Crash;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::watched::config;
use flow::{Flow, Method, any_flow, flows};
use world::World;

/// A step that no flow has.
const NEVER: usize = usize::MAX;

/// INVARIANTS 24, 25, 45, 46, 47: a crash between any two steps of the caller's, and another one between any two of
/// what is done after it: notifications, questions, retries, what is sent again, what runs out. Money moved at most once,
/// the end is the one without a crash, and the gateway's own books agree.
#[test]
fn a_flow_that_is_stopped_at_any_step_comes_to_the_same_end() {
    for flow in flows() {
        let (expected, _) = block_on(ended(&flow, [NEVER; 2]));
        let mut first = 0;
        while stopped_after(&flow, first, &expected) {
            first += 1;
        }
        assert!(first >= 4, "{flow:?} was hardly stopped");
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 24, of any flow.
    #[test]
    fn any_flow_that_is_stopped_anywhere_comes_to_the_same_end(
        flow in any_flow(), first: Index, second: Index
    ) {
        let (expected, [steps, _]) = block_on(ended(&flow, [NEVER; 2]));
        let first = first.index(steps);
        let (end, [_, steps]) = block_on(ended(&flow, [first, NEVER]));
        prop_assert_eq!(&end, &expected, "stopped at {}", first);
        let second = second.index(steps);
        let (end, _) = block_on(ended(&flow, [first, second]));
        prop_assert_eq!(end, expected, "stopped at {} and {}", first, second);
    }
}

/// Stops the flow at `first`, if it has such a step, and what follows at every step.
fn stopped_after(flow: &Flow, first: usize, expected: &End) -> bool {
    for second in 0.. {
        let (end, steps) = block_on(ended(flow, [first, second]));
        assert_eq!(end, *expected, "{flow:?}, stopped at {first} and {second}");
        if steps[1] <= second {
            return steps[0] > first;
        }
    }
    unreachable!("what is due comes to an end")
}

/// The status, what is captured, held and given back, and how often it was charged.
type End = (PaymentStatus, [i64; 3], usize);

/// How a flow ends that is stopped at a step, and then at a step of what follows; and how many steps each of both took.
async fn ended(flow: &Flow, [first, second]: [usize; 2]) -> (End, [usize; 2]) {
    let world = World::new(flow.finality);
    let crashes = [first, second].map(Crash::at);
    let [asking, following] = &crashes;
    asking.run(flow.ask(&world, Some(asking))).await;
    if following.run(follow(flow, &world, Some(following))).await.is_none() {
        follow(flow, &world, None).await;
    }
    let payment = world.payment().await.expect("the caller's second try made it");
    let when = format!("{flow:?}, stopped at {first} and {second}");
    assert!(!payment.needs(Attention::Stuck), "{when}: {payment:?}");
    verify(world.store.as_ref()).await.unwrap();
    let ours = [payment.captured(), payment.held(), payment.refunded()].map(Money::minor);
    assert_eq!(elsewhere(flow, &world, &payment).await, ours, "{when}: the other books differ");
    ((payment.status(), ours, world.sandbox.charges()), crashes.map(|crash| crash.steps()))
}

/// Whoever comes next does what is due; the caller comes back before the time for another instrument is over.
async fn follow(flow: &Flow, world: &World, crash: Option<&Crash>) {
    for _ in 0..flow.comes_back {
        world.settle(crash, 5, 10).await;
        flow.ask(world, crash).await;
    }
    world.settle(crash, 25, 30).await;
}

/// What is captured, held and given back by the books of whoever has the money.
async fn elsewhere(flow: &Flow, world: &World, payment: &Payment) -> [i64; 3] {
    let (sandbox, id) = (&world.sandbox, payment.id());
    match flow.method {
        Method::Credits => {
            let left = world.credits().await;
            let refunded = payment.refunded().minor();
            [flow::CREDITS - left + refunded, 0, refunded]
        }
        // Nobody but us keeps books of it; what was made at the gateway itself is not in the sandbox's.
        Method::Offline | Method::Named(_) => {
            assert_eq!(sandbox.calls(), 0, "the gateway was asked to move money");
            [payment.captured(), payment.held(), payment.refunded()].map(Money::minor)
        }
        Method::Card(_) | Method::Hold(_) | Method::Link => {
            let theirs = [sandbox.captured(id), sandbox.held(id), sandbox.refunded(id)];
            theirs.map(|money| money.map_or(0, Money::minor))
        }
    }
}
