//! What external captures, refunds and voids are of: worked out anew from all that is known of the payment.

use counterfoil::id::AttemptId;
use counterfoil::money::Money;
use counterfoil::payment::{OperationId, Origin};
use counterfoil::status::OperationStatus;
use counterfoil::text::GatewayName;

use super::operation::{Operation, Stated};
use super::payment::Payment;

impl Payment {
    pub(super) fn settle(&mut self) {
        for place in 0..self.operations.len() {
            let own = &self.operations[place];
            if !own.is_sized_by_reports() {
                continue;
            }
            let parent = self.parent_of(own);
            let of = parent.and_then(|id| self.operation(id.into()));
            let reverses = own.is_void() && of.is_some_and(|attempt| attempt.charged().is_some());
            let placed = Operation { parent, ..own.clone() };
            let is_done = matches!(own.status(), OperationStatus::Succeeded | OperationStatus::Reversed);
            let is_open = is_done && own.stated != Some(Stated::Another);
            let may_be_requested = is_open && self.requested_like(&placed).next().is_some();
            self.operations[place] = Operation { reverses, may_be_requested, ..placed };
        }
    }

    /// As an operator said; else the one that was reported; else, where none was, the only source.
    fn parent_of(&self, own: &Operation) -> Option<AttemptId> {
        if own.allocated.is_some() {
            return own.allocated;
        }
        let reported = Vec::from_iter(own.parents());
        match reported[..] {
            [] => self.only_source(own.gateway.as_ref()?).and_then(Operation::attempt_id),
            [one] => Some(one),
            _ => None,
        }
    }

    /// The attempts there that ever held or brought money.
    pub(super) fn sources(&self, gateway: &GatewayName) -> Vec<&Operation> {
        let there = |own: &&Operation| own.is_attempt() && own.is_at(gateway) && own.gross().is_some();
        self.operations.iter().filter(there).collect()
    }

    pub(super) fn only_source(&self, gateway: &GatewayName) -> Option<&Operation> {
        match self.sources(gateway)[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The older ones, requested and nameless, that an external capture or refund may be.
    pub(super) fn requested_like<'a>(&'a self, own: &'a Operation) -> impl Iterator<Item = &'a Operation> {
        let gateway = own.gateway.as_ref().expect("it was reported by a gateway");
        let alike = self.nameless_like(own.id, gateway, own.parent, own.told_amount());
        let came_to_nothing = |known: &Operation| {
            let nothing = [OperationStatus::Failed, OperationStatus::Canceled, OperationStatus::NotSent];
            nothing.contains(&known.status())
        };
        let open = alike.filter(move |known| {
            known.sent.is_some_and(|sent| sent < own.sequence) && !came_to_nothing(known)
        });
        open.filter(|_| own.is_external_capture_or_refund())
    }

    /// The requested and nameless ones of the kind of `id` there that are of `parent` and of `amount`, as far as those are
    /// known.
    pub(super) fn nameless_like(
        &self,
        id: OperationId,
        gateway: &GatewayName,
        parent: Option<AttemptId>,
        amount: Option<Money>,
    ) -> impl Iterator<Item = &Operation> {
        let kind = std::mem::discriminant(&id);
        self.operations.iter().filter(move |known| {
            std::mem::discriminant(&known.id) == kind
                && known.origin != Origin::External
                && known.is_at(gateway)
                && known.sent.is_some()
                && known.names().is_empty()
                && (parent.is_none() || known.parent == parent)
                && amount.is_none_or(|amount| known.asked == amount)
        })
    }
}

impl Operation {
    /// Whether it moved money and it is not known of what it is, or whether it was requested here.
    pub(super) fn is_unallocated(&self) -> bool {
        let counts = self.is_sized_by_reports() && self.gross().is_some();
        counts && !self.is_same_as_another() && (self.parent.is_none() || self.may_be_requested)
    }
}
