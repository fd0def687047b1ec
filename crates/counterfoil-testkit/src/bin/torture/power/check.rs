//! Whether a disk holds what it must.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use counterfoil::event::{Body, Event};
use counterfoil::ledger::NewTopUp;
use counterfoil::store::{Cursor, Entry, Head, PaymentStore, Position, StoreErrorKind};
use counterfoil::verify::verify;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::{Desk, block_on, fixtures};

use super::disk::Step;
use super::saying::Saying;

/// All events of a run in their order. Whatever becomes of its disk, what is found is the beginning of it.
#[derive(Debug)]
pub(super) struct Journal {
    entries: Vec<Entry>,
    /// The heads of all streams after so many events.
    heads: Vec<OnceLock<Vec<Head>>>,
}

/// What was wrong with a disk.
#[derive(Debug)]
pub(super) enum Bad {
    /// It lost what had been acknowledged.
    Lost(String),
    /// It holds what never was.
    Wrong(String),
}

impl Bad {
    pub(super) fn words(self) -> String {
        let (Bad::Lost(words) | Bad::Wrong(words)) = self;
        words
    }
}

impl Journal {
    /// Reads it out of the store in which the run ended.
    pub(super) fn read(path: &Path) -> Result<Journal, String> {
        let store = SqliteStore::open(path).map_err(|error| format!("the recorded file: {error:?}"))?;
        block_on(verify(&store)).map_err(|error| format!("the recorded books: {error:?}"))?;
        let entries = all_entries(&store).map_err(|error| format!("the recorded feed: {error:?}"))?;
        let heads = (0..=entries.len()).map(|_| OnceLock::new()).collect();
        Ok(Journal { entries, heads })
    }

    /// How many events must be there after so many steps: after none, after one, and so on. In the beginning
    /// there are `floor`.
    pub(super) fn acknowledged(&self, steps: &[Step], floor: usize) -> Result<Vec<usize>, String> {
        let places: BTreeMap<_, _> =
            self.entries.iter().enumerate().map(|(place, entry)| (name(&entry.event), place)).collect();
        let mut there = vec![floor];
        for step in steps {
            let before = there.last().copied().unwrap_or(0);
            let now = match step {
                Step::Said(line) => match line.parse()? {
                    Saying::Opened(events) => events,
                    Saying::Done { tenant, stream, sequence } => {
                        let place = places.get(&(tenant, stream, sequence));
                        1 + place.ok_or_else(|| format!("acknowledged, and nowhere in the end: {line}"))?
                    }
                },
                _ => before,
            };
            there.push(before.max(now));
        }
        Ok(there)
    }

    /// Opens a file and looks whether it holds the first events of the run, at least `acknowledged` of them, and
    /// nothing else. Gives back how many there are.
    pub(super) fn check(&self, path: &Path, acknowledged: usize, thoroughly: bool) -> Result<usize, Bad> {
        let store = SqliteStore::open(path).map_err(|error| Bad::Wrong(format!("opening it: {error:?}")))?;
        let from = if thoroughly { 0 } else { acknowledged.saturating_sub(1) };
        let after = from.checked_sub(1).map_or(Position::START, |place| self.entries[place].position);
        let feed = match block_on(store.feed(None, after, 10_000)) {
            Err(error) if error.kind() == StoreErrorKind::UnknownPosition => {
                return Err(Bad::Lost(format!("{acknowledged} events were acknowledged, and it has fewer")));
            }
            feed => feed.map_err(wrong)?,
        };
        let events = from + feed.entries.len();
        if events < acknowledged {
            return Err(Bad::Lost(format!("{acknowledged} events were acknowledged, it has {events}")));
        }
        if self.entries.get(from..events) != Some(&feed.entries) {
            return Err(Bad::Wrong(format!("its last events, of {events}, are not those that were written")));
        }
        if self.entries.get(events).is_some_and(|next| is_second_half(&next.event)) {
            return Err(Bad::Wrong(format!("it ends within a command, after {events} events")));
        }
        if block_on(store.heads(&Cursor::START, 10_000)).map_err(wrong)? != self.heads(events) {
            return Err(Bad::Wrong(format!("its rows are not what its {events} events make")));
        }
        if thoroughly {
            go_on(&store)?;
        }
        Ok(events)
    }

    fn heads(&self, events: usize) -> &[Head] {
        self.heads[events].get_or_init(|| {
            let mut heads = BTreeMap::new();
            for Entry { event, .. } in &self.entries[..events] {
                let (scope, stream) = (event.scope().clone(), event.stream().clone());
                let head = Head { scope, stream, version: event.sequence(), hash: event.hash() };
                heads.insert((event.scope(), event.stream()), head);
            }
            heads.into_values().collect()
        })
    }
}

/// A store that can be read must be one to write to, and its books are good then.
fn go_on(store: &SqliteStore) -> Result<(), Bad> {
    let top_up = NewTopUp::new(fixtures::wallet("w"), fixtures::usd(1));
    let command = Desk::new(4_095).top_up(&fixtures::caller("afterwards"), top_up);
    block_on(store.execute(command)).map_err(wrong)?;
    block_on(verify(store)).map_err(wrong)?;
    block_on(store.close()).map_err(wrong)
}

/// What a payment takes out of a wallet and what the wallet gives is one command.
fn is_second_half(event: &Event) -> bool {
    matches!(event.body(), Body::Debited(_) | Body::Credited(_))
}

fn name(event: &Event) -> (String, String, u64) {
    (event.scope().tenant().to_string(), event.stream().to_string(), event.sequence())
}

fn all_entries(store: &SqliteStore) -> Result<Vec<Entry>, counterfoil::store::StoreError> {
    let (mut after, mut entries) = (Position::START, Vec::new());
    loop {
        let feed = block_on(store.feed(None, after, 1_000))?;
        if feed.next == after {
            return Ok(entries);
        }
        after = feed.next;
        entries.extend(feed.entries);
    }
}

fn wrong(error: impl std::fmt::Debug) -> Bad {
    Bad::Wrong(format!("{error:?}"))
}
