//! The good files that are damaged, and what they say.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use counterfoil::store::PaymentStore;
use counterfoil::verify::{BooksHead, verify};
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::{Script, block_on};

use super::reading::Reading;

/// How many different ones there are.
const BOOKS: u64 = 4;
/// How many commands the largest of them was given.
const COMMANDS: usize = 480;

/// Books as they are kept in files, written in three parts.
pub(super) struct Books {
    /// The file after the first part.
    pub(super) oldest: Vec<u8>,
    /// The file after the second part.
    pub(super) older: Vec<u8>,
    /// The log with the third part, which belongs to the file of the second.
    pub(super) log: Vec<u8>,
    /// All of it in the file.
    pub(super) whole: Vec<u8>,
    /// All that it says.
    pub(super) reading: Reading,
    /// What was kept elsewhere.
    pub(super) head: BooksHead,
}

/// The books of this number, and those of the next one.
pub(super) fn of(number: u64) -> (&'static Books, &'static Books) {
    static ALL: [OnceLock<Books>; 4] = [const { OnceLock::new() }; 4];
    let get = |number: u64| {
        let number = number % BOOKS;
        let place = usize::try_from(number).expect("there are few");
        ALL[place].get_or_init(|| written(number, COMMANDS >> place))
    };
    (get(number), get(number + 1))
}

fn written(seed: u64, commands: usize) -> Books {
    let folder = tempfile::tempdir().expect("a folder to write in");
    let path = folder.path().join("books.db");
    let commands = Script::seeded(seed + 1, commands).commands();
    let file = |path: &Path| fs::read(path).expect("the file can be read");
    let mut parts = commands.chunks(commands.len().div_ceil(3));
    let mut part = || parts.next().expect("there are three parts");
    let mut close = |store: SqliteStore| {
        store.execute_batch(part());
        block_on(store.close()).expect("it can be closed");
        file(&path)
    };
    let open = || SqliteStore::open(&path).expect("it can be opened");
    let (oldest, older) = (close(open()), close(open()));
    let store = open();
    // In commits of their own, so that the log is one of many.
    part().chunks(7).for_each(|group| drop(store.execute_batch(group)));
    assert_eq!(file(&path), older, "the third part is in the log alone");
    let log = file(&folder.path().join("books.db-wal"));
    let reading = Reading::of(&store).expect("good books can be read");
    let head = block_on(verify(&store)).expect("they are good").head;
    store.check().expect("the file is good");
    block_on(store.close()).expect("it can be closed");
    Books { oldest, older, log, whole: file(&path), reading, head }
}
