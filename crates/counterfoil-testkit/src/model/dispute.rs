//! The model's disputes: everything is worked out anew from all that was ever said.

use std::collections::BTreeMap;

use counterfoil::clock::Timestamp;
use counterfoil::id::DisputeId;
use counterfoil::money::Money;
use counterfoil::payment::{DisputeStage, DisputeStatus, DisputeWord, DisputeWordKind, Review};
use counterfoil::text::{GatewayDisputeId, GatewayName, NotificationId};

use super::facts::DisputeFacts;

#[derive(Debug, Clone)]
pub(super) struct Dispute {
    pub(super) id: DisputeId,
    pub(super) gateway: GatewayName,
    pub(super) called: GatewayDisputeId,
    pub(super) asked: Money,
    /// What was said, and the gateway's name of the movement of funds.
    pub(super) words: Vec<(DisputeWord, Option<NotificationId>)>,
}

/// A name, or else the stage stands in.
type Movement = Result<NotificationId, DisputeStage>;

/// All that counts of what was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    facts: DisputeFacts,
    ends: BTreeMap<(DisputeStage, DisputeStatus), Timestamp>,
    last: BTreeMap<DisputeStage, (Timestamp, DisputeStatus)>,
    due_by: Option<(Timestamp, Timestamp)>,
    reason: Option<(Timestamp, Option<String>, Option<String>)>,
    moved: [BTreeMap<Movement, i64>; 2],
    stages: Vec<DisputeStage>,
    foreign: bool,
}

impl Dispute {
    pub(super) fn said(&self) -> Said {
        let mut stages: Vec<_> = self.told().map(|word| word.stage).collect();
        stages.sort_unstable();
        stages.dedup();
        let reasons = self.told().filter(|word| word.reason_code.is_some() || word.reason.is_some());
        let text = |word: &DisputeWord| {
            let code = word.reason_code.as_ref().map(ToString::to_string);
            (word.occurred_at, code, word.reason.as_ref().map(ToString::to_string))
        };
        Said {
            facts: self.facts(),
            ends: self.ends(),
            last: self.last(),
            due_by: self.due_by(),
            reason: reasons.map(text).max(),
            moved: [DisputeWordKind::FundsWithdrawn, DisputeWordKind::FundsReinstated]
                .map(|kind| self.moved(kind)),
            stages,
            foreign: self.is_foreign(),
        }
    }

    pub(super) fn facts(&self) -> DisputeFacts {
        let funds = |kind| {
            let currency = self.asked.currency();
            let money = |minor| Money::from_minor(minor, currency).expect("it was told as money");
            let mut amounts: Vec<_> = self.moved(kind).into_values().collect();
            amounts.sort_unstable();
            amounts.into_iter().map(money).collect()
        };
        DisputeFacts {
            id: self.id,
            gateway: self.gateway.clone(),
            called: self.called.clone(),
            stage: self.stage(),
            status: self.status(),
            amount: self.amount(),
            due_by: self.due_by().map(|(_, due_by)| due_by),
            withdrawn: funds(DisputeWordKind::FundsWithdrawn),
            reinstated: funds(DisputeWordKind::FundsReinstated),
        }
    }

    /// What is disputed, as long as a chargeback is open; of one that is lost, less what was given back; of a question,
    /// and of one that is won, nothing. What was taken and not given back counts at least.
    pub(super) fn reserved(&self, all: Money) -> i128 {
        let claimed = i128::from(self.amount().unwrap_or(all).minor());
        let net = self.sum(DisputeWordKind::FundsWithdrawn) - self.sum(DisputeWordKind::FundsReinstated);
        let reserved = if self.is_charged_back() {
            net.max(claimed - self.sum(DisputeWordKind::FundsReinstated))
        } else if self.stage() != DisputeStage::Inquiry && self.status() != DisputeStatus::Won {
            net.max(claimed)
        } else {
            net
        };
        reserved.max(0)
    }

    /// Whether the host lost it.
    pub(super) fn is_charged_back(&self) -> bool {
        self.stage() != DisputeStage::Inquiry && self.status() == DisputeStatus::Lost
    }

    fn sum(&self, kind: DisputeWordKind) -> i128 {
        self.moved(kind).into_values().map(i128::from).sum()
    }

