//! A dispute as bytes, within its payment's row.

use std::collections::BTreeMap;

use super::{Dispute, DisputeStage, DisputeStatus, Ends, Facts, Movement, Settled};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::DisputeId;
use crate::money::Money;
use crate::text::{ErrorCode, GatewayDisputeId, GatewayName, Message};

impl Encode for Dispute {
    fn encode(&self, to: &mut Writer) {
        let facts = &self.facts;
        to.field(1, |w| self.id.encode(w));
        to.field(2, |w| self.gateway.encode(w));
        to.field(3, |w| self.gateway_dispute_id.encode(w));
        to.field(4, |w| self.created_at.encode(w));
        to.field(5, |w| self.updated_at.encode(w));
        to.optional(6, facts.amount.as_ref(), |w, amount| amount.encode(w));
        to.optional(7, Some(&facts.stages).filter(|stages| !stages.is_empty()), encode_stages);
        to.optional(8, Some(&facts.last).filter(|last| !last.is_empty()), |w, last| {
            for (stage, (at, status)) in last {
                stage.encode(w);
                at.encode(w);
                status.encode(w);
            }
        });
        to.optional(9, facts.due_by.as_ref(), |w, (at, due_by)| {
            at.encode(w);
            due_by.encode(w);
        });
        to.optional(10, facts.reason.as_ref(), |w, (at, code, reason)| {
            w.field(1, |w| at.encode(w));
            w.optional(2, code.as_ref(), |w, code| code.encode(w));
            w.optional(3, reason.as_ref(), |w, reason| reason.encode(w));
        });
        to.optional(11, Some(&facts.withdrawn).filter(|moved| !moved.is_empty()), encode_moved);
        to.optional(12, Some(&facts.reinstated).filter(|moved| !moved.is_empty()), encode_moved);
        to.optional(13, Some(&()).filter(|()| facts.foreign), |_, ()| ());
        to.field(14, |w| self.asked.encode(w));
        to.optional(15, self.settled.as_deref(), |w, settled| settled.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Dispute, Damage> {
        let mut fields = from.fields()?;
        let dispute = Dispute {
            id: fields.required(1, DisputeId::decode)?,
            gateway: fields.required(2, GatewayName::decode)?,
            gateway_dispute_id: fields.required(3, GatewayDisputeId::decode)?,
            created_at: fields.required(4, Timestamp::decode)?,
            updated_at: fields.required(5, Timestamp::decode)?,
            facts: Facts {
                amount: fields.optional(6, Money::decode)?,
                stages: fields.optional(7, decode_stages)?.unwrap_or_default(),
                last: fields.optional(8, decode_last)?.unwrap_or_default(),
                due_by: fields.optional(9, |r| Ok((Timestamp::decode(r)?, Timestamp::decode(r)?)))?,
                reason: fields.optional(10, decode_reason)?,
                withdrawn: fields.optional(11, decode_moved)?.unwrap_or_default(),
                reinstated: fields.optional(12, decode_moved)?.unwrap_or_default(),
                foreign: fields.optional(13, |_| Ok(()))?.is_some(),
            },
            asked: fields.required(14, Money::decode)?,
            settled: fields.optional(15, Settled::decode)?.map(Box::new),
        };
        fields.end()?;
        Ok(dispute)
    }
}

fn encode_moved(to: &mut Writer, moved: &BTreeMap<Movement, Money>) {
    for (movement, amount) in moved {
        movement.encode(to);
        amount.encode(to);
    }
}

fn decode_moved(from: &mut Reader<'_>) -> Result<BTreeMap<Movement, Money>, Damage> {
    let mut moved = BTreeMap::new();
    while from.end().is_err() {
        moved.insert(Movement::decode(from)?, Money::decode(from)?);
    }
    Ok(moved)
}

impl Encode for Movement {
    fn encode(&self, to: &mut Writer) {
        match self {
            Movement::Named(name) => {
                to.byte(1);
                to.text(name);
            }
            Movement::OfStage(stage) => {
                to.byte(2);
                stage.encode(to);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Movement, Damage> {
        match from.byte()? {
            1 => Ok(Movement::Named(from.text()?.into())),
            2 => DisputeStage::decode(from).map(Movement::OfStage),
            _ => Err(Damage::Malformed("movement of a dispute's funds")),
        }
    }
}

type Last = BTreeMap<DisputeStage, (Timestamp, DisputeStatus)>;

fn decode_last(from: &mut Reader<'_>) -> Result<Last, Damage> {
    let mut last = BTreeMap::new();
    while from.end().is_err() {
        let stage = DisputeStage::decode(from)?;
        last.insert(stage, (Timestamp::decode(from)?, DisputeStatus::decode(from)?));
    }
    Ok(last)
}

pub(super) type Stages = BTreeMap<DisputeStage, Ends>;

pub(super) fn encode_stages(to: &mut Writer, stages: &Stages) {
    for (stage, ends) in stages {
        stage.encode(to);
        to.nested(|w| encode_ends(w, ends));
    }
}

fn encode_ends(to: &mut Writer, ends: &Ends) {
    for (end, at) in ends {
        end.encode(to);
        at.encode(to);
    }
}

fn decode_ends(from: &mut Reader<'_>) -> Result<Ends, Damage> {
    let mut ends = BTreeMap::new();
    while from.end().is_err() {
        ends.insert(DisputeStatus::decode(from)?, Timestamp::decode(from)?);
    }
    Ok(ends)
}

pub(super) fn decode_stages(from: &mut Reader<'_>) -> Result<Stages, Damage> {
    let mut stages = BTreeMap::new();
    while from.end().is_err() {
        stages.insert(DisputeStage::decode(from)?, decode_ends(&mut Reader::new(from.bytes()?))?);
    }
    Ok(stages)
}

fn decode_reason(from: &mut Reader<'_>) -> Result<(Timestamp, Option<ErrorCode>, Option<Message>), Damage> {
    let mut fields = from.fields()?;
    let reason = (
        fields.required(1, Timestamp::decode)?,
        fields.optional(2, ErrorCode::decode)?,
        fields.optional(3, Message::decode)?,
    );
    fields.end()?;
    Ok(reason)
}
