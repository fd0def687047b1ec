//! What may be changed about a payment at any time: names others know it by, and the host's own notes.

use serde::Serialize;

use crate::codec::{Damage, Encode, Reader, Writer};
use crate::text::{GatewayName, GatewayPaymentId, GatewayTrackingId, Message, Metadata, PaymentMethodId};

/// Names and notes. What is `None` stands as the terms and the attempts have it; in a change, as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct References {
    /// The host's own notes, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The gateway that has it, or is to have it.
    #[serde(rename = "payment_gateway", skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayName>,
    /// What the gateway calls it: the gateway has it then, and is asked about it, never charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// What else it is tracked under there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_tracking_id: Option<GatewayTrackingId>,
    /// The instrument of its next attempts.
    #[serde(rename = "payment_method_id", skip_serializing_if = "Option::is_none")]
    pub instrument: Option<PaymentMethodId>,
    /// Why it did not go well, in the host's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Message>,
}

impl References {
    /// These, with everything that `change` has instead.
    pub(crate) fn changed(&self, change: &References) -> References {
        let References {
            metadata,
            gateway,
            gateway_payment_id,
            gateway_tracking_id,
            instrument,
            error_message,
        } = change.clone();
        References {
            metadata: metadata.or_else(|| self.metadata.clone()),
            gateway: gateway.or_else(|| self.gateway.clone()),
            gateway_payment_id: gateway_payment_id.or_else(|| self.gateway_payment_id.clone()),
            gateway_tracking_id: gateway_tracking_id.or_else(|| self.gateway_tracking_id.clone()),
            instrument: instrument.or_else(|| self.instrument.clone()),
            error_message: error_message.or_else(|| self.error_message.clone()),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == References::default()
    }
}

impl Encode for References {
    fn encode(&self, to: &mut Writer) {
        // Notes that were emptied are there, with nothing in them.
        to.optional(1, self.metadata.as_ref(), |w, metadata| {
            if !metadata.is_empty() {
                metadata.encode(w);
            }
        });
        to.optional(2, self.gateway.as_ref(), |w, name| name.encode(w));
        to.optional(3, self.gateway_payment_id.as_ref(), |w, id| id.encode(w));
        to.optional(4, self.gateway_tracking_id.as_ref(), |w, id| id.encode(w));
        to.optional(5, self.instrument.as_ref(), |w, id| id.encode(w));
        to.optional(6, self.error_message.as_ref(), |w, message| message.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<References, Damage> {
        let mut fields = from.fields()?;
        let references = References {
            metadata: fields.optional(1, |r| {
                if r.end().is_ok() { Ok(Metadata::default()) } else { Metadata::decode(r) }
            })?,
            gateway: fields.optional(2, GatewayName::decode)?,
            gateway_payment_id: fields.optional(3, GatewayPaymentId::decode)?,
            gateway_tracking_id: fields.optional(4, GatewayTrackingId::decode)?,
            instrument: fields.optional(5, PaymentMethodId::decode)?,
            error_message: fields.optional(6, Message::decode)?,
        };
        fields.end()?;
        Ok(references)
    }
}
