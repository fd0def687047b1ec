//! Amounts: invariants 1 to 9.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use counterfoil::command::Rejection;
use counterfoil::event::{Event, StreamId};
use counterfoil::ledger::{NewCapture, NewPayment, NewRefund, NewTopUp};
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::payment::{Dispute, Operation, Payment, PaymentMethod, Review};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, Cause, PaymentStatus, allowed};
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, credits, invoice, money, usd, wallet};
use counterfoil_testkit::{Answer, Desk, Script, block_on};
use proptest::prelude::*;

use crate::sums::{Sums, capped, is_dismissed, is_refund, taken, undoes};
use crate::watched::{Watched, captured, config, heads, posted};

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 1: unless an operator says otherwise, what was authorized stays authorized, and what funds moved for a
    /// dispute stays moved; what goes back is an operation of its own.
    #[test]
    fn gross_counters_never_fall(script in Script::any(60)) {
        for life in Watched::run(&script).lives() {
            for (event, before, after) in life.moves() {
                let Some(before) = before else { continue };
                let is_resolution = event.cause() == Cause::Resolution;
                prop_assert!(is_resolution || before.authorized().minor() <= after.authorized().minor());
                let known = before.operations().iter().map(|operation| operation.id);
                prop_assert!(known.eq(after.operations().iter().take(before.operations().len()).map(|o| o.id)));
                for (was, is) in before.disputes().iter().zip(after.disputes()) {
                    let moved = |own: &Dispute| [own.withdrawn(), own.reinstated()].map(Money::minor);
                    let grew = moved(was).into_iter().zip(moved(is)).all(|(was, is)| was <= is);
                    prop_assert!(is_resolution || was.is_resolved() || grew);
                }
            }
        }
    }

    /// Invariant 2: more than was authorized is captured by evidence only, and marked.
    #[test]
    fn more_than_was_held_is_marked(script in Script::any(60)) {
        for life in Watched::run(&script).lives().iter().filter(|life| !is_dismissed(life)) {
            for (event, before, after) in life.moves() {
                // What was captured of a charge is part of that.
                let is_of_hold = |capture: &&Operation| {
                    let of = capture.parent().and_then(|of| after.operation(of.into()));
                    of.is_none_or(Operation::is_hold)
                };
                let taken = after.captures().filter(is_of_hold).filter_map(Operation::moved);
                let taken: i64 = taken.map(Money::minor).sum();
                if taken > after.authorized().minor() {
                    prop_assert!(after.reviews().contains(&Review::Exceeded));
                    let more = before.is_none_or(|before| captured(before) < captured(after));
                    prop_assert!(!more || is_told(event));
                }
            }
        }
    }

    /// Invariants 3 and 8: no command gives back more than there is; what is open holds its amount, what came to
    /// nothing frees it.
    #[test]
    fn no_more_is_given_back_than_there_is(script in Script::any(80)) {
        for life in Watched::run(&script).lives() {
            for (event, before, after) in life.moves() {
                let sums = Sums::of(after);
                let free = sums.captured - sums.refunded - sums.returning - sums.disputed;
                prop_assert_eq!(after.refundable().minor(), capped(free));
                let held = after.held().minor() - sums.reserved_of_holds;
                let holds = after.attempts().filter(|attempt| attempt.is_hold()).count();
                prop_assert!(holds > 1 || after.capturable().minor() == held.max(0), "{:?}", sums);
                let was = before.map_or(0, |before| Sums::of(before).exceeding());
                prop_assert!(is_told(event) || sums.exceeding() <= was, "{:?}", event.body());
                let marked = after.reviews().contains(&Review::Exceeded) || is_dismissed(&life);
                prop_assert!(sums.exceeding() == 0 || marked);
            }
        }
    }

    /// Invariant 4: so much is accepted, and one unit more is refused. And 5 and 6: nothing, and another currency.
    #[test]
    fn what_is_left_is_exact(script in Script::any(60)) {
        let watched = Watched::run(&script);
        let desk = Desk::new(9);
        desk.clock().advance(Duration::from_secs(1_000_000));
        let execute = |command| Answer::of(block_on(watched.store.execute(command)));
        for payment in watched.payments().iter().filter(|payment| payment.archived_at().is_none()) {
            let (id, status) = (payment.id(), payment.status());
            let by = Caller::new(payment.scope().clone(), "tester".parse().unwrap());
            let (refundable, capturable) = (payment.refundable_at_once(), payment.capturable());
            let foreign = if refundable.currency() == Currency::EUR { Currency::USD } else { Currency::EUR };
            let before = heads(&watched.store);
            for amount in [money(0, refundable.currency()), money(1, foreign)] {
                prop_assert!(!execute(desk.refund(&by, id, NewRefund::of(amount))).wrote());
                prop_assert!(!execute(desk.capture(&by, id, NewCapture::of(amount))).wrote());
            }
            if let Some(more) = one_more(refundable).filter(|_| allowed(status, Action::Refund)) {
                let no = Rejection::ExceedsRefundable { payment: id, refundable };
                prop_assert_eq!(execute(desk.refund(&by, id, NewRefund::of(more))), Answer::Refused(no));
            }
            if let Some(more) = one_more(capturable).filter(|_| allowed(status, Action::Capture)) {
                let no = Rejection::ExceedsCapturable { payment: id, capturable };
                prop_assert_eq!(execute(desk.capture(&by, id, NewCapture::of(more))), Answer::Refused(no));
            }
            prop_assert_eq!(before, heads(&watched.store));
            if allowed(status, Action::Capture) && !capturable.is_zero() {
                prop_assert!(is_taken(&execute(desk.capture(&by, id, NewCapture::of(capturable)))));
            }
            if allowed(status, Action::Refund) && !refundable.is_zero() && !fills_a_wallet(payment) {
                prop_assert!(is_taken(&execute(desk.refund(&by, id, NewRefund::of(refundable)))));
            }
        }
    }

    /// Invariant 4, where it can be reached: a wallet gives what it holds, and not one unit more.
    #[test]
    fn what_a_wallet_holds_is_exact(cents in 1..Money::MAX_MINOR) {
        let (store, desk, caller) = (MemoryStore::new(), Desk::new(1), caller("acme"));
        let pay = |cents| {
            let new = NewPayment::new(usd(cents), invoice("inv_1"), credits("w"));
            let receipt = block_on(store.execute(desk.create(&caller, new))).unwrap();
            receipt.payment().unwrap().status()
        };
        block_on(store.execute(desk.top_up(&caller, NewTopUp::new(wallet("w"), usd(cents))))).unwrap();
        prop_assert_eq!(pay(cents + 1), PaymentStatus::Failed);
        prop_assert_eq!(pay(cents), PaymentStatus::Succeeded);
        prop_assert_eq!(pay(1), PaymentStatus::Failed);
    }

    /// Invariant 5. (Amounts below zero, too fine and too large are no [`Money`].)
    #[test]
    fn an_amount_of_nothing_is_refused_and_so_is_one_that_overflows(script in Script::any(20)) {
        let watched = Watched::run(&script);
        let (desk, caller) = (Desk::new(9), caller("acme"));
        let execute = |command| Answer::of(block_on(watched.store.execute(command)));
        let full = NewTopUp::new(wallet("full"), usd(Money::MAX_MINOR));
        prop_assert!(execute(desk.top_up(&caller, full)).wrote());
        let before = heads(&watched.store);
        let nothing = NewPayment::new(usd(0), invoice("inv_1"), credits("full"));
        let refused = [
            (desk.create(&caller, nothing), Rejection::AmountNotPositive),
            (desk.top_up(&caller, NewTopUp::new(wallet("full"), usd(0))), Rejection::AmountNotPositive),
            (desk.top_up(&caller, NewTopUp::new(wallet("full"), usd(1))), MoneyError::TooLarge.into()),
        ];
        for (command, rejection) in refused {
            prop_assert_eq!(execute(command), Answer::Refused(rejection));
        }
        prop_assert_eq!(heads(&watched.store), before);
    }

    /// Invariant 7: a payment's totals are those of its operations and disputes, and that of what its events posted.
    #[test]
    fn a_counter_is_the_sum_of_what_makes_it(script in Script::any(60)) {
        for life in Watched::run(&script).lives() {
            let currency = life.end().terms().amount.currency();
            let mut sum = 0;
            for (event, _, after) in life.moves() {
                sum += posted(event, currency, |account| account.starts_with("destination:"));
                let sums = Sums::of(after);
                prop_assert_eq!(captured(after), capped(sums.captured));
                prop_assert_eq!(after.refunded().minor(), capped(sums.refunded));
                prop_assert_eq!(after.disputed().minor(), capped(sums.disputed));
                let moved = |is: fn(&Operation) -> bool| -> i64 {
                    after.operations().iter().filter(|o| is(o)).filter_map(Operation::moved).map(Money::minor).sum()
                };
                let funds = after.disputes().iter().flat_map(|own| [own.reinstated(), own.withdrawn()]);
                // Of more than `Money` can say only that much is shown.
                if funds.clone().any(|moved| moved.minor() == Money::MAX_MINOR) {
                    continue;
                }
                let funds = after.disputes().iter();
                let funds = funds.map(|own| own.reinstated().minor() - own.withdrawn().minor());
                prop_assert_eq!(sum, taken(after) - moved(undoes) - moved(is_refund) + funds.sum::<i64>());
            }
        }
    }

    /// Invariant 9.
    #[test]
    fn postings_sum_to_zero_and_make_every_balance(script in Script::any(40)) {
        let watched = Watched::run(&script);
        let mut sums: BTreeMap<_, i64> = BTreeMap::new();
        for event in watched.events() {
            let currencies: BTreeSet<Currency> = event.postings().iter().map(|p| p.currency).collect();
            for currency in currencies {
                prop_assert_eq!(posted(&event, currency, |_| true), 0);
            }
            for posting in event.postings().iter().filter(|posting| posting.account.is_bounded()) {
                let account = (event.scope().clone(), posting.account.clone(), posting.currency);
                *sums.entry(account).or_default() += posting.minor;
            }
        }
        for head in heads(&watched.store) {
            let StreamId::Account(id) = &head.stream else { continue };
            let state = block_on(watched.store.read(&[Key::of(&head.scope, &head.stream)])).unwrap();
            let Lookup::Present(account) = state.account(&head.scope, id) else { panic!("{id} is missing") };
            for balance in account.balances() {
                let sum = sums.remove(&(head.scope.clone(), id.clone(), balance.currency()));
                prop_assert_eq!(Some(balance.minor()), sum, "{}", id);
            }
        }
        prop_assert!(sums.is_empty(), "posted to no wallet: {:?}", sums);
    }
}

/// Whether a gateway reported it, or an operator decided it.
fn is_told(event: &Event) -> bool {
    matches!(event.cause(), Cause::Evidence | Cause::Resolution)
}

/// What somebody wrote down of a gateway that there is not goes back through none.
fn is_taken(answer: &Answer) -> bool {
    answer.wrote() || matches!(answer, Answer::Refused(Rejection::UnknownGateway(_)))
}

fn one_more(amount: Money) -> Option<Money> {
    Money::from_minor(amount.minor() + 1, amount.currency()).ok()
}

/// Whether the money would go back into a wallet, which may be full.
fn fills_a_wallet(payment: &Payment) -> bool {
    matches!(payment.terms().method, PaymentMethod::Credits(_))
}
