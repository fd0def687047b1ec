//! Making rows and claims from the journal: they are a cache of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use counterfoil::Damage;
use counterfoil::account::Account;
use counterfoil::event::{Event, Hash, StreamId, evolve_account, evolve_payment};
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
    let mut watermark = books::watermark(connection)?;
    let end = journal_end(connection)?;
    if watermark > end {
        return Err(streams::entry(watermark, Damage::Malformed("entry: it is missing")));
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

/// The position of the last event; 0 if there is none.
pub(crate) fn journal_end(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.query_row(sql::JOURNAL_END, [], |row| row.get(0))?)
}

/// Folds a page of events and returns the position of the last one.
fn fold(transaction: &Transaction<'_>, scopes: &mut Scopes, behind: i64) -> Result<i64, Failure> {
    let mut fold = Fold { books: Books::new(transaction, scopes), rows: BTreeMap::new() };
    let mut statement = transaction.prepare_cached(sql::EVENTS_BEHIND)?;
    let mut entries = statement.query((behind, PAGE))?;
    let mut last = behind;
    while let Some(entry) = entries.next()? {
        last = entry.get(0)?;
        let event = streams::decode(entry, 1)?.map_err(|damage| streams::entry(last, damage))?;
        fold.event(last, &event)?;
    }
    fold.write()?;
    Ok(last)
}

struct Fold<'a> {
    books: Books<'a>,
    /// The version before and the state after, of every row that was met.
    rows: BTreeMap<Key, (u64, Option<Record>)>,
}

impl Fold<'_> {
    fn event(&mut self, position: i64, event: &Event) -> Result<(), Failure> {
        let key = Key::of(event.scope(), event.stream());
        if !self.rows.contains_key(&key) {
            let found = self.books.find(&key)?;
            self.rows.insert(key.clone(), (found.as_ref().map_or(0, Record::version), found));
        }
        let Some((_, row)) = self.rows.get_mut(&key) else { return Ok(()) };
        if row.as_ref().map_or(0, Record::version) >= event.sequence() {
            // The row was written after the watermark had been.
            return Ok(());
        }
        let after = evolve(row.as_ref(), event).map_err(|damage| streams::entry(position, damage))?;
        *row = Some(after);
        self.books.enter(position, event)?;
        event.claims().iter().try_for_each(|claim| self.books.claim(sql::REPLACE_CLAIM, claim))
    }

    fn write(mut self) -> Result<(), Failure> {
        for (before, after) in std::mem::take(&mut self.rows).into_values() {
            if let Some(after) = after.filter(|after| after.version() > before) {
                self.books.row(&Row { before, after })?;
            }
        }
        Ok(())
    }
}

fn evolve(before: Option<&Record>, event: &Event) -> Result<Record, Damage> {
    let (payment, account) = match before {
        Some(Record::Payment(payment)) => (Some(payment.as_ref()), None),
        Some(Record::Account(account)) => (None, Some(account.as_ref())),
        Some(Record::Claim(_)) | None => (None, None),
    };
    let head = payment.map(Payment::head).or(account.map(Account::head)).unwrap_or(Hash::ZERO);
    if !event.follows(head) {
        return Err(Damage::Misplaced(event.body().kind()));
    }
    Ok(match event.stream() {
        StreamId::Payment(_) => Record::Payment(Arc::new(evolve_payment(payment, event)?)),
        StreamId::Account(_) => Record::Account(Arc::new(evolve_account(account, event)?)),
    })
}
