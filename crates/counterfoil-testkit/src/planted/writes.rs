//! Commands, with what can be wrong about them.

use std::sync::Arc;

use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Lapse, Receipt, Rejection, Request, Resolution, Resolve, Told};
use counterfoil::event::{Body, Event, Hash};
use counterfoil::id::UpdateId;
use counterfoil::money::Money;
use counterfoil::payment::{DisputeWordKind, Payment, Review, Work};
use counterfoil::store::{ExecuteError, Plan, Record, StoreError, StoreErrorKind};
use counterfoil::text::Message;
use tokio::task::yield_now;
use uuid::Uuid;

use super::{Books, Bug, PlantedStore};

/// How often somebody looks whether the transaction before is over.
const PATIENCE: usize = 1_000;

impl PlantedStore {
    /// Waits for its turn, where there are turns; nobody but whoever took it gives it back.
    pub(super) async fn begin(&self) -> Result<(), ExecuteError> {
        if self.bug != Bug::TransactionLeftOpen {
            return Ok(());
        }
        for _ in 0..PATIENCE {
            {
                let mut books = self.books();
                if !books.busy {
                    books.busy = true;
                    return Ok(());
                }
            }
            yield_now().await;
        }
        Err(ExecuteError::NotCommitted(StoreError::new(StoreErrorKind::Busy, "beginning")))
    }
}

/// Changes what is asked for or told.
pub(super) fn mishear(command: &mut Command, bug: Bug) {
    match (&mut command.request, bug) {
        (Request::Update(update), Bug::UpdateVersionIgnored) => update.if_version = None,
        (Request::Notify(notify), bug) => {
            let Told::Dispute(word) = &mut notify.told else { return };
            match (word.kind, bug) {
                (_, Bug::MovementsCountedTwice) => {
                    notify.funds.get_or_insert_with(|| notify.notification.clone());
                }
                (DisputeWordKind::FundsReinstated, Bug::ReinstatedStaysReserved) => {
                    word.kind = DisputeWordKind::Updated;
                }
                (DisputeWordKind::Won, Bug::LostForEver) => word.occurred_at = Timestamp::EPOCH,
                _ => {}
            }
        }
        _ => {}
    }
}

/// Changes what is to be written.
pub(super) fn spoil(plan: &mut Plan, command: &Command, bug: Bug) {
    let reported = matches!(command.request, Request::Report(_));
    match bug {
        Bug::EventWithoutRow if reported => plan.rows.clear(),
        Bug::RowWithoutEvent if reported => plan.events.clear(),
        Bug::GatewayNameNotTaken => plan.claims.retain(|claim| !is_gateway_name(claim.key.kind)),
        Bug::GatewayEntryNameNotTaken => plan.claims.retain(|claim| !is_entry_name(claim.key.kind)),
        Bug::ResolutionHidesReports if is_after_resolution(plan) => clear(plan),
        Bug::HashNotLinked => plan.events.iter_mut().for_each(unlink),
        Bug::ClockOrders if plan.rows.iter().any(|row| is_stale(&row.after, command)) => {
            clear(plan);
        }
        _ => {}
    }
}

/// Nothing is written, and answered as if it were.
fn clear(plan: &mut Plan) {
    plan.events.clear();
    plan.claims.clear();
    plan.rows.clear();
}

const fn is_gateway_name(kind: ClaimKind) -> bool {
    matches!(
        kind,
        ClaimKind::GatewayAttempt
            | ClaimKind::GatewayCapture
            | ClaimKind::GatewayRefund
            | ClaimKind::GatewayVoid
            | ClaimKind::GatewayReturn
    )
}

const fn is_entry_name(kind: ClaimKind) -> bool {
    matches!(kind, ClaimKind::GatewayFee | ClaimKind::GatewayPayout)
}

/// Whether a report is written about an operation that an operator has resolved.
fn is_after_resolution(plan: &Plan) -> bool {
    let reported = plan.events.iter().find_map(|event| match event.body() {
        Body::Reported(reported) => Some(reported.operation),
        _ => None,
    });
    let is_resolved = |payment: &Payment| {
        let operation = reported.and_then(|id| payment.operation(id));
        operation.is_some_and(|operation| operation.reviews().contains(&Review::Resolved))
    };
    plan.rows.iter().any(|row| matches!(&row.after, Record::Payment(payment) if is_resolved(payment)))
}

/// The commands that are carried out for `command`: itself, and before an expiry, what gives back that which an
/// unallocated capture took.
pub(super) fn with_release(command: &Command, books: &Books, bug: Bug) -> Vec<Command> {
    let mut commands = vec![command.clone()];
    let Request::Lapse(Lapse { payment, work: Work::Expire, .. }) = &command.request else { return commands };
    let known = books.payment(&command.caller.scope, *payment).filter(|_| bug == Bug::ExpiryReleasesCaptured);
    let captures = known.into_iter().flat_map(|payment| payment.captures());
    for (place, capture) in captures.filter(|capture| capture.parent().is_none()).enumerate() {
        let resolve = Resolve {
            update: UpdateId::new(Uuid::from_u128(place as u128 + 1)),
            payment: *payment,
            operation: Some(capture.id),
            resolution: Resolution::Failed,
            note: Message::lossy("the hold expired"),
        };
        commands.insert(place, Command { request: Request::Resolve(resolve), ..command.clone() });
    }
    commands
}

/// Gives an event the hash that it would have as the first one.
fn unlink(event: &mut Arc<Event>) {
    let alone = Event::decode(event.bytes(), Hash::ZERO.link(event.bytes()));
    if let Ok(alone) = alone {
        *event = Arc::new(alone);
    }
}

/// Whether the event had to be made later than its command, to be behind the one before.
fn is_stale(after: &Record, command: &Command) -> bool {
    matches!(after, Record::Payment(payment) if payment.updated_at() > command.at)
}

/// Makes a sum that was too large a small one. Whether it did: then it is to be decided again.
pub(super) fn wrap(command: &mut Command, answer: &Result<Receipt, ExecuteError>) -> bool {
    let too_large = matches!(answer, Err(ExecuteError::Rejected(Rejection::Money(_))));
    match &mut command.request {
        Request::TopUp(top_up) if too_large && top_up.amount.minor() > 1 => {
            let smallest = Money::from_minor(1, top_up.amount.currency());
            smallest.map(|smallest| top_up.amount = smallest).is_ok()
        }
        _ => false,
    }
}

impl Books {
    /// The answer, but for the defects.
    pub(super) fn answer(
        &mut self,
        command: &Command,
        answer: Result<Receipt, ExecuteError>,
        bug: Bug,
    ) -> Result<Receipt, ExecuteError> {
        let scope = &command.caller.scope;
        match answer {
            Ok(receipt) if !receipt.replayed => {
                let place = (scope.clone(), receipt.stream.clone());
                self.first_answers.entry(place).or_insert_with(|| receipt.clone());
                Ok(receipt)
            }
            Ok(mut receipt) if bug == Bug::AnswerRecomputed => {
                receipt.sequence = receipt.payment().map_or(receipt.sequence, |payment| payment.version());
                Ok(receipt)
            }
            Err(ExecuteError::Rejected(Rejection::KeyMismatch { stream, fields }))
                if bug == Bug::RequestNotCompared =>
            {
                let first = self.first_answers.get(&(scope.clone(), stream.clone())).cloned();
                first.ok_or(ExecuteError::Rejected(Rejection::KeyMismatch { stream, fields }))
            }
            answer => answer,
        }
    }
}
