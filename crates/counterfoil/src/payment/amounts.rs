//! What a payment's money adds up to. Each amount is the sum over the operations and disputes that make it.

use super::{Dispute, Operation, OperationId, OperationKind, Payment, VoidTarget};
use crate::money::Money;
use crate::status::OperationStatus;

impl Payment {
    /// The money that was taken, and neither taken back by a void nor by a bank; at most what [`Money`] can say,
    /// which only several successes of one payment can reach, and those are flagged.
    #[must_use]
    pub fn captured(&self) -> Money {
        self.money(self.captured_minor())
    }

    /// The captured money that was given back.
    #[must_use]
    pub fn refunded(&self) -> Money {
        self.money(self.refunded_minor())
    }

    /// The captured money that could be given back: what is neither refunded, nor being given back, nor disputed. Of
    /// several charges, which only a late success makes, it takes several refunds.
    #[must_use]
    pub fn refundable(&self) -> Money {
        let gone = self.gone();
        self.money(self.captured_minor().saturating_sub(gone))
    }

    /// How much of that one refund can give back: a gateway gives back of one charge at a time. What came past every
    /// gateway goes back together.
    #[must_use]
    pub fn refundable_at_once(&self) -> Money {
        let most = self.ways_back().into_iter().map(|(_, left)| left).max().unwrap_or_default();
        self.money(most.min(self.refundable().minor()))
    }

    /// All that was ever authorized: what holds held at first, and what was held on the way to external charges. A charge
    /// that was requested here is no hold, whatever steps its gateway reports.
    #[must_use]
    pub fn authorized(&self) -> Money {
        self.money(sum(self.attempts().filter_map(Operation::ever_authorized)))
    }

    /// What is held: neither captured nor released.
    #[must_use]
    pub fn held(&self) -> Money {
        self.money(self.holds().map(|hold| self.held_by(hold)).fold(0, i64::saturating_add))
    }

    /// What can be captured of the hold: what is held, less what captures and voids under way may take of it. Of
    /// several holds, which only a late success makes, that of the largest.
    #[must_use]
    pub fn capturable(&self) -> Money {
        let most = self.best_hold().map_or(0, |hold| self.capturable_of(hold));
        self.money(most)
    }

    /// The money that disputes have taken or may take: what open chargebacks reserve and what was
    /// [charged back](Self::charged_back).
    #[must_use]
    pub fn disputed(&self) -> Money {
        self.money(self.disputed_minor())
    }

    /// The part of [`disputed`](Self::disputed) that the payer's bank keeps: what lost chargebacks took, less what was
    /// reinstated.
    #[must_use]
    pub fn charged_back(&self) -> Money {
        self.money(self.reserved_by(Dispute::is_charged_back))
    }

    /// The part of [`disputed`](Self::disputed) that is not decided against the host.
    pub(crate) fn in_dispute(&self) -> Money {
        self.money(self.reserved_by(|dispute| !dispute.is_charged_back()))
    }

    /// What is left of the captured money: less what was given back, and less what disputes took and did not give back.
    /// Zero where more went than had come.
    #[must_use]
    pub fn net(&self) -> Money {
        let withdrawn = self.disputes.iter().map(Dispute::net_withdrawn).fold(0, i64::saturating_add);
        self.money(self.captured_minor().saturating_sub(self.refunded_minor()).saturating_sub(withdrawn))
    }

