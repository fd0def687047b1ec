//! What gateways tell of captures, refunds and disputes: invariants 26, 28 and 29.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::claim::ClaimKind;
use counterfoil::command::{Request, Told};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, FailureClass, Operation, Outcome,
    Payment, Review,
};
use counterfoil::text::Message;
use counterfoil_testkit::Script;
use counterfoil_testkit::fixtures::{evidence, failed, gateway_operation, money, second, succeeded, usd};
use proptest::prelude::*;
use proptest::sample::select;

use crate::told::{Held, Word};
use crate::watched::{Step, Watched, config};

fn reversed() -> Outcome {
    Outcome::Reversed { error_message: Message::lossy("taken back") }
}

/// Of one of its operations, by our name.
fn of_known() -> impl Strategy<Value = Word> {
    let outcome = prop_oneof![
        3 => Just(succeeded(None)),
        1 => Just(succeeded(Some(usd(700)))),
        2 => select(FailureClass::ALL).prop_map(failed),
        1 => Just(Outcome::Pending),
        1 => Just(reversed()),
    ];
    (0..5_usize, outcome, 0..4_u32).prop_map(|(place, outcome, at)| {
        // Of what kind it is, the operation tells.
        Word { about: Some(place), dispute: None, told: Told::Attempt(evidence(outcome, at)) }
    })
}

/// Of what was done at the gateway, by its name there, which is of one amount; some may be ours by the amount.
fn of_found() -> impl Strategy<Value = Word> {
    let found = [("re_1", 150), ("re_2", 30), ("re_3", 50), ("cap_1", 40), ("cap_2", 200), ("re_0", 0)];
    (select(found.to_vec()), any::<bool>(), any::<bool>()).prop_map(|((name, cents), again, refused)| {
        let at = u32::from(again);
        let outcome =
            if refused && cents > 0 { failed(FailureClass::Hard) } else { succeeded(Some(usd(cents))) };
        let said = evidence(outcome, at).with_gateway_operation_id(gateway_operation(name));
        let told = if name.starts_with("re") { Told::Refund(said) } else { Told::Capture(said) };
        Word { about: None, dispute: None, told }
    })
}

/// Of attempts beside ours that were made there, and of what was voided there.
fn of_others() -> impl Strategy<Value = Word> {
    let outcome = prop_oneof![
        4 => select(vec![250, 1_000, 60]).prop_map(|cents| succeeded(Some(usd(cents)))),
        1 => Just(failed(FailureClass::Hard)),
        1 => Just(reversed()),
    ];
    let names = select(vec!["ch_1", "ch_2", "void_1", "void_2"]);
    (names, any::<bool>(), outcome).prop_map(|(name, held, outcome)| {
        let said = evidence(outcome, 1).with_gateway_operation_id(gateway_operation(name));
        let told = match (name.starts_with("void"), held) {
            (true, _) => Told::Void(said),
            (false, true) => Told::Authorization(said),
            (false, false) => Told::Attempt(said),
        };
        Word { about: None, dispute: None, told }
    })
}

/// Of something that is told by its kind alone, and that it was of another currency.
fn nameless() -> impl Strategy<Value = Word> {
    let outcomes = [
        succeeded(Some(usd(50))),
        succeeded(Some(usd(200))),
        succeeded(Some(usd(7))),
        succeeded(Some(money(7, Currency::JPY))),
        succeeded(None),
        failed(FailureClass::Soft),
    ];
    (select(outcomes.to_vec()), 0..3_usize).prop_map(|(outcome, kind)| {
        let said = evidence(outcome, 1);
        let told = match kind {
            0 => Told::Refund(said),
            1 => Told::Capture(said),
            _ => Told::Void(said),
        };
        Word { about: None, dispute: None, told }
    })
}

/// That a bank took a capture back.
fn returned() -> impl Strategy<Value = Word> {
    (1..3_usize).prop_map(|place| {
        let told = Told::Returned(Evidence::new(reversed(), second(1)));
        Word { about: Some(place), dispute: None, told }
    })
}

fn of_dispute() -> impl Strategy<Value = Word> {
    let amount = select(vec![None, Some(usd(300)), Some(usd(500)), Some(money(300, Currency::JPY))]);
    let words = (select(DisputeWordKind::ALL), select(DisputeStage::ALL), amount, 0..4_u32, 0..5_usize);
    (select(vec!["dp_1", "dp_2"]), words).prop_map(|(id, (kind, stage, amount, at, status))| {
        let mut word = DisputeWord::new(kind, second(at)).at_stage(stage);
        word.amount = amount;
        word.status = DisputeStatus::ALL.get(status).copied();
        Word { about: None, dispute: Some(id), told: Told::Dispute(word) }
    })
}

