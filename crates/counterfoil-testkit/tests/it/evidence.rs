//! Evidence: invariants 26 to 30.

use std::collections::{BTreeSet, HashMap};

use counterfoil::id::PaymentId;
use counterfoil::ledger::{NewPayment, NewRefund, Processing};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Evidence, FailureClass, OperationId, Outcome, Payment, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::store::PaymentStore;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    caller, canceled, card, evidence, failed, gateway_operation, invoice, money, not_sent, pending,
    requires_action, reversed, succeeded, unknown, usd,
};
use counterfoil_testkit::{Desk, Script, block_on};
use proptest::prelude::*;
use proptest::sample::select;

use crate::watched::{Watched, captured, config, find};

/// A card payment of ten dollars with two attempts: the first was not sent, the second is under way.
struct Charged {
    store: MemoryStore,
    desk: Desk,
    payment: PaymentId,
    attempts: [OperationId; 2],
}

impl Charged {
    fn new() -> Charged {
        let (store, desk, caller) = (MemoryStore::new(), Desk::new(1), caller("acme"));
        let create = desk.create(&caller, NewPayment::new(usd(1_000), invoice("inv_1"), card()));
        let (payment, first) = (created(&create), started(&create));
        let told = desk.report(&caller, payment, first, evidence(not_sent(), 0));
        let process = desk.process(&caller, payment, Processing::default());
        let attempts = [first, started(&process)];
        for command in [create, told, process] {
            block_on(store.execute(command)).unwrap();
        }
        Charged { store, desk, payment, attempts }
    }

    fn tell(&self, attempt: usize, said: Evidence) {
        self.report(self.attempts[attempt], said);
    }

    fn report(&self, operation: OperationId, said: Evidence) {
        let report = self.desk.report(&caller("acme"), self.payment, operation, said);
        block_on(self.store.execute(report)).unwrap();
    }

    /// The money came, and half of it is on its way back.
    fn refund(&self) -> OperationId {
        self.tell(1, evidence(succeeded(None), 1));
        let refund = self.desk.refund(&caller("acme"), self.payment, NewRefund::of(usd(500)));
        let operation = started(&refund);
        block_on(self.store.execute(refund)).unwrap();
        operation
    }

    fn payment(&self) -> Payment {
        let payment = find(&self.store, &caller("acme").scope, self.payment).unwrap();
        (*payment).clone()
    }

    fn after(told: &[(usize, Evidence)]) -> Charged {
        let charged = Charged::new();
        for (attempt, said) in told {
            charged.tell(*attempt, said.clone());
        }
        charged
    }
}

/// Everything a gateway can say. No sum of these is too large to be counted.
fn any_evidence() -> impl Strategy<Value = Evidence> {
    let amounts = [usd(999), usd(1_000), usd(1_001), usd(0), usd(1), money(1_000, Currency::JPY)];
    let amounts = prop_oneof![3 => Just(None), 2 => select(amounts.to_vec()).prop_map(Some)];
    let outcome = prop_oneof![
        3 => Just(succeeded(None)),
        1 => select(FailureClass::ALL).prop_map(failed),
        1 => Just(pending()),
        1 => Just(requires_action()),
        1 => Just(canceled()),
        1 => Just(not_sent()),
        1 => Just(unknown()),
        1 => Just(reversed()),
    ];
    let id = proptest::option::weighted(0.3, select(vec!["ch_1", "ch_2", "ch_3"]));
    (outcome, amounts, 0..4_u32, id).prop_map(|(outcome, amount, second, id)| {
        let said = evidence(outcome, second);
        let said = amount.map_or(said.clone(), |amount| said.with_amount(amount));
        match id {
            Some(id) => said.with_gateway_operation_id(gateway_operation(id)),
            None => said,
        }
    })
}

fn told() -> impl Strategy<Value = Vec<(usize, Evidence)>> {
    proptest::collection::vec((0..2_usize, any_evidence()), 1..8)
}

/// The same in another order, with some of it said again.
fn told_twice() -> impl Strategy<Value = [Vec<(usize, Evidence)>; 2]> {
    told().prop_flat_map(|told| {
        let repeated = proptest::sample::subsequence(told.clone(), 0..=told.len());
        let other = repeated.prop_flat_map({
            let told = told.clone();
            move |again| Just([told.clone(), again].concat()).prop_shuffle()
        });
        (Just(told), other).prop_map(|(one, other)| [one, other])
    })
}

/// All that order and repetition must not change.
fn settled(payment: &Payment) -> impl PartialEq + std::fmt::Debug + use<> {
    let attempts =
        payment.attempts().map(|attempt| (attempt.status(), attempt.moved(), attempt.failure().cloned()));
    (payment.status(), payment.captured(), attempts.collect::<Vec<_>>(), payment.reviews())
}