    /// Whether an operation is under way that takes from what there is: a capture, a refund, a void.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.operations.iter().any(|operation| !operation.id.is_attempt() && operation.status().is_live())
    }

    /// The hold that a capture or a void takes from.
    pub(crate) fn best_hold(&self) -> Option<&Operation> {
        // Of equal ones the first.
        self.holds().rev().max_by_key(|hold| self.capturable_of(hold))
    }

    /// Whether something is under way that takes from `hold`.
    pub(crate) fn is_taken_from(&self, hold: &Operation) -> bool {
        self.of(hold).any(|operation| operation.status().is_live() && operation.reserves_of_hold() > 0)
    }

    /// Whether the amount of a queued capture, refund or void is still available, beside all other reserved amounts.
    pub(crate) fn has_amount_for(&self, queued: &Operation) -> bool {
        let parent = queued.parent().and_then(|id| self.operation(id.into()));
        let Some(parent) = parent else { return false };
        if queued.id.is_refund() || queued.is_reversal() {
            let mut left = self.left().into_iter();
            let is_left = left.any(|(attempt, left)| attempt.id == parent.id && left >= 0);
            return is_left && self.excess_returned() == 0;
        }
        parent.is_hold() && self.held_by(parent) >= self.reserved_of(parent)
    }

    /// The first way by which so much came that has not gone back.
    pub(crate) fn way_back(&self, amount: Money) -> Option<WayBack<'_>> {
        let mut ways = self.ways_back().into_iter();
        ways.find(|(_, left)| *left >= amount.minor()).map(|(way, _)| way)
    }

    /// The attempt of a gateway that brought all there is.
    pub(crate) fn only_way_in(&self) -> Option<&Operation> {
        match self.left()[..] {
            [(only, _)] if only.gateway.is_some() => Some(only),
            _ => None,
        }
    }

    /// What is left of what came by each way.
    fn ways_back(&self) -> Vec<(WayBack<'_>, i64)> {
        let mut ways: Vec<(WayBack<'_>, i64)> = Vec::new();
        for (attempt, left) in self.left() {
            let past_gateways = ways.iter_mut().find(|(way, _)| matches!(way, WayBack::PastGateways));
            match past_gateways.filter(|_| attempt.gateway.is_none()) {
                Some((_, sum)) => *sum = sum.saturating_add(left),
                None => ways.push((WayBack::of(attempt), left)),
            }
        }
        ways
    }

    /// What is left of what each attempt brought. What went back of none in particular went of what had come the same
    /// way, if there is such, and what is disputed came by the gateway that reports the dispute.
    pub(crate) fn left(&self) -> Vec<(&Operation, i64)> {
        let paid = self.attempts().map(|attempt| (attempt, self.brought_by(attempt)));
        let mut left: Vec<_> = paid
            .filter(|(_, brought)| *brought > 0)
            .map(|(attempt, brought)| (attempt, brought.saturating_sub(self.taken_from(attempt))))
            .collect();
        let of_none = self.operations.iter().filter(|operation| operation.parent().is_none());
        let back = of_none.map(|back| (back.gateway.as_ref(), back.takes_back()));
        let disputed = self.disputes.iter().map(|dispute| (Some(&dispute.gateway), dispute.reserved()));
        for (gateway, mut gone) in back.chain(disputed) {
            for same_way in [true, false] {
                let among = left.iter_mut().filter(|(of, _)| (of.gateway.as_ref() == gateway) == same_way);
                for (_, left) in among {
                    let of_this = gone.min((*left).max(0));
                    (*left, gone) = (*left - of_this, gone - of_this);
                }
            }
        }
        left
    }

    pub(super) fn captured_minor(&self) -> i64 {
        let undone = self.moved_by(Operation::is_reversal);
        self.taken_minor().saturating_sub(undone).max(0)
    }

    /// The money that was taken and that no bank took back, whether or not voids gave it back.
    pub(crate) fn taken_minor(&self) -> i64 {
        let brought = self.attempts().map(|attempt| self.brought_by(attempt));
        let unallocated =
            self.moved_by(|operation| operation.id.is_capture() && operation.parent().is_none());
        brought.fold(unallocated, i64::saturating_add)
    }

    /// How much more goes back, or may, than there is. Only evidence can raise it.
    pub(crate) fn excess_returned(&self) -> i64 {
        let gone = self.gone().saturating_add(self.moved_by(Operation::is_reversal));
        gone.saturating_sub(self.taken_minor()).max(0)
    }

    /// How much more was captured than had been held, or charged, and how much more was taken back or released than there
    /// was.
    pub(crate) fn captured_beyond_holds(&self) -> i64 {
        let took = self.operations.iter().filter(|operation| {
            let parent = operation.parent().and_then(|id| self.operation(id.into()));
            let is_of_hold = parent.is_none_or(Operation::is_hold) && !operation.is_set_apart();
            is_of_hold && !operation.is_external_void_of_all(self.terms.amount)
        });
        let took = took.map(Operation::took_of_hold).fold(0, i64::saturating_add);
        let beyond_each = self.holds().map(|hold| self.taken_beyond(hold)).fold(0, i64::saturating_add);
        let of_holds = took.saturating_sub(self.ever_held()).max(beyond_each).max(0);
        let charges = self.attempts().filter(|attempt| !attempt.is_hold());
        let beyond = charges.map(|attempt| self.captured_beyond(attempt));
        let surplus = self
            .operations
            .iter()
            .map(|operation| operation.reports.surplus_undone(operation.amount.minor()));
        beyond.chain(surplus).fold(of_holds, i64::saturating_add)
    }

    /// How much more was taken of a hold than it had held, or captured than was left when its time ran out.
    fn taken_beyond(&self, hold: &Operation) -> i64 {
        let all = hold.ever_moved().map_or(0, Money::minor);
        let counts = |operation: &&Operation| {
            !operation.is_set_apart() && !operation.is_external_void_of_all(self.terms.amount)
        };
        let of_it = || self.of(hold).filter(counts);
        let took = of_it().map(Operation::took_of_hold).fold(0, i64::saturating_add);
        let captured = of_it().filter(|operation| operation.id.is_capture());
        let captured = captured.map(Operation::took_of_hold).fold(0, i64::saturating_add);
        let left = all.saturating_sub(hold.expired.map_or(0, Money::minor));
        took.saturating_sub(all).max(captured.saturating_sub(left)).max(0)
    }

    /// How much more a charge brought, with its captures, than was held for it; or than it says itself.
    fn captured_beyond(&self, charge: &Operation) -> i64 {
        let charged = charge.reports.charged(charge.amount.minor()).unwrap_or_default();
        let captured = self.captures_of(charge).map(Operation::took).fold(0, i64::saturating_add);
        let held = charge.reports.held().unwrap_or(charged);
        charged.max(captured).saturating_sub(held).max(0)
    }

    /// What its holds held at first.
    pub(super) fn ever_held(&self) -> i64 {
        sum(self.holds().filter_map(Operation::ever_moved))
    }

    /// Whether a void took back what had been charged.
    pub(super) fn is_undone(&self) -> bool {
        self.operations.iter().any(|operation| operation.is_reversal() && operation.moved().is_some())
    }

    /// Whether banks took back all that was captured.
    pub(super) fn is_returned(&self) -> bool {
        let is_returned = |operation: &Operation| {
            operation.is_inflow() && operation.returned().is_some() && !self.is_reopened_since(operation)
        };
        self.operations.iter().any(is_returned) && self.captured_minor() == 0
    }

    pub(super) fn refunded_minor(&self) -> i64 {
        self.moved_by(|operation| operation.id.is_refund())
    }

    /// What went back, or may.
    fn gone(&self) -> i64 {
        self.refunded_minor().saturating_add(self.returning()).saturating_add(self.disputed_minor())
    }

    /// What refunds, and voids of captured money, may yet take: an open one counts whole.
    fn returning(&self) -> i64 {
        self.open(|operation| operation.id.is_refund() || operation.is_reversal())
    }

    fn disputed_minor(&self) -> i64 {
        self.reserved_by(|_| true)
    }

    fn reserved_by(&self, which: impl Fn(&Dispute) -> bool) -> i64 {
        let disputes = self.disputes.iter().filter(|dispute| which(dispute));
        disputes.map(Dispute::reserved).fold(0, i64::saturating_add)
    }

    fn holds(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.is_hold())
    }

    /// What `hold` holds still.
    pub(crate) fn held_by(&self, hold: &Operation) -> i64 {
        let moved = hold.moved().map_or(0, Money::minor);
        if hold.expired.is_some() || self.of(hold).any(Operation::ended_hold) {
            // What was left then was released, what others were still about to take too.
            return 0;
        }
        moved.saturating_sub(self.taken_of_hold(hold)).max(0)
    }

    /// What was taken of `hold`, with every capture at its gateway that may be of it as well as of another.
    fn taken_of_hold(&self, hold: &Operation) -> i64 {
        let took = self.of(hold).chain(self.unallocated_captures(hold));
        took.filter(|operation| !operation.is_set_apart())
            .map(Operation::took_of_hold)
            .fold(0, i64::saturating_add)
    }

    fn unallocated_captures<'a>(&'a self, hold: &'a Operation) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(move |operation| {
            operation.id.is_capture() && operation.parent().is_none() && operation.gateway == hold.gateway
        })
    }

    fn captures_of<'a>(&'a self, attempt: &Operation) -> impl Iterator<Item = &'a Operation> {
        self.of(attempt).filter(|operation| operation.id.is_capture() && !operation.is_set_apart())
    }

    fn capturable_of(&self, hold: &Operation) -> i64 {
        self.held_by(hold).saturating_sub(self.reserved_of(hold)).max(0)
    }

    /// What may yet be taken of `hold` by what is under way.
    fn reserved_of(&self, hold: &Operation) -> i64 {
        let open = self.of(hold).chain(self.unallocated_captures(hold));
        open.filter(|operation| operation.is_reserved())
            .map(Operation::reserves_of_hold)
            .fold(0, i64::saturating_add)
    }

    /// What `attempt` brought: what was captured of it, or what it was itself reported to have charged, which includes
    /// that; less what banks took back.
    pub(crate) fn brought_by(&self, attempt: &Operation) -> i64 {
        let own = Some(attempt).filter(|attempt| !attempt.is_hold());
        let captures = || self.captures_of(attempt);
        let of_its_own = own.map_or(0, Operation::brought);
        let of_captures = captures().map(Operation::brought).fold(0, i64::saturating_add);
        let returned =
            captures().chain(own).map(|operation| operation.reports.undone(operation.amount.minor()));
        of_its_own.max(of_captures).saturating_sub(returned.fold(0, i64::saturating_add)).max(0)
    }

    /// What went back of what `attempt` brought, or may.
    fn taken_from(&self, attempt: &Operation) -> i64 {
        self.of(attempt).map(Operation::takes_back).fold(0, i64::saturating_add)
    }

    /// The operations that take from what `attempt` brought or holds.
    pub(crate) fn of<'a>(&'a self, attempt: &Operation) -> impl Iterator<Item = &'a Operation> {
        let id = attempt.id;
        self.operations
            .iter()
            .filter(move |operation| operation.parent().map(OperationId::Attempt) == Some(id))
    }

    fn moved_by(&self, which: fn(&Operation) -> bool) -> i64 {
        sum(self.operations.iter().filter(|operation| which(operation)).filter_map(Operation::moved))
    }

    fn open(&self, which: fn(&Operation) -> bool) -> i64 {
        let open = |operation: &&Operation| which(operation) && operation.is_reserved();
        sum(self.operations.iter().filter(open).map(|operation| operation.amount))
    }

    fn money(&self, minor: i64) -> Money {
        let currency = self.terms.amount.currency();
        Money::from_minor(minor.clamp(0, Money::MAX_MINOR), currency).unwrap_or(Money::zero(currency))
    }
}

