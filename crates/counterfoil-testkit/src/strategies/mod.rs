//! Proptest strategies for the tests of whoever builds on Counterfoil: money and payments to ask for, what gateways
//! say, commands, and whole legal histories of payments.
//!
//! ```
//! use counterfoil::status::PaymentStatus;
//! use counterfoil_testkit::proptest::prelude::*;
//! use counterfoil_testkit::strategies;
//!
//! /// What a host shows a customer.
//! fn label(status: PaymentStatus) -> &'static str {
//!     match status {
//!         PaymentStatus::Succeeded | PaymentStatus::Overpaid => "paid",
//!         PaymentStatus::Failed | PaymentStatus::Voided => "not paid",
//!         PaymentStatus::Refunded => "given back",
//!         _ => "under way",
//!     }
//! }
//!
//! proptest!(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() }, |(
//!     payment in strategies::payment(),
//! )| {
//!     prop_assert!(label(payment.status()) != "paid" || !payment.captured().is_zero());
//! });
//! ```

mod history;

use counterfoil::command::Command;
use counterfoil::ledger::NewPayment;
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{Destination, Evidence, FailureClass, PaymentMethod};
use counterfoil::text::{DestinationId, IdempotencyKey, Metadata, PaymentMethodId, WalletId};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixtures;
use crate::script::Script;

pub use history::{History, histories, history, history_to, payment, payment_in};

/// The texts made here are valid.
macro_rules! text {
    ($type:ident, $text:expr) => {
        $type::new($text).expect("valid by its pattern")
    };
}

/// Any currency: often one with two places, and as often one with none, three or four.
pub fn currency() -> impl Strategy<Value = Currency> {
    let of = |places: u32| -> Vec<Currency> {
        Currency::all().filter(|currency| currency.exponent() == places).collect()
    };
    prop_oneof![
        2 => Just(Currency::USD),
        1 => select(of(2)),
        1 => select(of(0)),
        1 => select(of(3)),
        1 => select(of(4)),
    ]
}

/// Any amount above nothing, of any currency.
pub fn money() -> impl Strategy<Value = Money> {
    currency().prop_flat_map(money_in)
}

/// Any amount above nothing of one currency: usual ones, one minor unit, around whole units, and the largest.
///
/// ```
/// use counterfoil::money::Currency;
/// use counterfoil_testkit::proptest::prelude::*;
/// use counterfoil_testkit::strategies::money_in;
///
/// proptest!(|(yen in money_in(Currency::JPY))| {
///     prop_assert!(yen.minor() > 0 && !yen.to_string().contains('.'));
/// });
/// ```
pub fn money_in(currency: Currency) -> impl Strategy<Value = Money> {
    let unit = 10_i64.pow(currency.exponent());
    let minor = prop_oneof![
        4 => 1..=1_000 * unit,
        1 => Just(1),
        1 => select(vec![unit, unit + 1, (unit - 1).max(1), 100 * unit]),
        1 => 1..=Money::MAX_MINOR,
        1 => select(vec![Money::MAX_MINOR, Money::MAX_MINOR - 1]),
    ];
    minor.prop_map(move |minor| fixtures::money(minor, currency))
}

/// A part of `all`, from one minor unit to the whole. Panics if `all` is nothing.
pub fn part_of(all: Money) -> impl Strategy<Value = Money> {
    assert!(!all.is_zero(), "nothing has no parts");
    let minor = prop_oneof![3 => 1..=all.minor(), 1 => Just(all.minor()), 1 => Just(1)];
    minor.prop_map(move |minor| fixtures::money(minor, all.currency()))
}

/// Any idempotency key. Two are seldom the same: take one, and use it twice, where they have to meet.
pub fn idempotency_key() -> impl Strategy<Value = IdempotencyKey> {
    "[!-~][ -~]{0,38}|[à-ÿ☺𝄞]{1,20}".prop_map(|text| text!(IdempotencyKey, text))
}

