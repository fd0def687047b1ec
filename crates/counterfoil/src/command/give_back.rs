//! Refunds and reversals without a gateway: credits go back to their wallet, other money is recorded as refunded.

use super::change::{Entry, Recorder};
use super::rejection::Rejection;
use super::view::{Halt, View};
use crate::account::AccountId;
use crate::event::{Body, Entered};
use crate::money::Money;
use crate::payment::{OperationId, Payment, PaymentMethod};
use crate::status::Cause;

/// Nothing of the money is on its way elsewhere, or disputed.
pub(super) fn require_free(payment: &Payment) -> Result<(), Rejection> {
    if payment.is_reserved() || !payment.disputed().is_zero() {
        Err(Rejection::NotWhole { payment: payment.id() })
    } else {
        Ok(())
    }
}

/// All of the money is there, and none can come that is not there yet: it can go back as if it had never come.
pub(super) fn require_whole(payment: &Payment) -> Result<(), Rejection> {
    require_free(payment)?;
    if payment.refunded().is_zero() && payment.live_attempt().is_none() {
        Ok(())
    } else {
        Err(Rejection::NotWhole { payment: payment.id() })
    }
}

/// So much of a payment's money that goes back.
pub(super) struct GiveBack<'a> {
    pub(super) payment: &'a Payment,
    pub(super) amount: Money,
}

impl GiveBack<'_> {
    /// Puts credits back into the wallet that they came from.
    pub(super) fn credit(
        &self,
        view: &View<'_>,
        operation: OperationId,
        recorder: &mut Recorder<'_>,
    ) -> Result<(), Halt> {
        let PaymentMethod::Credits(wallet) = &self.payment.terms().method else { return Ok(()) };
        let wallet = AccountId::wallet(wallet);
        let account = view.account(&wallet)?;
        let currency = self.amount.currency();
        let balance = account.map_or(Money::zero(currency), |account| account.balance(currency));
        balance.checked_add(self.amount)?;
        let entered = Entered { amount: self.amount, payment: self.payment.id(), operation };
        let entry = Entry::new(Cause::Command, Body::Credited(entered));
        recorder.account(wallet, account.map(AsRef::as_ref), entry)?;
        Ok(())
    }
}
