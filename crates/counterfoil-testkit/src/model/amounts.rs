//! What a payment's money adds up to: sums over its operations and disputes.

use counterfoil::money::Money;
use counterfoil::payment::OperationId;
use counterfoil::status::OperationStatus;
use counterfoil::text::GatewayName;

use super::dispute::Dispute;
use super::operation::Operation;
use super::payment::Payment;

impl Payment {
    /// So much in its currency, at most as much as [`Money`] can say.
    pub(super) fn money(&self, minor: i128) -> Money {
        let minor = i64::try_from(minor.clamp(0, Money::MAX_MINOR.into())).expect("it was cut to size");
        Money::from_minor(minor, self.asked.amount.currency()).expect("it was cut to size")
    }

    /// C: what was taken, less what voids gave back.
    pub(super) fn captured(&self) -> i128 {
        let undone: i128 =
            self.operations.iter().filter(|own| own.undoes()).map(Operation::moved_minor).sum();
        (self.taken() - undone).max(0)
    }

    /// What was taken and not returned, whether or not voids gave it back.
    pub(super) fn taken(&self) -> i128 {
        let attempts = self.operations.iter().filter(|own| own.is_attempt());
        let unallocated = self.operations.iter().filter(|own| own.is_capture() && own.parent.is_none());
        let brought: i128 = attempts.map(|attempt| self.brought_by(attempt)).sum();
        brought + unallocated.map(Operation::moved_minor).sum::<i128>()
    }

    /// R: what refunds gave back.
    pub(super) fn refunded(&self) -> i128 {
        self.operations.iter().filter(|own| own.is_refund()).map(Operation::moved_minor).sum()
    }

    /// P: what open refunds, and open voids of captured money, may yet give back.
    fn returning(&self) -> i128 {
        let back = self.operations.iter().filter(|own| own.is_refund() || own.undoes());
        back.filter(|own| own.is_reserved()).map(Operation::asked_minor).sum()
    }

    /// L: what disputes have taken or may take.
    pub(super) fn disputed(&self) -> i128 {
        self.disputes.iter().map(Dispute::reserved).sum()
    }

    /// What of that was lost.
    pub(super) fn charged_back(&self) -> i128 {
        let lost = self.disputes.iter().filter(|dispute| dispute.is_charged_back());
        lost.map(Dispute::reserved).sum()
    }

    /// C − R − P − L, if it is more than nothing.
    pub(super) fn refundable(&self) -> Money {
        self.money(self.captured() - self.refunded() - self.returning() - self.disputed())
    }

    /// R + P + L − C, where C is not cut off at nothing, if it is more than nothing.
    fn excess_returned(&self) -> i128 {
        let undone: i128 =
            self.operations.iter().filter(|own| own.undoes()).map(Operation::moved_minor).sum();
        (self.refunded() + self.returning() + self.disputed() + undone - self.taken()).max(0)
    }

    /// All that gateways ever held.
    pub(super) fn authorized(&self) -> i128 {
        let attempts = self.operations.iter().filter(|own| own.is_attempt());
        attempts.filter_map(|own| own.known().held()).map(i128::from).sum()
    }

    /// What those that hold held at first.
    pub(super) fn ever_held(&self) -> i128 {
        self.holds().filter_map(Operation::gross).map(i128::from).sum()
    }

    /// H: what is held, neither captured nor released.
    pub(super) fn held(&self) -> i128 {
        self.holds().map(|hold| self.held_by(hold)).sum()
    }

    /// H − K; of several holds that of the one with most.
    pub(super) fn capturable(&self) -> Money {
        self.money(self.best_hold().map_or(0, |hold| self.capturable_of(hold)))
    }

    /// Whether something is under way that takes from what there is.
    pub(super) fn is_reserved(&self) -> bool {
        self.operations.iter().any(|own| !own.is_attempt() && own.is_live())
    }

    /// How much more than there is was captured, returned, or goes back: only evidence leads there.
    pub(super) fn exceeded(&self) -> i128 {
        let of_holds = self.operations.iter().filter(|own| {
            let of = own.parent.and_then(|id| self.operation(id.into()));
            of.is_none_or(Operation::holds) && !own.is_set_apart() && !self.is_void_of_all(own)
        });
        let taken: i128 = of_holds.map(Operation::of_hold).sum();
        let charges = self.operations.iter().filter(|own| own.is_attempt() && !own.holds());
        let beyond: i128 = charges.map(|own| self.taken_beyond(own)).sum();
        let returned: i128 =
            self.operations.iter().map(|own| own.known().undone_beyond()).map(i128::from).sum();
        let of_each: i128 = self.holds().map(|hold| self.taken_beyond_hold(hold)).sum();
        (taken - self.ever_held()).max(of_each).max(0) + beyond + returned + self.excess_returned()
    }

