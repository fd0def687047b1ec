//! The suite, over the reference store.

use counterfoil_memory::MemoryStore;

counterfoil_testkit::conformance!(memory, || async { MemoryStore::new() });
