//! What one transaction looks up and writes.

use std::collections::HashMap;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::Account;
use counterfoil::claim::Claim;
use counterfoil::event::{Event, StreamId};
use counterfoil::payment::Payment;
use counterfoil::store::{Key, Plan, Record, Row};
use rusqlite::Connection;

use crate::due::Waiting;
use crate::error::Failure;
use crate::rows::{self, Place, Scopes};
use crate::{listing, sql, streams};

/// The books within one transaction. They know every stream that was looked up, so writing looks up nothing.
pub(crate) struct Books<'a> {
    connection: &'a Connection,
    scopes: &'a mut Scopes,
    streams: HashMap<Key, Known>,
}

/// What is known of a stream.
struct Known {
    place: Place,
    /// The payment as it was found, if it is one and was there.
    payment: Option<Arc<Payment>>,
}

impl<'a> Books<'a> {
    pub(crate) fn new(connection: &'a Connection, scopes: &'a mut Scopes) -> Books<'a> {
        Books { connection, scopes, streams: HashMap::new() }
    }

    /// Looks up `key`.
    pub(crate) fn find(&mut self, key: &Key) -> Result<Option<Record>, Failure> {
        let found = rows::find(self.connection, self.scopes, key)?;
        Ok(found.map(|found| {
            if let Some(place) = found.place {
                let payment = match &found.record {
                    Record::Payment(payment) => Some(payment.clone()),
                    _ => None,
                };
                self.streams.insert(key.clone(), Known { place, payment });
            }
            found.record
        }))
    }

    /// Writes all that was decided on what was looked up here. Returns the position of the last event.
    pub(crate) fn write(&mut self, plan: &Plan) -> Result<i64, Failure> {
        let mut position = watermark(self.connection)?;
        for event in &plan.events {
            position += 1;
            self.append(position, event)?;
        }
        for claim in &plan.claims {
            self.claim(sql::INSERT_CLAIM, claim)?;
        }
        for row in &plan.rows {
            self.row(row)?;
        }
        move_watermark(self.connection, position)?;
        Ok(position)
    }

    fn append(&mut self, position: i64, event: &Event) -> Result<(), Failure> {
        let place = self.enter(position, event)?;
        let account_sequence = match event.stream() {
            StreamId::Payment(_) => None,
            StreamId::Account(_) => Some(event.sequence().cast_signed()),
        };
        self.connection.prepare_cached(sql::INSERT_EVENT)?.execute((
            position,
            place.stream,
            place.position,
            account_sequence,
            event.bytes(),
            event.hash().as_bytes(),
        ))?;
        Ok(())
    }

    /// Notes that `event` is the last of its stream, which comes to be with its first one. Returns where the
    /// stream stood before; position 0 if nowhere.
    pub(crate) fn enter(&mut self, position: i64, event: &Event) -> Result<Place, Failure> {
        let key = Key::of(event.scope(), event.stream());
        if let Some(known) = self.streams.get_mut(&key) {
            let before = known.place;
            known.place.position = position;
            return Ok(before);
        }
        if event.sequence() != 1 {
            return self.enter_known(key, position, event);
        }
        let scope = self.scopes.number_or_new(self.connection, event.scope())?;
        let (kind, id) = streams::columns(event.stream());
        let mut statement = self.connection.prepare_cached(sql::INSERT_STREAM)?;
        statement.execute((position, scope, kind, id.as_ref()))?;
        let place = Place { stream: position, position };
        self.streams.insert(key, Known { place, payment: None });
        Ok(Place { stream: position, position: 0 })
    }

    /// Of streams that exist, only a destination's was not looked up with its row.
    fn enter_known(&mut self, key: Key, position: i64, event: &Event) -> Result<Place, Failure> {
        let found = match event.stream() {
            StreamId::Account(id) if id.is_destination() => {
                rows::place(self.connection, self.scopes, event.scope(), event.stream())?
            }
            _ => None,
        };
        let misplaced = || streams::entry(position, Damage::Misplaced(event.body().kind()));
        let before = found.ok_or_else(misplaced)?;
        self.streams.insert(key, Known { place: Place { position, ..before }, payment: None });
        Ok(before)
    }

    /// Writes a claim of a stream that is known here.
    pub(crate) fn claim(&mut self, insert: &str, claim: &Claim) -> Result<(), Failure> {
        let scope = self.scopes.number_or_new(self.connection, &claim.key.scope)?;
        let place = self.place(&Key::of(&claim.key.scope, &claim.stream))?;
        self.connection.prepare_cached(insert)?.execute((
            scope,
            claim.key.kind.as_str(),
            claim.key.name.as_bytes(),
            place.stream,
            claim.sequence.cast_signed(),
            claim.fingerprint.to_bytes(),
        ))?;
        Ok(())
    }

    /// Writes a row, if it still stands where it was loaded.
    pub(crate) fn row(&mut self, row: &Row) -> Result<(), Failure> {
        let before = row.before.cast_signed();
        let written = match &row.after {
            Record::Payment(payment) => self.payment(before, payment)?,
            Record::Account(account) if account.id().is_destination() => self.destination(before, account)?,
            Record::Account(account) => self.account(before, account)?,
            Record::Claim(claim) => return self.claim(sql::INSERT_CLAIM, claim),
        };
        if written { Ok(()) } else { Err(unknown(&row.after.key())) }
    }

    /// Writes the row of a payment, and its listing if that changes. Whether the row was where it was loaded.
    fn payment(&mut self, before: i64, payment: &Payment) -> Result<bool, Failure> {
        let key = Key::Payment(payment.scope().clone(), payment.id());
        let known = self.streams.get(&key).ok_or_else(|| unknown(&key))?;
        let Place { stream, position } = known.place;
        let version = payment.version().cast_signed();
        let (status, updated_at) = (payment.status() as u8, payment.updated_at().unix_micros());
        let row = payment.encode_row();
        let waiting = Waiting::of(payment);
        let Waiting { due_at, attention } = waiting;
        let same = known.payment.as_deref().is_some_and(|before| Waiting::of(before) == waiting);
        let written = if before == 0 {
            let mut insert = self.connection.prepare_cached(sql::INSERT_PAYMENT)?;
            insert.execute((stream, version, position, status, updated_at, row, due_at, attention))?
        } else if same {
            let mut update = self.connection.prepare_cached(sql::UPDATE_PAYMENT)?;
            update.execute((stream, version, position, status, updated_at, row, before))?
        } else {
            let mut update = self.connection.prepare_cached(sql::UPDATE_PAYMENT_AND_WAITING)?;
            update.execute((stream, version, position, status, updated_at, row, before, due_at, attention))?
        };
        let listed = match &known.payment {
            None => {
                let scope = self.scopes.number_or_new(self.connection, payment.scope())?;
                listing::insert(self.connection, stream, scope, payment)?
            }
            Some(before) => listing::update(self.connection, stream, before, payment)?,
        };
        Ok(written == 1 && listed)
    }

    fn account(&mut self, before: i64, account: &Account) -> Result<bool, Failure> {
        let Place { stream, position } =
            self.place(&Key::Account(account.scope().clone(), account.id().clone()))?;
        let (version, row) = (account.version().cast_signed(), account.encode_row());
        let written = if before == 0 {
            let mut insert = self.connection.prepare_cached(sql::INSERT_ACCOUNT)?;
            insert.execute((stream, version, position, row))?
        } else {
            let mut update = self.connection.prepare_cached(sql::UPDATE_ACCOUNT)?;
            update.execute((stream, version, position, row, before))?
        };
        Ok(written == 1)
    }

    /// Writes the row of a destination, which may have no stream.
    fn destination(&mut self, before: i64, account: &Account) -> Result<bool, Failure> {
        let scope = self.scopes.number_or_new(self.connection, account.scope())?;
        let (id, revision) = (account.id().as_str().as_bytes(), account.revision().cast_signed());
        let row = account.encode_row();
        let written = if before == 0 {
            let mut insert = self.connection.prepare_cached(sql::INSERT_DESTINATION)?;
            insert.execute((scope, id, revision, row))?
        } else {
            let mut update = self.connection.prepare_cached(sql::UPDATE_DESTINATION)?;
            update.execute((scope, id, revision, row, before))?
        };
        Ok(written == 1)
    }

    fn place(&self, key: &Key) -> Result<Place, Failure> {
        self.streams.get(key).map(|known| known.place).ok_or_else(|| unknown(key))
    }
}

/// Impossible while the writer is the only one, since what it writes it has just looked up.
fn unknown(key: &Key) -> Failure {
    Failure::damaged(format_args!("{key:?}"), Damage::Misplaced("row"))
}

/// The position up to which rows and claims are current.
pub(crate) fn watermark(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.prepare_cached(sql::WATERMARK)?.query_row([], |row| row.get(0))?)
}

pub(crate) fn move_watermark(connection: &Connection, position: i64) -> Result<(), Failure> {
    connection.prepare_cached(sql::MOVE_WATERMARK)?.execute([position])?;
    Ok(())
}
