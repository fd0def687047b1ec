//! Good files are damaged, one way at a time. Each must be refused, or named, or say exactly what it said before.
//!
//! *Harmless* is a file of which everything that can be read through the contract of a store is as it was: heads and
//! histories, every payment, account, destination and claim, the lists in every order, what is due, and the feeds
//! with their positions. INVARIANTS 39.

mod books;
mod bytes;
mod dice;
mod reading;
mod sql;

use std::fs;
use std::path::Path;

use books::Books;
use bytes::Files;
use counterfoil::store::{PaymentStore, StoreError};
use counterfoil::verify::{VerifyError, verify_against};
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::block_on;
use dice::Dice;
use reading::Reading;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::run::Order;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "damage",
    about: "a file damaged in one way: refused, named, or saying what it said before",
    full: 100_000,
    sitting: Order::first(10_000),
    slice: 1_200,
    parallel: true,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

/// What became of a damaged file.
#[derive(Debug, Clone, Copy)]
enum Verdict {
    Refused,
    ByVerify,
    ByCheck,
    ByHead,
    Harmless,
}

fn case(seed: u64) -> Result<Counts, String> {
    let mut dice = Dice::new(seed);
    let (books, other) = books::of(dice.number());
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("books.db");
    let what = damage(&path, books, other, &mut dice)?;
    let told = |error: String| format!("{what}: {error}");
    // What is opened to be written may be changed by that: so it is a copy.
    let copy = folder.path().join("copy");
    fs::create_dir(&copy).and_then(|()| copy_all(folder.path(), &copy)).map_err(|error| error.to_string())?;
    let looked = judge(SqliteStore::open_read_only(&path), books).map_err(told)?;
    let written = judge(SqliteStore::open(copy.join("books.db")), books);
    let written = written.map_err(|error| told(format!("opened to be written: {error}")))?;
    let mut counts = Counts::from([("mutations", 1)]);
    counts.add(
        match looked {
            Verdict::Refused => "refused",
            Verdict::ByVerify => "named by verify",
            Verdict::ByCheck => "named by the check",
            Verdict::ByHead => "named by the head",
            Verdict::Harmless => "harmless",
        },
        1,
    );
    counts.add(
        match written {
            Verdict::Refused => "to a writer refused",
            Verdict::Harmless => "to a writer harmless",
            _ => "to a writer named",
        },
        1,
    );
    Ok(counts)
}

/// Writes damaged books to `path`, and says how they were damaged.
fn damage(path: &Path, books: &Books, other: &Books, dice: &mut Dice) -> Result<&'static str, String> {
    if dice.below(2) == 0 {
        write(path, &Files::whole(books))?;
        return sql::damage(path, dice).map_err(|error| format!("it could not be damaged: {error}"));
    }
    let (files, what) = bytes::damage(books, other, dice);
    write(path, &files)?;
    Ok(what)
}

fn write(path: &Path, files: &Files) -> Result<(), String> {
    let Files { file, log, index } = files;
    let beside = |suffix| path.with_file_name(format!("books.db-{suffix}"));
    for (path, bytes) in
        [(path.to_owned(), Some(file)), (beside("wal"), log.as_ref()), (beside("shm"), index.as_ref())]
    {
        if let Some(bytes) = bytes {
            fs::write(path, bytes).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

/// Fails when something else is read than was there, and nothing said so.
fn judge(opened: Result<SqliteStore, StoreError>, books: &Books) -> Result<Verdict, String> {
    let Ok(store) = opened else { return Ok(Verdict::Refused) };
    let verdict = judge_open(&store, books);
    // Of a damaged file that may fail too.
    let _ = block_on(store.close());
    verdict
}

fn judge_open(store: &SqliteStore, books: &Books) -> Result<Verdict, String> {
    let by_head = match block_on(verify_against(store, &books.head)) {
        Err(VerifyError::Shorter { .. } | VerifyError::Other { .. }) => true,
        Err(_) => return Ok(Verdict::ByVerify),
        Ok(_) => false,
    };
    if store.check().is_err() {
        return Ok(Verdict::ByCheck);
    }
    if by_head {
        return Ok(Verdict::ByHead);
    }
    match Reading::of(store) {
        Ok(reading) if reading == books.reading => Ok(Verdict::Harmless),
        Ok(_) => Err("nobody named it, and it says something else".to_owned()),
        Err(error) => Err(format!("nobody named it, and it cannot be read: {error}")),
    }
}
