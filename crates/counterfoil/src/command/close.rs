//! Ending a payment that has no money.

use crate::clock::Timestamp;
use crate::event::Closing;
use crate::payment::{Closed, Payment};
use crate::status::OperationStatus;

/// Ends `payment` and cancels the attempts that wait for the payer. `None`: an attempt is being processed, which cannot
/// be canceled.
pub(super) fn closing(payment: &Payment, closes: Closed, occurred_at: Timestamp) -> Option<Closing> {
    let live = payment.attempts().filter(|attempt| attempt.status().is_live());
    let waiting = live.clone().all(|attempt| attempt.status() == OperationStatus::RequiresAction);
    let cancels = live.map(|attempt| attempt.id).collect();
    waiting.then_some(Closing { closes, occurred_at, cancels, releases: Vec::new(), reason: None })
}
