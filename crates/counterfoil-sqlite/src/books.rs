//! What one transaction looks up and writes.

use std::collections::HashMap;

use counterfoil::Damage;
use counterfoil::claim::Claim;
use counterfoil::event::{Event, StreamId};
use counterfoil::store::{Key, Plan, Record, Row};
use rusqlite::Connection;

use crate::error::Failure;
use crate::rows::{self, Place, Scopes};
use crate::{sql, streams};

/// The books within one transaction. They know the place of every stream that was looked up, so writing
/// looks up nothing.
pub(crate) struct Books<'a> {
    connection: &'a Connection,
    scopes: &'a mut Scopes,
    places: HashMap<Key, Place>,
}

impl<'a> Books<'a> {
    pub(crate) fn new(connection: &'a Connection, scopes: &'a mut Scopes) -> Books<'a> {
        Books { connection, scopes, places: HashMap::new() }
    }

    /// Looks up `key`.
    pub(crate) fn find(&mut self, key: &Key) -> Result<Option<Record>, Failure> {
        let found = rows::find(self.connection, self.scopes, key)?;
        Ok(found.map(|found| {
            if let Some(place) = found.place {
                self.places.insert(key.clone(), place);
            }
            found.record
        }))
    }

    /// Writes all that was decided on what was looked up here.
    pub(crate) fn write(&mut self, plan: &Plan) -> Result<(), Failure> {
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
        move_watermark(self.connection, position)
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
        if let Some(place) = self.places.get_mut(&key) {
            let before = *place;
            place.position = position;
            return Ok(before);
        }
        if event.sequence() != 1 {
            return Err(streams::entry(position, Damage::Misplaced(event.body().kind())));
        }
        let scope = self.scopes.number_or_new(self.connection, event.scope())?;
        let (kind, id) = streams::columns(event.stream());
        let mut statement = self.connection.prepare_cached(sql::INSERT_STREAM)?;
        statement.execute((position, scope, kind, id.as_ref()))?;
        self.places.insert(key, Place { stream: position, position });
        Ok(Place { stream: position, position: 0 })
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
        let (insert, update, bytes) = match &row.after {
            Record::Payment(payment) => (sql::INSERT_PAYMENT, sql::UPDATE_PAYMENT, payment.encode_row()),
            Record::Account(account) => (sql::INSERT_ACCOUNT, sql::UPDATE_ACCOUNT, account.encode_row()),
            Record::Claim(claim) => return self.claim(sql::INSERT_CLAIM, claim),
        };
        let key = row.after.key();
        let Place { stream, position } = self.place(&key)?;
        let version = row.after.version().cast_signed();
        let written = if row.before == 0 {
            self.connection.prepare_cached(insert)?.execute((stream, version, position, bytes))?
        } else {
            let before = row.before.cast_signed();
            self.connection.prepare_cached(update)?.execute((stream, version, position, bytes, before))?
        };
        if written == 1 { Ok(()) } else { Err(unknown(&key)) }
    }

    fn place(&self, key: &Key) -> Result<Place, Failure> {
        self.places.get(key).copied().ok_or_else(|| unknown(key))
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
