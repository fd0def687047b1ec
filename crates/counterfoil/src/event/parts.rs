//! The canonical bytes of what bodies are made of. **Invariant:** they never change; what is new gets new fields.

use super::body::{Closing, Entered, Reported, Start, StartResult};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{Closed, Evidence, Failure, OperationId};
use crate::text::{GatewayName, Message, PaymentMethodId};

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
        }
        to.optional(9, self.closes.as_ref(), |w, closed| closed.encode(w));
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
        } else {
            StartResult::Recorded(fields.required(8, Evidence::decode)?)
        };
        let closes = fields.optional(9, Closed::decode)?;
        fields.end()?;
        Ok(Start { operation, amount, gateway, instrument, result, closes })
    }
}

impl Encode for Reported {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.operation.encode(w));
        to.field(2, |w| self.evidence.encode(w));
        to.optional(3, Some(&()).filter(|()| self.gateway_id_clash), |_, ()| ());
        to.optional(4, self.closes.as_ref(), |w, closed| closed.encode(w));
        to.optional(5, self.note.as_ref(), |w, note| note.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Reported, Damage> {
        let mut fields = from.fields()?;
        let reported = Reported {
            operation: fields.required(1, OperationId::decode)?,
            evidence: fields.required(2, Evidence::decode)?,
            gateway_id_clash: fields.optional(3, |_| Ok(()))?.is_some(),
            closes: fields.optional(4, Closed::decode)?,
            note: fields.optional(5, Message::decode)?,
        };
        fields.end()?;
        Ok(reported)
    }
}

impl Encode for Closing {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.closes.encode(w));
        to.field(2, |w| self.occurred_at.encode(w));
        to.optional(3, Some(&self.cancels).filter(|ids| !ids.is_empty()), |w, ids| w.list(ids));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Closing, Damage> {
        let mut fields = from.fields()?;
        let closing = Closing {
            closes: fields.required(1, Closed::decode)?,
            occurred_at: fields.required(2, Timestamp::decode)?,
            cancels: fields.optional(3, Reader::list)?.unwrap_or_default(),
        };
        fields.end()?;
        Ok(closing)
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
