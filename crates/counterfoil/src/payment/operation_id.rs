//! The id of an operation, which includes its kind.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::claim::ClaimKind;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::{AttemptId, CaptureId, InvalidId, RefundId, VoidId};

/// The id of an operation, which includes its kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OperationId {
    /// A charge or an authorization.
    Attempt(AttemptId),
    /// Captured money given back.
    Refund(RefundId),
    /// A hold released, or captured money given back as if it had never been captured.
    Void(VoidId),
    /// The id of a capture of held money.
    Capture(CaptureId),
}

macro_rules! each_kind {
    ($($kind:ident, $id:ident, $number:literal;)+) => {
        impl fmt::Display for OperationId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(OperationId::$kind(id) => fmt::Display::fmt(id, f),)+ }
            }
        }

        impl FromStr for OperationId {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<OperationId, InvalidId> {
                match text.split_once('_').map_or(text, |(prefix, _)| prefix) {
                    $($id::PREFIX => text.parse().map(OperationId::$kind),)+
                    _ => Err(InvalidId { prefix: AttemptId::PREFIX }),
                }
            }
        }

        impl Encode for OperationId {
            fn encode(&self, to: &mut Writer) {
                match self {
                    $(OperationId::$kind(id) => {
                        to.byte($number);
                        id.encode(to);
                    })+
                }
            }

            fn decode(from: &mut Reader<'_>) -> Result<OperationId, Damage> {
                match from.byte()? {
                    $($number => Ok(OperationId::$kind($id::decode(from)?)),)+
                    number => Err(Damage::Newer { what: "operation kind", number: number.into() }),
                }
            }
        }

        $(impl From<$id> for OperationId {
            fn from(id: $id) -> OperationId {
                OperationId::$kind(id)
            }
        })+
    };
}

each_kind! {
    Attempt, AttemptId, 1;
    Refund, RefundId, 2;
    Void, VoidId, 3;
    Capture, CaptureId, 4;
}

impl OperationId {
    /// Whether it is a charge or an authorization.
    #[must_use]
    pub const fn is_attempt(self) -> bool {
        matches!(self, OperationId::Attempt(_))
    }

    /// Whether it gives captured money back.
    #[must_use]
    pub const fn is_refund(self) -> bool {
        matches!(self, OperationId::Refund(_))
    }

    /// Whether it takes held money.
    #[must_use]
    pub const fn is_capture(self) -> bool {
        matches!(self, OperationId::Capture(_))
    }

    /// Whether it releases a hold, or undoes a charge.
    #[must_use]
    pub const fn is_void(self) -> bool {
        matches!(self, OperationId::Void(_))
    }

    /// The kind of its name at a gateway: one may call a charge and its refund alike.
    pub(crate) const fn name_kind(self) -> ClaimKind {
        match self {
            OperationId::Attempt(_) => ClaimKind::GatewayAttempt,
            OperationId::Refund(_) => ClaimKind::GatewayRefund,
            OperationId::Void(_) => ClaimKind::GatewayVoid,
            OperationId::Capture(_) => ClaimKind::GatewayCapture,
        }
    }

    /// Its kind as a word in a sentence.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            OperationId::Attempt(_) => "attempt",
            OperationId::Refund(_) => "refund",
            OperationId::Void(_) => "void",
            OperationId::Capture(_) => "capture",
        }
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for OperationId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
