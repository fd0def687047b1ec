//! What must hold of every payment and of every step of one, told from what anybody can see of it.
//!
//! The numbers are those of the [invariants](counterfoil::docs::invariants). The core holds itself to them from
//! inside; these are written anew, from outside, so that a store, a simulation, or a host's own test can be held
//! to them.
//!
//! ```
//! use std::sync::Arc;
//! use counterfoil::ledger::{Ledger, NewPayment};
//! use counterfoil_memory::MemoryStore;
//! use counterfoil_testkit::fixtures::{caller, card, invoice, usd};
//! use counterfoil_testkit::sandbox::Sandbox;
//! use counterfoil_testkit::{block_on, laws};
//!
//! let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(Arc::new(Sandbox::new()));
//! let paid = block_on(ledger.create(&caller("acme"), NewPayment::new(usd(100), invoice("inv_1"), card())));
//! let payment = paid.unwrap().payment().unwrap().clone();
//! assert_eq!(laws::of_payment(&payment), Ok(()));
//! assert_eq!(laws::Sums::of(&payment).refundable(), 100);
//! ```

mod sums;

use std::error::Error;
use std::fmt;

use counterfoil::event::{Body, Event, Polled};
use counterfoil::money::Money;
use counterfoil::payment::{Attention, DisputeStatus, Operation, OperationId, Payment, VoidTarget};
use counterfoil::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};

pub use sums::{Sums, is_refund, taken, takes, undoes};

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The number of the invariant.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} is broken: {}", self.invariant, self.what)
    }
}

impl Error for Broken {}

type Law = Result<(), Broken>;

/// `holds`, or it is broken.
pub(crate) fn law(invariant: &'static str, holds: bool, what: impl FnOnce() -> String) -> Law {
    if holds { Ok(()) } else { Err(Broken { invariant, what: what() }) }
}

/// What must hold of a payment as it stands.
///
/// # Errors
///
/// The first law that is broken.
pub fn of_payment(payment: &Payment) -> Law {
    amounts(payment)?;
    status(payment)?;
    attempts(payment)?;
    waits(payment)
}

/// What must hold of the step that `event` was: from `before`, which is nothing at first, to `after`.
///
/// # Errors
///
/// The first law that is broken, of the step or of what it led to.
pub fn of_step(before: Option<&Payment>, event: &Event, after: &Payment) -> Law {
    let cause = event.cause();
    moves(before, cause, after)?;
    of_payment(after)?;
    let Some(before) = before else { return law("32", after.version() == 1, || "it begins late".into()) };
    law("32", after.version() == before.version() + 1, || "its version did not rise by one".into())?;
    times(before, after)?;
    disputes(before, after)?;
    queued(before, event)?;
    match cause {
        Cause::Clock => by_the_clock(before, event, after)?,
        Cause::Command => voids(before, after)?,
        Cause::Evidence | Cause::Resolution => {}
    }
    let (was, is) = (Sums::of(before).exceeding(), Sums::of(after).exceeding());
    law("3", cause != Cause::Command || is <= was, || {
        format!("a command gave back more than there is: {was}, then {is}")
    })
}

/// 11: along edges only.
fn moves(before: Option<&Payment>, cause: Cause, after: &Payment) -> Law {
    let (from, to) = (before.map(Payment::status), after.status());
    law("11", PaymentStatus::GRAPH.allows(from, to, cause), || format!("{from:?} to {to} by {cause:?}"))?;
    for operation in after.operations() {
        let from = before.and_then(|before| before.operation(operation.id)).map(Operation::status);
        let to = operation.status();
        let is_edge = OperationStatus::GRAPH.allows(from, to, cause);
        law("11", is_edge, || format!("{}: {from:?} to {to} by {cause:?}", operation.id))?;
    }
    Ok(())
}

/// 25: only a queued operation is sent or canceled, and a queued operation is not polled.
fn queued(before: &Payment, event: &Event) -> Law {
    let is_queued = |id: OperationId| before.operation(id).is_some_and(Operation::is_queued);
    let (fits, id) = match event.body() {
        Body::Sent(sent) => (is_queued(sent.operation), sent.operation),
        Body::Canceled(canceled) => (is_queued(canceled.operation), canceled.operation),
        Body::Polled(Polled { operation: Some(id), .. }) => (!is_queued(*id), *id),
        _ => return Ok(()),
    };
    law("25", fits, || {
        let state = if is_queued(id) { "queued" } else { "not queued" };
        format!("event {} about {id}, which is {state}", event.body().kind())
    })
}

/// 1, 7, 8, 43: each amount, added up in another way.
fn amounts(payment: &Payment) -> Law {
    let sums = Sums::of(payment);
    let same = |invariant, name, told: i64, added: i64| {
        // No amount can say more.
        let added = added.clamp(0, Money::MAX_MINOR);
        law(invariant, told == added, || format!("{name} is {told}, but its parts come to {added}"))
    };
    same("7", "captured", payment.captured().minor(), sums.captured)?;
    same("7", "refunded", payment.refunded().minor(), sums.refunded)?;
    same("8, 43", "refundable", payment.refundable().minor(), sums.refundable())?;
    same("43", "disputed", payment.disputed().minor(), sums.disputed)?;
    same("43", "charged back", payment.charged_back().minor(), sums.charged_back)?;
    let (held, capturable) = (payment.held().minor(), payment.capturable().minor());
    law("1, 8", capturable <= held, || format!("{capturable} can be captured of {held} held"))?;
    // Of several holds, which only a late success makes, one can be captured.
    let holds = payment.attempts().filter(|attempt| attempt.is_hold() && attempt.moved().is_some()).count();
    law("8", holds > 1 || held - capturable <= sums.reserved_of_holds, || {
        format!("{} reserved of {held} held, and {capturable} left", sums.reserved_of_holds)
    })
}

