//! Looking up payments, accounts and claims by key. Single-table look-ups only: a JOIN would be planned
//! again at every execution.

use std::collections::HashMap;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::{Account, AccountId};
use counterfoil::claim::{Claim, ClaimKey, Fingerprint};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::Scope;
use counterfoil::store::{Key, Record};
use rusqlite::{Connection, OptionalExtension};

use crate::error::Failure;
use crate::{sql, streams};

/// The numbers of the scopes that a connection has met. A number never changes once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Scopes(HashMap<Scope, i64>);

impl Scopes {
    pub(crate) fn number(&mut self, connection: &Connection, scope: &Scope) -> Result<Option<i64>, Failure> {
        if let Some(number) = self.0.get(scope) {
            return Ok(Some(*number));
        }
        let names = (scope.tenant().as_str(), scope.environment().as_str());
        let mut statement = connection.prepare_cached(sql::SCOPE)?;
        let found = statement.query_row(names, |row| row.get(0)).optional()?;
        if let Some(number) = found {
            self.0.insert(scope.clone(), number);
        }
        Ok(found)
    }

    /// The number of a scope that may be new.
    pub(crate) fn number_or_new(&mut self, connection: &Connection, scope: &Scope) -> Result<i64, Failure> {
        if let Some(number) = self.number(connection, scope)? {
            return Ok(number);
        }
        let names = (scope.tenant().as_str(), scope.environment().as_str());
        connection.prepare_cached(sql::INSERT_SCOPE)?.execute(names)?;
        let number = connection.last_insert_rowid();
        self.0.insert(scope.clone(), number);
        Ok(number)
    }

    /// To be called when a transaction that may have made numbers was not committed.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Where a stream stands in the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Its number: the position of its first event.
    pub(crate) stream: i64,
    /// The position of its last event.
    pub(crate) position: i64,
}

/// What stands under a key.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) record: Record,
    /// Where its stream stands; not looked up for a claim, nor for a destination, which seldom has one.
    pub(crate) place: Option<Place>,
}

/// Looks up `key`.
pub(crate) fn find(
    connection: &Connection,
    scopes: &mut Scopes,
    key: &Key,
) -> Result<Option<Found>, Failure> {
    let Some(number) = scopes.number(connection, key.scope())? else { return Ok(None) };
    match key {
        Key::Claim(key) => {
            let claim = claim(connection, number, key)?;
            Ok(claim.map(|claim| Found { record: Record::Claim(Arc::new(claim)), place: None }))
        }
        Key::Payment(scope, id) => {
            let Some(row) = StreamRow::find(connection, number, StreamId::Payment(*id))? else {
                return Ok(None);
            };
            let record = Record::Payment(Arc::new(row.payment(connection, scope, *id)?));
            row.found(record).map(Some)
        }
        Key::Account(scope, id) if id.is_destination() => {
            let account = destination(connection, number, scope, id)?;
            Ok(account.map(|account| Found { record: Record::Account(Arc::new(account)), place: None }))
        }
        Key::Account(scope, id) => {
            let Some(row) = StreamRow::find(connection, number, StreamId::Account(id.clone()))? else {
                return Ok(None);
            };
            let record = Record::Account(Arc::new(account(scope, id, &row)?));
            row.found(record).map(Some)
        }
    }
}

/// The payment `id` of `scope`, whose stream has this number.
pub(crate) fn payment(
    connection: &Connection,
    scope: &Scope,
    id: PaymentId,
    number: i64,
) -> Result<Arc<Payment>, Failure> {
    let row = StreamRow::read(connection, StreamId::Payment(id), number)?;
    let payment = row.payment(connection, scope, id)?;
    row.check(payment.version())?;
    Ok(Arc::new(payment))
}

/// Where `stream` stands, if it exists in `scope`.
pub(crate) fn place(
    connection: &Connection,
    scopes: &mut Scopes,
    scope: &Scope,
    stream: &StreamId,
) -> Result<Option<Place>, Failure> {
    let Some(number) = scopes.number(connection, scope)? else { return Ok(None) };
    if let StreamId::Account(id) = stream
        && id.is_destination()
    {
        let number = streams::number(connection, number, stream)?;
        return number.map(|number| streams::destination(connection, number)).transpose();
    }
    Ok(StreamRow::find(connection, number, stream.clone())?.map(|row| row.place))
}

