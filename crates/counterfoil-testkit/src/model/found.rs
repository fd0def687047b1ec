//! What captures and voids are of that only a gateway told of: worked out anew from all that is known.

use std::collections::HashMap;

use counterfoil::payment::OperationId;
use counterfoil::status::OperationStatus;
use counterfoil::text::GatewayName;

use super::operation::Operation;
use super::payment::Payment;

impl Payment {
    /// Gives one after the other what has least left that is enough, or else most: a hold, or a charge where there is no
    /// hold. What took most goes first, what took nothing last, and every void after every capture.
    pub(super) fn settle_found(&mut self) {
        for own in self.operations.iter_mut().filter(|own| own.is_unattributed()) {
            own.attempt = None;
        }
        let of = self.attempts_of_found();
        let holds: Vec<_> = self.holds().map(|hold| hold.id).collect();
        for own in &mut self.operations {
            if let Some((OperationId::Attempt(attempt), left)) = of.get(&own.id) {
                own.attempt = Some(*attempt);
                own.was_left = *left;
            }
            own.holds = match own.attempt {
                // What takes a capture back moves money, whatever the hold is said to have been.
                Some(attempt) if own.is_void() => own.reverses.is_none() && holds.contains(&attempt.into()),
                _ => own.holds,
            };
        }
    }

    fn attempts_of_found(&self) -> HashMap<OperationId, (OperationId, i128)> {
        let mut waiting: Vec<_> = self.operations.iter().filter(|own| own.is_unattributed()).collect();
        waiting.sort_by_key(|own| own.known_by());
        waiting.sort_by_key(|own| (own.is_void(), -own.took()));
        let mut sources: Vec<_> = self.operations.iter().filter(|own| own.is_attempt()).collect();
        sources.sort_by_key(|attempt| attempt.known_by());
        let mut rests: Vec<i128> = sources.iter().map(|attempt| self.rest_of(attempt)).collect();
        let mut of = HashMap::new();
        for own in waiting {
            let may_be = self.sources_of_found(own.gateway.as_ref());
            let may_be: Vec<usize> =
                (0..sources.len()).filter(|place| may_be.contains(&sources[*place].id)).collect();
            let enough = may_be.iter().copied().filter(|place| rests[*place] >= own.took());
            // What is over already comes before what goes on.
            let best = enough.min_by_key(|place| (rests[*place], !sources[*place].is_over()));
            let most =
                || may_be.iter().copied().min_by_key(|place| (-rests[*place], !sources[*place].is_over()));
            let best = best.or_else(most);
            if let Some(best) = best {
                of.insert(own.id, (sources[best].id, rests[best]));
                rests[best] -= own.took();
            }
        }
        of
    }

    /// The holds there that ever held anything, else the charges there that ever brought anything.
    pub(super) fn sources_of_found(&self, gateway: Option<&GatewayName>) -> Vec<OperationId> {
        let (holds, charges) = self.paid_at(gateway);
        if holds.is_empty() { charges } else { holds }
    }

    /// Whether what was found may be of one attempt as well as of another; or voided what was not there, but for a void of
    /// all, which is one of what is left.
    pub(super) fn is_doubtful(&self, own: &Operation) -> bool {
        let (holds, charges) = self.paid_at(own.gateway.as_ref());
        let counts = own.is_unattributed() && own.paid().is_some();
        let all = own.took() == i128::from(self.asked.amount.minor()) && own.was_left > 0;
        let void = !holds.is_empty() && !charges.is_empty() || (own.took() > own.was_left && !all);
        counts && (holds.len() > 1 || (own.is_void() && void))
    }

    fn paid_at(&self, gateway: Option<&GatewayName>) -> (Vec<OperationId>, Vec<OperationId>) {
        let there =
            |own: &&Operation| own.is_attempt() && own.paid().is_some() && own.gateway.as_ref() == gateway;
        let (holds, charges): (Vec<_>, Vec<_>) =
            self.operations.iter().filter(there).partition(|own| own.holds);
        let ids = |of: Vec<&Operation>| of.into_iter().map(|own| own.id).collect();
        (ids(holds), ids(charges))
    }
}

impl Operation {
    /// Whether nobody ever said what it is of.
    fn is_unattributed(&self) -> bool {
        self.found && (self.is_capture() || self.is_void())
    }

    /// Whether what it held was let go, or lost.
    fn is_over(&self) -> bool {
        self.expired > 0 || self.status() == OperationStatus::Reversed
    }

    /// By the name that counts, and then by our own.
    fn known_by(&self) -> (Option<String>, OperationId) {
        (self.gateway_ids().max().map(ToString::to_string), self.id)
    }
}
