//! Counterfoil's embedded store: one SQLite file, one writing process.
//!
//! * **Durable.** `Ok` means synced: the log is written ahead and synced at every commit, and that this is
//!   so is read back when the file is opened.
//! * **One writer.** Opening takes an exclusive lock beside the file, so a second process is refused, not
//!   corrupting. Others may look at the file meanwhile: [`SqliteStore::open_read_only`].
//! * **Grouped.** A lone command is committed at once, where it is called. Those that come while a commit is
//!   under way are committed together: one sync for all of them. [`SqliteStore::execute_batch`] does the
//!   same for a list.
//! * **Honest.** After a failed write the writer opens the file again, reads what is there, and goes on.
//!   After a failed sync, a failed read or damage it takes no more commands until the store is opened again.
//!
//! The journal of events is the truth; rows, claims and listings are a cache that opening brings up to date. A
//! file of an older version is migrated when it is opened for writing, and all of that is made anew from its
//! journal.
//!
//! # What a list costs
//!
//! | asked for | looked at |
//! |---|---|
//! | the order of creation, from a cursor or between two times | the page, in an index |
//! | `ids` | each of them |
//! | a `destination_id` | what pays that, found by an index, and sorted |
//! | an `attention` | those of all scopes that wait for a person, found by an index, and sorted |
//! | any other filter, in the order of creation | as many as it takes to fill the page |
//! | another order | all that are archived, or all that are not, of the scope, and sorted |
//! | an offset | all before it too |
//! | a count | all that the filter could mean; without a filter, entries of an index only |
//!
//! Status and time of the last event are in no index: every transition would have to move them there. What is due,
//! and who waits for a person, is in one, while it is so: asking for it looks at nothing else.
//!
//! # The feed
//!
//! It is the journal, by position. [News](counterfoil::store::PaymentStore::news) is told by whoever writes; a store
//! that only looks finds out for itself within some 50 milliseconds.
//!
//! A position names the ledger and its era. The id of the ledger is chosen when the file is created. After you restore a
//! file from a backup, call [`SqliteStore::begin_era`] before you open the file for writing. Then the store refuses all
//! earlier positions, so the followers read the feed again from its start.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("books.db");
//! use std::sync::Arc;
//!
//! use counterfoil::ledger::{Ledger, NewPayment};
//! use counterfoil::money::{Currency, Money};
//! use counterfoil::payment::{Destination, PaymentMethod};
//! use counterfoil::scope::{Caller, Scope};
//! use counterfoil::status::PaymentStatus;
//! use counterfoil::store::PaymentStore;
//! use counterfoil::text::{Actor, DestinationId, EnvironmentId, TenantId};
//! use counterfoil_sqlite::SqliteStore;
//!
//! let store = Arc::new(SqliteStore::open(path)?);
//! let ledger = Ledger::new(store.clone());
//!
//! let scope = Scope::new(TenantId::new("acme")?, EnvironmentId::new("production")?);
//! let caller = Caller::new(scope, Actor::new("till 4")?);
//! let invoice = Destination::invoice(DestinationId::new("INV-7")?);
//! let cash = NewPayment::new(Money::parse("99.50", Currency::USD)?, invoice, PaymentMethod::Offline);
//! let receipt = ledger.create(&caller, cash).await?;
//! assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Succeeded);
//!
//! store.close().await?;
//! # Ok(())
//! # }
//! ```

mod books;
mod check;
mod connect;
mod due;
mod era;
mod error;
mod feed;
mod list;
mod listing;
mod lock;
mod lookout;
mod news;
mod options;
mod planted;
mod readers;
mod rebuild;
mod rows;
mod schema;
mod shell;
mod sql;
mod store;
mod streams;
mod writer;

pub use options::SqliteOptions;
#[cfg(feature = "planted")]
#[doc(hidden)]
pub use planted::Defect;
pub use store::SqliteStore;

/// Pages that are not about one item.
pub mod docs {
    #[doc = include_str!("../docs/schema.md")]
    pub mod schema {}
}