/// 10, 13, 14: the status is what the facts make it.
fn status(payment: &Payment) -> Law {
    let status = payment.status();
    law("10", status == payment.derive(), || format!("{status}, and the facts say {}", payment.derive()))?;
    let sums = Sums::of(payment);
    let (taken, back, held) = (sums.captured, sums.refunded, payment.held().minor());
    let told = || format!("{status} with {taken} captured, {back} refunded, {held} held");
    law("13", (status == PaymentStatus::Refunded) == (taken > 0 && back >= taken), told)?;
    law("13", (status == PaymentStatus::PartiallyRefunded) == (0 < back && back < taken), told)?;
    let of_money = [
        PaymentStatus::PartiallyCaptured,
        PaymentStatus::Succeeded,
        PaymentStatus::Overpaid,
        PaymentStatus::PartiallyRefunded,
        PaymentStatus::Refunded,
    ];
    law("14", of_money.contains(&status) == (taken > 0), told)?;
    law("14", (status == PaymentStatus::Authorized) == (taken == 0 && held > 0), told)?;
    law("14", (status == PaymentStatus::PartiallyCaptured) == (taken > 0 && back == 0 && held > 0), told)
}

/// 16, 18.
fn attempts(payment: &Payment) -> Law {
    let live =
        payment.attempts().filter(|attempt| attempt.status().is_live() && attempt.reviews().is_empty());
    let live = live.count();
    law("16", live <= 1, || format!("{live} attempts are live"))?;
    let gapless = payment.attempts().zip(1..).all(|(attempt, number)| attempt.number == number);
    law("18", gapless, || "the attempts are not numbered from 1".into())
}

/// 47: nothing waits for ever unseen.
fn waits(payment: &Payment) -> Law {
    let status = payment.status();
    let at_gateway = payment.operations().iter().any(|own| own.gateway.is_some() && own.status().is_live());
    let seen = payment.next_due().is_some() || payment.needs(Attention::Stuck);
    law("47", !at_gateway || seen, || "an open operation is neither due nor stuck".into())?;
    let open = [
        PaymentStatus::Initiated,
        PaymentStatus::Pending,
        PaymentStatus::Processing,
        PaymentStatus::RequiresAction,
        PaymentStatus::Authorized,
        PaymentStatus::PartiallyCaptured,
    ];
    let ends = [Action::Process, Action::Capture, Action::Void, Action::Fail];
    let can_end = ends.into_iter().any(|action| allowed(status, action));
    law("47", !open.contains(&status) || seen || can_end, || format!("{status} waits for nothing"))
}

/// 19: times rise, and first times stay.
fn times(before: &Payment, after: &Payment) -> Law {
    law("19", before.updated_at() < after.updated_at(), || "its time did not rise".into())?;
    let first = |of: &Payment| [of.succeeded_at(), of.failed_at(), of.refunded_at(), of.voided_at()];
    let stays = first(before).into_iter().zip(first(after)).all(|(was, is)| was.is_none() || was == is);
    law("19", stays, || "a first time was moved".into())
}

/// 42: a stage never falls, and what was closed stays closed within it.
fn disputes(before: &Payment, after: &Payment) -> Law {
    for (was, is) in before.disputes().iter().zip(after.disputes()) {
        law("42", was.stage() <= is.stage(), || format!("{:?} fell to {:?}", was.stage(), is.stage()))?;
        let closed = matches!(was.status(), DisputeStatus::Won | DisputeStatus::Lost);
        let open = matches!(is.status(), DisputeStatus::NeedsResponse | DisputeStatus::UnderReview);
        let again = closed && open && was.stage() == is.stage();
        law("42", !again, || "a dispute that was closed is open again".into())?;
    }
    Ok(())
}

/// 4, 12: what a gateway is asked to release is held, and what it is asked to take back was captured: by a charge, or by
/// the capture that the void names.
fn voids(before: &Payment, after: &Payment) -> Law {
    let new = after.voids().filter(|void| before.operation(void.id).is_none());
    for void in new.filter(|void| void.lease_until.is_some()) {
        let told = || format!("{} of {} of what was {}", void.id, void.amount, before.status());
        let target = void.kind.void_target();
        let releases = target == Some(VoidTarget::Hold);
        let there = if releases { before.capturable() } else { before.captured() };
        law("4, 12", void.amount == there, told)?;
        let of_hold =
            void.parent().and_then(|of| before.operation(of.into())).is_some_and(Operation::is_hold);
        let reversed = void.kind.reversed_capture();
        law("12", reversed.is_some() == (of_hold && !releases), told)?;
        let capture = reversed.and_then(|capture| before.operation(capture.into()));
        let brought = capture.is_none_or(|capture| capture.moved() == Some(void.amount));
        law("4, 12", brought, told)?;
    }
    Ok(())
}

/// 44: time moves no money, and releases only what has run out.
fn by_the_clock(before: &Payment, event: &Event, after: &Payment) -> Law {
    law("44", event.postings().is_empty(), || "time moved money".into())?;
    let money = |of: &Payment| [of.captured(), of.refunded(), of.disputed()];
    law("44", money(before) == money(after), || "time changed what is captured or given back".into())?;
    let expired = after.terms().expires_at.is_some_and(|at| at <= event.at());
    let released = after.held() != before.held();
    law("44", !released || (expired && !before.is_reserved()), || "time released a hold too early".into())
}
