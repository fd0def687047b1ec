//! What is to be done about payments: by nobody in particular at a time, or by a person.

use counterfoil::Damage;
use counterfoil::clock::Timestamp;
use counterfoil::event::StreamId;
use counterfoil::payment::{Attention, Payment};
use counterfoil::store::Due;
use rusqlite::{Connection, Row};

use crate::error::Failure;
use crate::{sql, streams};

/// What a payment waits for, as columns of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// In microseconds; `None` when nothing is due.
    pub(crate) due_at: Option<i64>,
    /// A bit for each way in which it waits for a person.
    pub(crate) attention: u8,
}

impl Waiting {
    pub(crate) fn of(payment: &Payment) -> Waiting {
        let needed = Attention::ALL.iter().filter(|attention| payment.needs(**attention));
        Waiting {
            due_at: payment.next_due().map(|(at, _)| at.unix_micros()),
            attention: needed.fold(0, |bits, attention| bits | bit(*attention)),
        }
    }
}

/// The bit of the column: 1, 2, 4 and so on.
pub(crate) fn bit(attention: Attention) -> u8 {
    1 << (attention as u8 - 1)
}

/// What is due by `now`, at most `limit` of it.
pub(crate) fn until(connection: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Due>, Failure> {
    let mut statement = connection.prepare_cached(sql::DUE)?;
    let mut rows = statement.query((now.unix_micros(), streams::clamped(limit)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<Due, Failure> {
    let stream: i64 = row.get(3)?;
    let damaged = |damage| Failure::damaged(format_args!("stream {stream}"), damage);
    let id = streams::from_columns(row.get(4)?, row.get_ref(5)?.as_blob()?).map_err(damaged)?;
    let StreamId::Payment(payment) = id else { return Err(damaged(Damage::Misplaced("row"))) };
    let at = Timestamp::from_unix_micros(row.get(0)?);
    Ok(Due {
        at: at.ok_or_else(|| damaged(Damage::Malformed("time")))?,
        scope: streams::scope(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?).map_err(damaged)?,
        payment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, connect, lock};

    /// What SQLite says about a statement, in the given column of what it says.
    fn explained(how: &str, column: usize) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        lock::create(&path).unwrap();
        let connection = connect::writer(&path, &SqliteOptions::default()).unwrap();
        let mut explained = connection.prepare(how).unwrap();
        let steps = explained.raw_query().mapped(|row| row.get(column));
        steps.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn what_is_due_is_the_start_of_an_index_and_only_equal_times_are_sorted() {
        let plan = explained(&format!("EXPLAIN QUERY PLAN {}", sql::DUE), 3).join("; ");
        assert_eq!(
            plan,
            "SEARCH payment USING COVERING INDEX counterfoil_payment_due (due_at<?); \
             SEARCH stream USING INTEGER PRIMARY KEY (rowid=?); \
             SEARCH scope USING INTEGER PRIMARY KEY (rowid=?); \
             USE TEMP B-TREE FOR LAST 3 TERMS OF ORDER BY"
        );
    }

    /// They stand in files.
    #[test]
    fn bits_stay_what_they_are() {
        assert_eq!([Attention::Review, Attention::Stuck].map(bit), [1, 2]);
    }

    #[test]
    fn no_index_is_written_for_what_stays_as_it_is() {
        let writes = |sql| {
            let steps = explained(&format!("EXPLAIN {sql}"), 1);
            steps.iter().filter(|step| ["IdxInsert", "IdxDelete"].contains(&step.as_str())).count()
        };
        assert_eq!(writes(sql::UPDATE_PAYMENT), 0);
        assert_eq!(writes(sql::UPDATE_PAYMENT_AND_WAITING), 4);
    }
}
