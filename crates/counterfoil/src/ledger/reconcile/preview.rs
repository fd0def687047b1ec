//! What a command would do, decided without writing anything.

use std::sync::Arc;

use super::failed;
use crate::command::{Command, Decision, Rejection};
use crate::ledger::{Ledger, LedgerError};
use crate::payment::Payment;
use crate::store::{Lookup, State};

/// What a command would do.
#[derive(Debug)]
pub(super) enum Preview {
    /// Nothing: it has happened already, or it changes nothing.
    Replay { payment: Option<Arc<Payment>> },
    /// It would write: what it is about, as it stands and as it would.
    Change { payments: Option<(Arc<Payment>, Arc<Payment>)> },
    /// It would be rejected.
    Rejected(Rejection),
}

impl Preview {
    /// Decides `command` on what the store has now.
    pub(super) async fn of(ledger: &Ledger, command: &Command) -> Result<Preview, LedgerError> {
        let mut state = State::new();
        loop {
            match command.decide(&state) {
                Ok(Decision::Load(keys)) => {
                    let found = ledger.store.read(&keys).await.map_err(failed)?;
                    for key in keys {
                        state.insert_absent(key);
                    }
                    state.absorb(found);
                }
                Ok(Decision::Same(receipt)) => {
                    return Ok(Preview::Replay { payment: receipt.payment().cloned() });
                }
                Ok(Decision::Write(change)) => {
                    let after = change.receipt.payment().cloned();
                    let payments = after.and_then(|after| Some((before(&state, &after)?, after)));
                    return Ok(Preview::Change { payments });
                }
                Err(rejection) => return Ok(Preview::Rejected(rejection)),
            }
        }
    }

    /// The payment that it is about, as it stands and as it would stand.
    pub(super) fn payments(&self) -> Option<(&Payment, &Payment)> {
        match self {
            Preview::Replay { payment } => payment.as_deref().map(|payment| (payment, payment)),
            Preview::Change { payments } => payments.as_ref().map(|(before, after)| (&**before, &**after)),
            Preview::Rejected(_) => None,
        }
    }

    /// Whether it would write anything.
    pub(super) const fn is_change(&self) -> bool {
        matches!(self, Preview::Change { .. })
    }
}

fn before(state: &State, after: &Payment) -> Option<Arc<Payment>> {
    match state.payment(after.scope(), after.id()) {
        Lookup::Present(payment) => Some(payment.clone()),
        Lookup::Absent | Lookup::NotLoaded => None,
    }
}