/// Whether an amount counts: it is of the payment's currency, and of something.
fn counts(amount: Money) -> bool {
    amount.currency() == Currency::USD && !amount.is_zero()
}

fn is_reversal(said: &Evidence) -> bool {
    matches!(said.outcome, Outcome::Reversed { .. })
}

/// Invariant 27, in its own words, of all but successes and what undoes them.
fn precedence(of: OperationId, outcome: &Outcome) -> u8 {
    match outcome {
        // Money that was sent back may come back; then it is with us, whatever was said before.
        Outcome::Failed(_) if matches!(of, OperationId::Refund(_)) => 7,
        Outcome::Failed(_) => 5,
        Outcome::Canceled { .. } => 4,
        Outcome::Pending | Outcome::RequiresAction { .. } => 3,
        Outcome::NotSent { .. } => 2,
        _ => 1,
    }
}

fn status_of(outcome: &Outcome) -> OperationStatus {
    match outcome {
        Outcome::Failed(_) => OperationStatus::Failed,
        Outcome::Canceled { .. } => OperationStatus::Canceled,
        Outcome::Pending => OperationStatus::Processing,
        Outcome::RequiresAction { .. } => OperationStatus::RequiresAction,
        Outcome::NotSent { .. } => OperationStatus::NotSent,
        _ => OperationStatus::Unknown,
    }
}

proptest! {
    #![proptest_config(config(500))]

    /// Invariant 26.
    #[test]
    fn neither_order_nor_repetition_matters([one, other] in told_twice()) {
        let [one, other] = [one, other].map(|told| Charged::after(&told).payment());
        prop_assert_eq!(settled(&one), settled(&other));
    }

    /// Invariant 27, of an attempt and of a refund. A success in another currency, or of nothing, counts as nothing.
    #[test]
    fn precedence_decides(told in proptest::collection::vec(any_evidence(), 1..6), of_refund: bool) {
        let charged = Charged::new();
        let about = if of_refund { charged.refund() } else { charged.attempts[1] };
        for said in &told {
            charged.report(about, said.clone());
        }
        let asked = if of_refund { 500 } else { 1_000 };
        let counted = |said: &&Evidence| said.amount.is_none_or(counts);
        let undone = told.iter().filter(|said| matches!(said.outcome, Outcome::Reversed { .. }));
        // All of it, or the largest that counts.
        let undone: Vec<i64> = undone.filter(counted).map(|said| said.amount.map_or(i64::MAX, Money::minor)).collect();
        let done = told.iter().filter(|said| said.is_success()).filter(counted);
        let done = done.map(|said| said.amount.map_or(asked, Money::minor)).max();
        let gross = done.or((!undone.is_empty()).then_some(asked));
        let is_undone = gross.is_some_and(|gross| undone.iter().any(|undone| *undone >= gross));
        let others = told.iter().filter(|said| !matches!(said.outcome, Outcome::Succeeded | Outcome::Reversed { .. }));
        let highest = others.max_by_key(|said| {
            // Of two that go on, the later one; at the same moment the payer is asked to act.
            let acts = matches!(said.outcome, Outcome::RequiresAction { .. });
            let weight = precedence(about, &said.outcome);
            (weight, (weight == 3).then_some((said.occurred_at, acts)))
        });
        let expected = match highest.map(|said| (precedence(about, &said.outcome), status_of(&said.outcome))) {
            _ if is_undone => OperationStatus::Reversed,
            Some((weight, status)) if gross.is_none() || weight > 6 => status,
            _ if gross.is_some() => OperationStatus::Succeeded,
            _ => OperationStatus::Processing,
        };
        let payment = charged.payment();
        let operation = payment.operation(about).unwrap();
        prop_assert_eq!(operation.status(), expected);
        let ends = |end: fn(&Outcome) -> bool| told.iter().any(|said| end(&said.outcome));
        let seen = [
            gross.is_some(),
            ends(|o| matches!(o, Outcome::Failed(_))),
            ends(|o| matches!(o, Outcome::Canceled { .. })),
        ];
        let contradict = seen.into_iter().filter(|seen| *seen).count() > 1;
        // A refund that was said to be done and then failed has a name of its own: the money is here again.
        let marks = [Review::Contradiction, Review::RefundBounced];
        prop_assert!(!contradict || marks.iter().any(|mark| operation.reviews().contains(mark)));
        prop_assert!(of_refund || !operation.reviews().contains(&Review::RefundBounced));
    }

    /// Invariant 28.
    #[test]
    fn a_late_success_is_counted_and_marked(told in told(), attempt in 0..2_usize) {
        // What was taken back stays so: another test's matter.
        let told: Vec<_> = told.into_iter().filter(|(_, said)| !is_reversal(said)).collect();
        let charged = Charged::after(&told);
        let before = charged.payment();
        let was = before.operation(charged.attempts[attempt]).unwrap();
        charged.tell(attempt, evidence(succeeded(None), 9));
        let after = charged.payment();
        let is = after.operation(charged.attempts[attempt]).unwrap();
        prop_assert_eq!(is.status(), OperationStatus::Succeeded);
        prop_assert!(is.moved().unwrap().minor() >= 1_000 && captured(&after) >= captured(&before));
        prop_assert!(matches!(after.status(), PaymentStatus::Succeeded | PaymentStatus::Overpaid));
        let ends = [OperationStatus::Failed, OperationStatus::Canceled, OperationStatus::NotSent];
        let ended = ends.contains(&was.status());
        prop_assert!(!ended || is.reviews().contains(&Review::Contradiction));
    }

    /// Invariant 29: one gateway, id and kind name one operation, apart from external operations that are the same as another.
    #[test]
    fn a_gateway_id_belongs_to_one_operation(script in Script::any(60)) {
        let mut holders: HashMap<_, BTreeSet<OperationId>> = HashMap::new();
        for life in Watched::run(&script).lives() {
            for operation in life.end().operations().iter().filter(|own| own.same_as().is_none()) {
                if let Some(id) = operation.gateway_operation_id() {
                    let kind = std::mem::discriminant(&operation.id);
                    let id = (life.end().scope().clone(), operation.gateway.clone(), kind, id.clone());
                    holders.entry(id).or_default().insert(operation.id);
                }
            }
        }
        prop_assert!(holders.values().all(|operations| operations.len() == 1), "{:?}", holders);
    }

    /// Invariant 30, and 6 for evidence.
    #[test]
    fn another_amount_is_counted_beside_what_was_asked(told in told()) {
        let payment = Charged::after(&told).payment();
        for (at, attempt) in payment.attempts().enumerate() {
            let said: Vec<_> = told.iter().filter(|(of, _)| *of == at).map(|(_, said)| said).collect();
            prop_assert_eq!(attempt.amount, usd(1_000), "what was asked is kept");
            let amounts = said.iter().filter(|said| said.is_success());
            let amounts = amounts.map(|said| said.amount.unwrap_or(usd(1_000))).filter(|amount| counts(*amount));
            let most = amounts.map(Money::minor).max();
            if !said.iter().any(|said| is_reversal(said)) {
                prop_assert_eq!(attempt.moved().map(Money::minor), most);
            }
            let marked = |review| attempt.reviews().contains(&review);
            let is_other = |said: &&Evidence| said.amount.is_some_and(|amount| {
                let is_own = amount.currency() == Currency::USD;
                is_own && (amount.is_zero() || (amount != usd(1_000) && !is_reversal(said)))
            });
            prop_assert_eq!(marked(Review::AmountMismatch), said.iter().any(is_other));
            let is_foreign = |said: &&Evidence| said.amount.is_some_and(|amount| amount.currency() != Currency::USD);
            prop_assert_eq!(marked(Review::CurrencyMismatch), said.iter().any(is_foreign));
        }
    }
}

