//! An operation as bytes, within its payment's row.

use super::operation::{Allocation, Operation, OperationKind, Origin, Polls, SetAside, Stated, VoidTarget};
use super::operation_id::OperationId;
use super::reports::Reports;
use super::retry::Retry;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::{AttemptId, CaptureId};
use crate::money::Money;
use crate::text::{Actor, GatewayName, Message, Metadata, PaymentMethodId};

impl Encode for Operation {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.id.encode(w));
        to.field(2, |w| w.varint(self.number.into()));
        to.field(3, |w| self.kind.encode(w));
        to.field(4, |w| self.origin.encode(w));
        to.field(5, |w| self.amount.encode(w));
        to.optional(6, self.gateway.as_ref(), |w, name| name.encode(w));
        to.optional(7, self.instrument.as_ref(), |w, id| id.encode(w));
        to.optional(8, self.reason.as_ref(), |w, message| message.encode(w));
        to.optional(9, Some(&self.metadata).filter(|notes| !notes.is_empty()), |w, notes| notes.encode(w));
        to.optional(10, self.lease_until.as_ref(), |w, at| at.encode(w));
        to.optional(11, self.resent_until.as_ref(), |w, at| at.encode(w));
        to.field(12, |w| w.varint(self.sequence));
        to.field(13, |w| self.created_at.encode(w));
        to.field(14, |w| self.created_by.encode(w));
        to.field(15, |w| self.updated_at.encode(w));
        to.field(16, |w| self.updated_by.encode(w));
        to.optional(17, self.expired.as_ref(), |w, amount| amount.encode(w));
        to.optional(18, Some(&self.polls).filter(|polls| **polls != Polls::default()), |w, polls| {
            polls.encode(w);
        });
        to.optional(19, Some(&self.reports).filter(|known| **known != Reports::default()), |w, known| {
            known.encode(w);
        });
        to.optional(20, self.set_aside.as_ref(), |w, aside| aside.encode(w));
        to.optional(21, self.allocation.stated.as_ref(), |w, stated| stated.encode(w));
        to.optional(22, Some(&()).filter(|()| self.allocation.may_be_requested), |_, ()| ());
        to.optional(23, self.allocation.of.as_ref(), |w, attempt| attempt.encode(w));
        let parents = Some(&self.allocation.parents).filter(|parents| !parents.is_empty());
        to.optional(24, parents, |w, parents| w.list(parents));
        to.optional(25, self.alone.as_ref(), |w, alone| alone.encode(w));
        to.optional(26, Some(&()).filter(|()| self.ended_payment), |_, ()| ());
        let sent_later = Some(&self.sent).filter(|sent| **sent != Some(self.sequence));
        to.optional(27, sent_later, |w, sent| w.varint(sent.unwrap_or_default()));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Operation, Damage> {
        let mut fields = from.fields()?;
        let mut operation = Operation {
            id: fields.required(1, OperationId::decode)?,
            number: u32::try_from(fields.required(2, Reader::varint)?)
                .map_err(|_| Damage::Malformed("attempt number"))?,
            kind: fields.required(3, OperationKind::decode)?,
            origin: fields.required(4, Origin::decode)?,
            amount: fields.required(5, Money::decode)?,
            gateway: fields.optional(6, GatewayName::decode)?,
            instrument: fields.optional(7, PaymentMethodId::decode)?,
            reason: fields.optional(8, Message::decode)?,
            metadata: fields.optional(9, Metadata::decode)?.unwrap_or_default(),
            lease_until: fields.optional(10, Timestamp::decode)?,
            resent_until: fields.optional(11, Timestamp::decode)?,
            sequence: fields.required(12, Reader::varint)?,
            created_at: fields.required(13, Timestamp::decode)?,
            created_by: fields.required(14, Actor::decode)?,
            updated_at: fields.required(15, Timestamp::decode)?,
            updated_by: fields.required(16, Actor::decode)?,
            expired: fields.optional(17, Money::decode)?,
            polls: fields.optional(18, Polls::decode)?.unwrap_or_default(),
            reports: fields.optional(19, Reports::decode)?.unwrap_or_default(),
            set_aside: fields.optional(20, SetAside::decode)?.map(Box::new),
            allocation: Allocation {
                stated: fields.optional(21, Stated::decode)?,
                may_be_requested: fields.optional(22, |_| Ok(()))?.is_some(),
                of: fields.optional(23, AttemptId::decode)?,
                parents: fields.optional(24, Reader::set)?.unwrap_or_default(),
            },
            alone: fields.optional(25, Operation::decode)?.map(Box::new),
            ended_payment: fields.optional(26, |_| Ok(()))?.is_some(),
            sent: None,
        };
        operation.sent = match fields.optional(27, Reader::varint)? {
            Some(sequence) => Some(sequence).filter(|sequence| *sequence > 0),
            None => Some(operation.sequence),
        };
        fields.end()?;
        Ok(operation)
    }
}

