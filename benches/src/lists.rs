//! Lists of payments, newest first.

use std::path::Path;
use std::time::Duration;

use counterfoil::scope::Scope;
use counterfoil::store::{PaymentStore, Query};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Result};
use tokio::runtime::Runtime;

use crate::driver::{now, per_second};

/// The payments per second of walking to the end of the list by cursor, again and again, or of asking for the same
/// page where `walk` is false.
///
/// # Panics
///
/// If the store cannot be read.
#[must_use]
pub fn listed(
    runtime: &Runtime,
    store: &dyn PaymentStore,
    scope: &Scope,
    first: &Query,
    walk: bool,
    over: Duration,
) -> u64 {
    let (start, mut count) = (now(), 0);
    let mut query = first.clone();
    while start.elapsed() < over {
        let page = runtime.block_on(store.list(scope, &query)).expect("the store can be read");
        count += page.payments.len();
        query = match page.next.filter(|_| walk) {
            Some(cursor) => first.clone().after(cursor),
            None => first.clone(),
        };
    }
    per_second(count, start.elapsed())
}

/// The same by plain statements on the store's own file: the index, and per payment its row and its first event,
/// none of them decoded.
pub fn raw_listed(file: &Path, limit: u32, walk: bool, over: Duration) -> Result<u64> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut page = connection.prepare(
        "SELECT stream, created_at, id FROM counterfoil_listing INDEXED BY counterfoil_listing_created
         WHERE scope = 1 AND archived = 0 AND (created_at, id) < (?1, ?2)
         ORDER BY created_at DESC, id DESC LIMIT ?3",
    )?;
    let mut row = connection.prepare("SELECT row FROM counterfoil_payment WHERE stream = ?1")?;
    let mut event = connection.prepare("SELECT event FROM counterfoil_journal WHERE position = ?1")?;
    let behind_all = || (i64::MAX, vec![0xff_u8; 16]);
    let (start, mut count, mut behind) = (now(), 0, behind_all());
    while start.elapsed() < over {
        connection.execute_batch("BEGIN")?;
        let found = page.query_map((behind.0, &behind.1, limit), |found| {
            Ok((found.get::<_, i64>(0)?, found.get::<_, i64>(1)?, found.get::<_, Vec<u8>>(2)?))
        })?;
        let found: Vec<_> = found.collect::<Result<_>>()?;
        for (stream, ..) in &found {
            let _: Option<Vec<u8>> = row.query_row([stream], |row| row.get(0)).optional()?;
            let _: Option<Vec<u8>> = event.query_row([stream], |row| row.get(0)).optional()?;
        }
        connection.execute_batch("COMMIT")?;
        count += found.len();
        behind = match found.into_iter().next_back().filter(|_| walk) {
            Some((_, created_at, id)) => (created_at, id),
            None => behind_all(),
        };
    }
    Ok(per_second(count, start.elapsed()))
}
