//! What an operator decided about a dispute.

use super::row::{Stages, decode_stages, encode_stages};
use super::{Dispute, DisputeStage, DisputeStatus, Ends, note_end, sum};
use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};
use crate::event::DisputeDecision;
use crate::money::Money;

/// What an operator decided about a dispute, and what the gateway had reported by then. What was known is set aside;
/// what is reported for the first time afterwards counts.
///
/// By the decision, what was withdrawn less what was reinstated is what the payer keeps. Movements of funds that are
/// reported later and only lead there are the ones that the operator knew of already, so they change nothing. A later
/// report of the other end displaces the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    decision: DisputeDecision,
    /// The stage that it ended.
    pub(super) stage: DisputeStage,
    at: Timestamp,
    known: Known,
}

/// What was known of a dispute when an operator decided.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    stages: Stages,
    amount: Option<Money>,
    /// In minor units, as [`reinstated`](Self::reinstated).
    withdrawn: i64,
    reinstated: i64,
    foreign: bool,
}

impl Dispute {
    /// How it ended, as an operator decides. It replaces what an operator decided before.
    pub(crate) fn settle(&mut self, decision: DisputeDecision, at: Timestamp) {
        self.settled = Some(Box::new(Settled { decision, stage: self.stage(), at, known: self.known() }));
    }

    /// Whether an operator decided this before, and nothing was reported since.
    pub(crate) fn is_settled_as(&self, decision: DisputeDecision) -> bool {
        let is_same = |settled: &Settled| settled.decision == decision && settled.known == self.known();
        self.settled.as_deref().is_some_and(is_same)
    }

    /// All that its gateway demands or took: what a loss without an amount costs.
    pub(crate) fn all(&self) -> Money {
        let disputed = self.facts.amount.unwrap_or(self.asked);
        self.money(disputed.minor().max(sum(&self.facts.withdrawn)))
    }

    /// Whether what was reported since has made it come to something else than the operator decided, at the same stage.
    pub(super) fn is_settled_otherwise(&self) -> bool {
        let here = self.settled.as_deref().filter(|settled| settled.stage == self.stage());
        here.is_some_and(|settled| settled.kept() != self.reserved())
    }

    /// With every time by our clock set back to the epoch.
    #[cfg(test)]
    pub(crate) fn without_own_times(&self) -> Dispute {
        let mut dispute = self.clone();
        (dispute.created_at, dispute.updated_at) = (Timestamp::EPOCH, Timestamp::EPOCH);
        if let Some(settled) = &mut dispute.settled {
            settled.at = Timestamp::EPOCH;
        }
        dispute
    }

    fn known(&self) -> Known {
        Known {
            stages: self.facts.stages.clone(),
            amount: self.facts.amount,
            withdrawn: sum(&self.facts.withdrawn),
            reinstated: sum(&self.facts.reinstated),
            foreign: self.facts.foreign,
        }
    }
}

impl Settled {
    /// The ends that count at `stage`.
    pub(super) fn ends(&self, stage: DisputeStage, reported: Option<&Ends>) -> Ends {
        let known = self.known.stages.get(&stage);
        let is_news = |end: &DisputeStatus, at: &Timestamp| known.and_then(|ends| ends.get(end)) < Some(at);
        let reported = reported.into_iter().flatten().filter(|(end, at)| is_news(end, at));
        let mut ends: Ends = reported.map(|(end, at)| (*end, *at)).collect();
        if stage == self.stage {
            note_end(&mut ends, self.end(), self.at);
        }
        ends
    }

    /// What is disputed at its stage.
    pub(super) fn amount(&self, reported: Option<Money>) -> Option<Money> {
        let DisputeDecision::Lost { amount } = self.decision else { return reported };
        let news = reported
            .filter(|reported| self.known.amount.is_none_or(|known| known.minor() < reported.minor()));
        news.filter(|news| news.minor() > amount.minor()).or(Some(amount))
    }

    /// What was withdrawn, where so much was reported.
    pub(super) fn withdrawn(&self, reported: i64) -> i64 {
        reported.max(self.withdrawn_then())
    }

    /// What was reinstated, where so much was reported. What was known and the operator denied does not count.
    pub(super) fn reinstated(&self, reported: i64) -> i64 {
        let then = self.withdrawn_then() - self.kept();
        let denied = (self.known.reinstated - then).max(0);
        then.max(reported - denied)
    }

    pub(super) const fn knew_foreign(&self) -> bool {
        self.known.foreign
    }

    /// What was withdrawn when the operator decided: what was reported, or what the payer keeps.
    fn withdrawn_then(&self) -> i64 {
        self.known.withdrawn.max(self.kept())
    }

    /// What the payer keeps.
    const fn kept(&self) -> i64 {
        match self.decision {
            DisputeDecision::Won {} => 0,
            DisputeDecision::Lost { amount } => amount.minor(),
        }
    }

    pub(super) const fn end(&self) -> DisputeStatus {
        match self.decision {
            DisputeDecision::Won {} => DisputeStatus::Won,
            DisputeDecision::Lost { .. } => DisputeStatus::Lost,
        }
    }
}

impl Encode for Settled {
    fn encode(&self, to: &mut Writer) {
        let known = &self.known;
        to.field(1, |w| self.decision.encode(w));
        to.field(2, |w| self.stage.encode(w));
        to.field(3, |w| self.at.encode(w));
        to.optional(4, Some(&known.stages).filter(|stages| !stages.is_empty()), encode_stages);
        to.optional(5, known.amount.as_ref(), |w, amount| amount.encode(w));
        to.field(6, |w| w.signed(known.withdrawn));
        to.field(7, |w| w.signed(known.reinstated));
        to.optional(8, Some(&()).filter(|()| known.foreign), |_, ()| ());
    }

    fn decode(from: &mut Reader<'_>) -> Result<Settled, Damage> {
        let mut fields = from.fields()?;
        let settled = Settled {
            decision: fields.required(1, DisputeDecision::decode)?,
            stage: fields.required(2, DisputeStage::decode)?,
            at: fields.required(3, Timestamp::decode)?,
            known: Known {
                stages: fields.optional(4, decode_stages)?.unwrap_or_default(),
                amount: fields.optional(5, Money::decode)?,
                withdrawn: fields.required(6, Reader::signed)?,
                reinstated: fields.required(7, Reader::signed)?,
                foreign: fields.optional(8, |_| Ok(()))?.is_some(),
            },
        };
        fields.end()?;
        Ok(settled)
    }
}
