//! Streams as SQLite keeps them: their names as columns, their histories, their heads.

use std::borrow::Cow;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::AccountId;
use counterfoil::event::{Event, Hash, StreamId};
use counterfoil::id::PaymentId;
use counterfoil::scope::Scope;
use counterfoil::store::{Cursor, Head};
use counterfoil::text::{EnvironmentId, TenantId};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use crate::error::Failure;
use crate::rows::{self, Place};
use crate::{listing, sql};

/// The kind of a payment's stream.
const PAYMENT: i64 = 1;
/// The kind of an account's stream.
const ACCOUNT: i64 = 2;

/// The columns `kind` and `id`, which sort as streams do.
pub(crate) fn columns(stream: &StreamId) -> (i64, Cow<'_, [u8]>) {
    match stream {
        StreamId::Payment(id) => (PAYMENT, Cow::Owned(id.as_uuid().as_bytes().to_vec())),
        StreamId::Account(id) => (ACCOUNT, Cow::Borrowed(id.as_str().as_bytes())),
    }
}

/// The stream with these columns.
pub(crate) fn from_columns(kind: i64, id: &[u8]) -> Result<StreamId, Damage> {
    if kind == PAYMENT {
        let uuid = Uuid::from_slice(id).map_err(|_| Damage::Malformed("payment id"))?;
        Ok(StreamId::Payment(PaymentId::new(uuid)))
    } else {
        let text = str::from_utf8(id).ok();
        let account = text.and_then(AccountId::from_text).ok_or(Damage::Malformed("account id"))?;
        Ok(StreamId::Account(account))
    }
}

/// The number of a stream.
pub(crate) fn number(connection: &Connection, scope: i64, stream: &StreamId) -> Result<Option<i64>, Failure> {
    let (kind, id) = columns(stream);
    let mut statement = connection.prepare_cached(sql::STREAM)?;
    Ok(statement.query_row((scope, kind, id.as_ref()), |row| row.get(0)).optional()?)
}

/// The stream with this number.
pub(crate) fn by_number(connection: &Connection, number: i64) -> Result<StreamId, Failure> {
    let mut statement = connection.prepare_cached(sql::STREAM_ID)?;
    let found = statement
        .query_row([number], |row| Ok(from_columns(row.get(0)?, row.get_ref(1)?.as_blob()?)))
        .optional()?;
    found
        .unwrap_or(Err(Damage::Malformed("stream: it is missing")))
        .map_err(|damage| Failure::damaged(format_args!("stream {number}"), damage))
}

/// The event at a position.
pub(crate) fn event(connection: &Connection, position: i64) -> Result<Event, Failure> {
    let mut statement = connection.prepare_cached(sql::EVENT)?;
    let found = statement.query_row([position], |row| decode(row, 0)).optional()?;
    found.unwrap_or(Err(Damage::Malformed("entry: it is missing"))).map_err(|damage| entry(position, damage))
}

/// The event in the columns `event` and `hash`, of which `event` is number `first`.
pub(crate) fn decode(row: &Row<'_>, first: usize) -> rusqlite::Result<Result<Event, Damage>> {
    let hash = Hash::new(row.get(first + 1)?);
    Ok(Event::decode(row.get_ref(first)?.as_blob()?, hash))
}

/// Damage to the journal, with its place.
pub(crate) fn entry(position: i64, damage: Damage) -> Failure {
    Failure::damaged(format_args!("journal entry {position}"), damage)
}

/// The events of an account's stream behind `after`, at most `limit`.
pub(crate) fn account_history(
    connection: &Connection,
    stream: i64,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<Event>>, Failure> {
    let mut statement = connection.prepare_cached(sql::ACCOUNT_EVENTS)?;
    let mut rows = statement.query((stream, clamped(after), clamped(limit)))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let position = row.get(0)?;
        events.push(Arc::new(decode(row, 1)?.map_err(|damage| entry(position, damage))?));
    }
    Ok(events)
}

/// The events of a payment's stream behind `after`, at most `limit`. Found from the last entry backwards: a
/// payment has few, and without an index on them each costs one write less.
pub(crate) fn payment_history(
    connection: &Connection,
    place: Place,
    after: u64,
    limit: usize,
) -> Result<Vec<Arc<Event>>, Failure> {
    let after = usize::try_from(after).unwrap_or(usize::MAX);
    let positions = match chain(connection, place.position)? {
        Ok(positions) => positions,
        Err(missing) => {
            let readable = unbroken(connection, place.stream)?;
            if readable.len() <= after {
                return Err(entry(missing, Damage::Malformed("entry: it is missing")));
            }
            readable
        }
    };
    let wanted = positions.iter().skip(after).take(limit);
    wanted.map(|position| event(connection, *position).map(Arc::new)).collect()
}

/// The positions of the stream that ends at `last`; else the one that should be there and is not.
fn chain(connection: &Connection, last: i64) -> Result<Result<Vec<i64>, i64>, Failure> {
    let mut previous = connection.prepare_cached(sql::PREVIOUS)?;
    let mut positions = Vec::new();
    let mut position = last;
    while position > 0 {
        let before: Option<i64> = previous.query_row([position], |row| row.get(0)).optional()?;
        // Smaller every time, so that a damaged chain cannot be a circle.
        let Some(before) = before.filter(|before| *before < position) else { return Ok(Err(position)) };
        positions.push(position);
        position = before;
    }
    positions.reverse();
    Ok(Ok(positions))
}