impl Encode for OperationKind {
    fn encode(&self, to: &mut Writer) {
        let number = match self {
            OperationKind::Charge { .. } => 1,
            OperationKind::Authorization { .. } => 2,
            OperationKind::Capture { .. } => 3,
            OperationKind::Refund { .. } => 4,
            OperationKind::Void { .. } => 5,
        };
        to.field(1, |w| w.byte(number));
        to.optional(2, self.retry().as_ref(), |w, retry| retry.encode(w));
        to.optional(3, self.parent().as_ref(), |w, id| id.encode(w));
        to.optional(4, self.releases().as_ref(), |w, amount| amount.encode(w));
        let is_reversal = self.void_target() == Some(VoidTarget::Charge);
        to.optional(5, Some(&()).filter(|()| is_reversal), |_, ()| ());
        to.optional(6, self.reversed_capture().as_ref(), |w, id| id.encode(w));
        to.optional(7, Some(&()).filter(|()| self.is_scheduled()), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<OperationKind, Damage> {
        let mut fields = from.fields()?;
        let kind = match fields.required(1, Reader::byte)? {
            1 => OperationKind::Charge {
                retry: fields.optional(2, Retry::decode)?,
                is_scheduled: fields.optional(7, |_| Ok(()))?.is_some(),
            },
            2 => OperationKind::Authorization {
                retry: fields.optional(2, Retry::decode)?,
                is_scheduled: fields.optional(7, |_| Ok(()))?.is_some(),
            },
            3 => OperationKind::Capture {
                of: fields.optional(3, AttemptId::decode)?,
                releases: fields.optional(4, Money::decode)?,
            },
            4 => OperationKind::Refund { of: fields.optional(3, AttemptId::decode)? },
            5 => OperationKind::Void {
                of: fields.optional(3, AttemptId::decode)?,
                target: match (fields.optional(5, |_| Ok(()))?, fields.optional(6, CaptureId::decode)?) {
                    (_, Some(capture)) => VoidTarget::Capture(capture),
                    (Some(()), None) => VoidTarget::Charge,
                    (None, None) => VoidTarget::Hold,
                },
            },
            number => return Err(Damage::Newer { what: "operation kind", number: number.into() }),
        };
        fields.end()?;
        Ok(kind)
    }
}

impl Encode for SetAside {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.known.encode(w));
        to.optional(2, Some(&self.since).filter(|since| **since != Reports::default()), |w, since| {
            since.encode(w);
        });
    }

    fn decode(from: &mut Reader<'_>) -> Result<SetAside, Damage> {
        let mut fields = from.fields()?;
        let known = fields.required(1, Reports::decode)?;
        let since = fields.optional(2, Reports::decode)?.unwrap_or_default();
        fields.end()?;
        Ok(SetAside { known, since })
    }
}

impl Encode for Stated {
    fn encode(&self, to: &mut Writer) {
        match self {
            Stated::Another => to.field(1, |_| ()),
            Stated::SameAs(operation) => to.field(2, |w| operation.encode(w)),
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Stated, Damage> {
        let mut fields = from.fields()?;
        let stated = if fields.optional(1, |_| Ok(()))?.is_some() {
            Stated::Another
        } else {
            Stated::SameAs(fields.required(2, OperationId::decode)?)
        };
        fields.end()?;
        Ok(stated)
    }
}

impl Encode for Polls {
    fn encode(&self, to: &mut Writer) {
        to.varint(self.count.into());
        if let Some(next) = self.next {
            next.encode(to);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Polls, Damage> {
        let count = u32::try_from(from.varint()?).map_err(|_| Damage::Malformed("count of polls"))?;
        let next = if from.end().is_ok() { None } else { Some(Timestamp::decode(from)?) };
        Ok(Polls { count, next })
    }
}
