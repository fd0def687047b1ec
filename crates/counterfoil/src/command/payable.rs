//! Whether a destination may be paid at all.

use super::rejection::Rejection;
use crate::destinations::Known;
use crate::money::Currency;
use crate::payment::Destination;

/// Refuses a charge for what is not there, is not payable, or is paid in another currency.
pub(super) fn require_payable(
    known: &Known,
    destination: &Destination,
    currency: Currency,
) -> Result<(), Rejection> {
    match known {
        Known::Absent => Err(Rejection::DestinationNotFound(destination.clone())),
        Known::Unavailable => Err(Rejection::DestinationsUnavailable),
        Known::Found(info) if info.currency != currency => {
            Err(Rejection::DestinationCurrency { expected: info.currency })
        }
        Known::Found(info) if !info.payable => Err(Rejection::DestinationNotPayable(destination.clone())),
        Known::Unasked | Known::Found(_) => Ok(()),
    }
}
