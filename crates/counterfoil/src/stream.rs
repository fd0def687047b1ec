//! The names of streams.

use std::fmt;

use crate::account::AccountId;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::PaymentId;

/// Whose history it is. Payments sort before accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// A payment's.
    Payment(PaymentId),
    /// An account's: a wallet's, a destination's, or a gateway's.
    Account(AccountId),
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamId::Payment(id) => fmt::Display::fmt(id, f),
            StreamId::Account(id) => fmt::Display::fmt(id, f),
        }
    }
}

impl Encode for StreamId {
    fn encode(&self, to: &mut Writer) {
        match self {
            StreamId::Payment(id) => {
                to.byte(1);
                id.encode(to);
            }
            StreamId::Account(id) => {
                to.byte(2);
                id.encode(to);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<StreamId, Damage> {
        match from.byte()? {
            1 => PaymentId::decode(from).map(StreamId::Payment),
            2 => AccountId::decode(from).map(StreamId::Account),
            number => Err(Damage::Newer { what: "stream kind", number: number.into() }),
        }
    }
}