fn told(most: usize) -> impl Strategy<Value = Vec<Word>> {
    let word =
        prop_oneof![3 => of_known(), 2 => of_found(), 1 => nameless(), 1 => returned(), 3 => of_dispute()];
    proptest::collection::vec(word, 1..=most)
}

/// All that order and repetition must not change.
fn settled(payment: &Payment) -> impl PartialEq + std::fmt::Debug + use<> {
    let operations: BTreeMap<_, _> = payment
        .operations()
        .iter()
        .map(|own| (name_of(own), (own.status(), own.moved(), own.reviews())))
        .collect();
    let funds = |amounts: &mut dyn Iterator<Item = Money>| amounts.map(Money::minor).sum::<i64>();
    let disputes: BTreeMap<_, _> = payment
        .disputes()
        .iter()
        .map(|own| {
            let moved = (funds(&mut own.withdrawn()), funds(&mut own.reinstated()));
            (own.gateway_dispute_id.clone(), (own.stage(), own.status(), own.amount(), moved))
        })
        .collect();
    let amounts = [
        payment.captured(),
        payment.refunded(),
        payment.refundable(),
        payment.authorized(),
        payment.held(),
        payment.capturable(),
        payment.disputed(),
        payment.charged_back(),
    ];
    (payment.status(), amounts, operations, disputes, payment.reviews())
}

/// By the gateway's name, where it was found by that.
fn name_of(operation: &Operation) -> String {
    operation.gateway_operation_id().map_or_else(|| operation.id.to_string(), ToString::to_string)
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let shorter = orders(last);
    let with = |place: usize| {
        shorter.iter().map(move |order| {
            let mut order = order.clone();
            order.insert(place, last);
            order
        })
    };
    (0..count).flat_map(with).collect()
}

