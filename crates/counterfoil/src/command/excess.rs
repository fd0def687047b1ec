//! What is captured beyond what is due for a destination.

use super::payable::Payable;
use super::view::{Halt, View};
use crate::destinations::Known;
use crate::money::Money;
use crate::payment::Payment;

/// What is paid beyond what is due once what `payment` captured goes from one amount to another. What went back of this
/// payment, or was charged back, does not count: it may come again. Of the payment, what this command has written of it already counts.
pub(super) fn excess(
    view: &View<'_>,
    payment: &Payment,
    known: &Known,
    [before, after]: [i64; 2],
) -> Result<Option<Money>, Halt> {
    let payable = Payable::find(view, &payment.terms().destination, known)?;
    let currency = payment.terms().amount.currency();
    let minor = |money: Money| i128::from(money.minor());
    let mut totals = payable.totals(currency);
    let stored = view.find_payment(payment.id())?;
    totals.paid += minor(payment.captured()) + i128::from(after) - i128::from(before);
    totals.paid -= stored.map_or(0, |stored| minor(stored.captured()));
    totals.refunded -= stored.map_or(0, |stored| minor(stored.refunded()));
    totals.charged_back -= stored.map_or(0, |stored| minor(stored.charged_back()));
    Ok(payable.excess(&totals, currency))
}
