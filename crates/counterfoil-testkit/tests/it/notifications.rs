//! What gateways tell of captures, refunds and disputes: invariants 26, 28 and 29.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::claim::ClaimKind;
use counterfoil::command::{Command, Notify, Rejection, Request, Resolution, Told};
use counterfoil::id::{AttemptId, CaptureId, DisputeId, RefundId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, FailureClass, Operation,
    OperationId, Outcome, Payment, Review,
};
use counterfoil::status::OperationStatus;
use counterfoil::text::Message;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{
    Said, evidence, failed, gateway_operation, money, pending, reversed, second, succeeded, usd,
};
use counterfoil_testkit::{Answer, Script, block_on, run_commands_against_model};
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::told::{Held, Parent, Word};
use crate::watched::{Step, Watched, config};

/// No amount, nothing, a part, the usual, more, and another currency.
fn amounts() -> impl Strategy<Value = Option<Money>> {
    let usual = [None, Some(usd(30)), Some(usd(50)), Some(usd(200)), Some(usd(250)), Some(usd(1_000))];
    let odd = [Some(usd(0)), Some(usd(1_500)), Some(money(7, Currency::JPY))];
    prop_oneof![4 => select(usual.to_vec()), 1 => select(odd.to_vec())]
}

/// A report, with or without an amount.
fn report(outcomes: Vec<Said>) -> impl Strategy<Value = Evidence> {
    (select(outcomes), amounts(), 0..4_u32).prop_map(|(outcome, amount, at)| {
        let said = evidence(outcome, at);
        amount.map_or(said.clone(), |amount| said.with_amount(amount))
    })
}

fn named(said: Evidence, name: &str) -> Evidence {
    said.with_gateway_operation_id(gateway_operation(name))
}

fn ends() -> Vec<Said> {
    let declined = failed(FailureClass::Hard);
    vec![succeeded(None), succeeded(None), succeeded(None), declined]
}

/// Of one of its operations, by our id.
fn of_known() -> impl Strategy<Value = Word> {
    let outcomes = [ends(), vec![failed(FailureClass::Soft), pending(), reversed()]].concat();
    // Of what kind it is, the operation tells.
    (0..5_usize, report(outcomes)).prop_map(|(place, said)| Word::new(Told::Attempt(said)).about(place))
}

/// Captures and refunds that were made at the gateway. Some may be ours, by their amount.
fn of_external() -> impl Strategy<Value = Word> {
    let names = select(vec!["re_1", "re_2", "cap_1", "cap_2"]);
    let parents = select(vec![None, None, Some(Parent::Ours), Some(Parent::Theirs("ch_1"))]);
    let said = report([ends(), vec![reversed(), pending()]].concat());
    (names, parents, said).prop_map(|(name, parent, said)| {
        let said = named(said, name);
        let told = if name.starts_with("re") { Told::Refund(said) } else { Told::Capture(said) };
        Word::new(told).of(parent)
    })
}

/// Attempts beside ours that were made at the gateway, and what was voided there.
fn of_others() -> impl Strategy<Value = Word> {
    let names = [("ch_1", None), ("ch_2", None), ("void_1", Some(Parent::Ours))];
    let names = [&names[..], &[("void_2", Some(Parent::Theirs("ch_1")))]].concat();
    let said = report([ends(), vec![reversed()]].concat());
    (select(names), any::<bool>(), said).prop_map(|((name, parent), held, said)| {
        let said = named(said, name);
        let told = match (parent, held) {
            (Some(_), _) => Told::Void(said),
            (None, true) => Told::Authorization(said),
            (None, false) => Told::Attempt(said),
        };
        Word::new(told).of(parent)
    })
}

/// That a bank took money of a capture back, or that it did not after all.
fn returned() -> impl Strategy<Value = Word> {
    let names = select(vec![None, Some("rt_1"), Some("rt_2")]);
    let said = report(vec![reversed(), reversed(), return_canceled()]);
    (1..3_usize, names, said).prop_map(|(place, name, mut said)| {
        said.amount = said.amount.filter(|_| name.is_some());
        let said = match name {
            Some(name) => named(said, &format!("{name}_{place}")),
            None => said,
        };
        Word::new(Told::Returned(said)).about(place)
    })
}

fn return_canceled() -> Said {
    Outcome::ReturnCanceled { error_message: Message::lossy("paid after all") }.into()
}

fn of_dispute() -> impl Strategy<Value = Word> {
    let amount = select(vec![None, Some(usd(300)), Some(usd(500)), Some(money(300, Currency::JPY))]);
    let words = (select(DisputeWordKind::ALL), select(DisputeStage::ALL), amount, 0..4_u32, 0..5_usize);
    (select(vec!["dp_1", "dp_2"]), words).prop_map(|(id, (kind, stage, amount, at, status))| {
        let mut word = DisputeWord::new(kind, second(at)).at_stage(stage);
        word.amount = amount;
        word.status = DisputeStatus::ALL.get(status).copied();
        Word::new(Told::Dispute(word)).of_dispute(id)
    })
}

