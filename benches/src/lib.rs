//! How fast the stores are, as ratios against the raw engine in the same run.
//!
//! A *transition* is the unit: one payment, picked at random, moves from one status to another by a command with
//! its decision, its event in the hash chain, and its row. The *raw engine* does the reads and writes that a
//! transition costs, with rows of the same size, and nothing else: no decision, no hash, no queue, no commit of
//! its own.

pub mod driver;
pub mod lists;
pub mod pure;
pub mod raw;
pub mod table;
pub mod workload;
