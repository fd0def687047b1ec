//! What an event does to the state. Folding a stream's events gives exactly the stored state.

use std::collections::BTreeSet;
use std::mem::discriminant;

use super::{
    Body, Canceled, Closing, DisputeResolved, Disputed, Draft, Event, Polled, Reported, Resolved, Sent,
    Start, StartResult, StreamId,
};
use crate::account::{Account, AccountId, Share};
use crate::clock::Timestamp;
use crate::codec::Damage;
use crate::hash::Hash;
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{
    Allocation, Dispute, Evidence, Operation, OperationId, OperationKind, Origin, Outcome, Payment, Polls,
    References, ReportSubject, Reports, Review,
};
use crate::status::{Action, Cause, PaymentStatus, allowed};
use crate::text::{Message, NotificationId};

/// The payment after `event`, which follows what made `before`.
///
/// An event that cannot follow (another stream's, out of sequence, about an operation that was never
/// started) is [`Damage`].
pub fn evolve_payment(before: Option<&Payment>, event: &Event) -> Result<Payment, Damage> {
    let mut payment = apply(before, event.draft())?;
    payment.head = event.hash();
    Ok(payment)
}

/// The payment after `event`, but for its head, which is known once the event is sealed.
pub(crate) fn apply(before: Option<&Payment>, event: &Draft) -> Result<Payment, Damage> {
    let mut payment = match before {
        Some(before) => before.clone(),
        None => first(event)?,
    };
    let is_its_own = payment.id() == stream_payment(event)? && payment.scope() == &event.scope;
    check_place(is_its_own, payment.version, event)?;
    let taken = payment.taken_minor();
    happened(&mut payment, before.is_none(), event)?;
    payment.allocate();
    if payment.taken_minor() != taken {
        payment.excess = excess_in(&event.body);
    }
    if let Some(before) = before.filter(|before| !before.dismissed.is_empty()) {
        // A review that is new, or whose level has risen, is not dismissed.
        let known = before.marks();
        for (mark, level) in payment.marks() {
            if known.get(&mark).is_none_or(|known| *known < level) {
                payment.dismissed.remove(&mark.1);
            }
        }
    }
    payment.version = event.sequence;
    payment.updated_at = event.at;
    payment.updated_by = event.actor.clone();
    payment.status = payment.derive();
    if !allowed(payment.status, Action::Archive) {
        // What became of it brings it back to light.
        payment.archived_at = None;
    }
    note_first_times(&mut payment, event);
    Ok(payment)
}

fn happened(payment: &mut Payment, is_first: bool, event: &Draft) -> Result<(), Damage> {
    match &event.body {
        Body::Created(created) if is_first => {
            if let Some(start) = &created.attempt {
                started(payment, start, event)?;
            }
        }
        Body::Started(start) => started(payment, start, event)?,
        Body::Reported(reported) => reported_on(payment, reported, event)?,
        Body::Sent(sent) => sent_on(payment, sent, event)?,
        Body::Canceled(canceled) => canceled_on(payment, canceled, event)?,
        Body::Resolved(resolved) => resolved_on(payment, resolved, event)?,
        Body::Misfit(misfit) => {
            let review = misfit.review(payment.terms.amount);
            payment.misfits.push((review, misfit.name.clone()));
        }
        Body::NotificationReused(reused) => {
            payment.misfits.push((Review::NotificationIdReused, reused.notification.clone()));
        }
        Body::Disputed(disputed) => disputed_on(payment, disputed, event),
        Body::DisputeResolved(resolved) => dispute_resolved_on(payment, resolved, event)?,
        Body::Polled(polled) => polled_on(payment, polled, event)?,
        Body::Dismissed(dismissed) => payment.dismissed.extend(&dismissed.reviews),
        Body::Changed(change) => changed(payment, change),
        Body::Submitted {} => payment.submitted = true,
        Body::Closed(closing) => closed(payment, closing, event)?,
        Body::Archived {} => payment.archived_at = Some(event.at),
        body => return Err(Damage::Misplaced(body.kind())),
    }
    Ok(())
}

/// What the event says to be captured beyond what is due.
fn excess_in(body: &Body) -> Option<Money> {
    match body {
        Body::Created(created) => created.attempt.as_ref().and_then(|start| start.excess),
        Body::Started(start) => start.excess,
        Body::Reported(reported) => reported.excess,
        Body::Resolved(resolved) => resolved.excess,
        _ => None,
    }
}

