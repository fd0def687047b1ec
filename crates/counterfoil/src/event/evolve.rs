//! What an event does to the state. Folding a stream's events gives exactly the stored state.

use std::collections::BTreeMap;

use super::body::{Body, Reported, Start, StartResult};
use super::{Event, StreamId};
use crate::account::Account;
use crate::codec::Damage;
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{Closed, Evidence, Operation, Outcome, Payment, Reports};
use crate::status::{Action, PaymentStatus, allowed};

/// The payment after `event`, which follows what made `before`.
///
/// An event that cannot follow (another stream's, out of sequence, about an operation that was never
/// started) is [`Damage`].
pub fn evolve_payment(before: Option<&Payment>, event: &Event) -> Result<Payment, Damage> {
    let mut payment = match (before, event.body()) {
        (None, Body::Created(created)) => {
            let mut payment = first(event, created.submitted)?;
            if let Some(start) = &created.attempt {
                started(&mut payment, start, event)?;
            }
            payment
        }
        (Some(before), body) => {
            let mut payment = before.clone();
            let same = payment.id() == stream_payment(event)? && payment.scope() == event.scope();
            check_place(same, payment.version, event)?;
            match body {
                Body::Started(start) => started(&mut payment, start, event)?,
                Body::Reported(reported) => reported_on(&mut payment, reported, event)?,
                Body::Archived {} => payment.archived_at = Some(event.at()),
                _ => return Err(Damage::Misplaced(body.kind())),
            }
            payment
        }
        (None, body) => return Err(Damage::Misplaced(body.kind())),
    };
    payment.version = event.sequence();
    payment.head = event.hash();
    payment.updated_at = event.at();
    payment.updated_by = event.actor().clone();
    payment.status = payment.derive();
    if !allowed(payment.status, Action::Archive) {
        // What became of it brings it back to light.
        payment.archived_at = None;
    }
    note_first_times(&mut payment, event);
    Ok(payment)
}

fn first(event: &Event, submitted: bool) -> Result<Payment, Damage> {
    let terms = event.terms().ok_or(Damage::Misplaced("payment.created"))?;
    check_place(terms.id == stream_payment(event)?, 0, event)?;
    Ok(Payment {
        terms: terms.clone(),
        version: 0,
        head: event.hash(),
        status: PaymentStatus::Initiated,
        submitted,
        closed: None,
        archived_at: None,
        succeeded_at: None,
        failed_at: None,
        updated_at: event.at(),
        updated_by: event.actor().clone(),
        operations: Vec::new(),
    })
}

fn stream_payment(event: &Event) -> Result<PaymentId, Damage> {
    match event.stream() {
        StreamId::Payment(id) => Ok(*id),
        StreamId::Account(_) => Err(Damage::Misplaced(event.body().kind())),
    }
}

fn check_place(same_stream: bool, version: u64, event: &Event) -> Result<(), Damage> {
    if same_stream && version.checked_add(1) == Some(event.sequence()) {
        Ok(())
    } else {
        Err(Damage::Misplaced(event.body().kind()))
    }
}

fn started(payment: &mut Payment, start: &Start, event: &Event) -> Result<(), Damage> {
    if payment.operation(start.operation).is_some() {
        return Err(Damage::Misplaced("attempt.started"));
    }
    let number = u32::try_from(payment.attempts().count() + 1).map_err(|_| Damage::Misplaced("attempt"))?;
    let mut operation = Operation {
        id: start.operation,
        number,
        amount: start.amount,
        gateway: start.gateway.clone(),
        instrument: start.instrument.clone(),
        lease_until: None,
        sequence: event.sequence(),
        created_at: event.at(),
        created_by: event.actor().clone(),
        updated_at: event.at(),
        updated_by: event.actor().clone(),
        reports: Reports::default(),
    };
    let outcome = match &start.result {
        StartResult::Processing { lease_until } => {
            operation.lease_until = Some(*lease_until);
            None
        }
        StartResult::Succeeded {} => Some(Outcome::Succeeded { reported: None }),
        StartResult::Failed(failure) => {
            payment.closed = Some(Closed::Failed);
            Some(Outcome::Failed(failure.clone()))
        }
    };
    if let Some(outcome) = outcome {
        operation.learn(&Evidence::new(outcome, event.at()), false);
    }
    payment.submitted = true;
    payment.operations.push(operation);
    Ok(())
}

fn reported_on(payment: &mut Payment, reported: &Reported, event: &Event) -> Result<(), Damage> {
    let known = payment.operations.iter_mut().find(|operation| operation.id == reported.operation);
    let operation = known.ok_or(Damage::Misplaced("attempt.reported"))?;
    operation.learn(&reported.evidence, reported.gateway_id_clash);
    operation.updated_at = event.at();
    operation.updated_by = event.actor().clone();
    payment.closed = payment.closed.or(reported.closes);
    Ok(())
}

/// The first entry counts; nothing later moves it.
fn note_first_times(payment: &mut Payment, event: &Event) {
    let noted = match payment.status {
        PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut payment.succeeded_at,
        PaymentStatus::Failed => &mut payment.failed_at,
        _ => return,
    };
    noted.get_or_insert(event.at());
}

/// The account after `event`, which follows what made `before`.
pub fn evolve_account(before: Option<&Account>, event: &Event) -> Result<Account, Damage> {
    let misplaced = || Damage::Misplaced(event.body().kind());
    let StreamId::Account(id) = event.stream() else { return Err(misplaced()) };
    let mut account = before.cloned().unwrap_or_else(|| Account {
        scope: event.scope().clone(),
        id: id.clone(),
        version: 0,
        head: event.hash(),
        balances: BTreeMap::new(),
        created_at: event.at(),
        updated_at: event.at(),
        updated_by: event.actor().clone(),
    });
    check_place(account.id == *id && account.scope == *event.scope(), account.version, event)?;
    let (currency, balance) = match event.body() {
        Body::ToppedUp(top_up) => {
            (top_up.amount.currency(), apply(&account, top_up.amount, Money::checked_add))
        }
        Body::Debited(debit) => (debit.amount.currency(), apply(&account, debit.amount, Money::checked_sub)),
        _ => return Err(misplaced()),
    };
    account.balances.insert(currency, balance.map_err(|_| misplaced())?);
    account.version = event.sequence();
    account.head = event.hash();
    account.updated_at = event.at();
    account.updated_by = event.actor().clone();
    Ok(account)
}

fn apply<E>(
    account: &Account,
    amount: Money,
    change: fn(Money, Money) -> Result<Money, E>,
) -> Result<Money, E> {
    change(account.balance(amount.currency()), amount)
}
