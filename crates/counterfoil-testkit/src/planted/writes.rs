//! Commands, with what can be wrong about them.

use std::sync::Arc;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Receipt, Rejection, Request, Told};
use counterfoil::event::{Event, Hash};
use counterfoil::money::Money;
use counterfoil::payment::DisputeWordKind;
use counterfoil::store::{ExecuteError, Plan, Record, StoreError, StoreErrorKind};
use tokio::task::yield_now;

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
        Bug::HashNotLinked => plan.events.iter_mut().for_each(unlink),
        Bug::ClockOrders if plan.rows.iter().any(|row| is_stale(&row.after, command)) => {
            plan.events.clear();
            plan.claims.clear();
            plan.rows.clear();
        }
        _ => {}
    }
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