fn first(event: &Draft) -> Result<Payment, Damage> {
    let Body::Created(created) = &event.body else { return Err(Damage::Misplaced(event.body.kind())) };
    Ok(Payment {
        terms: created.terms.clone(),
        version: 0,
        head: Hash::ZERO,
        status: PaymentStatus::Initiated,
        submitted: created.submitted,
        closed: None,
        closed_because: None,
        reopened: None,
        archived_at: None,
        succeeded_at: None,
        failed_at: None,
        refunded_at: None,
        voided_at: None,
        references: References::default(),
        updated_at: event.at,
        updated_by: event.actor.clone(),
        operations: Vec::new(),
        disputes: Vec::new(),
        excess: None,
        misfits: Vec::new(),
        dismissed: BTreeSet::new(),
        polls: Polls::default(),
    })
}

fn stream_payment(event: &Draft) -> Result<PaymentId, Damage> {
    match &event.stream {
        StreamId::Payment(id) => Ok(*id),
        StreamId::Account(_) => Err(Damage::Misplaced(event.body.kind())),
    }
}

fn check_place(same_stream: bool, version: u64, event: &Draft) -> Result<(), Damage> {
    if same_stream && version.checked_add(1) == Some(event.sequence) {
        Ok(())
    } else {
        Err(Damage::Misplaced(event.body.kind()))
    }
}

fn started(payment: &mut Payment, start: &Start, event: &Draft) -> Result<(), Damage> {
    if payment.operation(start.operation).is_some() {
        return Err(Damage::Misplaced(event.body.kind()));
    }
    let of_kind = |known: &&Operation| discriminant(&known.id) == discriminant(&start.operation);
    let number = u32::try_from(payment.operations.iter().filter(of_kind).count() + 1)
        .map_err(|_| Damage::Misplaced(event.body.kind()))?;
    let mut operation = Operation {
        id: start.operation,
        number,
        kind: start.kind,
        origin: origin(start, event.cause),
        amount: start.amount,
        gateway: start.gateway.clone(),
        instrument: start.instrument.clone(),
        reason: start.reason.clone(),
        metadata: start.metadata.clone(),
        sent: Some(event.sequence).filter(|_| start.result != StartResult::Queued {}),
        lease_until: None,
        resent_until: None,
        sequence: event.sequence,
        created_at: event.at,
        created_by: event.actor.clone(),
        updated_at: event.at,
        updated_by: event.actor.clone(),
        expired: None,
        polls: Polls::default(),
        reports: Reports::default(),
        set_aside: None,
        allocation: Allocation::default(),
        alone: None,
        ended_payment: false,
    };
    if operation.origin == Origin::External {
        operation.reports.parents.extend(start.kind.parent());
    }
    let all = payment.terms.amount;
    let subject = match start.kind {
        OperationKind::Authorization { .. } => ReportSubject::Authorization,
        _ => ReportSubject::Operation,
    };
    let mut ends = start.closes.is_some();
    let mut apply = |evidence: &Evidence| operation.apply_evidence(&subject, evidence, all, false);
    match &start.result {
        StartResult::Processing { lease_until } => operation.lease_until = Some(*lease_until),
        StartResult::Queued {} => {}
        StartResult::Succeeded {} => {
            apply(&Evidence::succeeded(event.at));
        }
        StartResult::Failed(failure) => {
            ends = true;
            apply(&Evidence::new(Outcome::Failed(failure.clone()), event.at));
        }
        StartResult::Recorded(evidence) => apply(evidence),
    }
    payment.submitted |= start.operation.is_attempt();
    if start.reopens {
        (payment.closed, payment.closed_because) = (None, None);
        payment.operations.iter_mut().for_each(|operation| operation.ended_payment = false);
        payment.reopened = Some(event.sequence);
    }
    operation.ended_payment = ends;
    payment.operations.push(operation);
    Ok(())
}

fn origin(start: &Start, cause: Cause) -> Origin {
    match (cause, &start.result) {
        (Cause::Evidence, _) => Origin::External,
        (_, StartResult::Recorded(_)) => Origin::Recorded,
        _ => Origin::Requested,
    }
}

/// What the gateway calls by a name of its own, the gateway has: that is as good as accepted.
fn changed(payment: &mut Payment, change: &References) {
    let before = payment.gateway_payment_id().cloned();
    payment.references = payment.references.changed(change);
    if payment.gateway_payment_id() != before.as_ref() {
        // No query was made under the new id yet.
        payment.polls = Polls::default();
    }
    payment.submitted |= change.gateway_payment_id.is_some();
}

