//! The canonical bytes of what bodies are made of. **Invariant:** they never change; what is new gets new fields.

use super::{
    Canceled, Closing, Decision, Dismissed, DisputeDecision, DisputeResolved, Disputed, Entered, Misfit,
    NotificationReused, Polled, Reported, Resolved, Sent, Start, StartResult,
};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::{AttemptId, DisputeId, PaymentId};
use crate::money::Money;
use crate::payment::{
    Closed, DisputeWord, Evidence, Failure, OperationId, OperationKind, ReportSubject, Retry,
};
use crate::text::{GatewayDisputeId, GatewayName, Message, Metadata, NotificationId, PaymentMethodId};

impl Encode for Start {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.amount.encode(w));
        to.optional(3, self.gateway.as_ref(), |w, name| name.encode(w));
        to.optional(4, self.instrument.as_ref(), |w, id| id.encode(w));
        match &self.result {
            StartResult::Processing { lease_until } => to.field(5, |w| lease_until.encode(w)),
            StartResult::Succeeded {} => to.field(6, |_| ()),
            StartResult::Failed(failure) => to.field(7, |w| failure.encode(w)),
            StartResult::Recorded(evidence) => to.field(8, |w| evidence.encode(w)),
            StartResult::Queued {} => to.field(9, |_| ()),
        }
        to.field(10, |w| self.kind.encode(w));
        to.optional(11, self.closes.as_ref(), |w, closed| closed.encode(w));
        to.optional(13, self.reason.as_ref(), |w, reason| reason.encode(w));
        to.optional(14, Some(&self.metadata).filter(|notes| !notes.is_empty()), |w, notes| notes.encode(w));
        to.optional(16, self.excess.as_ref(), |w, amount| amount.encode(w));
        to.optional(18, Some(&()).filter(|()| self.reopens), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Start, Damage> {
        let mut fields = from.fields()?;
        let operation = fields.required(1, OperationId::decode)?;
        let amount = fields.required(2, Money::decode)?;
        let gateway = fields.optional(3, GatewayName::decode)?;
        let instrument = fields.optional(4, PaymentMethodId::decode)?;
        let result = if let Some(lease_until) = fields.optional(5, Timestamp::decode)? {
            StartResult::Processing { lease_until }
        } else if fields.optional(6, |_| Ok(()))?.is_some() {
            StartResult::Succeeded {}
        } else if let Some(failure) = fields.optional(7, Failure::decode)? {
            StartResult::Failed(failure)
        } else if let Some(evidence) = fields.optional(8, Evidence::decode)? {
            StartResult::Recorded(evidence)
        } else {
            fields.required(9, |_| Ok(StartResult::Queued {}))?
        };
        let start = Start {
            operation,
            amount,
            gateway,
            instrument,
            result,
            kind: fields.required(10, OperationKind::decode)?,
            closes: fields.optional(11, Closed::decode)?,
            reason: fields.optional(13, Message::decode)?,
            metadata: fields.optional(14, Metadata::decode)?.unwrap_or_default(),
            excess: fields.optional(16, Money::decode)?,
            reopens: fields.optional(18, |_| Ok(()))?.is_some(),
        };
        fields.end()?;
        Ok(start)
    }
}

impl Encode for Sent {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.lease_until.encode(w));
        to.optional(3, self.retry.as_ref(), |w, retry| retry.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Sent, Damage> {
        let mut fields = from.fields()?;
        let sent = Sent {
            operation: fields.required(1, OperationId::decode)?,
            lease_until: fields.required(2, Timestamp::decode)?,
            retry: fields.optional(3, Retry::decode)?,
        };
        fields.end()?;
        Ok(sent)
    }
}

impl Encode for Canceled {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.error_message.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Canceled, Damage> {
        let mut fields = from.fields()?;
        let canceled = Canceled {
            operation: fields.required(1, OperationId::decode)?,
            error_message: fields.required(2, Message::decode)?,
        };
        fields.end()?;
        Ok(canceled)
    }
}

