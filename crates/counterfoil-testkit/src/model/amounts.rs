//! What a payment's money adds up to: sums over its operations and disputes.

use counterfoil::money::Money;
use counterfoil::payment::OperationId;
use counterfoil::status::OperationStatus;
use counterfoil::text::GatewayName;

use super::operation::Operation;
use super::payment::Payment;

impl Payment {
    /// So much in its currency, at most as much as [`Money`] can say.
    pub(super) fn money(&self, minor: i128) -> Money {
        let minor = i64::try_from(minor.clamp(0, Money::MAX_MINOR.into())).expect("it was cut to size");
        Money::from_minor(minor, self.asked.amount.currency()).expect("it was cut to size")
    }

    /// C: what was captured, less what voids took back.
    pub(super) fn captured(&self) -> i128 {
        let undone: i128 =
            self.operations.iter().filter(|own| own.undoes()).map(Operation::moved_minor).sum();
        (self.captured_gross() - undone).max(0)
    }

    /// What was captured, whether or not voids took it back.
    pub(super) fn captured_gross(&self) -> i128 {
        self.operations.iter().filter(|own| own.takes()).map(Operation::moved_minor).sum()
    }

    /// R: what refunds gave back.
    pub(super) fn refunded(&self) -> i128 {
        self.operations.iter().filter(|own| own.is_refund()).map(Operation::moved_minor).sum()
    }

    /// P: what open refunds, and open voids of captured money, may yet give back.
    fn returning(&self) -> i128 {
        let back = self.operations.iter().filter(|own| own.is_refund() || own.undoes());
        back.filter(|own| own.is_live()).map(|own| i128::from(own.amount.minor())).sum()
    }

    /// L: what disputes have taken or may take.
    pub(super) fn disputed(&self) -> i128 {
        self.disputes.iter().map(|dispute| dispute.reserved(self.asked.amount)).sum()
    }

    /// What of that was lost.
    pub(super) fn charged_back(&self) -> i128 {
        let lost = self.disputes.iter().filter(|dispute| dispute.is_charged_back());
        lost.map(|dispute| dispute.reserved(self.asked.amount)).sum()
    }

    /// C − R − P − L, if it is more than nothing.
    pub(super) fn refundable(&self) -> Money {
        self.money(self.captured() - self.refunded() - self.returning() - self.disputed())
    }

    /// R + P + L − C, if it is more than nothing.
    fn excess_returned(&self) -> i128 {
        (self.refunded() + self.returning() + self.disputed() - self.captured()).max(0)
    }

    pub(super) fn authorized(&self) -> i128 {
        let attempts = self.operations.iter().filter(|own| own.is_attempt());
        attempts.filter_map(Operation::authorized).map(i128::from).sum()
    }

    /// What those that hold held at first.
    pub(super) fn ever_held(&self) -> i128 {
        self.holds().filter_map(Operation::paid).map(i128::from).sum()
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

    /// How much more than there is was captured, or goes back: only evidence leads there.
    pub(super) fn exceeded(&self) -> i128 {
        let taken: i128 =
            self.operations.iter().filter(|own| own.is_capture() || !own.found).map(Operation::of_hold).sum();
        let charged: i128 = self.operations.iter().map(Operation::paid_beyond_hold).map(i128::from).sum();
        (taken - self.ever_held()).max(0) + charged + self.excess_returned()
    }

    /// The attempts that hold, or held, or are to.
    pub(super) fn holds(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|own| own.is_attempt() && own.holds)
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
        let taken: i128 = self.about(hold.id).map(Operation::of_hold).sum();
        (hold.moved_minor() - taken).max(0)
    }

    /// Whether something is under way that takes from it.
    pub(super) fn is_taken_from(&self, hold: &Operation) -> bool {
        self.about(hold.id).any(|own| own.is_live() && own.may_take_of_hold() > 0)
    }

    /// Whether any of it was ever captured.
    pub(super) fn was_captured_of(&self, hold: OperationId) -> bool {
        self.about(hold).any(|own| own.is_capture() && own.paid().is_some())
    }

    /// What nothing has taken of an attempt yet, or is about to: of what it brought, or ever held.
    pub(super) fn rest_of(&self, attempt: &Operation) -> i128 {
        if !attempt.holds {
            return attempt.moved_minor();
        }
        if self.about(attempt.id).any(|own| own.releases.is_some() && own.of_hold() > 0) {
            return 0;
        }
        let about = |own: &Operation| own.of_hold() + if own.is_live() { own.may_take_of_hold() } else { 0 };
        let gone: i128 = self.about(attempt.id).map(about).sum();
        // One after the other, so that nothing below zero counts.
        (attempt.took() - gone - attempt.expired).max(0)
    }

    fn capturable_of(&self, hold: &Operation) -> i128 {
        let reserved: i128 =
            self.about(hold.id).filter(|own| own.is_live()).map(Operation::may_take_of_hold).sum();
        (self.held_by(hold) - reserved).max(0)
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
        for back in self.operations.iter().filter(|own| own.attempt.is_none()) {
            take(back.gateway.as_ref(), back.goes_back());
        }
        for dispute in &self.disputes {
            take(Some(&dispute.gateway), dispute.reserved(self.asked.amount));
        }
        left
    }

    fn brought_by(&self, attempt: &Operation) -> i128 {
        let charged = if attempt.takes() { attempt.moved_minor() } else { 0 };
        let captures = self.about(attempt.id).filter(|own| own.is_capture());
        charged + captures.map(Operation::moved_minor).sum::<i128>()
    }

    fn went_back_of(&self, attempt: &Operation) -> i128 {
        self.about(attempt.id).map(Operation::goes_back).sum()
    }

    /// The operations that take from what an attempt brought or holds.
    fn about(&self, attempt: OperationId) -> impl Iterator<Item = &Operation> {
        let is_about = move |own: &&Operation| own.attempt.map(OperationId::Attempt) == Some(attempt);
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

    /// What went back by it, or may.
    fn goes_back(&self) -> i128 {
        match (self.is_refund() || self.undoes(), self.is_live()) {
            (false, _) => 0,
            (true, true) => self.amount.minor().into(),
            (true, false) => self.moved_minor(),
        }
    }

    /// What it takes out of its hold for good, once it was done.
    fn of_hold(&self) -> i128 {
        match self.id {
            OperationId::Capture(_) if self.took() > 0 => self.took() + self.released(),
            OperationId::Void(_) if self.holds => self.took(),
            _ => 0,
        }
    }

    /// What it moved, whether or not that was undone.
    pub(super) fn took(&self) -> i128 {
        let undone = (self.status() == OperationStatus::Reversed).then_some(self.amount.minor());
        self.paid().or(undone).map_or(0, i128::from)
    }

    /// What it may take while it is open.
    fn may_take_of_hold(&self) -> i128 {
        let asked = i128::from(self.amount.minor());
        match self.id {
            OperationId::Capture(_) => asked + self.released(),
            OperationId::Void(_) if self.holds => asked,
            _ => 0,
        }
    }

    fn released(&self) -> i128 {
        self.releases.map_or(0, |money| money.minor().into())
    }
}