    /// How much more was taken of a hold than was held, or captured than time had left of it.
    fn taken_beyond_hold(&self, hold: &Operation) -> i128 {
        let all = hold.gross().map_or(0, i128::from);
        let of_it: Vec<_> =
            self.about(hold.id).filter(|own| !own.is_set_apart() && !self.is_void_of_all(own)).collect();
        let took: i128 = of_it.iter().map(|own| own.of_hold()).sum();
        let captured: i128 = of_it.iter().filter(|own| own.is_capture()).map(|own| own.of_hold()).sum();
        (took - all).max(captured - (all - hold.expired)).max(0)
    }

    /// How much more a charge brought than was held for it; where nothing was, how much more its captures brought.
    fn taken_beyond(&self, charge: &Operation) -> i128 {
        let captured: i128 = self.captures_of(charge).map(Operation::took).sum();
        let charged = charge.charged().map_or(0, i128::from);
        let held = charge.known().held().map_or(charged, i128::from);
        (captured.max(charged) - held).max(0)
    }

    /// An external void of all of a payment is one of what was left.
    fn is_void_of_all(&self, own: &Operation) -> bool {
        own.is_external() && own.is_release() && own.took() == i128::from(self.asked.amount.minor())
    }

    /// The attempts that hold, or held, or are to.
    pub(super) fn holds(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|own| own.holds())
    }

    /// The first of those of which most can be captured.
    pub(super) fn best_hold(&self) -> Option<&Operation> {
        let mut best: Option<&Operation> = None;
        for hold in self.holds() {
            if best.is_none_or(|best| self.capturable_of(best) < self.capturable_of(hold)) {
                best = Some(hold);
            }
        }
        best
    }

    /// What is left of a hold: captures take from it, final ones release the rest, voids and time release it.
    pub(super) fn held_by(&self, hold: &Operation) -> i128 {
        // When its time is over, and with its last capture, a hold is over, whatever others were to take of it.
        if hold.expired > 0 || self.about(hold.id).any(|own| own.releases.is_some() && own.of_hold() > 0) {
            return 0;
        }
        let takes = self.taking_from(hold).filter(|own| !own.is_set_apart());
        (hold.moved_minor() - takes.map(Operation::of_hold).sum::<i128>()).max(0)
    }

    /// What is of it, and every unallocated capture at its gateway.
    fn taking_from<'a>(&'a self, hold: &'a Operation) -> impl Iterator<Item = &'a Operation> {
        let unallocated = |own: &&Operation| own.is_capture() && own.parent.is_none();
        let there = self.operations.iter().filter(|own| own.gateway == hold.gateway);
        self.about(hold.id).chain(there.filter(unallocated))
    }

    /// Whether something is under way that takes from it.
    pub(super) fn is_taken_from(&self, hold: &Operation) -> bool {
        self.about(hold.id).any(|own| own.is_live() && own.may_take_of_hold() > 0)
    }

    fn capturable_of(&self, hold: &Operation) -> i128 {
        let reserved = self.taking_from(hold).filter(|own| own.is_reserved());
        (self.held_by(hold) - reserved.map(Operation::may_take_of_hold).sum::<i128>()).max(0)
    }

    /// Whether what a queued capture, refund or void is to take is there, beside all else that is reserved.
    pub(super) fn has_amount_for(&self, queued: &Operation) -> bool {
        let Some(of) = queued.parent.and_then(|id| self.operation(id.into())) else { return false };
        if queued.is_refund() || queued.undoes() {
            let left = self.left();
            let left = left.iter().find(|(own, _)| own.id == of.id).map(|(_, left)| *left);
            return left.is_some_and(|left| left >= 0) && self.excess_returned() == 0;
        }
        let reserved = self.taking_from(of).filter(|own| own.is_reserved());
        of.holds() && self.held_by(of) >= reserved.map(Operation::may_take_of_hold).sum::<i128>()
    }

    /// The most that one refund can give back: of one charge of a gateway, or all that came past gateways.
    pub(super) fn refundable_at_once(&self) -> Money {
        let left = self.left();
        let charges = left.iter().filter(|(own, _)| own.gateway.is_some()).map(|(_, left)| *left);
        let most = charges.chain([past_gateways(&left)]).max().unwrap_or(0);
        self.money(most.min(self.refundable().minor().into()))
    }

    /// By which way `minor` goes back. Those that came first come first.
    pub(super) fn way_back(&self, minor: i128) -> Option<Way> {
        let left = self.left();
        let past_gateways = past_gateways(&left);
        left.into_iter().find_map(|(own, left)| match own.gateway {
            Some(_) => (left >= minor).then(|| Way::Charge(Box::new(own.clone()))),
            None => (past_gateways >= minor).then_some(Way::PastGateways),
        })
    }

    /// What of what each attempt brought has not gone back, and is not disputed.
    pub(super) fn left(&self) -> Vec<(&Operation, i128)> {
        let brought = self.operations.iter().filter(|own| own.is_attempt() && self.brought_by(own) > 0);
        let mut left: Vec<_> =
            brought.map(|own| (own, self.brought_by(own) - self.went_back_of(own))).collect();
        // What is about no attempt takes first from those of its own gateway, or of none like itself.
        let mut take = |gateway: Option<&GatewayName>, mut rest: i128| {
            for other_way in [false, true] {
                for (own, left) in &mut left {
                    if (own.gateway.as_ref() != gateway) == other_way && *left > 0 {
                        let part = rest.min(*left);
                        *left -= part;
                        rest -= part;
                    }
                }
            }
        };
        for back in self.operations.iter().filter(|own| own.parent.is_none()) {
            take(back.gateway.as_ref(), back.goes_back());
        }
        for dispute in &self.disputes {
            take(Some(&dispute.gateway), dispute.reserved());
        }
        left
    }

    /// What was charged under its own name includes what was captured of it.
    fn brought_by(&self, attempt: &Operation) -> i128 {
        let own = Some(attempt).filter(|own| !own.holds());
        let charged = own.map_or(0, Operation::brought);
        let captured: i128 = self.captures_of(attempt).map(Operation::brought).sum();
        let returned: i128 =
            self.captures_of(attempt).chain(own).map(|own| i128::from(own.known().undone())).sum();
        (charged.max(captured) - returned).max(0)
    }

    fn captures_of(&self, attempt: &Operation) -> impl Iterator<Item = &Operation> {
        self.about(attempt.id).filter(|own| own.is_capture() && !own.is_set_apart())
    }

    fn went_back_of(&self, attempt: &Operation) -> i128 {
        self.about(attempt.id).map(Operation::goes_back).sum()
    }

    /// The operations that take from what an attempt brought or holds.
    fn about(&self, attempt: OperationId) -> impl Iterator<Item = &Operation> {
        let is_about = move |own: &&Operation| own.parent.map(OperationId::Attempt) == Some(attempt);
        self.operations.iter().filter(is_about)
    }
}

