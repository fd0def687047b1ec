//! A dispute: the payer, or the payer's bank, wants money back.

mod row;
mod word;

use std::collections::{BTreeMap, BTreeSet};

pub use word::{DisputeWord, DisputeWordKind};

use super::reports::Review;
use crate::clock::Timestamp;
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
    /// The last that was said at each stage while it was open; by the gateway's clock.
    last: BTreeMap<DisputeStage, (Timestamp, DisputeStatus)>,
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
        let last = self.said.last.get(&self.stage());
        let open = || last.map_or(DisputeStatus::NeedsResponse, |(_, status)| *status);
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
    pub(crate) fn net_withdrawn(&self) -> i64 {
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
            (_, Some(open)) => {
                let told = (word.occurred_at, open);
                said.last.entry(word.stage).and_modify(|known| *known = told.max(*known)).or_insert(told);
            }
            _ => {}
        }
        // Nothing is never disputed: that is not said.
        let amount = amount.filter(|amount| !amount.is_zero());
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