/// The positions of a damaged stream as far as its chain can be followed from the front. There is no index
/// for that: it looks at the whole journal.
fn unbroken(connection: &Connection, stream: i64) -> Result<Vec<i64>, Failure> {
    let mut statement = connection.prepare(sql::ENTRIES)?;
    let mut entries = statement.query([stream])?;
    let mut positions = Vec::new();
    while let Some(entry) = entries.next()? {
        if entry.get::<_, i64>(1)? != positions.last().copied().unwrap_or(0) {
            break;
        }
        positions.push(entry.get(0)?);
    }
    Ok(positions)
}

/// The heads behind `after`, at most `limit`.
pub(crate) fn heads(connection: &Connection, after: &Cursor, limit: usize) -> Result<Vec<Head>, Failure> {
    let mut heads = Vec::new();
    let (tenant, environment) =
        after.get().map_or(("", ""), |(scope, _)| (scope.tenant().as_str(), scope.environment().as_str()));
    let mut scopes = connection.prepare_cached(sql::SCOPES_FROM)?;
    let mut scopes = scopes.query((tenant, environment))?;
    while let Some(row) = scopes.next()?.filter(|_| heads.len() < limit) {
        let number: i64 = row.get(0)?;
        let scope = scope(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)
            .map_err(|damage| Failure::damaged(format_args!("scope {number}"), damage))?;
        let behind = after.get().filter(|(cursor, _)| *cursor == scope).map(|(_, stream)| stream);
        heads_of(connection, &scope, number, behind, limit, &mut heads)?;
    }
    Ok(heads)
}

fn heads_of(
    connection: &Connection,
    scope: &Scope,
    number: i64,
    behind: Option<&StreamId>,
    limit: usize,
    heads: &mut Vec<Head>,
) -> Result<(), Failure> {
    let (kind, id) = behind.map_or((0, Cow::Borrowed(&[][..])), columns);
    let mut streams = connection.prepare_cached(sql::STREAMS_BEHIND)?;
    let mut streams = streams.query((number, kind, id.as_ref(), clamped(limit - heads.len())))?;
    while let Some(row) = streams.next()? {
        let stream: i64 = row.get(0)?;
        let id = from_columns(row.get(1)?, row.get_ref(2)?.as_blob()?)
            .map_err(|damage| Failure::damaged(format_args!("stream {stream}"), damage))?;
        if let StreamId::Payment(payment) = id {
            check_listing(connection, scope, number, stream, payment)?;
        }
        heads.push(head(connection, scope, stream, id)?);
    }
    Ok(())
}

/// A payment that can be read is listed as what it is. What cannot be read is found by whoever follows the head.
fn check_listing(
    connection: &Connection,
    scope: &Scope,
    number: i64,
    stream: i64,
    id: PaymentId,
) -> Result<(), Failure> {
    let whole = event(connection, stream).is_ok_and(|first| first.follows(Hash::ZERO));
    match rows::payment(connection, scope, id, stream) {
        Ok(payment) if whole && !listing::is_right(connection, stream, number, &payment)? => {
            Err(Failure::damaged(format_args!("listing of {id}"), Damage::Misplaced("row")))
        }
        _ => Ok(()),
    }
}

/// A stream whose row or last event is missing still has a head, with nothing in it: whoever verifies finds
/// there that it is wrong.
fn head(connection: &Connection, scope: &Scope, number: i64, stream: StreamId) -> Result<Head, Failure> {
    let row: Option<(i64, i64)> = connection
        .prepare_cached(end_of(&stream))?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (version, position) = row.unwrap_or((0, 0));
    let hash = connection.prepare_cached(sql::HASH)?.query_row([position], |row| row.get(0)).optional()?;
    Ok(Head {
        scope: scope.clone(),
        stream,
        version: version.cast_unsigned(),
        hash: hash.map_or(Hash::ZERO, Hash::new),
    })
}

/// Where the stream of a destination stands, which its row does not tell; position 0 without an entry.
pub(crate) fn destination(connection: &Connection, number: i64) -> Result<Place, Failure> {
    let mut statement = connection.prepare_cached(sql::ACCOUNT_END)?;
    let position = statement.query_row([number], |row| row.get(1)).optional()?;
    Ok(Place { stream: number, position: position.unwrap_or(0) })
}

/// Finds the version and position of a stream by its number.
fn end_of(stream: &StreamId) -> &'static str {
    match stream {
        StreamId::Account(id) if id.is_destination() => sql::ACCOUNT_END,
        stream => row_of(stream),
    }
}

/// Finds version, position and row by a stream's number. Not for destinations, whose rows go by name.
pub(crate) const fn row_of(stream: &StreamId) -> &'static str {
    match stream {
        StreamId::Payment(_) => sql::PAYMENT,
        StreamId::Account(_) => sql::ACCOUNT,
    }
}

/// The scope with these names.
pub(crate) fn scope(tenant: &str, environment: &str) -> Result<Scope, Damage> {
    let tenant = TenantId::new(tenant).map_err(|_| Damage::Malformed("tenant id"))?;
    let environment = EnvironmentId::new(environment).map_err(|_| Damage::Malformed("environment id"))?;
    Ok(Scope::new(tenant, environment))
}

/// As large as SQLite can count.
pub(crate) fn clamped(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
