//! What operations move from account to account.

use super::rejection::Rejection;
use crate::account::{AccountId, Posting};
use crate::money::{Money, MoneyError};
use crate::payment::{Flow, Payment, PaymentMethod};
use crate::text::GatewayName;

/// Where money comes from that a gateway took, or that came past every gateway.
pub(super) fn source(gateway: Option<&GatewayName>) -> AccountId {
    gateway.map_or_else(AccountId::offline, AccountId::gateway)
}

/// Where the money of an operation through `gateway` comes from: credits from their wallet.
fn source_of(payment: &Payment, gateway: Option<&GatewayName>) -> AccountId {
    match &payment.terms().method {
        PaymentMethod::Credits(wallet) if gateway.is_none() => AccountId::wallet(wallet),
        _ => source(gateway),
    }
}

/// The postings when what an operation through `gateway` has moved goes from one amount to another. What is only held
/// is nobody's yet.
pub(super) fn shift(
    payment: &Payment,
    flow: Flow,
    gateway: Option<&GatewayName>,
    moved: [Option<Money>; 2],
) -> Result<Vec<Posting>, Rejection> {
    let destination = AccountId::destination(&payment.terms().destination);
    let source = source_of(payment, gateway);
    let (from, to) = match flow {
        Flow::In => (source, destination),
        Flow::Out => (destination, source),
        Flow::Still => return Ok(Vec::new()),
    };
    let zero = Money::zero(payment.terms().amount.currency());
    let [before, after] = moved.map(|moved| moved.unwrap_or(zero));
    Ok(if after.minor() >= before.minor() {
        Posting::transfer(after.checked_sub(before)?, from, to)
    } else {
        Posting::transfer(before.checked_sub(after)?, to, from)
    })
}

/// The postings of the voids that released a hold in `before` and gave back a charge in `after`, or the other way round.
pub(super) fn turned_voids(before: &Payment, after: &Payment) -> Result<Vec<Posting>, Rejection> {
    let mut postings = Vec::new();
    for was in before.operations().iter().filter(|operation| operation.id.is_void()) {
        let Some(is) = after.operation(was.id).filter(|is| is.holds != was.holds) else { continue };
        for (void, moved) in [(was, [was.moved(), None]), (is, [None, was.moved()])] {
            postings.extend(shift(after, void.flow(), void.gateway.as_ref(), moved)?);
        }
    }
    Ok(postings)
}

/// The postings by which `amount`, at most all that is refundable, goes back to where it came from: what came first
/// goes first.
pub(super) fn ways_back(payment: &Payment, amount: Money) -> Result<Vec<Posting>, MoneyError> {
    let destination = || AccountId::destination(&payment.terms().destination);
    let mut rest = amount.minor();
    let mut postings = Vec::new();
    for (attempt, left) in payment.left() {
        let back = left.clamp(0, rest);
        rest -= back;
        let to = source_of(payment, attempt.gateway.as_ref());
        postings.extend(Posting::transfer(Money::from_minor(back, amount.currency())?, destination(), to));
    }
    // What no attempt brought that is known.
    let to = source_of(payment, payment.gateway());
    postings.extend(Posting::transfer(Money::from_minor(rest, amount.currency())?, destination(), to));
    Ok(postings)
}
