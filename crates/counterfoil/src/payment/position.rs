//! What a payment's operations and disputes add up to, per account. The postings of an event are the position after it
//! less the position before it, so no event decides its postings by itself.

use super::{Operation, Origin, Payment, PaymentMethod};
use crate::account::{AccountId, Posting};
use crate::text::GatewayName;

/// Where the money of a payment comes from and goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counterparty<'a> {
    Gateway(&'a GatewayName),
    /// The wallet of a payment by credits; else money that came by no gateway.
    OwnBooks,
    /// What disputes took at a gateway.
    Disputed(&'a GatewayName),
}

/// What each counterparty gave, less what it got back, in minor units.
type Position<'a> = Vec<(Counterparty<'a>, i128)>;

/// The postings that lead from the position of `before` to that of `after`. They sum to zero.
pub(crate) fn postings(before: Option<&Payment>, after: &Payment) -> Vec<Posting> {
    let mut moved = after.position();
    for (counterparty, gave) in before.map(Payment::position).unwrap_or_default() {
        add(&mut moved, counterparty, -gave);
    }
    let terms = &after.terms;
    let posting = |account, minor: i128| Posting {
        account,
        currency: terms.amount.currency(),
        minor: i64::try_from(minor).unwrap_or(if minor < 0 { i64::MIN } else { i64::MAX }),
    };
    let paid: i128 = moved.iter().map(|(_, gave)| gave).sum();
    let destination = (AccountId::destination(&terms.destination), paid);
    let others = moved.into_iter().filter(|(_, gave)| *gave != 0);
    let others = others.map(|(counterparty, gave)| (after.account(counterparty), -gave));
    let all = others.chain((paid != 0).then_some(destination));
    let mut postings: Vec<Posting> = all.map(|(account, minor)| posting(account, minor)).collect();
    // From whom, then to whom.
    postings.sort_by_key(|posting| posting.minor > 0);
    postings
}

impl Payment {
    /// What its events post to what it pays: all that was taken, less what was given back or taken by disputes.
    pub(crate) fn posted_minor(&self) -> i128 {
        self.position().into_iter().map(|(_, gave)| gave).sum()
    }

    /// What `gateway` owes for this payment, in minor units: what it took from the payer, less what it gave back and what
    /// disputes took.
    pub(crate) fn owed_by(&self, gateway: &GatewayName) -> i128 {
        let is_there = |counterparty: &Counterparty<'_>| match counterparty {
            Counterparty::Gateway(name) | Counterparty::Disputed(name) => *name == gateway,
            Counterparty::OwnBooks => false,
        };
        let there = self.position().into_iter().filter(|(counterparty, _)| is_there(counterparty));
        there.map(|(_, gave)| gave).sum()
    }

    fn position(&self) -> Position<'_> {
        let mut position = Position::new();
        for attempt in self.attempts() {
            let brought = self.brought_by(attempt);
            add(&mut position, Counterparty::of(attempt), brought.into());
        }
        let mut spread = 0;
        for operation in self.operations.iter().filter(|operation| !operation.id.is_attempt()) {
            let moved = operation.moved().map_or(0, |moved| i128::from(moved.minor()));
            if operation.id.is_capture() && operation.parent().is_none() {
                add(&mut position, Counterparty::of(operation), moved);
            } else if operation.goes_back_as_it_came() {
                spread += moved;
            } else if operation.id.is_refund() || operation.is_reversal() {
                add(&mut position, Counterparty::of(operation), -moved);
            }
        }
        self.spread(spread, &mut position);
        for dispute in &self.disputes {
            let net = i128::from(dispute.withdrawn_minor()) - i128::from(dispute.reinstated_minor());
            add(&mut position, Counterparty::Disputed(&dispute.gateway), -net);
        }
        position
    }

    /// Takes `rest` from where the money came from: what came first goes first.
    fn spread<'a>(&'a self, mut rest: i128, position: &mut Position<'a>) {
        for (_, gave) in position.iter_mut() {
            let back = rest.min((*gave).max(0));
            *gave -= back;
            rest -= back;
        }
        let gateway = self.gateway();
        add(position, gateway.map_or(Counterparty::OwnBooks, Counterparty::Gateway), -rest);
    }

    fn account(&self, counterparty: Counterparty<'_>) -> AccountId {
        match (counterparty, &self.terms.method) {
            (Counterparty::Gateway(gateway), _) => AccountId::gateway(gateway),
            (Counterparty::Disputed(gateway), _) => AccountId::disputed(gateway),
            (Counterparty::OwnBooks, PaymentMethod::Credits(wallet)) => AccountId::wallet(wallet),
            (Counterparty::OwnBooks, _) => AccountId::offline(),
        }
    }
}

impl Operation {
    /// Whether it was written down that money went back, and not by which way.
    fn goes_back_as_it_came(&self) -> bool {
        let gives_back = self.id.is_refund() || self.is_reversal();
        let is_by_a_way = self.parent().is_some() || self.gateway.is_some();
        gives_back && self.origin == Origin::Recorded && !is_by_a_way
    }
}

impl Counterparty<'_> {
    fn of(operation: &Operation) -> Counterparty<'_> {
        operation.gateway.as_ref().map_or(Counterparty::OwnBooks, Counterparty::Gateway)
    }
}

fn add<'a>(position: &mut Position<'a>, counterparty: Counterparty<'a>, gave: i128) {
    if gave == 0 {
        return;
    }
    match position.iter_mut().find(|(known, _)| *known == counterparty) {
        Some((_, sum)) => *sum += gave,
        None => position.push((counterparty, gave)),
    }
}
