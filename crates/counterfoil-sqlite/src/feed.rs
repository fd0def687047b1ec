//! The feed: the journal as its readers see it.
//!
//! A position of the journal is given inside the transaction that writes it, and there is one writer: so what
//! becomes visible later stands behind all that was visible before. And it is durable by then: a commit is
//! written to the log and synced before the log's index, which readers look at, says that it is there.

use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::event::Event;
use counterfoil::scope::Scope;
use counterfoil::store::{Entry, Era, Feed, Position};
use rusqlite::{Connection, Row};

use crate::error::Failure;
use crate::rows::Scopes;
use crate::{era, rebuild, sql, streams};

/// How many entries of the journal one look goes through.
const STRETCH: usize = 10_000;
pub(crate) const READING: &str = "reading the feed";

/// Checks that the feed can have given `after`. Returns the number of the event before it, and the era of the feed.
pub(crate) fn number_of(
    connection: &Connection,
    after: Position,
    during: &'static str,
) -> Result<(i64, Era), Failure> {
    let (era, end) = (era::current(connection)?, rebuild::journal_end(connection)?);
    let number = after.within(era.position(end.cast_unsigned()), during)?;
    Ok((number.cast_signed(), era))
}

/// The events behind `after`, of one scope or of all.
pub(crate) fn read(
    connection: &Connection,
    scopes: &mut Scopes,
    scope: Option<&Scope>,
    after: Position,
    limit: usize,
) -> Result<Feed, Failure> {
    let (sql, stretch) = match scope {
        Some(_) => (sql::EVENTS_AND_SCOPES_BEHIND, STRETCH),
        None => (sql::EVENTS_BEHIND, STRETCH.min(limit)),
    };
    let number = scope.map(|scope| scopes.number(connection, scope)).transpose()?.flatten();
    let mut feed = Feed { entries: Vec::new(), next: after };
    let (mut last, era) = number_of(connection, after, READING)?;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((last, streams::clamped(stretch)))?;
    while feed.entries.len() < limit
        && let Some(row) = rows.next()?
    {
        let position: i64 = row.get(0)?;
        if position != last + 1 {
            // Positions have no gaps.
            return Err(streams::entry(last + 1, Damage::Malformed("entry: it is missing")));
        }
        last = position;
        feed.next = era.position(position.cast_unsigned());
        if let Some(event) = event_of(scope.map(|scope| (scope, number)), position, row)? {
            feed.entries.push(Entry { position: feed.next, event: Arc::new(event) });
        }
    }
    Ok(feed)
}

/// The event at `position`, if it is one of the scope, which has this number where it has events at all.
fn event_of(
    scope: Option<(&Scope, Option<i64>)>,
    position: i64,
    row: &Row<'_>,
) -> Result<Option<Event>, Failure> {
    let damaged = |damage| streams::entry(position, damage);
    if let Some((_, number)) = scope {
        let of: Option<i64> = row.get(3)?;
        let of = of.ok_or_else(|| damaged(Damage::Malformed("stream: it is missing")))?;
        if Some(of) != number {
            return Ok(None);
        }
    }
    let event = streams::decode(row, 1)?.map_err(damaged)?;
    if scope.is_some_and(|(scope, _)| scope != event.scope()) {
        return Err(damaged(Damage::Misplaced(event.body().kind())));
    }
    Ok(Some(event))
}
