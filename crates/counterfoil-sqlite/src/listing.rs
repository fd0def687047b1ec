//! The listing: what lists filter and sort by and what seldom changes.

use counterfoil::payment::Payment;
use counterfoil::store::Sort;
use rusqlite::Connection;

use crate::error::Failure;
use crate::sql;

/// Lists a new payment. Whether it was not there.
pub(crate) fn insert(
    connection: &Connection,
    stream: i64,
    scope: i64,
    payment: &Payment,
) -> Result<bool, Failure> {
    let terms = payment.terms();
    let Changing { archived, gateway, gateway_payment_id, gateway_tracking_id } = Changing::of(payment);
    let written = connection.prepare_cached(sql::INSERT_LISTING)?.execute((
        stream,
        archived,
        gateway,
        gateway_payment_id,
        gateway_tracking_id,
        scope,
        terms.created_at.unix_micros(),
        terms.id.as_uuid().as_bytes(),
        Sort::Amount.key(payment).to_be_bytes(),
        terms.amount.currency().code(),
        terms.method.kind() as u8,
        terms.destination.kind as u8,
        terms.destination.id.as_str().as_bytes(),
    ))?;
    Ok(written == 1)
}

/// Brings the listing of a payment up to date, if anything in it has changed. Whether it was there to be.
pub(crate) fn update(
    connection: &Connection,
    stream: i64,
    before: &Payment,
    after: &Payment,
) -> Result<bool, Failure> {
    let (before, after) = (Changing::of(before), Changing::of(after));
    if before == after {
        return Ok(true);
    }
    let Changing { archived, gateway, gateway_payment_id, gateway_tracking_id } = after;
    let mut update = connection.prepare_cached(sql::UPDATE_LISTING)?;
    Ok(update.execute((stream, archived, gateway, gateway_payment_id, gateway_tracking_id))? == 1)
}

/// Whether a payment is listed as what it is, wherever lists look. For whoever verifies: a payment that is not
/// would be in no list, and nobody would know.
pub(crate) fn is_right(
    connection: &Connection,
    stream: i64,
    scope: i64,
    payment: &Payment,
) -> Result<bool, Failure> {
    let terms = payment.terms();
    let Changing { archived, gateway, gateway_payment_id, gateway_tracking_id } = Changing::of(payment);
    let listed = connection.prepare_cached(sql::IS_LISTED)?.query_row(
        (
            stream,
            archived,
            gateway,
            gateway_payment_id,
            gateway_tracking_id,
            scope,
            terms.created_at.unix_micros(),
            terms.id.as_uuid().as_bytes(),
            Sort::Amount.key(payment).to_be_bytes(),
            terms.amount.currency().code(),
            terms.method.kind() as u8,
            terms.destination.kind as u8,
            terms.destination.id.as_str().as_bytes(),
            payment.status() as u8,
            payment.updated_at().unix_micros(),
        ),
        |row| row.get(0),
    )?;
    Ok(listed)
}

/// The columns that can change; the others are terms.
#[derive(PartialEq, Eq)]
struct Changing<'a> {
    archived: bool,
    gateway: Option<&'a [u8]>,
    gateway_payment_id: Option<&'a [u8]>,
    gateway_tracking_id: Option<&'a [u8]>,
}

impl Changing<'_> {
    fn of(payment: &Payment) -> Changing<'_> {
        Changing {
            archived: payment.archived_at().is_some(),
            gateway: payment.gateway().map(|name| name.as_str().as_bytes()),
            gateway_payment_id: payment.gateway_payment_id().map(|id| id.as_str().as_bytes()),
            gateway_tracking_id: payment.gateway_tracking_id().map(|id| id.as_str().as_bytes()),
        }
    }
}
