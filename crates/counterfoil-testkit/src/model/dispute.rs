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
    /// What an operator decided last.
    pub(super) decided: Option<Decided>,
}

/// An operator's decision about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decided {
    /// What the payer keeps of it; `None`: nothing, the host won.
    pub(super) kept: Option<Money>,
    pub(super) at: Timestamp,
    /// How many of the words had been said.
    pub(super) after: usize,
}

/// A name, or else the stage stands in.
type Movement = Result<NotificationId, DisputeStage>;

/// The last time of each end of each stage.
type Ends = BTreeMap<(DisputeStage, DisputeStatus), Timestamp>;

/// All that counts of what was said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    facts: Facts,
    last: BTreeMap<DisputeStage, (Timestamp, DisputeStatus)>,
    due_by: Option<(Timestamp, Timestamp)>,
    reason: Option<(Timestamp, Option<String>, Option<String>)>,
}

/// What was said of how it ended, and of money.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    stages: Vec<DisputeStage>,
    ends: Ends,
    amount: Option<Money>,
    moved: [BTreeMap<Movement, i64>; 2],
    foreign: bool,
}

impl Dispute {
    pub(super) fn said(&self) -> Said {
        let reasons = self.told().filter(|word| word.reason_code.is_some() || word.reason.is_some());
        let text = |word: &DisputeWord| {
            let code = word.reason_code.as_ref().map(ToString::to_string);
            (word.occurred_at, code, word.reason.as_ref().map(ToString::to_string))
        };
        Said {
            facts: self.said_of_money(),
            last: self.last(),
            due_by: self.due_by(),
            reason: reasons.map(text).max(),
        }
    }

    fn said_of_money(&self) -> Facts {
        let mut stages: Vec<_> = self.told().map(|word| word.stage).collect();
        stages.sort_unstable();
        stages.dedup();
        Facts {
            stages,
            ends: self.told_ends(),
            amount: self.told_amount(),
            moved: [DisputeWordKind::FundsWithdrawn, DisputeWordKind::FundsReinstated]
                .map(|kind| self.moved(kind)),
            foreign: self.is_foreign(),
        }
    }

    /// As it was when an operator decided, if one did, and the decision.
    fn when_decided(&self) -> Option<(Dispute, Decided)> {
        let decided = self.decided?;
        let words = self.words[..decided.after].to_vec();
        Some((Dispute { words, decided: None, ..self.clone() }, decided))
    }

    /// The decision, while nobody has said the contrary since.
    fn standing(&self) -> Option<(Dispute, Decided)> {
        self.when_decided().filter(|(then, decided)| self.end_at(then.stage()) == Some(end_by(*decided)))
    }

    /// An operator decides. Whether that is news.
    pub(super) fn decide(&mut self, kept: Option<Money>, at: Timestamp) -> bool {
        let is_known = self
            .when_decided()
            .is_some_and(|(then, decided)| decided.kept == kept && then.known() == self.known());
        self.decided =
            if is_known { self.decided } else { Some(Decided { kept, at, after: self.words.len() }) };
        !is_known
    }

    /// What a decision sets aside.
    fn known(&self) -> impl PartialEq {
        let said = self.said_of_money();
        let sums = said.moved.map(|moved| moved.into_values().map(i128::from).sum::<i128>());
        (said.stages, said.ends, said.amount, sums, said.foreign)
    }

    /// What a loss of all of it costs.
    pub(super) fn all(&self) -> Money {
        let withdrawn = self.told_sum(DisputeWordKind::FundsWithdrawn);
        money(withdrawn.max(self.told_amount().unwrap_or(self.asked).minor().into()), self.asked)
    }