impl Encode for Reported {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.evidence.encode(w));
        to.optional(3, Some(&()).filter(|()| self.gateway_id_clash), |_, ()| ());
        to.optional(4, self.closes.as_ref(), |w, closed| closed.encode(w));
        to.optional(5, self.parent.as_ref(), |w, id| id.encode(w));
        to.optional(6, self.excess.as_ref(), |w, amount| amount.encode(w));
        let subject = Some(&self.subject).filter(|subject| **subject != ReportSubject::Operation);
        to.optional(7, subject, |w, subject| subject.encode(w));
        to.optional(8, self.same.as_ref(), |w, id| id.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Reported, Damage> {
        let mut fields = from.fields()?;
        let reported = Reported {
            operation: fields.required(1, OperationId::decode)?,
            evidence: fields.required(2, Evidence::decode)?,
            gateway_id_clash: fields.optional(3, |_| Ok(()))?.is_some(),
            closes: fields.optional(4, Closed::decode)?,
            parent: fields.optional(5, AttemptId::decode)?,
            excess: fields.optional(6, Money::decode)?,
            subject: fields.optional(7, ReportSubject::decode)?.unwrap_or_default(),
            same: fields.optional(8, OperationId::decode)?,
        };
        fields.end()?;
        Ok(reported)
    }
}

impl Encode for Resolved {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.decision.encode(w));
        to.field(3, |w| self.occurred_at.encode(w));
        to.field(4, |w| self.note.encode(w));
        to.optional(5, self.closes.as_ref(), |w, closed| closed.encode(w));
        to.optional(6, self.excess.as_ref(), |w, amount| amount.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Resolved, Damage> {
        let mut fields = from.fields()?;
        let resolved = Resolved {
            operation: fields.required(1, OperationId::decode)?,
            decision: fields.required(2, Decision::decode)?,
            occurred_at: fields.required(3, Timestamp::decode)?,
            note: fields.required(4, Message::decode)?,
            closes: fields.optional(5, Closed::decode)?,
            excess: fields.optional(6, Money::decode)?,
        };
        fields.end()?;
        Ok(resolved)
    }
}

impl Encode for Decision {
    fn encode(&self, to: &mut Writer) {
        match self {
            Decision::Succeeded { amount } => {
                to.byte(1);
                to.list(amount);
            }
            Decision::Failed { failure } => {
                to.byte(2);
                failure.encode(to);
            }
            Decision::NotSent {} => to.byte(3),
            Decision::Returned { amount } => {
                to.byte(4);
                to.list(amount);
            }
            Decision::Allocated { of } => {
                to.byte(5);
                of.encode(to);
            }
            Decision::SameAs { operation } => {
                to.byte(6);
                operation.encode(to);
            }
            Decision::Another {} => to.byte(7),
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Decision, Damage> {
        Ok(match from.byte()? {
            1 => Decision::Succeeded { amount: at_most_one(from)? },
            2 => Decision::Failed { failure: Failure::decode(from)? },
            3 => Decision::NotSent {},
            4 => Decision::Returned { amount: at_most_one(from)? },
            5 => Decision::Allocated { of: AttemptId::decode(from)? },
            6 => Decision::SameAs { operation: OperationId::decode(from)? },
            7 => Decision::Another {},
            number => return Err(Damage::Newer { what: "resolution", number: number.into() }),
        })
    }
}

fn at_most_one(from: &mut Reader<'_>) -> Result<Option<Money>, Damage> {
    let mut amounts: Vec<Money> = from.list()?;
    match amounts.len() {
        0 | 1 => Ok(amounts.pop()),
        _ => Err(Damage::Malformed("amounts of a resolution")),
    }
}

impl Encode for Closing {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.closes.encode(w));
        to.field(2, |w| self.occurred_at.encode(w));
        to.optional(3, Some(&self.cancels).filter(|ids| !ids.is_empty()), |w, ids| w.list(ids));
        to.optional(4, Some(&self.releases).filter(|ids| !ids.is_empty()), |w, ids| w.list(ids));
        to.optional(5, self.reason.as_ref(), |w, reason| reason.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Closing, Damage> {
        let mut fields = from.fields()?;
        let closing = Closing {
            closes: fields.required(1, Closed::decode)?,
            occurred_at: fields.required(2, Timestamp::decode)?,
            cancels: fields.optional(3, Reader::list)?.unwrap_or_default(),
            releases: fields.optional(4, Reader::list)?.unwrap_or_default(),
            reason: fields.optional(5, Message::decode)?,
        };
        fields.end()?;
        Ok(closing)
    }
}

impl Encode for Misfit {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.gateway.encode(w));
        to.field(2, |w| self.operation.encode(w));
        to.field(3, |w| self.evidence.encode(w));
        to.field(4, |w| self.name.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Misfit, Damage> {
        let mut fields = from.fields()?;
        let misfit = Misfit {
            gateway: fields.required(1, GatewayName::decode)?,
            operation: fields.required(2, OperationId::decode)?,
            evidence: fields.required(3, Evidence::decode)?,
            name: fields.required(4, NotificationId::decode)?,
        };
        fields.end()?;
        Ok(misfit)
    }
}

impl Encode for NotificationReused {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.gateway.encode(w));
        to.field(2, |w| self.notification.encode(w));
        to.field(3, |w| w.list(&self.fields));
    }

