//! Voids of holds that were captured: invariants 4, 12, 26 and 34.

use std::sync::Arc;

use counterfoil::command::{About, Command, Told};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewVoid, Notification};
use counterfoil::payment::{FailureClass, OperationId, Payment};
use counterfoil::store::PaymentStore;
use counterfoil::text::GatewayName;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    Said, caller, card, evidence, failed, gateway, gateway_operation, invoice, other_gateway, pending,
    reversed, succeeded, unknown, usd,
};
use counterfoil_testkit::model::{Model, PaymentFacts};
use counterfoil_testkit::{Answer, Desk, block_on, laws};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::watched::{config, find};

/// What happens to a payment whose hold was captured.
#[derive(Debug, Clone)]
enum Next {
    Void,
    Refund(i64),
    /// Of one of its operations, counted from the last.
    Report(usize, Said),
    /// Of what was done at the gateway, past us.
    Notify(Told),
}

/// A payment of which a store and the model are told alike.
struct Both {
    store: MemoryStore,
    model: Model,
    desk: Desk,
    payment: PaymentId,
    gateway: GatewayName,
    reversals: usize,
    refusals: usize,
}

impl Both {
    /// A payment of 1000 cents whose hold was captured, in these parts.
    fn captured(gateway: &GatewayName, parts: &[i64]) -> Both {
        let desk = Desk::new(1);
        let new = NewPayment::new(usd(1_000), invoice("inv_1"), card()).captured_later();
        let create = desk.create(&caller("acme"), new.with_gateway(gateway.clone()));
        let (payment, hold) = (created(&create), started(&create));
        let (store, model, gateway) = (MemoryStore::new(), Model::default(), gateway.clone());
        let mut both = Both { store, model, desk, payment, gateway, reversals: 0, refusals: 0 };
        both.execute(&create);
        both.report(hold, succeeded(None));
        for (place, part) in parts.iter().enumerate() {
            let mut new = NewCapture::of(usd(*part));
            new.is_final = place + 1 == parts.len();
            let capture = both.desk.capture(&caller("acme"), payment, new);
            both.execute(&capture);
            both.report(started(&capture), succeeded(None));
        }
        both
    }

    fn execute(&mut self, command: &Command) -> Answer {
        let expected = self.model.execute(command);
        let before = self.found();
        let got = Answer::of(block_on(self.store.execute(command.clone())));
        assert_eq!(got, expected, "the store (left) differs from the model at {command:?}");
        let after = self.found().unwrap();
        let (_, _, facts) = self.model.payments().next().unwrap();
        assert_eq!(
            PaymentFacts::of(&after),
            facts,
            "the store (left) differs from the model after {command:?}"
        );
        let stream = StreamId::Payment(self.payment);
        let from = before.as_ref().map_or(0, |before| before.version());
        let events = block_on(self.store.history(&caller("acme").scope, &stream, from, 10)).unwrap();
        // What comes back of several operations at once is several events.
        if let [event] = &events[..] {
            assert_eq!(laws::of_step(before.as_deref(), event, &after), Ok(()), "after {command:?}");
        }
        got
    }

    fn found(&self) -> Option<Arc<Payment>> {
        find(&self.store, &caller("acme").scope, self.payment)
    }

    fn report(&mut self, operation: OperationId, outcome: Said) {
        let report = self.desk.report(&caller("acme"), self.payment, operation, evidence(outcome, 1));
        self.execute(&report);
    }

    fn next(&mut self, next: &Next, number: usize) {
        let me = &caller("acme");
        let command = match next {
            Next::Void => self.desk.void(me, self.payment, NewVoid::default()),
            Next::Refund(cents) => self.desk.refund(me, self.payment, NewRefund::of(usd(*cents))),
            Next::Report(place, outcome) => {
                let payment = self.found().unwrap();
                let own = payment.operations().iter().rev().nth(*place % payment.operations().len());
                return self.report(own.unwrap().id, outcome.clone());
            }
            Next::Notify(told) => {
                let about = About { payment: Some(self.payment), ..About::default() };
                let name = format!("n_{number}").parse().unwrap();
                self.desk.notify(me, Notification::new(self.gateway.clone(), name, about, told.clone()))
            }
        };
        let answer = self.execute(&command);
        if let Next::Void = next {
            let last = self.found().unwrap().operations().last().unwrap().clone();
            self.reversals += usize::from(answer.wrote() && last.kind.reversed_capture().is_some());
            self.refusals += usize::from(matches!(answer, Answer::Refused(_)));
        }
    }
}

fn any_next() -> impl Strategy<Value = Next> {
    let outcomes = vec![
        succeeded(None),
        succeeded(Some(usd(700))),
        failed(FailureClass::Hard),
        pending(),
        unknown(),
        reversed(),
    ];
    let told = |cents, name: &str| {
        evidence(succeeded(Some(usd(cents))), 2).with_gateway_operation_id(gateway_operation(name))
    };
    let found = vec![
        Told::Void(told(100, "void_1")),
        Told::Capture(told(40, "cap_1")),
        Told::Refund(told(50, "re_1")),
        Told::Returned(evidence(reversed(), 3)),
    ];
    prop_oneof![
        4 => Just(Next::Void),
        1 => select(vec![10, 1_000]).prop_map(Next::Refund),
        6 => (0..4_usize, select(outcomes)).prop_map(|(place, outcome)| Next::Report(place, outcome)),
        2 => select(found).prop_map(Next::Notify),
    ]
}

fn any_parts() -> impl Strategy<Value = Vec<i64>> {
    prop_oneof![3 => Just(vec![1_000]), 2 => Just(vec![600]), 1 => Just(vec![600, 400])]
}

proptest! {
    #![proptest_config(config(300))]

    /// Whatever is reported before and after the reversal of a capture, a store does what the model says, by the laws.
    #[test]
    fn reversals_of_captures_go_as_the_model_says(
        parts in any_parts(), reverses: bool, steps in vec(any_next(), 1..8)
    ) {
        let gateway = if reverses { gateway() } else { other_gateway() };
        let mut both = Both::captured(&gateway, &parts);
        for (number, step) in steps.iter().enumerate() {
            both.next(step, number);
        }
        prop_assert!(reverses || both.reversals == 0, "{gateway} reversed a capture");
    }
}

/// Without this the property above would say nothing.
#[test]
fn captured_hold_is_reversed_or_refused_by_its_gateway() {
    for (gateway, parts, reversals) in
        [(gateway(), vec![600], 1), (gateway(), vec![600, 400], 0), (other_gateway(), vec![1_000], 0)]
    {
        let mut both = Both::captured(&gateway, &parts);
        both.next(&Next::Void, 0);
        assert_eq!((both.reversals, both.refusals), (reversals, 1 - reversals), "{gateway}, {parts:?}");
    }
}

/// A gateway that reversed less than it was asked to has begun: the rest is no whole capture any more.
#[test]
fn rest_of_a_capture_that_was_reversed_in_part_is_refunded() {
    let mut both = Both::captured(&gateway(), &[1_000]);
    both.next(&Next::Void, 0);
    both.next(&Next::Report(0, succeeded(Some(usd(700)))), 1);
    both.next(&Next::Void, 2);
    assert_eq!((both.reversals, both.refusals), (1, 1));
    both.next(&Next::Refund(300), 3);
    assert!(both.found().unwrap().refundable().is_zero());
}