fn closed(payment: &mut Payment, closing: &Closing, event: &Draft) -> Result<(), Damage> {
    for id in &closing.cancels {
        let error_message = Message::lossy("the payment was voided");
        let evidence = Evidence::new(Outcome::Canceled { error_message }, closing.occurred_at);
        let all = payment.terms.amount;
        let operation = known(payment, *id, event)?;
        operation.apply_evidence(&ReportSubject::Operation, &evidence, all, false);
        touch(operation, event);
    }
    for id in &closing.releases {
        let rest = payment.operation(*id).map_or(0, |attempt| payment.held_by(attempt));
        let attempt = known(payment, *id, event)?;
        let before = attempt.expired.map_or(0, Money::minor);
        let expired = Money::from_minor(before.saturating_add(rest), attempt.amount.currency());
        attempt.expired = Some(expired.map_err(|_| Damage::Misplaced(event.body.kind()))?);
    }
    if closing.releases.is_empty() {
        payment.closed = Some(closing.closes);
        payment.closed_because.clone_from(&closing.reason);
    }
    Ok(())
}

fn known<'a>(payment: &'a mut Payment, id: OperationId, event: &Draft) -> Result<&'a mut Operation, Damage> {
    let known = payment.operations.iter_mut().find(|operation| operation.id == id);
    known.ok_or(Damage::Misplaced(event.body.kind()))
}

fn touch(operation: &mut Operation, event: &Draft) {
    operation.updated_at = event.at;
    operation.updated_by = event.actor.clone();
}

fn sent_on(payment: &mut Payment, sent: &Sent, event: &Draft) -> Result<(), Damage> {
    let operation = known(payment, sent.operation, event)?;
    operation.sent = Some(event.sequence);
    operation.lease_until = Some(sent.lease_until);
    operation.kind = operation.kind.with_retry(sent.retry);
    touch(operation, event);
    Ok(())
}

fn canceled_on(payment: &mut Payment, canceled: &Canceled, event: &Draft) -> Result<(), Damage> {
    let all = payment.terms.amount;
    let outcome = Outcome::Canceled { error_message: canceled.error_message.clone() };
    let operation = known(payment, canceled.operation, event)?;
    let evidence = Evidence::new(outcome, event.at);
    operation.apply_evidence(&ReportSubject::Operation, &evidence, all, false);
    touch(operation, event);
    Ok(())
}

fn reported_on(payment: &mut Payment, reported: &Reported, event: &Draft) -> Result<(), Damage> {
    let (whole, all) = (payment.gateway_payment_id().cloned(), payment.terms.amount);
    if let Some(same) = reported.same {
        let external = known(payment, same, event)?;
        external.state_same_as(reported.operation);
        touch(external, event);
        let reports = external.reports.clone();
        known(payment, reported.operation, event)?.absorb(&reports);
    }
    let operation = known(payment, reported.operation, event)?;
    operation.apply_report(reported, whole.as_ref(), all);
    let was_sent = !matches!(reported.evidence.outcome, Outcome::NotSent { .. } | Outcome::Canceled { .. });
    // A restored copy of the books did not know it any more.
    operation.sent = operation.sent.or(Some(event.sequence).filter(|_| was_sent));
    touch(operation, event);
    if let Some(same) = operation.same_as() {
        let same = known(payment, same, event)?;
        same.apply_report_of_same(reported, all);
        touch(same, event);
    }
    Ok(())
}

/// What an operator decided replaces what was known.
fn resolved_on(payment: &mut Payment, resolved: &Resolved, event: &Draft) -> Result<(), Damage> {
    let operation = known(payment, resolved.operation, event)?;
    let was_same = operation.same_as();
    operation.apply_decision(resolved);
    touch(operation, event);
    let (is_same, reports) = (operation.same_as(), operation.reports.clone());
    if let Some(id) = was_same {
        let same = known(payment, id, event)?;
        same.stand_alone();
        touch(same, event);
    }
    if let Some(id) = is_same {
        let same = known(payment, id, event)?;
        same.absorb(&reports);
        touch(same, event);
    }
    Ok(())
}

fn disputed_on(payment: &mut Payment, disputed: &Disputed, event: &Draft) {
    let asked = payment.terms.amount;
    let known = payment.disputes.iter().position(|dispute| dispute.id == disputed.dispute);
    let place = known.unwrap_or_else(|| {
        let Disputed { dispute, gateway, gateway_dispute_id, .. } = disputed;
        let new = Dispute::new(*dispute, gateway.clone(), gateway_dispute_id.clone(), asked, event.at);
        payment.disputes.push(new);
        payment.disputes.len() - 1
    });
    if let Some(dispute) = payment.disputes.get_mut(place) {
        let movement = disputed.movement.as_ref().map(NotificationId::as_str);
        dispute.apply_report(&disputed.word, movement);
        dispute.updated_at = event.at;
    }
}

fn dispute_resolved_on(
    payment: &mut Payment,
    resolved: &DisputeResolved,
    event: &Draft,
) -> Result<(), Damage> {
    let known = payment.disputes.iter_mut().find(|dispute| dispute.id == resolved.dispute);
    let dispute = known.ok_or(Damage::Misplaced(event.body.kind()))?;
    dispute.settle(resolved.decision, resolved.occurred_at);
    dispute.updated_at = event.at;
    Ok(())
}

