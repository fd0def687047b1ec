//! A stream being replayed, each event checked against what came before it.

use std::collections::BTreeMap;

use super::{Fault, Problem};
use crate::account::{Account, AccountId, Posting};
use crate::clock::Timestamp;
use crate::event::{Body, Event, Hash, StreamId, evolve_account, evolve_payment};
use crate::money::Currency;
use crate::payment::{Payment, check_moves};
use crate::scope::Scope;

/// How far a stream was replayed, and what its events made by then.
pub(super) struct Walk {
    pub(super) scope: Scope,
    pub(super) stream: StreamId,
    pub(super) version: u64,
    pub(super) hash: Hash,
    at: Option<Timestamp>,
    pub(super) payment: Option<Payment>,
    pub(super) account: Option<Account>,
    /// What the payment's events posted to what it pays.
    posted: i128,
}

impl Walk {
    pub(super) fn new(scope: Scope, stream: StreamId) -> Walk {
        let (payment, account) = (None, None);
        Walk { scope, stream, version: 0, hash: Hash::ZERO, at: None, payment, account, posted: 0 }
    }

    pub(super) fn fault(&self, sequence: u64, problem: Problem) -> Fault {
        Fault { scope: self.scope.clone(), stream: self.stream.clone(), sequence, problem }
    }

    /// Takes in the next event.
    pub(super) fn step(&mut self, event: &Event) -> Result<(), Fault> {
        let sequence = self.version + 1;
        let fault = |problem| Err(self.fault(sequence, problem));
        let placed = event.scope() == &self.scope && event.stream() == &self.stream;
        if !placed || event.sequence() != sequence {
            return fault(Problem::OutOfPlace);
        }
        if !event.follows(self.hash) {
            return fault(Problem::Hash);
        }
        if self.at.is_some_and(|at| at >= event.at()) {
            return fault(Problem::Time);
        }
        if !balanced(event) {
            return fault(Problem::Unbalanced);
        }
        self.evolve(event).map_err(|problem| self.fault(sequence, problem))?;
        self.version = sequence;
        self.hash = event.hash();
        self.at = Some(event.at());
        Ok(())
    }

    fn evolve(&mut self, event: &Event) -> Result<(), Problem> {
        match &self.stream {
            StreamId::Payment(_) => {
                let after = evolve_payment(self.payment.as_ref(), event).map_err(Problem::Evolve)?;
                check_moves(self.payment.as_ref(), &after, event.cause()).map_err(Problem::Move)?;
                let paid = AccountId::destination(&after.terms().destination);
                self.posted += posted_to(event, &paid, Some(after.terms().amount.currency()))?;
                if self.posted != after.posted_minor() {
                    return Err(Problem::Postings);
                }
                self.payment = Some(after);
            }
            StreamId::Account(id) => {
                check_postings(event, id)?;
                self.account = Some(evolve_account(self.account.as_ref(), event).map_err(Problem::Evolve)?);
            }
        }
        Ok(())
    }
}

/// The postings of an event of an account are those that its body says.
fn check_postings(event: &Event, id: &AccountId) -> Result<(), Problem> {
    let body = event.body();
    let is_right = match (body, body.gateway_entry(), id.as_gateway()) {
        (_, Some((kind, entry)), Some(gateway)) => event.postings() == entry.postings(kind, &gateway),
        (Body::ToppedUp(top_up), ..) => posted_to(event, id, None)? == i128::from(top_up.amount.minor()),
        _ => posted_to(event, id, None)? == 0,
    };
    if is_right { Ok(()) } else { Err(Problem::Postings) }
}

/// What an event posts to an account; in no other currency than `only`, if there is one.
fn posted_to(event: &Event, account: &AccountId, only: Option<Currency>) -> Result<i128, Problem> {
    let own = |posting: &&Posting| posting.account == *account;
    let postings = || event.postings().iter().filter(own);
    if only.is_some_and(|only| postings().any(|posting| posting.currency != only)) {
        return Err(Problem::Postings);
    }
    Ok(postings().map(|posting| i128::from(posting.minor)).sum())
}

fn balanced(event: &Event) -> bool {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for posting in event.postings() {
        *sums.entry(posting.currency).or_default() += i128::from(posting.minor);
    }
    sums.values().all(|sum| *sum == 0)
}