    /// Whether it may be decided by an operator, though nothing is marked.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.status(), DisputeStatus::Won | DisputeStatus::Lost)
    }

    pub(super) fn facts(&self) -> DisputeFacts {
        DisputeFacts {
            id: self.id,
            gateway: self.gateway.clone(),
            called: self.called.clone(),
            stage: self.stage(),
            status: self.status(),
            amount: self.amount(),
            due_by: self.due_by().map(|(_, due_by)| due_by),
            withdrawn: money(self.withdrawn(), self.asked),
            reinstated: money(self.reinstated(), self.asked),
        }
    }

    /// What is disputed, as long as a chargeback is open; of one that is lost, less what was given back; of a question,
    /// and of one that is won, nothing. What was taken and not given back counts at least.
    pub(super) fn reserved(&self) -> i128 {
        let claimed = i128::from(self.amount().unwrap_or(self.asked).minor());
        let net = self.withdrawn() - self.reinstated();
        let reserved = if self.is_charged_back() {
            net.max(claimed - self.reinstated())
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

    /// What was taken: what was said, and what the payer keeps by an operator's decision at least.
    pub(super) fn withdrawn(&self) -> i128 {
        let told = self.told_sum(DisputeWordKind::FundsWithdrawn);
        self.standing().map_or(told, |(then, decided)| told.max(taken(&then, decided)))
    }

    /// What was given back. By an operator's decision it was all that was taken but for what the payer keeps; of what is
    /// said later, what goes beyond that counts too.
    pub(super) fn reinstated(&self) -> i128 {
        let told = self.told_sum(DisputeWordKind::FundsReinstated);
        let Some((then, decided)) = self.standing() else { return told };
        let back = taken(&then, decided) - kept(decided);
        let said_then = then.told_sum(DisputeWordKind::FundsReinstated);
        if said_then > back { told - (said_then - back) } else { told.max(back) }
    }

    fn told_sum(&self, kind: DisputeWordKind) -> i128 {
        self.moved(kind).into_values().map(i128::from).sum()
    }

    pub(super) fn reviews(&self) -> Vec<Review> {
        let ends = self.ends();
        let won_and_lost = |stage| {
            [DisputeStatus::Won, DisputeStatus::Lost].iter().all(|end| ends.contains_key(&(stage, *end)))
        };
        let both = DisputeStage::ALL.iter().any(|stage| won_and_lost(*stage));
        let then = self.when_decided();
        let otherwise = then
            .as_ref()
            .is_some_and(|(then, decided)| then.stage() == self.stage() && self.reserved() != kept(*decided));
        let was_foreign = then.as_ref().is_some_and(|(then, _)| then.is_foreign());
        let reasons = [
            (Review::Contradiction, both || otherwise),
            (Review::CurrencyMismatch, self.is_foreign() && !was_foreign),
            (Review::Resolved, then.is_some()),
            (Review::Exceeded, self.reinstated() > self.withdrawn()),
        ];
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
        let last = self.last().get(&self.stage()).map(|(_, open)| *open);
        self.end_at(self.stage()).or(last).unwrap_or(DisputeStatus::NeedsResponse)
    }

    fn end_at(&self, stage: DisputeStage) -> Option<DisputeStatus> {
        let ends = self.ends();
        let at = |end| ends.get(&(stage, end));
        match (at(DisputeStatus::Won), at(DisputeStatus::Lost)) {
            (None, None) => None,
            (won, lost) if won > lost => Some(DisputeStatus::Won),
            _ => Some(DisputeStatus::Lost),
        }
    }

    /// The ends that count: what was said since an operator decided and not before, and what was decided.
    fn ends(&self) -> Ends {
        let mut ends = self.told_ends();
        let Some((then, decided)) = self.when_decided() else { return ends };
        let known = then.told_ends();
        ends.retain(|end, at| known.get(end) != Some(at));
        let at = ends.entry((then.stage(), end_by(decided))).or_insert(decided.at);
        *at = decided.at.max(*at);
        ends
    }

    fn told_ends(&self) -> Ends {
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

    /// What was said to be disputed; at the stage that an operator decided, what the payer keeps, unless more was said
    /// since.
    fn amount(&self) -> Option<Money> {
        let told = self.told_amount();
        match self.standing() {
            Some((then, Decided { kept: Some(kept), .. })) if then.stage() == self.stage() => {
                let more = told.filter(|_| told != then.told_amount()).into_iter().chain([kept]);
                more.max_by_key(|amount| amount.minor())
            }
            _ => told,
        }
    }

    /// The largest amount in the payment's currency, if it is of anything.
    fn told_amount(&self) -> Option<Money> {
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

fn end_by(decided: Decided) -> DisputeStatus {
    if decided.kept.is_some() { DisputeStatus::Lost } else { DisputeStatus::Won }
}

/// What the payer keeps.
fn kept(decided: Decided) -> i128 {
    decided.kept.map_or(0, |kept| kept.minor().into())
}

/// What had been taken by an operator's decision.
fn taken(then: &Dispute, decided: Decided) -> i128 {
    then.told_sum(DisputeWordKind::FundsWithdrawn).max(kept(decided))
}

fn money(minor: i128, of: Money) -> Money {
    let minor = i64::try_from(minor).map_or(Money::MAX_MINOR, |minor| minor.clamp(0, Money::MAX_MINOR));
    Money::from_minor(minor, of.currency()).expect("it is bounded")
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
