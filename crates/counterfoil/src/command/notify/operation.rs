//! Which operation a notification is about, and one that comes to be known by it.

use super::super::books::shift;
use super::super::capture::attempt_of;
use super::super::change::Entry;
use super::super::discover::misfit;
use super::super::record::{holder, operation_fingerprint};
use super::super::rejection::Rejection;
use super::super::report::{Word, excess};
use super::super::view::{Halt, View};
use super::{Heard, Notify, Told};
use crate::claim::ClaimKey;
use crate::destinations::Known;
use crate::event::{Body, Start, StartResult};
use crate::id::{AttemptId, CaptureId, RefundId, VoidId};
use crate::money::Money;
use crate::payment::{Closed, Evidence, Flow, Operation, OperationId, Outcome, Payment, Turn};
use crate::status::Cause;
use crate::text::GatewayPaymentId;

impl Notify {
    pub(super) fn operation(&self, view: &View<'_>, books: &mut Heard<'_>) -> Result<(), Halt> {
        let Some(evidence) = self.told.evidence() else { return Ok(()) };
        let payment = books.after.clone();
        let known = self.known(view, &payment, evidence)?;
        if known.is_empty() {
            return match self.found(view, &payment, evidence)? {
                Some(entry) => books.write(entry),
                None => Ok(()),
            };
        }
        let of_several = known.len() > 1;
        for id in known {
            let payment = books.after.clone();
            let operation = payment.operation(id).ok_or(Rejection::NothingKnown)?;
            let evidence = &operation.for_sure(&whole(operation, payment.terms().amount, evidence));
            let turns = self.turns(operation, evidence);
            let on_the_way = self.is_on_the_way(operation, turns);
            if is_misfit(operation, evidence, on_the_way) {
                if let Some(entry) = misfit(&payment, &self.gateway, id, evidence, self.notification.as_str())
                {
                    books.write(entry)?;
                }
                continue;
            }
            let authorized = authorized(operation, evidence).filter(|_| on_the_way);
            let mut evidence =
                if on_the_way { meant_for_charge(operation, evidence) } else { evidence.clone() };
            if of_several {
                // A name that is given is none of theirs: it could not be the name of all.
                evidence.gateway_operation_id = None;
            }
            let word = Word { turns, authorized, ..Word::of_gateway(&payment, operation, &evidence) };
            if let Some(entry) = word.entry(view)? {
                books.write(entry)?;
            }
        }
        Ok(())
    }

    /// The operations that it is about, which are known already.
    fn known(
        &self,
        view: &View<'_>,
        payment: &Payment,
        evidence: &Evidence,
    ) -> Result<Vec<OperationId>, Halt> {
        if let Some(id) = self.about.operation {
            // One of another gateway is none of this one's business.
            return match payment.operation(id) {
                Some(operation) if self.is_kind(operation) => Ok(vec![id]),
                Some(_) => Err(Rejection::NothingKnown.into()),
                None => Ok(Vec::new()),
            };
        }
        let mut named = Vec::new();
        for name in self.operation_names(view) {
            named.extend(view.claim(&name)?.and_then(|claim| holder(payment, claim)));
        }
        if let Some(operation) = named.iter().find(|operation| self.is_kind(operation)) {
            return Ok(vec![operation.id]);
        }
        if named.iter().any(|operation| operation.may_hold() && !operation.holds) {
            // Nothing came by it yet that could go back.
            return Err(Rejection::NothingKnown.into());
        }
        match self.told {
            Told::Attempt(_) | Told::Authorization(_) => Ok(self.attempt_meant(payment, evidence)),
            Told::Returned(_) => self.returned(payment, evidence),
            _ => self.ours(payment, evidence),
        }
    }

