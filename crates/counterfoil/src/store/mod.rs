//! Storage: the contract that a store keeps, what it loads, and how it decides groups of commands.
//!
//! A store decides nothing. It loads the keys that a command asks for, and writes what the command decides.

mod contract;
mod error;
mod feed;
mod group;
mod list;
mod position;
mod state;

pub use contract::{Cursor, Due, Durability, Head, Health, PaymentStore, StoreStatus};
pub use error::{ExecuteError, Retry, StoreError, StoreErrorKind};
pub use feed::{Entry, Feed};
pub use group::{Group, Plan, Row, Step};
pub use list::{Filter, InvalidCursor, Order, Page, PageCursor, Query, Sort, Start};
pub use position::{Era, InvalidPosition, LedgerId, Position};
pub use state::{Key, Lookup, Record, State};
