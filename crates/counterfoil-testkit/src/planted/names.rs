//! What names are kept as, and what can be wrong about it.

use std::sync::Arc;

use counterfoil::claim::{Claim, ClaimKind};
use counterfoil::store::{Key, Record};

use super::Bug;

/// How many characters of a name are kept where it is cut.
const CUT: usize = 64;

/// The key that `key` is kept under: itself, but for the defects.
pub(super) fn kept_as(key: &Key, bug: Bug) -> Key {
    let mut key = key.clone();
    if let Key::Claim(claim) = &mut key {
        match (bug, claim.kind) {
            (Bug::LongNamesCut, _) => claim.name = claim.name.chars().take(CUT).collect(),
            (Bug::KindsOfKeysMeet, ClaimKind::RecordKey) => claim.kind = ClaimKind::ProcessKey,
            (Bug::GatewayNamesMeet, ClaimKind::GatewayRefund) => claim.kind = ClaimKind::GatewayVoid,
            _ => {}
        }
    }
    key
}

/// A record that was found for `asked`, as if it had been kept under that very key.
pub(super) fn found_as(asked: &Key, record: &Record) -> Record {
    match (asked, record) {
        (Key::Claim(asked), Record::Claim(claim)) => {
            Record::Claim(Arc::new(Claim { key: asked.clone(), ..(**claim).clone() }))
        }
        _ => record.clone(),
    }
}
