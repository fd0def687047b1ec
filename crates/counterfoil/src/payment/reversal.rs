//! Voiding money that was captured of a hold.

use std::fmt::{self, Display, Formatter};

use super::{Operation, OperationId, Payment, VoidTarget};
use crate::gateway::CaptureReversals;
use crate::text::GatewayName;

/// Why captured money cannot be voided, though all of it is there. A refund gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Irreversible {
    /// The gateway that captured the money cannot reverse a capture.
    ByGateway(GatewayName),
    /// Several captures took the money. A void reverses one.
    InParts,
    /// Part of the capture was taken back already. A void reverses all of it.
    PartlyReversed,
}

impl Display for Irreversible {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Irreversible::ByGateway(gateway) => {
                write!(f, "its hold was captured, and gateway {gateway} cannot reverse a capture")
            }
            Irreversible::InParts => write!(f, "its hold was captured in several parts"),
            Irreversible::PartlyReversed => write!(f, "part of its capture was taken back already"),
        }
    }
}

impl Payment {
    /// What a void of the money of `attempt` gives back: the charge itself, or the capture of a hold.
    pub(crate) fn void_target(
        &self,
        attempt: &Operation,
        reversals: &CaptureReversals,
    ) -> Result<VoidTarget, Irreversible> {
        if !attempt.is_hold() {
            return Ok(VoidTarget::Charge);
        }
        let mut captures = self.of(attempt).filter_map(|operation| match operation.id {
            OperationId::Capture(id) => operation.moved().map(|moved| (id, moved)),
            _ => None,
        });
        match (captures.next(), captures.next(), &attempt.gateway) {
            (_, Some(_), _) => Err(Irreversible::InParts),
            (_, None, Some(gateway)) if !reversals.contains(gateway) => {
                Err(Irreversible::ByGateway(gateway.clone()))
            }
            (Some((_, moved)), None, _) if moved != self.captured() => Err(Irreversible::PartlyReversed),
            (capture, None, _) => Ok(capture.map_or(VoidTarget::Charge, |(id, _)| VoidTarget::Capture(id))),
        }
    }
}