/// An overdue operation about which nothing was reported has an unknown outcome from then on.
fn polled_on(payment: &mut Payment, polled: &Polled, event: &Draft) -> Result<(), Damage> {
    let polls = Polls { count: polled.polls, next: polled.next_at };
    let Some(id) = polled.operation else {
        payment.polls = polls;
        return Ok(());
    };
    let all = payment.terms.amount;
    let operation = known(payment, id, event)?;
    operation.polls = polls;
    operation.resent_until = polled.lease_until.or(operation.resent_until);
    if operation.lease_until.is_some() && operation.is_unreported() {
        let error_message = Message::lossy("nothing was heard of it");
        let evidence = Evidence::new(Outcome::Unknown { error_message }, event.at);
        operation.apply_evidence(&ReportSubject::Operation, &evidence, all, false);
        touch(operation, event);
    }
    Ok(())
}

/// The first entry counts; nothing later moves it.
fn note_first_times(payment: &mut Payment, event: &Draft) {
    let noted = match payment.status {
        PaymentStatus::Succeeded | PaymentStatus::Overpaid => &mut payment.succeeded_at,
        PaymentStatus::Failed => &mut payment.failed_at,
        PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => &mut payment.refunded_at,
        PaymentStatus::Voided => &mut payment.voided_at,
        _ => return,
    };
    noted.get_or_insert(said_at(event));
}

/// When it happened: the time that a recorded or resolved fact gives, else the time of the event.
fn said_at(event: &Draft) -> Timestamp {
    match &event.body {
        Body::Started(start) if event.cause == Cause::Command => match &start.result {
            StartResult::Recorded(evidence) => evidence.occurred_at,
            _ => event.at,
        },
        Body::Closed(closing) => closing.occurred_at,
        Body::Resolved(resolved) => resolved.occurred_at,
        _ => event.at,
    }
}

/// The account after `event`, which follows what made `before`.
pub fn evolve_account(before: Option<&Account>, event: &Event) -> Result<Account, Damage> {
    let misplaced = || Damage::Misplaced(event.body().kind());
    let StreamId::Account(id) = event.stream() else { return Err(misplaced()) };
    let new = || Account::new(event.scope().clone(), id.clone(), event.at(), event.actor().clone());
    let mut account = before.cloned().unwrap_or_else(new);
    check_place(account.id == *id && account.scope == *event.scope(), account.version, event.draft())?;
    let changed = match event.body() {
        Body::ToppedUp(top_up) => account.change(top_up.amount, Money::checked_add),
        Body::Debited(debit) => account.change(debit.amount, Money::checked_sub),
        Body::Credited(credit) => account.change(credit.amount, Money::checked_add),
        Body::Registered(owed) if account.id.is_destination() => {
            account.owed = Some(owed.clone());
            Ok(())
        }
        body => match body.gateway_entry().filter(|_| account.id.is_gateway()) {
            Some((kind, entry)) => {
                account.add_entry(kind, entry);
                Ok(())
            }
            None => return Err(misplaced()),
        },
    };
    changed.map_err(|_| misplaced())?;
    account.version = event.sequence();
    account.revision += 1;
    account.head = event.hash();
    account.updated_at = account.updated_at.max(event.at());
    account.updated_by = event.actor().clone();
    Ok(account)
}

/// A payment's share in its destination, before and after, if it is another one.
pub(crate) fn share_moved(before: Option<&Payment>, after: &Payment) -> Option<[Share; 2]> {
    let shares = [before.map(Share::of).unwrap_or_default(), Share::of(after)];
    (shares[0] != shares[1]).then_some(shares)
}

/// What a payment's destination comes to when that payment goes from `before` to `after`; `None` if nothing of it
/// changes. A destination has no event of its own for it: its totals are sums over its payments.
#[must_use]
pub fn evolve_destination(
    destination: Option<&Account>,
    before: Option<&Payment>,
    after: &Payment,
) -> Option<Account> {
    share_moved(before, after).map(|shares| move_share(destination, after, &shares))
}

/// The destination once the share of `after` in it has moved.
pub(crate) fn move_share(destination: Option<&Account>, after: &Payment, [was, is]: &[Share; 2]) -> Account {
    let id = AccountId::destination(&after.terms().destination);
    let (at, by) = (after.updated_at(), after.updated_by().clone());
    let new = || Account::new(after.scope().clone(), id, at, by.clone());
    let mut account = destination.cloned().unwrap_or_else(new);
    account.share(after.id(), after.terms().amount.currency(), was, is);
    account.revision += 1;
    account.updated_at = account.updated_at.max(at);
    account.updated_by = by;
    account
}
