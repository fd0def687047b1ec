//! What gateways tell of captures, refunds and disputes: invariants 26 to 29, 42 and 43.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::claim::ClaimKind;
use counterfoil::command::{About, Command, Request, Told};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, Notification};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Evidence, FailureClass, OperationId, Outcome,
    Payment,
};
use counterfoil::store::PaymentStore;
use counterfoil::text::Message;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    caller, card, customer, evidence, failed, gateway, gateway_operation, money, second, succeeded, usd,
};
use counterfoil_testkit::{Answer, Desk, Script, block_on};
use proptest::prelude::*;
use proptest::sample::select;

use crate::watched::{Watched, config, find};

/// A payment of ten dollars that were held: six are captured, two are being captured; one of them went back, and a
/// half is on its way.
struct Held {
    desk: Desk,
    before: Vec<Command>,
    payment: PaymentId,
    operations: Vec<OperationId>,
}

impl Held {
    /// Ten dollars that are being charged; nothing is known of it yet.
    fn charging() -> Held {
        let (desk, by) = (Desk::new(1), caller("acme"));
        let create = desk.create(&by, NewPayment::new(usd(1_000), customer("cus_1"), card()));
        let (payment, operations) = (created(&create), vec![started(&create)]);
        Held { desk, before: vec![create], payment, operations }
    }

    fn new() -> Held {
        let (desk, by) = (Desk::new(1), caller("acme"));
        let new = NewPayment::new(usd(1_000), customer("cus_1"), card()).captured_later();
        let create = desk.create(&by, new);
        let payment = created(&create);
        let came =
            |command: &Command| desk.report(&by, payment, started(command), evidence(succeeded(None), 1));
        let capture = |cents| desk.capture(&by, payment, NewCapture::of(usd(cents)).keeping_the_rest());
        let refund = |cents| desk.refund(&by, payment, NewRefund::of(usd(cents)));
        let (first, open) = (capture(600), capture(200));
        let (back, opened) = (refund(100), refund(50));
        let operations = [&create, &first, &open, &back, &opened].map(started).to_vec();
        let told = [came(&create), came(&first), came(&back)];
        let [held, captured, refunded] = told;
        // The gateway has named those that are open: what it tells of other names is of something else.
        let named = |command: &Command, name| {
            let said = evidence(Outcome::Pending, 0).with_gateway_operation_id(gateway_operation(name));
            desk.report(&by, payment, started(command), said)
        };
        let names = [named(&open, "open"), named(&opened, "opened")];
        let mut before = vec![create, held, first, captured, open, back, refunded, opened];
        before.extend(names);
        Held { desk, before, payment, operations }
    }

    /// A command for each thing that is told, under a name of its own.
    fn commands(&self, told: &[Word]) -> Vec<Command> {
        let command = |(place, word): (usize, &Word)| {
            let operation = word.about.map(|about| self.operations[about % self.operations.len()]);
            let about = About {
                payment: Some(self.payment),
                operation,
                gateway_dispute_id: word.dispute.map(|id| id.parse().unwrap()),
                ..About::default()
            };
            let told = match (&word.told, operation) {
                (Told::Attempt(said), Some(OperationId::Attempt(_))) if self.operations.len() > 1 => {
                    Told::Authorization(said.clone())
                }
                (Told::Attempt(said), Some(OperationId::Capture(_))) => Told::Capture(said.clone()),
                (Told::Attempt(said), Some(OperationId::Refund(_))) => Told::Refund(said.clone()),
                (told, _) => told.clone(),
            };
            let name = format!("ntf_{place}").parse().unwrap();
            self.desk.notify(&caller("acme"), Notification::new(gateway(), name, about, told))
        };
        told.iter().enumerate().map(command).collect()
    }

    /// What becomes of it when it is told so.
    fn after<'a>(&'a self, told: impl IntoIterator<Item = &'a Command>) -> Payment {
        let store = MemoryStore::new();
        for command in self.before.iter().chain(told) {
            let answer = Answer::of(block_on(store.execute(command.clone())));
            assert!(matches!(answer, Answer::Done { .. }), "{answer:?} to {command:?}");
        }
        (*find(&store, &caller("acme").scope, self.payment).unwrap()).clone()
    }
}

