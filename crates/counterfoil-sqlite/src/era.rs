//! The ledger id of a file and its era: one row, inserted when the file is created. No other part of the file repeats them,
//! so the row has a seal that detects damage.

use counterfoil::Damage;
use counterfoil::event::Hash;
use counterfoil::store::{Era, LedgerId};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::Failure;
use crate::sql;

/// Inserts the row of a new ledger, unless the file has one.
pub(crate) fn create(connection: &Connection) -> Result<(), Failure> {
    let era = Era::first(LedgerId::random());
    connection.execute(sql::INSERT_ERA, (era.ledger().bits().cast_signed(), era.number(), seal(era)))?;
    Ok(())
}

/// Reads the era that the file is in.
pub(crate) fn current(connection: &Connection) -> Result<Era, Failure> {
    let mut statement = connection.prepare_cached(sql::ERA)?;
    let (ledger, number, stored): (i64, u32, [u8; 32]) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let era = Era::new(LedgerId::new(ledger.cast_unsigned()), number);
    if stored == seal(era) {
        Ok(era)
    } else {
        Err(Failure::damaged("counterfoil_era", Damage::Malformed("seal")))
    }
}

/// Begins the next era, and returns it.
pub(crate) fn begin(connection: &mut Connection) -> Result<Era, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let era = current(&transaction)?.next();
    transaction.execute(sql::UPDATE_ERA, (era.number(), seal(era)))?;
    transaction.commit()?;
    Ok(era)
}

/// The hash of the ledger id and the number of the era.
fn seal(era: Era) -> [u8; 32] {
    let (ledger, number) = (era.ledger().bits().to_be_bytes(), era.number().to_be_bytes());
    *Hash::ZERO.link(&[&ledger[..], &number].concat()).as_bytes()
}
