//! A dispute: the payer, or the payer's bank, wants money back.

mod row;
mod settled;
mod word;

use std::collections::BTreeMap;

use settled::Settled;
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
    /// The id of the dispute.
    pub id: DisputeId,
    /// The gateway that reported the dispute.
    pub gateway: GatewayName,
    /// What it is called there.
    pub gateway_dispute_id: GatewayDisputeId,
    /// The time of the event of its first report.
    pub created_at: Timestamp,
    /// The time of the last event about it.
    pub updated_at: Timestamp,
    /// What its payment asked for: what is disputed where the gateway does not say.
    asked: Money,
    /// All that was ever reported about it. Each part only grows, so no order and no repetition can matter.
    facts: Facts,
    /// What an operator decided.
    settled: Option<Box<Settled>>,
}

/// The latest time of each end, by the gateway's clock.
type Ends = BTreeMap<DisputeStatus, Timestamp>;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Facts {
    amount: Option<Money>,
    /// The ends that were reported at each stage that was reached, and the latest time of each by the gateway's clock.
    stages: BTreeMap<DisputeStage, Ends>,
    /// The last status that was reported at each stage while it was open, by the gateway's clock.
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
        asked: Money,
        at: Timestamp,
    ) -> Dispute {
        let (created_at, updated_at, facts) = (at, at, Facts::default());
        Dispute { id, gateway, gateway_dispute_id, created_at, updated_at, asked, facts, settled: None }
    }

    /// How far it has gone.
    #[must_use]
    pub fn stage(&self) -> DisputeStage {
        self.facts.stages.keys().next_back().copied().unwrap_or(DisputeStage::Inquiry)
    }

    /// Where it stands at that stage. Of a win and a loss at one stage the later by the gateway's clock decides; at the
    /// same time it is lost. Either way it is flagged.
    #[must_use]
    pub fn status(&self) -> DisputeStatus {
        let end = self.end(self.stage());
        let last = self.facts.last.get(&self.stage());
        let open = || last.map_or(DisputeStatus::NeedsResponse, |(_, status)| *status);
        end.unwrap_or_else(open)
    }

    /// Whether it is neither won nor lost.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.status(), DisputeStatus::Won | DisputeStatus::Lost)
    }

    /// What is disputed, if the gateway or an operator said so.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        let settled = self.standing_decision().filter(|settled| settled.stage == self.stage());
        settled.map_or(self.facts.amount, |settled| settled.amount(self.facts.amount))
    }

    /// Until when the host is to answer.
    #[must_use]
    pub fn due_by(&self) -> Option<Timestamp> {
        self.facts.due_by.map(|(_, due_by)| due_by)
    }

    /// The reason code that was reported last.
    #[must_use]
    pub fn reason_code(&self) -> Option<&ErrorCode> {
        self.facts.reason.as_ref().and_then(|(_, code, _)| code.as_ref())
    }

    /// The reason that was reported last, in plain words.
    #[must_use]
    pub fn reason(&self) -> Option<&Message> {
        self.facts.reason.as_ref().and_then(|(_, _, reason)| reason.as_ref())
    }

    /// What the gateway took for it, in all.
    #[must_use]
    pub fn withdrawn(&self) -> Money {
        self.money(self.withdrawn_minor())
    }

    /// What the gateway gave back, in all.
    #[must_use]
    pub fn reinstated(&self) -> Money {
        self.money(self.reinstated_minor())
    }

    /// The amount of the movement of funds that its gateway reported under this name.
    pub(crate) fn movement(&self, kind: DisputeWordKind, name: &str) -> Option<Money> {
        self.movements(kind).get(&Movement::Named(name.into())).copied()
    }

    /// Whether a movement of funds of this kind was reported without a name.
    pub(crate) fn has_unnamed_movement(&self, kind: DisputeWordKind) -> bool {
        self.movements(kind).keys().any(|movement| matches!(movement, Movement::OfStage(_)))
    }

    fn movements(&self, kind: DisputeWordKind) -> &BTreeMap<Movement, Money> {
        match kind {
            DisputeWordKind::FundsReinstated => &self.facts.reinstated,
            _ => &self.facts.withdrawn,
        }
    }

    /// Whether an operator decided how it ended.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.settled.is_some()
    }

    /// The part of the captured money that the dispute has taken or may take, in minor units. A gateway that does not
    /// say what is disputed means all that the payment asked for.
    ///
    /// * An open chargeback: what is disputed, or what was withdrawn and not reinstated, whichever is more.
    /// * A lost chargeback: what is disputed, or what was withdrawn, whichever is more; less what was reinstated.
    /// * An inquiry, or a dispute that was won: what was withdrawn and not reinstated.
    #[must_use]
    pub fn reserved(&self) -> i64 {
        let disputed = self.amount().unwrap_or(self.asked).minor();
        match self.liability() {
            Liability::Open => disputed.max(self.net_withdrawn()),
            Liability::Lost => {
                disputed.max(self.withdrawn_minor()).saturating_sub(self.reinstated_minor()).max(0)
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
        self.withdrawn_minor().saturating_sub(self.reinstated_minor()).max(0)
    }

    pub(crate) fn withdrawn_minor(&self) -> i64 {
        let reported = sum(&self.facts.withdrawn);
        self.standing_decision().map_or(reported, |settled| settled.withdrawn(reported))
    }

    pub(crate) fn reinstated_minor(&self) -> i64 {
        let reported = sum(&self.facts.reinstated);
        self.standing_decision().map_or(reported, |settled| settled.reinstated(reported))
    }

    fn liability(&self) -> Liability {
        match self.status() {
            _ if self.stage() < DisputeStage::Chargeback => Liability::None,
            DisputeStatus::Won => Liability::None,
            DisputeStatus::Lost => Liability::Lost,
            DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => Liability::Open,
        }
    }

    /// How `stage` ended, if it did.
    fn end(&self, stage: DisputeStage) -> Option<DisputeStatus> {
        let ends = self.ends(stage).into_iter();
        ends.map(|(end, at)| (at, end)).max().map(|(_, end)| end)
    }

    /// What an operator decided, while its gateway has not reported the contrary since.
    fn standing_decision(&self) -> Option<&Settled> {
        let settled = self.settled.as_deref();
        settled.filter(|settled| self.end(settled.stage) == Some(settled.end()))
    }

    /// The ends that count at `stage`: what was reported, but for what an operator set aside, and what he decided.
    fn ends(&self, stage: DisputeStage) -> Ends {
        let reported = self.facts.stages.get(&stage);
        match &self.settled {
            Some(settled) => settled.ends(stage, reported),
            None => reported.cloned().unwrap_or_default(),
        }
    }

    /// Applies a report. `name` is the gateway's name of the movement of funds.
    pub(crate) fn apply_report(&mut self, word: &DisputeWord, name: Option<&str>) {
        let (asked, facts) = (self.asked, &mut self.facts);
        let amount = word.amount.filter(|amount| amount.currency() == asked.currency());
        facts.foreign |= word.amount.is_some() && amount.is_none();
        let funds = match word.kind {
            DisputeWordKind::FundsWithdrawn => Some(&mut facts.withdrawn),
            DisputeWordKind::FundsReinstated => Some(&mut facts.reinstated),
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
        let ends = facts.stages.entry(word.stage).or_default();
        match (word.kind, word.status) {
            (DisputeWordKind::Won, _) | (_, Some(DisputeStatus::Won)) => {
                note_end(ends, DisputeStatus::Won, word.occurred_at);
            }
            (DisputeWordKind::Lost, _) | (_, Some(DisputeStatus::Lost)) => {
                note_end(ends, DisputeStatus::Lost, word.occurred_at);
            }
            (_, Some(open)) => {
                let reported = (word.occurred_at, open);
                facts
                    .last
                    .entry(word.stage)
                    .and_modify(|known| *known = reported.max(*known))
                    .or_insert(reported);
            }
            _ => {}
        }
        // An amount of zero says nothing: a dispute is about some money.
        let amount = amount.filter(|amount| !amount.is_zero());
        if amount.is_some_and(|amount| facts.amount.is_none_or(|known| known.minor() < amount.minor())) {
            facts.amount = amount;
        }
        facts.due_by = facts.due_by.max(word.due_by.map(|due_by| (word.occurred_at, due_by)));
        if word.reason_code.is_some() || word.reason.is_some() {
            let reason = (word.occurred_at, word.reason_code.clone(), word.reason.clone());
            facts.reason = facts.reason.take().max(Some(reason));
        }
    }

    pub(super) fn reviews(&self) -> impl Iterator<Item = Review> + use<> {
        let both = DisputeStage::ALL.iter().any(|stage| self.ends(*stage).len() > 1);
        let is_foreign = match &self.settled {
            Some(settled) => self.facts.foreign && !settled.knew_foreign(),
            None => self.facts.foreign,
        };
        let contradiction = (both || self.is_settled_otherwise()).then_some(Review::Contradiction);
        let currency = is_foreign.then_some(Review::CurrencyMismatch);
        let resolved = self.is_resolved().then_some(Review::Resolved);
        let is_beyond = self.reinstated_minor() > self.withdrawn_minor();
        let exceeded = is_beyond.then_some(Review::Exceeded);
        [contradiction, currency, resolved, exceeded].into_iter().flatten()
    }

    fn money(&self, minor: i64) -> Money {
        let currency = self.asked.currency();
        Money::from_minor(minor.clamp(0, Money::MAX_MINOR), currency).unwrap_or(Money::zero(currency))
    }
}

/// The latest time of an end counts.
fn note_end(ends: &mut Ends, end: DisputeStatus, at: Timestamp) {
    ends.entry(end).and_modify(|known| *known = at.max(*known)).or_insert(at);
}

fn sum(moved: &BTreeMap<Movement, Money>) -> i64 {
    moved.values().copied().map(Money::minor).fold(0, i64::saturating_add)
}