    fn of_kind<'a>(&self, payment: &'a Payment) -> impl DoubleEndedIterator<Item = &'a Operation> + Clone {
        payment.operations().iter().filter(|operation| self.is_kind(operation))
    }

    /// The attempt that is open and has no name there yet; else the last one, of which more is told.
    fn attempt_meant(&self, payment: &Payment, evidence: &Evidence) -> Vec<OperationId> {
        let named = evidence.gateway_operation_id.is_some();
        // Where a look-up told of no name, that of the payment stands for it.
        let whole = payment.gateway_payment_id().map(GatewayPaymentId::as_str);
        let is_nameless =
            |known: &&Operation| known.gateway_operation_id().is_none_or(|id| Some(id.as_str()) == whole);
        let mut nameless = self.of_kind(payment).filter(|known| !named || is_nameless(known));
        let open = nameless.clone().find(|operation| operation.status().is_live());
        open.or_else(|| nameless.next_back()).map(|operation| operation.id).into_iter().collect()
    }

    /// All that brought money; if nothing did yet, the attempt that may, if nothing is named. What has another name there
    /// is not meant.
    fn returned(&self, payment: &Payment, evidence: &Evidence) -> Result<Vec<OperationId>, Halt> {
        let named = evidence.gateway_operation_id.is_some();
        let meant = self.of_kind(payment).filter(|known| !named || known.gateway_operation_id().is_none());
        let paid = meant.filter(|known| known.ever_moved().is_some());
        let paid: Vec<_> = paid.map(|known| known.id).collect();
        match (paid.is_empty(), named) {
            (false, _) => Ok(paid),
            (true, false) => Ok(self.attempt_meant(payment, evidence)),
            (true, true) => Err(Rejection::NothingKnown.into()),
        }
    }

    /// The capture, refund or void of ours that is told of under no name that is known. Only its amount tells it from
    /// one that was made there, so the order in which things are told decides nothing: as long as ours may still learn
    /// its name from its own answer, or when its gateway is asked, or could be one of several, nobody knows, and it is to be
    /// told again.
    fn ours(&self, payment: &Payment, evidence: &Evidence) -> Result<Vec<OperationId>, Halt> {
        let named = evidence.gateway_operation_id.is_some();
        let ours = self.of_kind(payment).filter(|operation| !operation.found);
        let nameless = ours.filter(|operation| !named || operation.gateway_operation_id().is_none());
        let alike = |operation: &&Operation| match evidence.outcome {
            // Without an amount it is of all there is, if it was made there.
            Outcome::Succeeded { reported: None } => !named || operation.amount == payment.terms().amount,
            Outcome::Succeeded { reported: Some(amount) } => amount == operation.amount,
            _ => true,
        };
        let may_be: Vec<&Operation> = nameless.filter(alike).collect();
        let has_amount = matches!(evidence.outcome, Outcome::Succeeded { .. });
        match may_be.as_slice() {
            [] => Ok(Vec::new()),
            [one] if !named => Ok(vec![one.id]),
            [one] if has_amount && (!one.status().is_live() || one.is_stuck()) => Ok(vec![one.id]),
            _ => Err(Rejection::NothingKnown.into()),
        }
    }

    /// Whether this operation is of the kind that is told of, and this gateway's.
    fn is_kind(&self, operation: &Operation) -> bool {
        let is_kind = match self.told {
            Told::Attempt(_) | Told::Authorization(_) => operation.id.is_attempt(),
            Told::Capture(_) => operation.id.is_capture(),
            Told::Refund(_) => operation.id.is_refund(),
            Told::Void(_) => operation.id.is_void(),
            Told::Returned(_) => operation.takes() && !operation.may_hold(),
            Told::Dispute(_) => false,
        };
        is_kind && operation.gateway.as_ref() == Some(&self.gateway)
    }

    /// What an attempt turns out to be that only the gateway told of: a charge once it is told to have brought money, and
    /// until then a hold once it is told to hold some.
    fn turns(&self, operation: &Operation, evidence: &Evidence) -> Option<Turn> {
        let succeeded = matches!(evidence.outcome, Outcome::Succeeded { .. });
        match self.told {
            Told::Attempt(_) if succeeded && operation.holds && !operation.is_ours() => Some(Turn::Charge),
            Told::Authorization(_) if succeeded && !operation.holds && operation.may_hold() => {
                Some(Turn::Hold)
            }
            _ => None,
        }
    }

    /// Whether a hold is told of where there is a charge.
    fn is_on_the_way(&self, operation: &Operation, turns: Option<Turn>) -> bool {
        matches!(self.told, Told::Authorization(_)) && !operation.holds && turns.is_none()
    }

    /// The event of an operation that was made at the gateway, if it has come to an end: until then it is no news. What
    /// takes up another that is not known yet is not known either, so that whoever repeats it is heard after that one.
    fn found(&self, view: &View<'_>, payment: &Payment, evidence: &Evidence) -> Result<Option<Entry>, Halt> {
        let Some(operation) = self.new_id(payment, evidence) else {
            return Err(Rejection::NothingKnown.into());
        };
        let terms = payment.terms();
        let asked = match evidence.outcome {
            Outcome::Succeeded { reported } => reported.unwrap_or(terms.amount),
            Outcome::Failed(_) => terms.amount,
            Outcome::Reversed { .. } | Outcome::Canceled { .. } => return Err(Rejection::NothingKnown.into()),
            _ => return Ok(None),
        };
        if asked.is_zero() || asked.currency() != terms.amount.currency() {
            return Ok(misfit(payment, &self.gateway, operation, evidence, self.notification.as_str()));
        }
        // Of an attempt it is known what was asked for.
        let amount = if operation.is_attempt() { terms.amount } else { asked };
        let mut start = Start::new(operation, amount, StartResult::Recorded(evidence.clone()));
        start.gateway = Some(self.gateway.clone());
        match operation {
            OperationId::Attempt(_) => start.holds = matches!(self.told, Told::Authorization(_)),
            OperationId::Refund(_) => start.attempt = self.refunded(payment, asked),
            // What these are of follows from all that is known.
            OperationId::Capture(_) | OperationId::Void(_) if !payment.has_source(&self.gateway) => {
                return Err(Rejection::NothingKnown.into());
            }
            OperationId::Capture(_) => {}
            OperationId::Void(_) => start.holds = payment.has_hold(&self.gateway),
        }
        let refused = operation.is_attempt() && matches!(evidence.outcome, Outcome::Failed(_));
        start.closes = Some(Closed::Failed).filter(|closed| refused && payment.closed < Some(*closed));
        self.enter(view, payment, start, evidence).map(Some)
    }

    /// Its event, with what it moves and the name that the gateway gives it.
    fn enter(
        &self,
        view: &View<'_>,
        payment: &Payment,
        mut start: Start,
        evidence: &Evidence,
    ) -> Result<Entry, Halt> {
        let moved = Some(Operation::moved_by(start.amount, evidence)).filter(|moved| !moved.is_zero());
        let flow = Flow::of(start.operation, start.holds);
        let postings = shift(payment, flow, start.gateway.as_ref(), [None, moved])?;
        if moved.is_some() && flow == Flow::In {
            start.excess = excess(view, payment, &Known::Unasked, None, moved)?;
        }
        let operation = start.operation;
        let entry = Entry::new(Cause::Evidence, Body::Started(start)).posting(postings);
        let Some(id) = &evidence.gateway_operation_id else { return Ok(entry) };
        let key = ClaimKey::gateway_operation(view.scope, Some(&self.gateway), operation.name_kind(), id);
        Ok(match view.claim(&key)? {
            Some(claim) => return Err(Rejection::GatewayIdTaken(claim.stream.clone()).into()),
            None => entry.claiming([(key, operation_fingerprint(operation))]),
        })
    }

    /// The id of an operation that nobody here asked for. An attempt is only found of what was made at the gateway, of what
    /// was asked for under the id that is told, or where it is money beside ours, which all have other names there.
    fn new_id(&self, payment: &Payment, evidence: &Evidence) -> Option<OperationId> {
        let told = self.about.operation;
        let id = match self.told {
            Told::Attempt(_) | Told::Authorization(_) => {
                let is_money = matches!(evidence.outcome, Outcome::Succeeded { .. });
                let beside = is_money && self.of_kind(payment).next().is_some();
                let found = payment.gateway_payment_id().is_some() || told.is_some() || beside;
                return told.or(found.then(|| AttemptId::new(self.id).into())).filter(|id| id.is_attempt());
            }
            Told::Capture(_) => OperationId::Capture(CaptureId::new(self.id)),
            Told::Refund(_) => OperationId::Refund(RefundId::new(self.id)),
            Told::Void(_) => OperationId::Void(VoidId::new(self.id)),
            Told::Returned(_) | Told::Dispute(_) => return None,
        };
        Some(told.unwrap_or(id)).filter(|told| std::mem::discriminant(told) == std::mem::discriminant(&id))
    }

    /// The attempt of which a found refund of `amount` is: the first of theirs of which so much is left, else the last.
    fn refunded(&self, payment: &Payment, amount: Money) -> Option<AttemptId> {
        let left = payment.left().into_iter().filter(|(_, left)| *left >= amount.minor());
        let mut theirs = left.map(|(attempt, _)| attempt);
        let enough = theirs.find(|attempt| attempt.gateway.as_ref() == Some(&self.gateway));
        enough.or_else(|| payment.sources(&self.gateway).last()).and_then(attempt_of)
    }
}

