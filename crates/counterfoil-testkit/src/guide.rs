#![doc = include_str!("../docs/guide/1-the-service.md")]
#![doc = "\n```"]
#![doc = include_str!("../docs/guide/orders.rs")]
#![doc = "```\n"]
#![doc = include_str!("../docs/guide/2-its-tests.md")]

#[doc = include_str!("../docs/guide/writing-a-store.md")]
pub mod writing_a_store {}