/// Any notes.
pub fn metadata() -> impl Strategy<Value = Metadata> {
    let entries = proptest::collection::vec(("order|customer|é", "[a-zé]{1,12}"), 0..4);
    entries.prop_map(|entries| Metadata::new(entries).expect("few short entries"))
}

/// Any destination, some of them the same.
pub fn destination() -> impl Strategy<Value = Destination> {
    let id = prop_oneof!["inv_[1-3]", "[A-Za-z0-9_-]{1,30}"];
    (id, any::<bool>()).prop_map(|(id, is_invoice)| {
        let id = text!(DestinationId, id);
        if is_invoice { Destination::invoice(id) } else { Destination::customer(id) }
    })
}

/// Any method of payment, but for a page of a gateway, which has to be named.
pub fn method() -> impl Strategy<Value = PaymentMethod> {
    let instrument = || "pm_[a-z0-9]{1,12}".prop_map(|id| text!(PaymentMethodId, id));
    prop_oneof![
        3 => Just(PaymentMethod::Card(None)),
        3 => instrument().prop_map(|id| PaymentMethod::Card(Some(id))),
        1 => instrument().prop_map(PaymentMethod::Ach),
        1 => instrument().prop_map(PaymentMethod::Upi),
        1 => Just(PaymentMethod::Offline),
        1 => "wal_[1-3]".prop_map(|id| PaymentMethod::Credits(text!(WalletId, id))),
    ]
}

/// Any payment that may be asked for: a hold only where there is a gateway that can hold.
///
/// ```
/// use std::sync::Arc;
/// use counterfoil::command::Rejection;
/// use counterfoil::ledger::Ledger;
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::proptest::prelude::*;
/// use counterfoil_testkit::sandbox::Sandbox;
/// use counterfoil_testkit::strategies::new_payment;
/// use counterfoil_testkit::{block_on, fixtures::caller};
///
/// proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }, |(new in new_payment())| {
///     let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
///     match block_on(ledger.create(&caller("acme"), new.clone())) {
///         Ok(receipt) => prop_assert_eq!(receipt.payment().unwrap().terms().amount, new.amount),
///         // There is nothing in any wallet yet.
///         Err(error) => prop_assert!(error.rejection().is_some() && new.method.kind().as_str() == "CREDITS"),
///     }
/// });
/// ```
pub fn new_payment() -> impl Strategy<Value = NewPayment> {
    let whats = (money(), destination(), method(), metadata());
    let hows = (proptest::option::of(idempotency_key()), any::<[bool; 2]>());
    (whats, hows).prop_map(|((amount, destination, method, metadata), (key, [held, recorded]))| {
        let can_be_held = method.kind().needs_gateway();
        let mut new = NewPayment::new(amount, destination, method).with_metadata(metadata);
        new.idempotency_key = key;
        if held && can_be_held {
            new = new.captured_later();
        }
        if recorded { new.recorded_only() } else { new }
    })
}

/// Anything that a gateway can say of an operation that asked for `asked`.
pub fn evidence(asked: Money) -> impl Strategy<Value = Evidence> {
    let outcome = prop_oneof![
        3 => Just(fixtures::succeeded(None)),
        1 => money_in(asked.currency()).prop_map(|amount| fixtures::succeeded(Some(amount))),
        2 => select(FailureClass::ALL).prop_map(fixtures::failed),
        1 => Just(fixtures::pending()),
        1 => Just(fixtures::requires_action()),
        1 => Just(fixtures::canceled()),
        1 => Just(fixtures::not_sent()),
        2 => Just(fixtures::unknown()),
    ];
    (outcome, 0..1_000_u32).prop_map(|(outcome, second)| fixtures::evidence(outcome, second))
}

/// Up to so many commands, with their ids and times: of every kind, of two tenants, most of them about payments that
/// there are then, many of them legal. As a [`Script`], which they are made of.
pub fn commands(most: usize) -> impl Strategy<Value = Vec<Command>> {
    Script::any(most).prop_map(|script| script.commands())
}
