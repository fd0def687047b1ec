//! What an event does to the state. Folding a stream's events gives exactly the stored state.

use std::collections::BTreeMap;
use std::mem::discriminant;

use super::body::{Body, Closing, Reported, Start, StartResult};
use super::{Event, StreamId};
use crate::account::Account;
use crate::clock::Timestamp;
use crate::codec::Damage;
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{Closed, Evidence, Operation, OperationId, Outcome, Payment, References, Reports};
use crate::status::{Action, Cause, PaymentStatus, allowed};
use crate::text::Message;

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
                Body::Changed(change) => changed(&mut payment, change),
                Body::Submitted {} => payment.submitted = true,
                Body::Closed(closing) => closed(&mut payment, closing, event)?,
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
        refunded_at: None,
        voided_at: None,
        references: References::default(),
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
        return Err(Damage::Misplaced(event.body().kind()));
    }
    let of_kind = |known: &&Operation| discriminant(&known.id) == discriminant(&start.operation);
    let number = u32::try_from(payment.operations.iter().filter(of_kind).count() + 1)
        .map_err(|_| Damage::Misplaced(event.body().kind()))?;
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
    match &start.result {
        StartResult::Processing { lease_until } => operation.lease_until = Some(*lease_until),
        StartResult::Succeeded {} => {
            operation.learn(&Evidence::new(Outcome::Succeeded { reported: None }, event.at()), false);
        }
        StartResult::Failed(failure) => {
            payment.closed = Some(Closed::Failed);
            operation.learn(&Evidence::new(Outcome::Failed(failure.clone()), event.at()), false);
        }
        StartResult::Recorded(evidence) => operation.learn(evidence, false),
    }
    match start.operation {
        OperationId::Attempt(_) => payment.submitted = true,
        OperationId::Void(_) => payment.closed = Some(Closed::Voided),
        OperationId::Refund(_) => {}
    }
    payment.closed = payment.closed.or(start.closes);
    payment.operations.push(operation);
    Ok(())
}

/// What the gateway calls by a name of its own, the gateway has: that is as good as accepted.
fn changed(payment: &mut Payment, change: &References) {
    payment.references = payment.references.changed(change);
    payment.submitted |= change.gateway_payment_id.is_some();
}

fn closed(payment: &mut Payment, closing: &Closing, event: &Event) -> Result<(), Damage> {
    for id in &closing.cancels {
        let error_message = Message::lossy("the payment was voided");
        let evidence = Evidence::new(Outcome::Canceled { error_message }, closing.occurred_at);
        let operation = known(payment, *id, event)?;
        operation.learn(&evidence, false);
        touch(operation, event);
    }
    payment.closed = Some(closing.closes);
    Ok(())
}

fn known<'a>(payment: &'a mut Payment, id: OperationId, event: &Event) -> Result<&'a mut Operation, Damage> {
    let known = payment.operations.iter_mut().find(|operation| operation.id == id);
    known.ok_or(Damage::Misplaced(event.body().kind()))
}

fn touch(operation: &mut Operation, event: &Event) {
    operation.updated_at = event.at();
    operation.updated_by = event.actor().clone();
}

fn reported_on(payment: &mut Payment, reported: &Reported, event: &Event) -> Result<(), Damage> {
    let operation = known(payment, reported.operation, event)?;
    operation.hear(reported);
    touch(operation, event);
    payment.closed = match reported.note {
        Some(_) => reported.closes.or(payment.closed),
        None => payment.closed.or(reported.closes),
    };
    Ok(())
}

/// The first entry counts; nothing later moves it.
fn note_first_times(payment: &mut Payment, event: &Event) {
    let noted = match payment.status {
        PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut payment.succeeded_at,
        PaymentStatus::Failed => &mut payment.failed_at,
        PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => &mut payment.refunded_at,
        PaymentStatus::Voided => &mut payment.voided_at,
        _ => return,
    };
    noted.get_or_insert(said_at(event));
}

/// When it happened: by the word of whoever wrote down what had happened elsewhere, else when it was written.
fn said_at(event: &Event) -> Timestamp {
    match event.body() {
        Body::Started(start) if event.cause() == Cause::Command => match &start.result {
            StartResult::Recorded(evidence) => evidence.occurred_at,
            _ => event.at(),
        },
        Body::Closed(closing) => closing.occurred_at,
        Body::Reported(reported) if reported.note.is_some() => reported.evidence.occurred_at,
        _ => event.at(),
    }
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
        Body::Credited(credit) => {
            (credit.amount.currency(), apply(&account, credit.amount, Money::checked_add))
        }
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
