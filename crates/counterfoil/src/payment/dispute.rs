//! A dispute: the payer, or the payer's bank, wants money back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::reports::Review;
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::id::DisputeId;
use crate::money::Money;
use crate::text::{ErrorCode, GatewayDisputeId, GatewayName, Message};
use crate::word::words;

words! {
    /// How far a dispute has gone. It never goes back.
    DisputeStage, "dispute stage" {
        /// A question. It moves no money and reserves none.
        Inquiry = 1, "inquiry";
        /// The bank demands the money back.
        Chargeback = 2, "chargeback";
        /// The bank has refused the host's answer.
        PreArbitration = 3, "pre_arbitration";
        /// The card network decides.
        Arbitration = 4, "arbitration";
    }
}

words! {
    /// Where a dispute stands within its stage. What is won or lost stays so until the next stage.
    DisputeStatus, "dispute status" {
        /// The host is to answer, by a date.
        NeedsResponse = 1, "NEEDS_RESPONSE";
        /// The host has answered.
        UnderReview = 2, "UNDER_REVIEW";
        /// The host keeps the money.
        Won = 3, "WON";
        /// The payer keeps it.
        Lost = 4, "LOST";
    }
}

/// What a gateway says of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DisputeWord {
    /// What it says.
    #[serde(rename = "says")]
    pub kind: DisputeWordKind,
    /// At which stage.
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
    /// Why, for programs.
    #[serde(rename = "error_code", skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<ErrorCode>,
    /// Why, for people.
    #[serde(rename = "error_message", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Message>,
    /// When it happened, by the gateway's clock. Orders what is said of an open dispute, nothing else.
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

    /// At this stage.
    #[must_use]
    pub const fn at_stage(mut self, stage: DisputeStage) -> DisputeWord {
        self.stage = stage;
        self
    }

    /// About so much.
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

    /// Standing so.
    #[must_use]
    pub const fn with_status(mut self, status: DisputeStatus) -> DisputeWord {
        self.status = Some(status);
        self
    }

    /// For this reason.
    #[must_use]
    pub fn with_reason(mut self, code: ErrorCode, reason: Message) -> DisputeWord {
        (self.reason_code, self.reason) = (Some(code), Some(reason));
        self
    }
}

/// A dispute about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// Who told of it.
    pub gateway: GatewayName,
    /// What it is called there.
    pub gateway_dispute_id: GatewayDisputeId,
    /// When it was first told of.
    pub created_at: Timestamp,
    /// When something was last learnt about it.
    pub updated_at: Timestamp,
    /// All that was ever said of it. Each part only grows, so no order and no repetition can matter.
    said: Said,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Said {
    amount: Option<Money>,
    /// What was said at each stage that was reached.
    stages: BTreeMap<DisputeStage, BTreeSet<DisputeStatus>>,
    /// The last that was said of it while it was open; by the gateway's clock.
    last: Option<(Timestamp, DisputeStatus)>,
    due_by: Option<(Timestamp, Timestamp)>,
    reason: Option<(Timestamp, Option<ErrorCode>, Option<Message>)>,
    /// By the name under which it was told, so that what is told twice counts once.
    withdrawn: BTreeMap<Box<str>, Money>,
    reinstated: BTreeMap<Box<str>, Money>,
    foreign: bool,
}

impl Dispute {
    pub(crate) fn new(
        id: DisputeId,
        gateway: GatewayName,
        gateway_dispute_id: GatewayDisputeId,
        at: Timestamp,
    ) -> Dispute {
        Dispute { id, gateway, gateway_dispute_id, created_at: at, updated_at: at, said: Said::default() }
    }

    /// How far it has gone.
    #[must_use]
    pub fn stage(&self) -> DisputeStage {
        self.said.stages.keys().next_back().copied().unwrap_or(DisputeStage::Inquiry)
    }

