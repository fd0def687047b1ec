//! The suite, and the same answers as the reference store.

use counterfoil_memory::MemoryStore;
use counterfoil_sqlite::SqliteStore;
use counterfoil_testkit::{Script, block_on, compare};
use proptest::prelude::*;

use crate::support::Place;

counterfoil_testkit::conformance!(sqlite, {
    let place = super::Place::new();
    move || {
        let path = place.path();
        async move { super::SqliteStore::open(path).unwrap() }
    }
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// INVARIANTS 34.
    #[test]
    fn sqlite_gives_the_answers_and_the_digest_of_the_memory_store(script in Script::any(40)) {
        let place = Place::new();
        let sqlite = SqliteStore::open(place.path()).unwrap();
        block_on(compare(&script, &sqlite, &MemoryStore::new()));
    }
}
