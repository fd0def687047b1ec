//! The listing: what lists filter and sort by and what seldom changes.

use counterfoil::payment::Payment;
use counterfoil::store::Sort;
use rusqlite::{Connection, ToSql};

use crate::due::Waiting;
use crate::error::Failure;
use crate::sql;

/// Lists a new payment. Whether it was not there.
pub(crate) fn insert(
    connection: &Connection,
    stream: i64,
    scope: i64,
    payment: &Payment,
) -> Result<bool, Failure> {
    let listed = Listed::new(stream, scope, payment);
    Ok(connection.prepare_cached(sql::INSERT_LISTING)?.execute(listed.columns())? == 1)
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
    let listed = Listed::new(stream, scope, payment);
    let (status, updated_at) = (payment.status() as u8, payment.updated_at().unix_micros());
    let Waiting { due_at, attention } = Waiting::of(payment);
    let mut columns = listed.columns().to_vec();
    columns.extend([&status as &dyn ToSql, &updated_at, &due_at, &attention]);
    let mut statement = connection.prepare_cached(sql::IS_LISTED)?;
    Ok(statement.query_row(&*columns, |row| row.get(0))?)
}

/// A payment as it is listed.
struct Listed<'a> {
    stream: i64,
    changing: Changing<'a>,
    scope: i64,
    created_at: i64,
    id: [u8; 16],
    amount: [u8; 16],
    currency: &'static str,
    method: u8,
    destination_type: u8,
    destination_id: &'a [u8],
}

/// The columns that can change; the others are terms.
#[derive(PartialEq, Eq)]
struct Changing<'a> {
    archived: bool,
    gateway: Option<&'a [u8]>,
    gateway_payment_id: Option<&'a [u8]>,
    gateway_tracking_id: Option<&'a [u8]>,
}

impl Listed<'_> {
    fn new(stream: i64, scope: i64, payment: &Payment) -> Listed<'_> {
        let terms = payment.terms();
        Listed {
            stream,
            changing: Changing::of(payment),
            scope,
            created_at: terms.created_at.unix_micros(),
            id: terms.id.as_uuid().into_bytes(),
            amount: Sort::Amount.key(payment).to_be_bytes(),
            currency: terms.amount.currency().code(),
            method: terms.method.kind() as u8,
            destination_type: terms.destination.kind as u8,
            destination_id: terms.destination.id.as_str().as_bytes(),
        }
    }

    /// In the order in which the statements number them: first those that can change.
    fn columns(&self) -> [&dyn ToSql; 13] {
        let Changing { archived, gateway, gateway_payment_id, gateway_tracking_id } = &self.changing;
        [
            &self.stream,
            archived,
            gateway,
            gateway_payment_id,
            gateway_tracking_id,
            &self.scope,
            &self.created_at,
            &self.id,
            &self.amount,
            &self.currency,
            &self.method,
            &self.destination_type,
            &self.destination_id,
        ]
    }
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
