//! A dispute: the payer, or the payer's bank, wants money back.

mod row;
mod word;

use std::collections::BTreeMap;

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
    /// The ends that were reported at each stage that was reached, and the latest time of each by the gateway's clock.
    stages: BTreeMap<DisputeStage, BTreeMap<DisputeStatus, Timestamp>>,
    /// The last that was said at each stage while it was open; by the gateway's clock.
    last: BTreeMap<DisputeStage, (Timestamp, DisputeStatus)>,
    due_by: Option<(Timestamp, Timestamp)>,
    reason: Option<(Timestamp, Option<ErrorCode>, Option<Message>)>,
    /// The largest amount of each movement, so that a movement that is reported twice counts once.
    withdrawn: BTreeMap<Movement, Money>,
    reinstated: BTreeMap<Movement, Money>,
    foreign: bool,
}

/// The identity of a movement of a dispute's funds, among those of its direction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Movement {
    /// The gateway's name of the movement.
    Named(Box<str>),
    /// The one movement of this stage that has no name.
    OfStage(DisputeStage),
}

/// The host's liability by a dispute, which decides how its amounts are reserved.
enum Liability {
    /// A chargeback that is not decided.
    Open,
    /// A chargeback that the host lost.
    Lost,
    /// An inquiry, or a dispute that the host won.
    None,
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

    /// Where it stands at that stage. Of a win and a loss at one stage the later by the gateway's clock decides; at the
    /// same time it is lost. Either way it is flagged.
    #[must_use]
    pub fn status(&self) -> DisputeStatus {
        let ends = self.said.stages.get(&self.stage()).into_iter().flatten();
        let end = ends.map(|(end, at)| (*at, *end)).max().map(|(_, end)| end);
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

    /// The part of the captured money that the dispute has taken or may take, in minor units. A gateway that does not
    /// say what is disputed means `all`.
    ///
    /// * An open chargeback: what is disputed, or what was withdrawn and not reinstated, whichever is more.
    /// * A lost chargeback: what is disputed, or what was withdrawn, whichever is more; less what was reinstated.
    /// * An inquiry, or a dispute that was won: what was withdrawn and not reinstated.
    #[must_use]
    pub fn reserved(&self, all: Money) -> i64 {
        let disputed = self.said.amount.unwrap_or(all).minor();
        match self.liability() {
            Liability::Open => disputed.max(self.net_withdrawn()),
            Liability::Lost => {
                disputed.max(sum(self.withdrawn())).saturating_sub(sum(self.reinstated())).max(0)
            }
            Liability::None => self.net_withdrawn(),
        }
    }

    /// Whether the payer's bank keeps the money: a chargeback that the host lost.
    pub(crate) fn is_charged_back(&self) -> bool {
        matches!(self.liability(), Liability::Lost)
    }

    /// What the gateway took less what it gave back.
    pub(crate) fn net_withdrawn(&self) -> i64 {
        sum(self.withdrawn()).saturating_sub(sum(self.reinstated())).max(0)
    }

    fn liability(&self) -> Liability {
        match self.status() {
            _ if self.stage() < DisputeStage::Chargeback => Liability::None,
            DisputeStatus::Won => Liability::None,
            DisputeStatus::Lost => Liability::Lost,
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => Liability::Open,
        }
    }

    /// Takes in a word about a payment of `asked`; `name` is the gateway's of the movement of funds.
    pub(crate) fn hear(&mut self, word: &DisputeWord, name: Option<&str>, asked: Money) {
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
                let movement =
                    name.map_or(Movement::OfStage(word.stage), |name| Movement::Named(name.into()));
                let known = funds.entry(movement).or_insert(moved);
                *known = if known.minor() < moved.minor() { moved } else { *known };
            }
            return;
        }
        let ends = said.stages.entry(word.stage).or_default();
        match (word.kind, word.status) {
            (DisputeWordKind::Won, _) | (_, Some(DisputeStatus::Won)) => {
                note_end(ends, DisputeStatus::Won, word.occurred_at);
            }
            (DisputeWordKind::Lost, _) | (_, Some(DisputeStatus::Lost)) => {
                note_end(ends, DisputeStatus::Lost, word.occurred_at);
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

/// The latest time of an end counts.
fn note_end(ends: &mut BTreeMap<DisputeStatus, Timestamp>, end: DisputeStatus, at: Timestamp) {
    ends.entry(end).and_modify(|known| *known = at.max(*known)).or_insert(at);
}

fn sum(moved: impl Iterator<Item = Money>) -> i64 {
    moved.map(Money::minor).fold(0, i64::saturating_add)
}
