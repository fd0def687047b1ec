//! Making rows and claims from the journal: they are a cache of it.
//!
//! Which events are in a row, the version of its stream tells, wherever the watermark stands. A destination's totals
//! have no events of their own: they are sums over the rows of its payments, and are written in the same transaction
//! as those. So whenever a payment's row takes an event in, here or when it was committed, its destination's takes
//! in the difference, and what the payment's row has already, its destination's has too.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::{Account, AccountId};
use counterfoil::event::{Event, Hash, StreamId, evolve_account, evolve_destination, evolve_payment};
use counterfoil::payment::Payment;
use counterfoil::store::{Key, Record, Row};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::books::{self, Books};
use crate::error::Failure;
use crate::rows::Scopes;
use crate::{sql, streams};

/// How many events are folded in one transaction.
const PAGE: i64 = 10_000;

/// Brings rows and claims up to the end of the journal. A watermark of 0 makes all of them anew.
pub(crate) fn catch_up(connection: &mut Connection) -> Result<(), Failure> {
    let (mut watermark, end) = (books::watermark(connection)?, journal_end(connection)?);
    if watermark > end {
        return Err(missing(watermark));
    }
    let mut scopes = Scopes::default();
    while watermark < end {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if watermark == 0 {
            transaction.execute_batch(sql::EMPTY_ROWS)?;
        }
        watermark = fold(&transaction, &mut scopes, watermark)?;
        books::move_watermark(&transaction, watermark)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Makes everything from the journal, where nothing is yet. Returns the position of the last event.
pub(crate) fn make(transaction: &Transaction<'_>) -> Result<i64, Failure> {
    let mut scopes = Scopes::default();
    let (mut folded, end) = (0, journal_end(transaction)?);
    while folded < end {
        folded = fold(transaction, &mut scopes, folded)?;
    }
    Ok(end)
}

fn missing(position: i64) -> Failure {
    streams::entry(position, Damage::Malformed("entry: it is missing"))
}

/// The position of the last event; 0 if there is none.
pub(crate) fn journal_end(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.prepare_cached(sql::JOURNAL_END)?.query_row([], |row| row.get(0))?)
}

/// Folds a page of events and returns the position of the last one.
fn fold(transaction: &Transaction<'_>, scopes: &mut Scopes, behind: i64) -> Result<i64, Failure> {
    let mut fold = Fold { books: Books::new(transaction, scopes), rows: BTreeMap::new() };
    let mut statement = transaction.prepare_cached(sql::EVENTS_AND_STREAMS_BEHIND)?;
    let mut entries = statement.query((behind, PAGE))?;
    let mut last = behind;
    while let Some(entry) = entries.next()? {
        let position = entry.get(0)?;
        if position != last + 1 {
            // Positions have no gaps.
            return Err(missing(last + 1));
        }
        last = position;
        let event = streams::decode(entry, 1)?.map_err(|damage| streams::entry(last, damage))?;
        let stream: i64 = entry.get(3)?;
        if fold.event(last, &event)?.is_some_and(|number| number != stream) {
            return Err(streams::entry(last, Damage::Misplaced(event.body().kind())));
        }
    }
    fold.write()?;
    Ok(last)
}

struct Fold<'a> {
    books: Books<'a>,
    /// The revision before and the state after, of every row that was met.
    rows: BTreeMap<Key, (u64, Option<Record>)>,
}

impl Fold<'_> {
    /// Takes an event in, unless it is in its row already. Returns the number of its stream.
    fn event(&mut self, position: i64, event: &Event) -> Result<Option<i64>, Failure> {
        let before = self.row(Key::of(event.scope(), event.stream()))?;
        if before.as_ref().map_or(0, Record::version) >= event.sequence() {
            // The row was written after the watermark had been.
            return Ok(None);
        }
        let after = evolve(before.as_ref(), event).map_err(|damage| streams::entry(position, damage))?;
        let before_it = self.books.enter(position, event)?;
        event.claims().iter().try_for_each(|claim| self.books.claim(sql::REPLACE_CLAIM, claim))?;
        if let Record::Payment(payment) = &after {
            self.destination(before.as_ref(), payment)?;
        }
        self.put(after);
        Ok(Some(before_it.stream))
    }

    /// What the payment's destination comes to with it.
    fn destination(&mut self, before: Option<&Record>, payment: &Payment) -> Result<(), Failure> {
        let id = AccountId::destination(&payment.terms().destination);
        let row = self.row(Key::Account(payment.scope().clone(), id))?;
        let (before, known) = (before.and_then(as_payment), row.as_ref().and_then(as_account));
        if let Some(after) = evolve_destination(known, before, payment) {
            self.put(Record::Account(Arc::new(after)));
        }
        Ok(())
    }

    /// The row as it stands by now.
    fn row(&mut self, key: Key) -> Result<Option<Record>, Failure> {
        if let Some((_, row)) = self.rows.get(&key) {
            return Ok(row.clone());
        }
        let found = self.books.find(&key)?;
        self.rows.insert(key, (found.as_ref().map_or(0, Record::revision), found.clone()));
        Ok(found)
    }

    fn put(&mut self, record: Record) {
        let (_, row) = self.rows.entry(record.key()).or_default();
        *row = Some(record);
    }

    fn write(mut self) -> Result<(), Failure> {
        for (before, after) in std::mem::take(&mut self.rows).into_values() {
            if let Some(after) = after.filter(|after| after.revision() > before) {
                self.books.row(&Row { before, after })?;
            }
        }
        Ok(())
    }
}

fn evolve(before: Option<&Record>, event: &Event) -> Result<Record, Damage> {
    let (payment, account) = (before.and_then(as_payment), before.and_then(as_account));
    let head = payment.map(Payment::head).or(account.map(Account::head)).unwrap_or(Hash::ZERO);
    if !event.follows(head) {
        return Err(Damage::Misplaced(event.body().kind()));
    }
    Ok(match event.stream() {
        StreamId::Payment(_) => Record::Payment(Arc::new(evolve_payment(payment, event)?)),
        StreamId::Account(_) => Record::Account(Arc::new(evolve_account(account, event)?)),
    })
}

fn as_payment(record: &Record) -> Option<&Payment> {
    match record {
        Record::Payment(payment) => Some(payment),
        _ => None,
    }
}

fn as_account(record: &Record) -> Option<&Account> {
    match record {
        Record::Account(account) => Some(account),
        _ => None,
    }
}