    /// Where it stands at that stage. What was lost is not won by another word: that is flagged.
    #[must_use]
    pub fn status(&self) -> DisputeStatus {
        let ends = self.said.stages.get(&self.stage());
        let end = ends.and_then(|ends| ends.last().copied());
        let open = || self.said.last.map_or(DisputeStatus::NeedsResponse, |(_, status)| status);
        end.unwrap_or_else(open)
    }

    /// What is disputed, if the gateway said so.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        self.said.amount
    }

    /// Until when the host is to answer.
    #[must_use]
    pub fn due_by(&self) -> Option<Timestamp> {
        self.said.due_by.map(|(_, due_by)| due_by)
    }

    /// Why, for programs.
    #[must_use]
    pub fn reason_code(&self) -> Option<&ErrorCode> {
        self.said.reason.as_ref().and_then(|(_, code, _)| code.as_ref())
    }

    /// Why, for people.
    #[must_use]
    pub fn reason(&self) -> Option<&Message> {
        self.said.reason.as_ref().and_then(|(_, _, reason)| reason.as_ref())
    }

    /// What the gateway took for it.
    pub fn withdrawn(&self) -> impl Iterator<Item = Money> {
        self.said.withdrawn.values().copied()
    }

    /// What the gateway gave back.
    pub fn reinstated(&self) -> impl Iterator<Item = Money> {
        self.said.reinstated.values().copied()
    }

    /// What of the captured money it has taken or may take: what is disputed from the chargeback on, unless that
    /// was won, or what the gateway took and did not give back, whichever is more. A gateway that does not say what is
    /// disputed means `all`.
    #[must_use]
    pub fn reserved(&self, all: Money) -> i64 {
        let counts = self.stage() >= DisputeStage::Chargeback && self.status() != DisputeStatus::Won;
        let disputed = if counts { self.said.amount.unwrap_or(all).minor() } else { 0 };
        disputed.max(self.net_withdrawn())
    }

    /// What the gateway took less what it gave back.
    fn net_withdrawn(&self) -> i64 {
        let sum = |moved: &BTreeMap<Box<str>, Money>| {
            moved.values().map(|amount| amount.minor()).fold(0, i64::saturating_add)
        };
        sum(&self.said.withdrawn).saturating_sub(sum(&self.said.reinstated)).max(0)
    }

    /// Takes in a word, told under `name`, about a payment of `asked`.
    pub(crate) fn hear(&mut self, word: &DisputeWord, name: &str, asked: Money) {
        let said = &mut self.said;
        let amount = word.amount.filter(|amount| amount.currency() == asked.currency());
        said.foreign |= word.amount.is_some() && amount.is_none();
        let funds = match word.kind {
            DisputeWordKind::FundsWithdrawn => Some(&mut said.withdrawn),
            DisputeWordKind::FundsReinstated => Some(&mut said.reinstated),
            _ => None,
        };
        if let Some(funds) = funds {
            // Of another currency nothing is known in this one.
            let moved = if word.amount.is_none() { Some(asked) } else { amount };
            if let Some(moved) = moved.filter(|moved| !moved.is_zero()) {
                let known = funds.entry(name.into()).or_insert(moved);
                *known = if known.minor() < moved.minor() { moved } else { *known };
            }
            return;
        }
        let ends = said.stages.entry(word.stage).or_default();
        match (word.kind, word.status) {
            (DisputeWordKind::Won, _) | (_, Some(DisputeStatus::Won)) => {
                ends.insert(DisputeStatus::Won);
            }
            (DisputeWordKind::Lost, _) | (_, Some(DisputeStatus::Lost)) => {
                ends.insert(DisputeStatus::Lost);
            }
            (_, Some(open)) => said.last = said.last.max(Some((word.occurred_at, open))),
            _ => {}
        }
        if amount.is_some_and(|amount| said.amount.is_none_or(|known| known.minor() < amount.minor())) {
            said.amount = amount;
        }
        said.due_by = said.due_by.max(word.due_by.map(|due_by| (word.occurred_at, due_by)));
        if word.reason_code.is_some() || word.reason.is_some() {
            let reason = (word.occurred_at, word.reason_code.clone(), word.reason.clone());
            said.reason = said.reason.take().max(Some(reason));
        }
    }

    pub(super) fn reviews(&self) -> impl Iterator<Item = Review> + use<> {
        let both = self.said.stages.values().any(|ends| ends.len() > 1);
        let contradiction = both.then_some(Review::Contradiction);
        let currency = self.said.foreign.then_some(Review::CurrencyMismatch);
        contradiction.into_iter().chain(currency)
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

/// As in its payment's row.
impl Encode for Dispute {
    fn encode(&self, to: &mut Writer) {
        let said = &self.said;
        to.field(1, |w| self.id.encode(w));
        to.field(2, |w| self.gateway.encode(w));
        to.field(3, |w| self.gateway_dispute_id.encode(w));
        to.field(4, |w| self.created_at.encode(w));
        to.field(5, |w| self.updated_at.encode(w));
        to.optional(6, said.amount.as_ref(), |w, amount| amount.encode(w));
        to.optional(7, Some(&said.stages).filter(|stages| !stages.is_empty()), |w, stages| {
            for (stage, ends) in stages {
                stage.encode(w);
                w.list(ends);
            }
        });
        to.optional(8, said.last.as_ref(), |w, (at, status)| {
            at.encode(w);
            status.encode(w);
        });
        to.optional(9, said.due_by.as_ref(), |w, (at, due_by)| {
            at.encode(w);
            due_by.encode(w);
        });
        to.optional(10, said.reason.as_ref(), |w, (at, code, reason)| {
            w.field(1, |w| at.encode(w));
            w.optional(2, code.as_ref(), |w, code| code.encode(w));
            w.optional(3, reason.as_ref(), |w, reason| reason.encode(w));
        });
        to.optional(11, Some(&said.withdrawn).filter(|moved| !moved.is_empty()), encode_moved);
        to.optional(12, Some(&said.reinstated).filter(|moved| !moved.is_empty()), encode_moved);
        to.optional(13, Some(&()).filter(|()| said.foreign), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Dispute, Damage> {
        let mut fields = from.fields()?;
        let dispute = Dispute {
            id: fields.required(1, DisputeId::decode)?,
            gateway: fields.required(2, GatewayName::decode)?,
            gateway_dispute_id: fields.required(3, GatewayDisputeId::decode)?,
            created_at: fields.required(4, Timestamp::decode)?,
            updated_at: fields.required(5, Timestamp::decode)?,
            said: Said {
                amount: fields.optional(6, Money::decode)?,
                stages: fields.optional(7, decode_stages)?.unwrap_or_default(),
                last: fields.optional(8, |r| Ok((Timestamp::decode(r)?, DisputeStatus::decode(r)?)))?,
                due_by: fields.optional(9, |r| Ok((Timestamp::decode(r)?, Timestamp::decode(r)?)))?,
                reason: fields.optional(10, decode_reason)?,
                withdrawn: fields.optional(11, decode_moved)?.unwrap_or_default(),
                reinstated: fields.optional(12, decode_moved)?.unwrap_or_default(),
                foreign: fields.optional(13, |_| Ok(()))?.is_some(),
            },
        };
        fields.end()?;
        Ok(dispute)
    }
}

fn encode_moved(to: &mut Writer, moved: &BTreeMap<Box<str>, Money>) {
    for (name, amount) in moved {
        to.text(name);
        amount.encode(to);
    }
}

fn decode_moved(from: &mut Reader<'_>) -> Result<BTreeMap<Box<str>, Money>, Damage> {
    let mut moved = BTreeMap::new();
    while from.end().is_err() {
        moved.insert(from.text()?.into(), Money::decode(from)?);
    }
    Ok(moved)
}

type Stages = BTreeMap<DisputeStage, BTreeSet<DisputeStatus>>;

fn decode_stages(from: &mut Reader<'_>) -> Result<Stages, Damage> {
    let mut stages = BTreeMap::new();
    while from.end().is_err() {
        stages.insert(DisputeStage::decode(from)?, from.set()?);
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