/// Something that is told.
#[derive(Debug, Clone)]
struct Word {
    about: Option<usize>,
    dispute: Option<&'static str>,
    told: Told,
}

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

/// Of what was done at the gateway, by its name there, which is of one amount. It is told when it is done, and when a
/// refund came back.
fn of_found() -> impl Strategy<Value = Word> {
    let found = [("re_1", 150), ("re_2", 30), ("cap_1", 40)];
    (select(found.to_vec()), any::<bool>()).prop_map(|((name, cents), again)| {
        let at = u32::from(again);
        let said =
            evidence(succeeded(Some(usd(cents))), at).with_gateway_operation_id(gateway_operation(name));
        let told = if name.starts_with("re") { Told::Refund(said) } else { Told::Capture(said) };
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
    let word = prop_oneof![3 => of_known(), 2 => of_found(), 1 => returned(), 3 => of_dispute()];
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
    ];
    (payment.status(), amounts, operations, disputes, payment.reviews())
}

/// By the gateway's name, where it was found by that.
fn name_of(operation: &counterfoil::payment::Operation) -> String {
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
        let notified = |step: &crate::watched::Step| {
            step.answer.wrote() && matches!(step.command.request, Request::Notify(_))
        };
        let applied = watched.steps.iter().filter(|step| notified(step)).count();
        prop_assert_eq!(taken.iter().filter(|key| key.kind == ClaimKind::Notification).count(), applied);
    }

    /// Invariant 42.
    #[test]
    fn a_dispute_goes_on_and_its_end_stays(script in Script::any(80)) {
        for life in Watched::run(&script).lives() {
            for (_, before, after) in life.moves() {
                for (was, is) in before.into_iter().flat_map(Payment::disputes).zip(after.disputes()) {
                    prop_assert_eq!(was.id, is.id);
                    prop_assert!(was.stage() <= is.stage());
                    let ended = |status| matches!(status, DisputeStatus::Won | DisputeStatus::Lost);
                    prop_assert!(was.stage() < is.stage() || !ended(was.status()) || ended(is.status()));
                }
                for inquiry in after.disputes().iter().filter(|own| own.stage() == DisputeStage::Inquiry) {
                    let moved = inquiry.withdrawn().next().is_some();
                    prop_assert!(moved || inquiry.reserved(after.terms().amount) == 0);
                }
            }
        }
    }

    /// Invariant 43.
    #[test]
    fn what_is_disputed_is_not_refundable_until_it_is_given_back(disputed in 1..500_i64, rest in 0..100_i64) {
        let held = Held::new();
        let word = |kind, cents| {
            let word = DisputeWord::new(kind, second(1)).with_amount(usd(cents));
            Word { about: None, dispute: Some("dp_1"), told: Told::Dispute(word) }
        };
        let refundable = |told: &[Word]| held.after(&held.commands(told)).refundable().minor();
        let all = refundable(&[]);
        let opened = word(DisputeWordKind::Opened, disputed);
        let mut inquiry = opened.clone();
        if let Told::Dispute(word) = &mut inquiry.told {
            word.stage = DisputeStage::Inquiry;
        }
        prop_assert_eq!(refundable(&[inquiry]), all, "a question reserves nothing");
        let left = (all - disputed).max(0);
        prop_assert_eq!(refundable(std::slice::from_ref(&opened)), left);
        let taken = word(DisputeWordKind::FundsWithdrawn, disputed);
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone()]), left, "the larger of the two");
        let won = word(DisputeWordKind::Won, disputed);
        prop_assert_eq!(refundable(&[opened.clone(), won.clone()]), all);
        prop_assert_eq!(refundable(&[opened.clone(), taken.clone(), won.clone()]), left);
        let given = |cents| word(DisputeWordKind::FundsReinstated, cents);
        let back = disputed.min(rest + 1);
        prop_assert_eq!(
            refundable(&[opened.clone(), taken.clone(), won.clone(), given(back)]),
            (all - (disputed - back)).max(0)
        );
        prop_assert_eq!(refundable(&[opened, taken, won, given(disputed)]), all);
    }
}
