//! What a gateway says about an operation.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::money::Money;
use crate::text::{ErrorCode, GatewayOperationId, Message, PaymentUrl};
use crate::word::words;

/// A gateway's word about one operation: its synchronous answer, or what it says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What became of the operation.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The amount that the gateway reports: what moved, failed, is pending, or was taken back. `None`: all that was
    /// asked for.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// What the gateway calls the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_operation_id: Option<GatewayOperationId>,
    /// When it happened, by the gateway's clock. Orders `PROCESSING` and `REQUIRES_ACTION` among themselves,
    /// nothing else.
    pub occurred_at: Timestamp,
}

impl Evidence {
    /// Evidence of `outcome` at `occurred_at`.
    #[must_use]
    pub const fn new(outcome: Outcome, occurred_at: Timestamp) -> Evidence {
        Evidence { outcome, amount: None, gateway_operation_id: None, occurred_at }
    }

    /// Evidence that the operation succeeded.
    #[must_use]
    pub const fn succeeded(occurred_at: Timestamp) -> Evidence {
        Evidence::new(Outcome::Succeeded, occurred_at)
    }

    /// With the amount that the gateway reports, if it reports one.
    #[must_use]
    pub fn with_amount(mut self, amount: impl Into<Option<Money>>) -> Evidence {
        self.amount = amount.into();
        self
    }

    /// Whether it says that the operation succeeded.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.outcome, Outcome::Succeeded)
    }

    /// With the gateway's own id of the operation.
    #[must_use]
    pub fn with_gateway_operation_id(mut self, id: GatewayOperationId) -> Evidence {
        self.gateway_operation_id = Some(id);
        self
    }
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The money moved, or is held.
    Succeeded,
    /// The gateway said no.
    Failed(Failure),
    /// The gateway took it and will say later.
    Pending,
    /// The payer must act first.
    RequiresAction {
        /// The page to which the payer is sent.
        #[serde(skip_serializing_if = "Option::is_none")]
        payment_url: Option<PaymentUrl>,
    },
    /// It was given up before any money moved: by the payer, or because its time ran out.
    Canceled {
        /// The reason, in plain words.
        error_message: Message,
    },
    /// It had been done, and was undone, wholly or by the amount of the evidence: a bank took a charge back, a hold
    /// expired at the gateway.
    Reversed {
        /// The reason, in plain words.
        error_message: Message,
    },
    /// A return of money was canceled: what a bank had taken back was paid after all.
    ReturnCanceled {
        /// The reason, in plain words.
        error_message: Message,
    },
    /// **Certain** that nothing reached the gateway: to be said only by a caller that wrote nothing to it.
    NotSent {
        /// The reason why it was not sent.
        error_message: Message,
    },
    /// The outcome is unknown: a timeout, a broken connection, an answer that makes no sense.
    Unknown {
        /// The reason why the outcome is unknown.
        error_message: Message,
    },
}

words! {
    /// What kind of no it was: what may be tried next depends on it.
    FailureClass, "failure class" {
        /// May go well later: no funds, issuer away.
        Soft = 1, "soft";
        /// This instrument will not do.
        Hard = 2, "hard";
        /// The instrument has expired.
        ExpiredInstrument = 3, "expired_instrument";
        /// The gateway or the issuer suspects fraud.
        Fraud = 4, "fraud";
    }
}

/// A no, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    /// What kind of no.
    #[serde(rename = "error_class")]
    pub class: FailureClass,
    /// The error code of the decline.
    #[serde(rename = "error_code")]
    pub code: ErrorCode,
    /// The reason for the decline, in plain words.
    #[serde(rename = "error_message")]
    pub message: Message,
}

impl Encode for Failure {
    fn encode(&self, to: &mut Writer) {
        self.class.encode(to);
        self.code.encode(to);
        self.message.encode(to);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Failure, Damage> {
        Ok(Failure {
            class: FailureClass::decode(from)?,
            code: ErrorCode::decode(from)?,
            message: Message::decode(from)?,
        })
    }
}

impl Encode for Evidence {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| w.byte(self.outcome.number()));
        to.field(2, |w| self.occurred_at.encode(w));
        to.optional(3, self.gateway_operation_id.as_ref(), |w, id| id.encode(w));
        to.optional(4, self.amount.as_ref(), |w, amount| amount.encode(w));
        match &self.outcome {
            Outcome::Failed(failure) => to.field(5, |w| failure.encode(w)),
            Outcome::Succeeded | Outcome::Pending => {}
            Outcome::RequiresAction { payment_url } => {
                to.optional(6, payment_url.as_ref(), |w, url| url.encode(w));
            }
            Outcome::NotSent { error_message }
            | Outcome::Unknown { error_message }
            | Outcome::Canceled { error_message }
            | Outcome::Reversed { error_message }
            | Outcome::ReturnCanceled { error_message } => {
                to.field(7, |w| error_message.encode(w));
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Evidence, Damage> {
        let mut fields = from.fields()?;
        let number = fields.required(1, Reader::byte)?;
        let occurred_at = fields.required(2, Timestamp::decode)?;
        let gateway_operation_id = fields.optional(3, GatewayOperationId::decode)?;
        let amount = fields.optional(4, Money::decode)?;
        let outcome = match number {
            1 => Outcome::Succeeded,
            2 => Outcome::Failed(fields.required(5, Failure::decode)?),
            3 => Outcome::Pending,
            4 => Outcome::RequiresAction { payment_url: fields.optional(6, PaymentUrl::decode)? },
            5 => Outcome::NotSent { error_message: fields.required(7, Message::decode)? },
            6 => Outcome::Unknown { error_message: fields.required(7, Message::decode)? },
            7 => Outcome::Canceled { error_message: fields.required(7, Message::decode)? },
            8 => Outcome::Reversed { error_message: fields.required(7, Message::decode)? },
            9 => Outcome::ReturnCanceled { error_message: fields.required(7, Message::decode)? },
            _ => return Err(Damage::Newer { what: "outcome", number: number.into() }),
        };
        fields.end()?;
        Ok(Evidence { outcome, amount, gateway_operation_id, occurred_at })
    }
}

impl Outcome {
    const fn number(&self) -> u8 {
        match self {
            Outcome::Succeeded => 1,
            Outcome::Failed(_) => 2,
            Outcome::Pending => 3,
            Outcome::RequiresAction { .. } => 4,
            Outcome::NotSent { .. } => 5,
            Outcome::Unknown { .. } => 6,
            Outcome::Canceled { .. } => 7,
            Outcome::Reversed { .. } => 8,
            Outcome::ReturnCanceled { .. } => 9,
        }
    }
}
