//! The query string of `GET /payments`, and the texts that clients hand back: cursors and positions.

use counterfoil::store::{PageCursor, PaymentStore, Position, Start};
use counterfoil_http::parse_list;
use counterfoil_memory::MemoryStore;
use counterfoil_testkit::{block_on, fixtures};

/// Reads the bytes as a query: what is accepted can be asked, and a cursor in it is the one that was written. Any
/// bytes are no cursor and no position, or exactly one.
pub fn queries(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(position) = text.parse::<Position>() {
        assert_eq!(position.to_string(), text);
    }
    if let Ok(cursor) = text.parse::<PageCursor>() {
        assert_eq!(cursor.to_string(), text);
    }
    let Ok(query) = parse_list(text) else { return };
    assert!((1..=1_000).contains(&query.limit));
    if let Start::After(cursor) = query.start {
        assert_eq!((cursor.sort(), cursor.order()), (query.sort, query.order));
    }
    let page = block_on(MemoryStore::new().list(&fixtures::scope("acme", "production"), &query));
    assert!(page.expect("an empty store can be listed").payments.is_empty());
}