/// Of what was made at the gateway, a success without an amount is of all that was asked for, whatever was told first.
fn whole(operation: &Operation, all: Money, evidence: &Evidence) -> Evidence {
    let mut whole = evidence.clone();
    if operation.found && matches!(evidence.outcome, Outcome::Succeeded { reported: None }) {
        whole.outcome = Outcome::Succeeded { reported: Some(all) };
    }
    whole
}

/// What was held on the way to a charge that only its gateway told of. To us, one that we asked for was never a hold.
fn authorized(operation: &Operation, evidence: &Evidence) -> Option<Money> {
    let held = Operation::moved_by(operation.amount, evidence);
    Some(held).filter(|held| !operation.is_ours() && !held.is_zero())
}

/// What is told of a hold says of a charge only that it goes on, or that it came to nothing.
fn meant_for_charge(operation: &Operation, evidence: &Evidence) -> Evidence {
    let mut meant = evidence.clone();
    match &evidence.outcome {
        Outcome::Succeeded { .. } => meant.outcome = Outcome::Pending,
        Outcome::Reversed { error_message } if operation.is_ours() => {
            meant.outcome = Outcome::Canceled { error_message: error_message.clone() };
        }
        _ => {}
    }
    meant
}

/// Whether it is a success that moved nothing, of an attempt that was made at the gateway or of what was held on the way
/// to a charge: it is none.
fn is_misfit(operation: &Operation, evidence: &Evidence, on_the_way: bool) -> bool {
    operation.id.is_attempt()
        && (on_the_way || !operation.is_ours())
        && matches!(evidence.outcome, Outcome::Succeeded { .. })
        && Operation::moved_by(operation.amount, evidence).is_zero()
}
