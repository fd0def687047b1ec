//! API keys, and whose they are.

use std::fmt;

use axum::http::HeaderMap;
use counterfoil::scope::Caller;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The header that carries the key.
const API_KEY: &str = "x-api-key";

/// The keys that open the API, each of one caller. Only hashes of them are kept.
///
/// Checking a key compares it with every one that is kept, in a time that depends on their number alone:
/// this is for hundreds of keys. A key should be at least 128 random bits; that cannot be checked here.
#[derive(Clone, Default)]
pub struct ApiKeys(Vec<(KeyHash, Caller)>);

type KeyHash = [u8; 32];

/// Why a key is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidApiKey {
    /// A header could not carry it, or not as it is.
    #[error("an API key must be 1 to {} visible ASCII characters", ApiKeys::MAX_LENGTH)]
    Malformed,
    /// It belongs to a caller already.
    #[error("the API key is in use already")]
    Taken,
}

impl ApiKeys {
    /// The most characters of a key.
    pub const MAX_LENGTH: usize = 255;

    /// No keys: nobody may ask.
    #[must_use]
    pub fn new() -> ApiKeys {
        ApiKeys::default()
    }

    /// Lets whoever holds `key_text` act as `caller`. A caller may have several keys.
    pub fn insert(&mut self, key_text: &str, caller: Caller) -> Result<(), InvalidApiKey> {
        let length = key_text.len();
        if length == 0 || length > ApiKeys::MAX_LENGTH || !key_text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidApiKey::Malformed);
        }
        if self.find(key_text.as_bytes()).is_some() {
            return Err(InvalidApiKey::Taken);
        }
        self.0.push((hash(key_text.as_bytes()), caller));
        Ok(())
    }

    /// Compares with all keys, and each wholly: the time tells neither whether nor how nearly one was met.
    fn find(&self, key: &[u8]) -> Option<&Caller> {
        let presented = hash(key);
        let mut found = None;
        for (known, caller) in &self.0 {
            if known.ct_eq(&presented).into() {
                found = Some(caller);
            }
        }
        found
    }

    /// A request has one key. One that has none or several takes the same path as one with a wrong key.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<&Caller> {
        let mut keys = headers.get_all(API_KEY).iter();
        match (keys.next(), keys.next()) {
            (Some(key), None) => self.find(key.as_bytes()),
            _ => self.find(b""),
        }
    }
}

fn hash(key: &[u8]) -> KeyHash {
    Sha256::digest(key).into()
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use counterfoil::scope::Scope;

    use super::*;

    fn caller(tenant: &str) -> Caller {
        Caller::new(Scope::new(tenant.parse().unwrap(), "test".parse().unwrap()), "me".parse().unwrap())
    }

    #[test]
    fn a_key_belongs_to_one_caller_and_is_shown_to_nobody() {
        let mut keys = ApiKeys::new();
        assert_eq!(keys.insert("secret-a", caller("a")), Ok(()));
        assert_eq!(keys.insert("secret-b", caller("b")), Ok(()));
        assert_eq!(keys.insert("secret-a", caller("b")), Err(InvalidApiKey::Taken));
        assert_eq!(keys.find(b"secret-b"), Some(&caller("b")));
        assert_eq!(keys.find(b"secret-"), None);
        assert_eq!(format!("{keys:?}"), "ApiKeys(2)");
    }

    #[test]
    fn what_a_header_cannot_carry_is_no_key() {
        for bad in ["", " ", "a b", "a\n", "é", &"k".repeat(256)] {
            assert_eq!(ApiKeys::new().insert(bad, caller("a")), Err(InvalidApiKey::Malformed), "{bad:?}");
        }
    }
}