/// Invariants 26 and 30: a success of nothing moves nothing, whether it comes before or after what else is
/// said; it is kept and marked.
#[test]
fn a_success_of_nothing_is_marked_in_any_status() {
    let nothing = evidence(succeeded(Some(usd(0))), 1);
    for before in [pending(), requires_action(), failed(FailureClass::Hard), not_sent(), unknown()] {
        let told = [(1, evidence(before.clone(), 1)), (1, nothing.clone())];
        let turned = [told[1].clone(), told[0].clone()];
        let [told, turned] = [Charged::after(&told).payment(), Charged::after(&turned).payment()];
        assert_eq!(settled(&told), settled(&turned), "{before:?}");
        let alone = Charged::after(&[(1, evidence(before, 1))]).payment();
        assert_eq!(told.operations()[1].status(), alone.operations()[1].status());
        assert!(told.reviews().contains(&Review::AmountMismatch));
    }
}

/// Only money brings an archived payment back.
#[test]
fn words_without_money_leave_an_archived_payment_put_away() {
    let charged = Charged::after(&[
        (1, evidence(succeeded(Some(usd(0))), 1)),
        (1, evidence(failed(FailureClass::Hard), 1)),
    ]);
    let archive = charged.desk.archive(&caller("acme"), charged.payment);
    block_on(charged.store.execute(archive)).unwrap();
    charged.tell(1, evidence(unknown(), 2));
    assert!(charged.payment().archived_at().is_some());
}
