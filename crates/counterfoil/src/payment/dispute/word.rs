//! What a gateway says of a dispute.

use serde::Serialize;

use super::{DisputeStage, DisputeStatus};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::money::Money;
use crate::text::{ErrorCode, Message};
use crate::word::words;

/// What a gateway says of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DisputeWord {
    /// The type of the report, such as opened or lost.
    #[serde(rename = "says")]
    pub kind: DisputeWordKind,
    /// The stage that the report is about.
    pub stage: DisputeStage,
    /// How it stands there, while it is open.
    #[serde(rename = "dispute_status", skip_serializing_if = "Option::is_none")]
    pub status: Option<DisputeStatus>,
    /// What is disputed, or what moved.
    #[serde(flatten)]
    pub amount: Option<Money>,
    /// Until when the host is to answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_by: Option<Timestamp>,
    /// The reason code of the dispute.
    #[serde(rename = "error_code", skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ErrorCode>,
    /// The reason for the dispute, in plain words.
    #[serde(rename = "error_message", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Message>,
    /// When it happened, by the gateway's clock. It orders what is said of an open dispute, and decides between a win
    /// and a loss at one stage.
    pub occurred_at: Timestamp,
}

words! {
    /// What a gateway says of a dispute.
    DisputeWordKind, "word of a dispute" {
        /// It was opened, or reached another stage.
        Opened = 1, "opened";
        /// Something about it changed.
        Updated = 2, "updated";
        /// The host won it.
        Won = 3, "won";
        /// The host lost it.
        Lost = 4, "lost";
        /// The gateway took the money.
        FundsWithdrawn = 5, "funds_withdrawn";
        /// The gateway gave the money back.
        FundsReinstated = 6, "funds_reinstated";
    }
}

impl DisputeWordKind {
    /// Whether it reports a movement of funds.
    #[must_use]
    pub const fn moves_funds(self) -> bool {
        matches!(self, DisputeWordKind::FundsWithdrawn | DisputeWordKind::FundsReinstated)
    }
}

impl DisputeWord {
    /// A word of this kind, about a chargeback, without details.
    #[must_use]
    pub const fn new(kind: DisputeWordKind, occurred_at: Timestamp) -> DisputeWord {
        DisputeWord {
            kind,
            stage: DisputeStage::Chargeback,
            status: None,
            amount: None,
            due_by: None,
            reason_code: None,
            reason: None,
            occurred_at,
        }
    }

    /// Sets the stage that the report is about.
    #[must_use]
    pub const fn at_stage(mut self, stage: DisputeStage) -> DisputeWord {
        self.stage = stage;
        self
    }

    /// Sets the amount that is disputed, or that moved.
    #[must_use]
    pub const fn with_amount(mut self, amount: Money) -> DisputeWord {
        self.amount = Some(amount);
        self
    }

    /// To be answered by then.
    #[must_use]
    pub const fn with_due_by(mut self, due_by: Timestamp) -> DisputeWord {
        self.due_by = Some(due_by);
        self
    }

    /// Sets the status of the open dispute.
    #[must_use]
    pub const fn with_status(mut self, status: DisputeStatus) -> DisputeWord {
        self.status = Some(status);
        self
    }

    /// Sets the reason code and the reason in plain words.
    #[must_use]
    pub fn with_reason(mut self, code: ErrorCode, reason: Message) -> DisputeWord {
        (self.reason_code, self.reason) = (Some(code), Some(reason));
        self
    }
}

impl Encode for DisputeWord {
    fn encode(&self, to: &mut Writer) {
        to.field(1, |w| self.kind.encode(w));
        to.field(2, |w| self.stage.encode(w));
        to.optional(3, self.status.as_ref(), |w, status| status.encode(w));
        to.optional(4, self.amount.as_ref(), |w, amount| amount.encode(w));
        to.optional(5, self.due_by.as_ref(), |w, at| at.encode(w));
        to.optional(6, self.reason_code.as_ref(), |w, code| code.encode(w));
        to.optional(7, self.reason.as_ref(), |w, reason| reason.encode(w));
        to.field(8, |w| self.occurred_at.encode(w));
    }

    fn decode(from: &mut Reader<'_>) -> Result<DisputeWord, Damage> {
        let mut fields = from.fields()?;
        let word = DisputeWord {
            kind: fields.required(1, DisputeWordKind::decode)?,
            stage: fields.required(2, DisputeStage::decode)?,
            status: fields.optional(3, DisputeStatus::decode)?,
            amount: fields.optional(4, Money::decode)?,
            due_by: fields.optional(5, Timestamp::decode)?,
            reason_code: fields.optional(6, ErrorCode::decode)?,
            reason: fields.optional(7, Message::decode)?,
            occurred_at: fields.required(8, Timestamp::decode)?,
        };
        fields.end()?;
        Ok(word)
    }
}