/// By which way money came, and goes back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WayBack<'a> {
    /// By this charge of a gateway.
    Charge(&'a Operation),
    /// Money that came off-gateway: cash, a transfer.
    PastGateways,
}

impl<'a> WayBack<'a> {
    fn of(attempt: &'a Operation) -> WayBack<'a> {
        if attempt.gateway.is_some() { WayBack::Charge(attempt) } else { WayBack::PastGateways }
    }
}

impl Operation {
    /// Whether its success undoes a charge: a void of captured money.
    pub(crate) fn is_reversal(&self) -> bool {
        matches!(self.kind, OperationKind::Void { target, .. } if target != VoidTarget::Hold)
    }

    /// Whether its success brings money: it is a charge, or a capture of held money.
    pub(crate) fn is_inflow(&self) -> bool {
        self.id.is_capture() || (self.id.is_attempt() && !self.is_hold())
    }

    /// Whether its amount is reserved: it is open, or it may be one that was requested here.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        (self.status().is_live() || self.allocation.may_be_requested) && self.same_as().is_none()
    }

    /// What it brought once, whether or not a bank took it back.
    fn brought(&self) -> i64 {
        let is_done = matches!(self.status(), OperationStatus::Succeeded | OperationStatus::Reversed);
        self.reports.charged(self.amount.minor()).filter(|_| is_done).unwrap_or_default()
    }

