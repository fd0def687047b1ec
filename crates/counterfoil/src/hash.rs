//! The chain: each event's hash covers the one before it.

use std::fmt;
use std::fmt::Write;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// SHA-256 over the previous event's hash and an event's own canonical bytes. Written in lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first event of a stream is linked to.
    pub const ZERO: Hash = Hash([0; 32]);

    /// The hash with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of an event with these canonical bytes that follows one with this hash.
    #[must_use]
    pub fn link(self, bytes: &[u8]) -> Hash {
        Hash(Sha256::new().chain_update(self.0).chain_update(bytes).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut short = String::new();
        self.0.iter().take(4).try_for_each(|byte| write!(short, "{byte:02x}"))?;
        write!(f, "Hash({short}…)")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
