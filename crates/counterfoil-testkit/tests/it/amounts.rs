//! Amounts: invariants 1, 3, 4, 5, 7 and 9, as far as captures, recorded refunds and wallets reach.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::command::Rejection;
use counterfoil::event::StreamId;
use counterfoil::ledger::{NewPayment, NewTopUp};
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::payment::{Operation, OperationId, Payment};
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Key, Lookup, PaymentStore};
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::fixtures::{caller, credits, invoice, usd, wallet};
use counterfoil_testkit::{Answer, Desk, Script, block_on};
use proptest::prelude::*;

use crate::watched::{Watched, captured, config, heads, posted};

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 1: what an operation moved stays moved; what goes back is an operation of its own.
    #[test]
    fn gross_counters_never_fall(script in Script::any(40)) {
        for life in Watched::run(&script).lives() {
            for (_, before, after) in life.moves() {
                for operation in before.into_iter().flat_map(Payment::operations) {
                    let now = after.operation(operation.id).unwrap();
                    prop_assert!(operation.moved().map(Money::minor) <= now.moved().map(Money::minor));
                }
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

    /// Invariant 3, and 4 where it can be reached: no command gives back more than there is, and what is
    /// refundable is what is left. (Amounts of part of the money cannot be asked for yet.)
    #[test]
    fn no_more_is_given_back_than_was_taken(script in Script::any(60)) {
        for state in Watched::run(&script).lives().iter().flat_map(|life| &life.states) {
            let (taken, back) = (state.captured().minor(), state.refunded().minor());
            prop_assert_eq!(state.refundable().minor(), taken.saturating_sub(back).max(0));
            prop_assert!(back <= taken, "{} of {}", back, taken);
        }
    }

    /// Invariant 7: a payment's totals are those of its operations, and that of what its events posted.
    #[test]
    fn a_counter_is_the_sum_of_what_makes_it(script in Script::any(40)) {
        for life in Watched::run(&script).lives() {
            let currency = life.end().terms().amount.currency();
            let mut sum = 0;
            for (event, _, after) in life.moves() {
                sum += posted(event, currency, |account| account.starts_with("destination:"));
                let moved = |kind: fn(&Operation) -> bool| -> i64 {
                    after.operations().iter().filter(|o| kind(o)).filter_map(Operation::moved).map(Money::minor).sum()
                };
                let taken = moved(|o| matches!(o.id, OperationId::Attempt(_)))
                    - moved(|o| matches!(o.id, OperationId::Void(_)));
                let back = moved(|o| matches!(o.id, OperationId::Refund(_)));
                prop_assert_eq!(captured(after), taken.min(Money::MAX_MINOR));
                prop_assert_eq!(after.refunded().minor(), back.min(Money::MAX_MINOR));
                prop_assert_eq!(sum, taken - back);
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