/// How money goes back.
pub(super) enum Way {
    /// Of this charge of a gateway.
    Charge(Box<Operation>),
    /// As somebody says it went.
    PastGateways,
}

/// What came past gateways goes back together.
fn past_gateways(left: &[(&Operation, i128)]) -> i128 {
    left.iter().filter(|(own, _)| own.gateway.is_none()).map(|(_, left)| *left).sum()
}

impl Operation {
    pub(super) fn moved_minor(&self) -> i128 {
        self.moved().map_or(0, i128::from)
    }

    fn asked_minor(&self) -> i128 {
        self.amount().minor().into()
    }

    /// What it brought once, whether or not that was returned.
    fn brought(&self) -> i128 {
        let is_done = matches!(self.status(), OperationStatus::Succeeded | OperationStatus::Reversed);
        self.charged().filter(|_| is_done).map_or(0, i128::from)
    }

    /// What went back by it, or may.
    fn goes_back(&self) -> i128 {
        match (self.is_refund() || self.undoes(), self.is_reserved()) {
            (false, _) => 0,
            (true, true) => self.asked_minor(),
            (true, false) => self.moved_minor(),
        }
    }

    /// What it takes out of its hold for good, once it was done.
    fn of_hold(&self) -> i128 {
        match self.took() {
            took if self.is_capture() && took > 0 => took + self.released(),
            took if self.is_release() => took,
            _ => 0,
        }
    }

    /// What it moved, whether or not that was undone.
    fn took(&self) -> i128 {
        let undone = (self.status() == OperationStatus::Reversed).then_some(self.asked_minor());
        self.gross().map(i128::from).or(undone).unwrap_or(0)
    }

    /// What it may take while it is open.
    fn may_take_of_hold(&self) -> i128 {
        if self.is_capture() || self.is_release() { self.asked_minor() + self.released() } else { 0 }
    }

    fn released(&self) -> i128 {
        self.releases.map_or(0, |money| money.minor().into())
    }
}