    /// What it moved, or had moved before that was undone. What was undone had been done, if only with what was asked
    /// for.
    pub(super) fn took(&self) -> i64 {
        let undone = Some(self.amount).filter(|_| self.status() == OperationStatus::Reversed);
        self.ever_moved().or(undone).map_or(0, Money::minor)
    }

    /// What of captured money it gave back, or may.
    fn takes_back(&self) -> i64 {
        if !self.id.is_refund() && !self.is_reversal() {
            0
        } else if self.is_reserved() {
            self.amount.minor()
        } else {
            self.moved().map_or(0, Money::minor)
        }
    }

    /// Whether a hold was let go by it: by a void, or because its time ran out.
    pub(super) fn is_release(&self) -> bool {
        self.expired.is_some() || (self.is_void_of_hold() && self.moved().is_some())
    }

    fn is_void_of_hold(&self) -> bool {
        self.id.is_void() && !self.is_reversal()
    }

    /// Whether it is an external void for which the whole payment amount `all` was reported. It released all that was
    /// left.
    fn is_external_void_of_all(&self, all: Money) -> bool {
        self.is_void_of_hold() && self.is_sized_by_reports() && self.took() == all.minor()
    }

    /// What it took out of its hold for good, or released of it.
    pub(super) fn took_of_hold(&self) -> i64 {
        let took = self.took();
        if self.id.is_capture() && took > 0 {
            took.saturating_add(self.kind.releases().map_or(0, Money::minor))
        } else if self.is_void_of_hold() {
            took
        } else {
            0
        }
    }

    /// Whether it was the last capture of its hold, with which the rest was released.
    pub(super) fn ended_hold(&self) -> bool {
        self.kind.releases().is_some() && self.took_of_hold() > 0
    }

    /// What it may yet take out of its hold.
    pub(super) fn reserves_of_hold(&self) -> i64 {
        if self.id.is_capture() || self.is_void_of_hold() {
            self.amount.minor().saturating_add(self.kind.releases().map_or(0, Money::minor))
        } else {
            0
        }
    }
}

fn sum(amounts: impl Iterator<Item = Money>) -> i64 {
    amounts.map(Money::minor).fold(0, i64::saturating_add)
}
