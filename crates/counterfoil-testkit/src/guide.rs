//! Three guides, each with examples that are run.
//!
//! * [`one_lock`]: the smallest store that keeps the contract, all of it on one page.
//! * [`writing_a_store`]: on to a place that others change at the same time, and which case of the suite fails while which
//!   step is missing.
//! * [`billing_service`]: the tests of a service that stands on Counterfoil, under all that goes wrong between two calls.

// The links of these pages to their code are files where they are read by themselves; here, where the code follows, they
// are the places that it stands at. The first definition of a link counts.
#[doc = "[books]: #what-is-kept"]
#[doc = "[store]: #the-contract-around-it"]
#[doc = "[suite]: #its-proof\n"]
#[doc = include_str!("../docs/guide/one-lock/1-what-is-kept.md")]
#[doc = "\n```\n# mod books {"]
#[doc = include_str!("../examples/one_lock/books.rs")]
#[doc = "# }\n# fn main() {}\n```\n"]
#[doc = include_str!("../docs/guide/one-lock/2-the-contract.md")]
#[doc = "\n```\n# mod books { include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/examples/one_lock/books.rs\")); }"]
#[doc = "# mod store {"]
#[doc = include_str!("../examples/one_lock/store.rs")]
#[doc = "# }\n# fn main() {}\n```\n"]
#[doc = include_str!("../docs/guide/one-lock/3-the-suite.md")]
#[doc = "\n```\n# mod books { include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/examples/one_lock/books.rs\")); }"]
#[doc = "# mod store { include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/examples/one_lock/store.rs\")); }"]
#[doc = "# fn main() {}"]
#[doc = "use store::OneLockStore;\n"]
#[doc = "counterfoil_testkit::conformance!(one_lock, || async { OneLockStore::new() });\n```\n"]
#[doc = include_str!("../docs/guide/one-lock/4-from-here.md")]
pub mod one_lock {}

#[doc = include_str!("../docs/guide/writing-a-store.md")]
pub mod writing_a_store {}

#[doc = "[shop]: #the-service\n"]
#[doc = include_str!("../docs/guide/1-the-service.md")]
#[doc = "\n```"]
#[doc = include_str!("../docs/guide/shop/src/lib.rs")]
#[doc = "```\n"]
#[doc = include_str!("../docs/guide/2-its-tests.md")]
pub mod billing_service {}