    pub(super) fn reviews(&self) -> Vec<Review> {
        let ends = self.ends();
        let won_and_lost = |stage| {
            [DisputeStatus::Won, DisputeStatus::Lost].iter().all(|end| ends.contains_key(&(stage, *end)))
        };
        let contradiction = DisputeStage::ALL.iter().any(|stage| won_and_lost(*stage));
        let reasons = [(Review::Contradiction, contradiction), (Review::CurrencyMismatch, self.is_foreign())];
        reasons.into_iter().filter_map(|(review, holds)| holds.then_some(review)).collect()
    }

    /// What was said but for what moved.
    fn told(&self) -> impl Iterator<Item = &DisputeWord> {
        self.words.iter().map(|(word, _)| word).filter(|word| !is_funds(word.kind))
    }

    /// It never goes back.
    fn stage(&self) -> DisputeStage {
        self.told().map(|word| word.stage).max().unwrap_or(DisputeStage::Inquiry)
    }

    /// An end of this stage stays: the later of a win and a loss, and a loss if they are of one time. Else what was last
    /// said of it while it was open.
    fn status(&self) -> DisputeStatus {
        let ends = self.ends();
        let at = |end| ends.get(&(self.stage(), end));
        let end = match (at(DisputeStatus::Won), at(DisputeStatus::Lost)) {
            (None, None) => None,
            (won, lost) if won > lost => Some(DisputeStatus::Won),
            _ => Some(DisputeStatus::Lost),
        };
        let last = self.last().get(&self.stage()).map(|(_, open)| *open);
        end.or(last).unwrap_or(DisputeStatus::NeedsResponse)
    }

    /// The last time of each end of each stage.
    fn ends(&self) -> BTreeMap<(DisputeStage, DisputeStatus), Timestamp> {
        let ends = self.told().filter_map(|word| Some(((word.stage, end_of(word)?), word.occurred_at)));
        let mut ends: Vec<_> = ends.collect();
        ends.sort_unstable();
        ends.into_iter().collect()
    }

    fn last(&self) -> BTreeMap<DisputeStage, (Timestamp, DisputeStatus)> {
        let mut open: Vec<_> = self
            .told()
            .filter(|word| end_of(word).is_none())
            .filter_map(|word| Some((word.stage, (word.occurred_at, word.status?))))
            .collect();
        // Of each stage the last one stays.
        open.sort_unstable();
        open.into_iter().collect()
    }

    fn due_by(&self) -> Option<(Timestamp, Timestamp)> {
        self.told().filter_map(|word| Some((word.occurred_at, word.due_by?))).max()
    }

    /// The largest amount in the payment's currency, if it is of anything.
    fn amount(&self) -> Option<Money> {
        let own = |amount: &Money| amount.currency() == self.asked.currency() && !amount.is_zero();
        self.told().filter_map(|word| word.amount).filter(own).max_by_key(|amount| amount.minor())
    }

    /// What moved under one name moved once, and without a name once at each stage: the largest amount that was told.
    /// Without an amount it is all.
    fn moved(&self, kind: DisputeWordKind) -> BTreeMap<Movement, i64> {
        let mut moved = BTreeMap::new();
        for (word, name) in self.words.iter().filter(|(word, _)| word.kind == kind) {
            let amount = word.amount.unwrap_or(self.asked);
            if amount.currency() == self.asked.currency() && !amount.is_zero() {
                let movement = name.clone().ok_or(word.stage);
                let known = moved.entry(movement).or_insert(amount.minor());
                *known = amount.minor().max(*known);
            }
        }
        moved
    }

    fn is_foreign(&self) -> bool {
        let amounts = self.words.iter().filter_map(|(word, _)| word.amount);
        amounts.into_iter().any(|amount| amount.currency() != self.asked.currency())
    }
}

fn is_funds(kind: DisputeWordKind) -> bool {
    matches!(kind, DisputeWordKind::FundsWithdrawn | DisputeWordKind::FundsReinstated)
}

fn end_of(word: &DisputeWord) -> Option<DisputeStatus> {
    match (word.kind, word.status) {
        (DisputeWordKind::Won, _) | (_, Some(DisputeStatus::Won)) => Some(DisputeStatus::Won),
        (DisputeWordKind::Lost, _) | (_, Some(DisputeStatus::Lost)) => Some(DisputeStatus::Lost),
        _ => None,
    }
}