fn told(most: usize) -> impl Strategy<Value = Vec<Word>> {
    let word = prop_oneof![3 => of_known(), 3 => of_external(), 2 => returned(), 2 => of_dispute()];
    proptest::collection::vec(word, 1..=most)
}

/// All that order and repetition must not change.
fn settled(payment: &Payment) -> impl PartialEq + std::fmt::Debug + use<> {
    let parent = |own: &Operation| payment.operation(own.parent()?.into()).map(name_of);
    let known = |own: &Operation| (own.status(), own.moved(), own.returned(), own.amount, parent(own));
    let operations: BTreeMap<_, _> =
        payment.operations().iter().map(|own| (name_of(own), known(own))).collect();
    let disputes: BTreeMap<_, _> = payment
        .disputes()
        .iter()
        .map(|own| {
            let moved = (own.withdrawn(), own.reinstated());
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
            prop_oneof![3 => of_others(), 2 => of_external(), 1 => of_known(), 1 => returned()], 1..=6,
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

/// Any resolution of one of our operations, or of the one that `notified` first reported.
fn resolution() -> impl Strategy<Value = (usize, usize, Resolution)> {
    let resolutions = prop_oneof![
        3 => amounts().prop_map(|amount| Resolution::Succeeded { amount }),
        2 => Just(Resolution::Failed),
        1 => Just(Resolution::NotSent),
        2 => amounts().prop_map(|amount| Resolution::Returned { amount }),
        2 => Just(Resolution::Allocated { attempt: AttemptId::new(Uuid::nil()) }),
        3 => Just(Resolution::SameAs { operation: AttemptId::new(Uuid::nil()).into() }),
        2 => Just(Resolution::Another),
        2 => Just(Resolution::Won { dispute: DisputeId::new(Uuid::nil()) }),
        3 => amounts().prop_map(|amount| Resolution::Lost { dispute: DisputeId::new(Uuid::nil()), amount }),
        1 => Just(Resolution::Dismissed),
    ];
    (0..12_usize, 0..5_usize, resolutions)
}

/// The operations of `held`, and those that would come to be known by `told`.
fn operations(held: &Held, told: &[Command]) -> Vec<OperationId> {
    let first = told.iter().filter_map(|command| match &command.request {
        Request::Notify(Notify { id, told: Told::Refund(_), .. }) => Some(RefundId::new(*id).into()),
        Request::Notify(Notify { id, told: Told::Capture(_), .. }) => Some(CaptureId::new(*id).into()),
        Request::Notify(Notify { id, told: Told::Attempt(_), .. }) => Some(AttemptId::new(*id).into()),
        _ => None,
    });
    held.operations().iter().copied().chain(first).collect()
}

/// A dispute that would come to be known by one of `told`.
fn dispute_of(told: &[Command], place: usize) -> DisputeId {
    let told = told.iter().filter_map(|command| match &command.request {
        Request::Notify(Notify { id, told: Told::Dispute(_), .. }) => Some(DisputeId::new(*id)),
        _ => None,
    });
    let all: Vec<_> = told.collect();
    all.get(place % all.len().max(1)).copied().unwrap_or(DisputeId::new(Uuid::nil()))
}

proptest! {
    #![proptest_config(config(300))]

    /// The model, which is written from the text, and the ledger come to the same whatever is reported and resolved.
    #[test]
    fn reports_and_resolutions_come_to_what_the_model_says(
        told in proptest::collection::vec(
            prop_oneof![3 => of_others(), 4 => of_external(), 3 => of_known(), 2 => returned(), 4 => of_dispute()],
            1..=8,
        ),
        resolutions in proptest::collection::vec(resolution(), 0..=4),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 4..16),
        which in 0..3_usize,
    ) {
        let held = [Held::new, Held::charging, Held::known_there][which]();
        let reports = held.commands(&told);
        let all = operations(&held, &reports);
        let resolved = resolutions.into_iter().map(|(about, other, mut resolution)| {
            let dispute = dispute_of(&reports, other);
            let other = held.operations()[other % held.operations().len()];
            match &mut resolution {
                Resolution::Allocated { attempt } => *attempt = held.attempt(),
                Resolution::SameAs { operation } => *operation = other,
                Resolution::Won { dispute: of } | Resolution::Lost { dispute: of, .. } => *of = dispute,
                _ => {}
            }
            held.resolution(all[about % all.len()], resolution)
        });
        let commands: Vec<_> = reports.iter().cloned().chain(resolved).collect();
        let mixed = order.iter().map(|place| place.get(&commands).clone());
        let commands: Vec<_> = held.before().iter().cloned().chain(mixed).chain(commands.clone()).collect();
        block_on(run_commands_against_model(&commands, &MemoryStore::new()));
    }
}

fn refund_of(outcome: Said, name: &str) -> Word {
    Word::new(Told::Refund(named(evidence(outcome, 9), name)))
}

/// Invariant 28: a name may be that of a refund whose outcome is open, so it waits until that is known.
#[test]
fn an_unknown_name_waits_for_what_is_open() {
    let held = Held::new();
    let theirs = || refund_of(succeeded(Some(usd(50))), "re_1");
    let ours = |said: Evidence| Word::new(Told::Refund(said)).about(4);
    let after = |words: &[Word]| {
        let after = held.after(&held.commands(words));
        let opened = after.refunds().nth(1).unwrap().gateway_operation_id().cloned();
        (opened, after.refunds().count(), after.refunded(), after.reviews().contains(&Review::Unallocated))
    };
    assert_eq!(after(&[theirs()]), (None, 2, usd(100), false), "it may be ours, which is open");
    let named = named(evidence(succeeded(None), 9), "re_2");
    let known = Some(gateway_operation("re_2"));
    assert_eq!(after(&[theirs(), ours(named)]), (known, 3, usd(200), false), "it was another one");
    let nameless = || ours(evidence(succeeded(None), 9));
    assert_eq!(after(&[theirs(), nameless()]), (None, 3, usd(150), true), "an operator has to say");
    let others = refund_of(succeeded(Some(usd(51))), "re_1");
    assert_eq!(after(&[others]), (None, 3, usd(151), false), "another amount cannot be ours");
}

/// A possible duplicate moves nothing until an operator says which it is.
#[test]
fn an_operator_says_whether_it_is_the_same() {
    let held = Held::new();
    let told = held.commands(&[
        Word::new(Told::Refund(evidence(succeeded(None), 9))).about(4),
        refund_of(succeeded(Some(usd(50))), "re_1"),
    ]);
    let (open, external) = (held.operations()[4], operations(&held, &told)[6]);
    let after = |resolutions: &[Resolution]| {
        let resolved = resolutions.iter().map(|resolution| held.resolution(external, *resolution));
        let resolved: Vec<_> = resolved.collect();
        let after = held.after(told.iter().chain(&resolved));
        let name = after.operation(open).unwrap().gateway_operation_id().cloned();
        (after.refunded(), after.refundable(), name, after.reviews().contains(&Review::Unallocated))
    };
    assert_eq!(after(&[]), (usd(150), usd(400), None, true), "its amount is reserved");
    let same_as = Resolution::SameAs { operation: open };
    let same = (usd(150), usd(450), Some(gateway_operation("re_1")), false);
    let another = (usd(200), usd(400), None, false);
    assert_eq!(after(&[same_as]), same);
    assert_eq!(after(&[Resolution::Another]), another);
    assert_eq!(after(&[same_as, Resolution::Another]), another, "a later decision replaces it");
    assert_eq!(after(&[same_as, same_as]), same, "said again, it changes nothing");
    assert_eq!(after(&[same_as, Resolution::Another, same_as]), same);
}

/// Captures of which it is not known which attempt they are of count, and take from every hold.
#[test]
fn an_unallocated_capture_takes_from_every_hold() {
    let held = Held::known_there();
    let another = named(evidence(succeeded(Some(usd(1_000))), 1), "ch_1");
    let capture = named(evidence(succeeded(Some(usd(30))), 1), "cap_1");
    let words = [Word::new(Told::Authorization(another)), Word::new(Told::Capture(capture.clone()))];
    let told = held.commands(&words);
    let before = held.after(&told[..1]);
    for order in orders(2) {
        let after = held.after(order.iter().map(|place| &told[*place]));
        assert_eq!(after.captured().minor() - before.captured().minor(), 30);
        assert_eq!(before.held().minor() - after.held().minor(), 60, "of both");
        assert!(after.reviews().contains(&Review::Unallocated));
        let capture = after.captures().last().unwrap();
        let of_ours = Resolution::Allocated { attempt: held.attempt() };
        let allocated = held.resolution(capture.id, of_ours);
        let order = order.iter().map(|place| &told[*place]).chain([&allocated]);
        let allocated = held.after(order);
        assert_eq!(before.held().minor() - allocated.held().minor(), 30, "of ours alone");
        assert!(!allocated.reviews().contains(&Review::Unallocated));
    }
    let of_ours = held.commands(&[words[0].clone(), words[1].clone().of(Some(Parent::Ours))]);
    assert!(!held.after(&of_ours).reviews().contains(&Review::Unallocated), "a reported parent allocates it");
}

/// What adds up must have a name.
#[test]
fn what_adds_up_must_have_a_name() {
    let held = Held::new();
    let (some, all) = (evidence(succeeded(Some(usd(5))), 1), evidence(succeeded(None), 1));
    let part = evidence(reversed().of(usd(5)), 1);
    let words = [
        Word::new(Told::Refund(some.clone())),
        Word::new(Told::Capture(all)),
        Word::new(Told::Returned(part.clone())),
        Word::new(Told::Returned(part)).about(1),
    ];
    for command in held.commands(&words) {
        assert_eq!(held.answer(&command), Answer::Refused(Rejection::NameRequired), "{command:?}");
    }
}

/// Returns of different names add up, of the same name the largest counts, and a canceled one counts nothing.
#[test]
fn returns_add_up_by_their_names() {
    let held = Held::new();
    let back = |name: &str, cents| named(evidence(reversed().of(usd(cents)), 1), name);
    let canceled = || named(evidence(return_canceled(), 1), "rt_1");
    // Six dollars were captured.
    let cases = [
        (vec![back("rt_1", 100)], 500, OperationStatus::Succeeded),
        (vec![back("rt_1", 100), back("rt_1", 150)], 450, OperationStatus::Succeeded),
        (vec![back("rt_1", 100), back("rt_2", 150)], 350, OperationStatus::Succeeded),
        (vec![back("rt_1", 100), back("rt_2", 150), canceled()], 450, OperationStatus::Succeeded),
        (vec![back("rt_1", 400), back("rt_2", 200)], 0, OperationStatus::Reversed),
        (vec![back("rt_1", 400), back("rt_2", 300)], 0, OperationStatus::Reversed),
        (vec![evidence(reversed(), 1)], 0, OperationStatus::Reversed),
    ];
    for (returns, left, status) in cases {
        let all: i64 = returns.iter().filter_map(|said| said.amount).map(Money::minor).sum();
        let words: Vec<_> =
            returns.into_iter().map(|said| Word::new(Told::Returned(said)).about(1)).collect();
        let commands = held.commands(&words);
        for order in orders(commands.len()) {
            // What is canceled must be known.
            let after = held.after(order.iter().map(|place| &commands[*place]));
            let capture = after.operation(held.operations()[1]).unwrap();
            assert_eq!((after.captured(), capture.status()), (usd(left), status), "{words:?}");
            assert_eq!(after.reviews().contains(&Review::Exceeded), all > 600 || left < 150, "{words:?}");
        }
    }
}

/// A resolution overrides what was known when it was made; what is first reported afterwards counts against it.
#[test]
fn a_resolution_overrides_what_was_known() {
    let held = Held::new();
    let place = 2;
    let said = |outcome: Said, cents| {
        Word::new(Told::Capture(evidence(outcome, 1).with_amount(usd(cents)))).about(place)
    };
    let done = || said(succeeded(None), 200);
    let declined = said(failed(FailureClass::Hard), 200);
    let [less, larger] = [190, 210].map(|cents| said(succeeded(None), cents));
    // Each is a notification of its own.
    let told = held.commands(&[done(), declined, done(), less, larger]);
    let decline = held.resolution(held.operations()[place], Resolution::Failed);
    let confirm = held.resolution(held.operations()[place], Resolution::Succeeded { amount: None });
    let status = |commands: &[&Command]| {
        let after = held.after(commands.iter().copied());
        let capture = after.operation(held.operations()[place]).unwrap();
        (capture.status(), capture.moved())
    };
    let [done, declined, again, less, larger] = [0, 1, 2, 3, 4].map(|place: usize| &told[place]);
    let came = |cents| (OperationStatus::Succeeded, Some(usd(cents)));
    let failed = (OperationStatus::Failed, None);
    assert_eq!(status(&[done, declined]), came(200), "by precedence");
    assert_eq!(status(&[done, declined, &decline]), failed, "the operator decides");
    assert_eq!(status(&[done, declined, &decline, again]), failed, "a repeat is no news");
    assert_eq!(status(&[done, declined, &decline, less]), came(190), "another amount is news");
    assert_eq!(status(&[done, declined, &decline, larger, less]), came(210));
    assert_eq!(status(&[done, declined, &decline, &confirm]), came(200), "a later word replaces it");
    // What an operator said before was reported by nobody: the gateway's word is news.
    assert_eq!(status(&[&confirm, &decline, done]), came(200));
    assert_eq!(status(&[&decline, &confirm, declined]), came(200), "a success outranks it");
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
            Word::new(told)
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
        assert_eq!(told(usd(250)), (0, 1_000, marked(&[another])), "{order:?}");
        assert_eq!(told(yen), (0, 1_000, marked(&[another, Review::CurrencyMismatch])), "{order:?}");
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