/// The row of a payment or a wallet.
struct StreamRow {
    stream: StreamId,
    place: Place,
    version: i64,
    bytes: Vec<u8>,
}

impl StreamRow {
    fn find(connection: &Connection, scope: i64, stream: StreamId) -> Result<Option<StreamRow>, Failure> {
        let number = streams::number(connection, scope, &stream)?;
        number.map(|number| StreamRow::read(connection, stream, number)).transpose()
    }

    fn read(connection: &Connection, stream: StreamId, number: i64) -> Result<StreamRow, Failure> {
        let mut statement = connection.prepare_cached(streams::row_of(&stream))?;
        let found =
            statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let Some((version, position, bytes)) = found else {
            return Err(damaged(&stream, Damage::Malformed("row: it is missing")));
        };
        Ok(StreamRow { stream, place: Place { stream: number, position }, version, bytes })
    }

    /// A payment is its row, and its terms, which stand in its first event and nowhere else.
    fn payment(&self, connection: &Connection, scope: &Scope, id: PaymentId) -> Result<Payment, Failure> {
        let first = streams::event(connection, self.place.stream)?;
        let terms = first.terms().filter(|terms| terms.id == id && terms.scope == *scope);
        let misplaced = || streams::entry(self.place.stream, Damage::Misplaced(first.body().kind()));
        let terms = terms.ok_or_else(misplaced)?.clone();
        Payment::decode_row(terms, &self.bytes).map_err(|damage| self.damaged(damage))
    }

    fn damaged(&self, damage: Damage) -> Failure {
        damaged(&self.stream, damage)
    }

    fn found(self, record: Record) -> Result<Found, Failure> {
        self.check(record.version())?;
        Ok(Found { record, place: Some(self.place) })
    }

    /// The version stands in the bytes and beside them.
    fn check(&self, version: u64) -> Result<(), Failure> {
        if version == self.version.cast_unsigned() {
            Ok(())
        } else {
            Err(self.damaged(Damage::Malformed("version")))
        }
    }
}

fn damaged(stream: &StreamId, damage: Damage) -> Failure {
    Failure::damaged(format_args!("row of {stream}"), damage)
}

fn account(scope: &Scope, id: &AccountId, row: &StreamRow) -> Result<Account, Failure> {
    Account::decode_row(scope.clone(), id.clone(), &row.bytes).map_err(|damage| row.damaged(damage))
}

/// The destination `id` of `scope`, which has this number.
fn destination(
    connection: &Connection,
    number: i64,
    scope: &Scope,
    id: &AccountId,
) -> Result<Option<Account>, Failure> {
    let mut statement = connection.prepare_cached(sql::DESTINATION)?;
    let mut rows = statement.query((number, id.as_str().as_bytes()))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let revision: i64 = row.get(0)?;
    let account = Account::decode_row(scope.clone(), id.clone(), row.get_ref(1)?.as_blob()?);
    // The revision stands in the bytes and beside them.
    let account = account.and_then(|account| match account.revision() {
        same if same == revision.cast_unsigned() => Ok(account),
        _ => Err(Damage::Malformed("revision")),
    });
    account.map(Some).map_err(|damage| damaged(&StreamId::Account(id.clone()), damage))
}

fn claim(connection: &Connection, scope: i64, key: &ClaimKey) -> Result<Option<Claim>, Failure> {
    let mut statement = connection.prepare_cached(sql::CLAIM)?;
    let found = statement
        .query_row((scope, key.kind.as_str(), key.name.as_bytes()), |row| {
            let fingerprint = Fingerprint::from_bytes(row.get_ref(2)?.as_blob()?);
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, fingerprint))
        })
        .optional()?;
    let Some((stream, sequence, fingerprint)) = found else { return Ok(None) };
    let damaged = |damage| Failure::damaged(format_args!("{} claim {:?}", key.kind, key.name), damage);
    Ok(Some(Claim {
        key: key.clone(),
        stream: streams::by_number(connection, stream)?,
        sequence: sequence.cast_unsigned(),
        fingerprint: fingerprint.map_err(damaged)?,
    }))
}