proptest! {
    #![proptest_config(config(60))]

    /// Invariant 26: every order of a few things that are told, each of them told again at the end.
    #[test]
    fn every_order_comes_to_the_same(told in told(4)) {
        for held in [Held::new(), Held::charging()] {
            let commands = held.commands(&told);
            let first = settled(&held.after(&commands));
            for order in orders(commands.len()) {
                let turned = order.iter().chain(order.first()).map(|place| &commands[*place]);
                prop_assert_eq!(&settled(&held.after(turned)), &first, "{:?}", order);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// Invariant 26: any order and any repetition of many things.
    #[test]
    fn any_order_and_repetition_comes_to_the_same(
        (told, turned) in told(9).prop_flat_map(|told| {
            let places: Vec<usize> = (0..told.len()).chain(0..told.len()).collect();
            (Just(told), Just(places).prop_shuffle())
        }),
    ) {
        for held in [Held::new(), Held::charging()] {
            let commands = held.commands(&told);
            let straight = settled(&held.after(&commands));
            let turned = held.after(turned.iter().map(|place| &commands[*place]));
            prop_assert_eq!(settled(&turned), straight);
        }
    }

    /// Invariant 26, where the gateway tells of other attempts beside ours: what was captured or voided there may be of
    /// any of them.
    #[test]
    fn whatever_was_made_there_comes_to_the_same(
        (told, turned) in proptest::collection::vec(
            prop_oneof![3 => of_others(), 2 => of_found(), 1 => of_known()], 1..=6,
        ).prop_flat_map(|told| {
            let places: Vec<usize> = (0..told.len()).chain(0..told.len()).collect();
            (Just(told), Just(places).prop_shuffle())
        }),
    ) {
        let held = Held::known_there();
        let commands = held.commands(&told);
        let straight = settled(&held.after(&commands));
        let turned = held.after(turned.iter().map(|place| &commands[*place]));
        prop_assert_eq!(settled(&turned), straight);
    }

    /// Invariant 29: a name that a gateway gave is taken by one event of a scope at most, be it an operation's, a
    /// payment's, a dispute's, or a notification's.
    #[test]
    fn a_gateways_name_is_taken_once(script in Script::any(80)) {
        let mut taken = BTreeSet::new();
        let watched = Watched::run(&script);
        for event in watched.events() {
            for claim in event.claims() {
                prop_assert!(taken.insert(claim.key.clone()), "{:?} is taken twice", claim.key);
            }
        }
        let notified = |step: &Step| {
            step.answer.wrote() && matches!(step.command.request, Request::Notify(_))
        };
        let applied = watched.steps.iter().filter(|step| notified(step)).count();
        prop_assert_eq!(taken.iter().filter(|key| key.kind == ClaimKind::Notification).count(), applied);
    }
}

fn refund_of(outcome: Outcome, name: &str) -> Word {
    let told = Told::Refund(evidence(outcome, 9).with_gateway_operation_id(gateway_operation(name)));
    Word { about: None, dispute: None, told }
}

/// Invariant 28: a name may be that of a refund whose outcome is open, so it waits until that is known.
#[test]
fn a_name_that_nobody_knows_waits_for_what_is_open() {
    let held = Held::new();
    let theirs = || refund_of(succeeded(Some(usd(50))), "re_1");
    let ours = |said: Evidence| Word { about: Some(4), dispute: None, told: Told::Refund(said) };
    let after = |words: &[Word]| {
        let after = held.after(&held.commands(words));
        let opened = after.refunds().nth(1).unwrap().gateway_operation_id().cloned();
        (opened, after.refunds().count())
    };
    assert_eq!(after(&[theirs()]), (None, 2), "nobody knows yet");
    let named = evidence(succeeded(None), 9).with_gateway_operation_id(gateway_operation("re_2"));
    assert_eq!(after(&[theirs(), ours(named)]), (Some(gateway_operation("re_2")), 3), "it was another one");
    let nameless = evidence(succeeded(None), 9);
    assert_eq!(after(&[theirs(), ours(nameless)]), (Some(gateway_operation("re_1")), 2), "it is ours");
}

/// Invariants 1, 2, 6 and 26: what was held on the way to a charge that only its gateway told of stays authorized, whatever
/// is told first; that more is charged is marked. A charge of ours is no hold.
#[test]
fn what_was_held_on_the_way_to_a_charge_stays_authorized() {
    let after = |held: &Held, name, told: &[(bool, Money)], order: &[usize]| {
        let said =
            |amount| evidence(succeeded(Some(amount)), 1).with_gateway_operation_id(gateway_operation(name));
        let word = |(holds, amount): &(bool, Money)| {
            let told = if *holds { Told::Authorization(said(*amount)) } else { Told::Attempt(said(*amount)) };
            Word { about: None, dispute: None, told }
        };
        let commands = held.commands(&told.iter().map(word).collect::<Vec<_>>());
        let payment = held.after(order.iter().map(|place| &commands[*place]));
        (payment.authorized().minor(), payment.captured().minor(), payment.reviews())
    };
    let marked = |reviews: &[Review]| -> BTreeSet<Review> { reviews.iter().copied().collect() };
    let (there, ours) = (Held::known_there(), Held::charging());
    // Ten dollars were asked for.
    let another = Review::AmountMismatch;
    for order in orders(3) {
        let told = |hold, charge, again| {
            after(&there, "ch_1", &[(true, usd(hold)), (false, usd(charge)), (true, again)], &order)
        };
        assert_eq!(told(250, 60, usd(90)), (1_250, 660, marked(&[another])), "{order:?}");
        assert_eq!(
            told(250, 800, usd(90)),
            (1_250, 1_400, marked(&[another, Review::Exceeded])),
            "{order:?}"
        );
        let yen = money(7, Currency::JPY);
        assert_eq!(
            told(250, 60, yen),
            (1_250, 660, marked(&[another, Review::CurrencyMismatch])),
            "{order:?}"
        );
        let told =
            |again| after(&ours, "ch_0", &[(true, usd(90)), (false, usd(1_000)), (true, again)], &order);
        assert_eq!(told(usd(250)), (0, 1_000, marked(&[])), "{order:?}");
        assert_eq!(told(yen), (0, 1_000, marked(&[Review::CurrencyMismatch])), "{order:?}");
        assert_eq!(told(usd(0)), (0, 1_000, marked(&[another])), "{order:?}");
    }
    assert_eq!(after(&there, "ch_1", &[(false, usd(60))], &[0]).0, 1_000, "nothing was held on the way");
}

/// Invariant 6, for what was made at a gateway.
#[test]
fn money_of_another_currency_is_kept_and_marked() {
    let (held, yen) = (Held::new(), money(7, Currency::JPY));
    let words = [succeeded(Some(yen)), succeeded(Some(yen)), succeeded(Some(usd(0)))];
    let told = held.commands(&words.map(|outcome| refund_of(outcome, "re_1")));
    let untold = held.after([]);
    let after = held.after(&told);
    assert_eq!(after.reviews(), BTreeSet::from([Review::AmountMismatch, Review::CurrencyMismatch]));
    assert_eq!(after.version(), untold.version() + 2, "each of its kind once");
    assert_eq!((after.refunds().count(), after.refunded()), (2, untold.refunded()));
}
