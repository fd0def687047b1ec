//! How things are done, step by step.

#[doc = include_str!("../docs/writing_a_store.md")]
pub mod writing_a_store {}