    fn decode(from: &mut Reader<'_>) -> Result<NotificationReused, Damage> {
        let mut fields = from.fields()?;
        let reused = NotificationReused {
            gateway: fields.required(1, GatewayName::decode)?,
            notification: fields.required(2, NotificationId::decode)?,
            fields: fields.required(3, Reader::list)?,
        };
        fields.end()?;
        Ok(reused)
    }
}

impl Encode for Disputed {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.dispute.encode(w));
        to.field(2, |w| self.gateway.encode(w));
        to.field(3, |w| self.gateway_dispute_id.encode(w));
        to.optional(4, self.movement.as_ref(), |w, name| name.encode(w));
        to.field(5, |w| self.word.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Disputed, Damage> {
        let mut fields = from.fields()?;
        let disputed = Disputed {
            dispute: fields.required(1, DisputeId::decode)?,
            gateway: fields.required(2, GatewayName::decode)?,
            gateway_dispute_id: fields.required(3, GatewayDisputeId::decode)?,
            movement: fields.optional(4, NotificationId::decode)?,
            word: fields.required(5, DisputeWord::decode)?,
        };
        fields.end()?;
        Ok(disputed)
    }
}

impl Encode for DisputeResolved {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.dispute.encode(w));
        to.field(2, |w| self.decision.encode(w));
        to.field(3, |w| self.occurred_at.encode(w));
        to.field(4, |w| self.note.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<DisputeResolved, Damage> {
        let mut fields = from.fields()?;
        let resolved = DisputeResolved {
            dispute: fields.required(1, DisputeId::decode)?,
            decision: fields.required(2, DisputeDecision::decode)?,
            occurred_at: fields.required(3, Timestamp::decode)?,
            note: fields.required(4, Message::decode)?,
        };
        fields.end()?;
        Ok(resolved)
    }
}

impl Encode for DisputeDecision {
    fn encode(&self, to: &mut Writer) {
        match self {
            DisputeDecision::Won {} => to.byte(1),
            DisputeDecision::Lost { amount } => {
                to.byte(2);
                amount.encode(to);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<DisputeDecision, Damage> {
        Ok(match from.byte()? {
            1 => DisputeDecision::Won {},
            2 => DisputeDecision::Lost { amount: Money::decode(from)? },
            number => return Err(Damage::Newer { what: "resolution of a dispute", number: number.into() }),
        })
    }
}

impl Encode for Polled {
    fn encode(&self, to: &mut Writer) {
        to.optional(1, self.operation.as_ref(), |w, id| id.encode(w));
        to.field(2, |w| w.varint(self.polls.into()));
        to.optional(3, self.next_at.as_ref(), |w, at| at.encode(w));
        to.optional(4, self.lease_until.as_ref(), |w, at| at.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Polled, Damage> {
        let mut fields = from.fields()?;
        let polled = Polled {
            operation: fields.optional(1, OperationId::decode)?,
            polls: u32::try_from(fields.required(2, Reader::varint)?)
                .map_err(|_| Damage::Malformed("count of polls"))?,
            next_at: fields.optional(3, Timestamp::decode)?,
            lease_until: fields.optional(4, Timestamp::decode)?,
        };
        fields.end()?;
        Ok(polled)
    }
}

impl Encode for Dismissed {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| w.list(&self.reviews));
        to.field(2, |w| self.note.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Dismissed, Damage> {
        let mut fields = from.fields()?;
        let dismissed = Dismissed {
            reviews: fields.required(1, Reader::list)?,
            note: fields.required(2, Message::decode)?,
        };
        fields.end()?;
        Ok(dismissed)
    }
}

impl Encode for Entered {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.amount.encode(w));
        to.field(2, |w| self.payment.encode(w));
        to.field(3, |w| self.operation.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Entered, Damage> {
        let mut fields = from.fields()?;
        let entered = Entered {
            amount: fields.required(1, Money::decode)?,
            payment: fields.required(2, PaymentId::decode)?,
            operation: fields.required(3, OperationId::decode)?,
        };
        fields.end()?;
        Ok(entered)
    }
}
