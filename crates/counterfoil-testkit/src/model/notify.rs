//! What gateways tell of their own accord.

use std::mem::discriminant;

use counterfoil::claim::ClaimKind;
use counterfoil::command::{Command, Notify, Rejection, Told};
use counterfoil::destinations::Known;
use counterfoil::event::StreamId;
use counterfoil::id::{AttemptId, CaptureId, DisputeId, RefundId, VoidId};
use counterfoil::money::Money;
use counterfoil::payment::{Closed, DisputeWord, Evidence, OperationId, Outcome};
use counterfoil::scope::Scope;
use counterfoil::text::GatewayOperationId;

use super::dispute::Dispute;
use super::evidence::Said;
use super::names::{Fields, Name, kind_of_name, of_operation, operation_name};
use super::operation::{Heard, Operation};
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn notify(&mut self, command: &Command, notify: &Notify) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let own = (ClaimKind::Notification, format!("{} {}", notify.gateway, notify.notification));
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.told_of(scope, notify)?.clone();
        let before = payment.version;
        match evidence_of(&notify.told) {
            Ok(evidence) => self.told(command, &mut payment, notify, evidence)?,
            Err(word) => self.disputed(command, &mut payment, notify, word)?,
        }
        if payment.version == before {
            return Ok(unchanged(&payment));
        }
        let (stream, first) = (stream(&payment), before + 1);
        self.names.take(scope, Some(own), &stream, first, Fields::new());
        self.keep(scope, payment);
        Ok(Answer::Done { stream, sequence: first, replayed: false })
    }

    /// The payment by our name, else by the first of the gateway's names that is known. Of one that was never there, a
    /// gateway has nothing to tell.
    fn told_of(&self, scope: &Scope, notify: &Notify) -> Result<&Payment, Rejection> {
        let about = &notify.about;
        let names = [
            about
                .gateway_payment_id
                .as_ref()
                .map(|id| (ClaimKind::GatewayPayment, format!("{:?} {id}", Some(&notify.gateway)))),
            about.gateway_dispute_id.as_ref().map(|_| dispute_name(notify)),
        ];
        let holder = |name: Name| match self.names.holder(scope, &name) {
            Some((StreamId::Payment(id), _)) => Some(*id),
            _ => None,
        };
        let found =
            about.payment.or_else(|| names.into_iter().flatten().chain(names_in(notify)).find_map(holder));
        let payment = found.and_then(|id| self.payment(scope, id).ok());
        payment.filter(|payment| payment.was_at(notify)).ok_or(Rejection::NothingKnown)
    }

    fn told(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        evidence: &Evidence,
    ) -> Result<(), Rejection> {
        let known = self.meant(command, payment, notify, evidence)?;
        if known.is_empty() {
            return self.found(command, payment, notify, evidence);
        }
        // A name that several could have is the name of none of them.
        let several = known.len() > 1;
        for id in known {
            let own = payment.operation(id).expect("it is there");
            let mut told = own.for_sure(evidence);
            if let (Outcome::Succeeded { reported }, true) = (&mut told.outcome, own.found) {
                // Of something found nobody here knows how much it was asked for.
                reported.get_or_insert(payment.asked.amount);
            }
            let there = own.is_attempt() && !own.is_ours();
            let success = match told.outcome {
                Outcome::Succeeded { reported } => Some(reported.unwrap_or(own.amount)),
                _ => None,
            };
            let foreign = |amount: Money| amount.is_zero() || amount.currency() != own.amount.currency();
            let held = matches!(notify.told, Told::Authorization(_)) && own.is_attempt();
            if (there || (held && !own.holds)) && success.is_some_and(foreign) {
                payment.keep_misfit(&told, notify.notification.as_str(), command.at);
                continue;
            }
            let said = match &notify.told {
                Told::Attempt(_) if there && success.is_some() && own.holds => Said::ThatItWasACharge,
                Told::Authorization(_)
                    if there && success.is_some() && !own.holds && own.paid().is_none() =>
                {
                    Said::ThatItHolds
                }
                Told::Authorization(_) if there && !own.holds => {
                    success.map_or(Said::ByGateway, |held| Said::ThatItHeld(held.minor()))
                }
                _ => Said::ByGateway,
            };
            let mut evidence = if said == Said::ThatItHolds { told } else { meant_for(own, notify, &told) };
            evidence.gateway_operation_id.take_if(|_| several);
            self.word(command, payment, id, &evidence, said);
        }
        Ok(())
    }

    /// The operations that it is about, as far as they are known.
    fn meant(
        &self,
        command: &Command,
        payment: &Payment,
        notify: &Notify,
        evidence: &Evidence,
    ) -> Result<Vec<OperationId>, Rejection> {
        let is_meant =
            |own: &&Operation| own.gateway.as_ref() == Some(&notify.gateway) && is_kind(notify, own);
        if let Some(id) = notify.about.operation {
            return match payment.operation(id) {
                Some(own) if is_meant(&own) => Ok(vec![id]),
                Some(_) => Err(Rejection::NothingKnown),
                None => Ok(Vec::new()),
            };
        }
        let holders = names_in(notify).filter_map(|name| {
            let (holder, of) = self.names.holder(&command.caller.scope, &name)?;
            let own = payment.operations.iter().find(|own| Some(&*own.id.to_string()) == of);
            own.filter(|_| *holder == stream(payment))
        });
        let holders: Vec<_> = holders.collect();
        if let Some(own) = holders.iter().find(|own| is_kind(notify, own)) {
            return Ok(vec![own.id]);
        }
        // What never brought anything has nothing to give back.
        if holders.iter().any(|own| own.may_hold() && !own.holds) {
            return Err(Rejection::NothingKnown);
        }
        let of_kind: Vec<_> = payment.operations.iter().filter(is_meant).collect();
        let returned = matches!(notify.told, Told::Returned(_));
        let named = evidence.gateway_operation_id.is_some();
        let meant = |own: &&&Operation| !named || own.gateway_ids().next().is_none();
        let paid = of_kind.iter().filter(meant).filter(|own| returned && own.paid().is_some());
        let paid: Vec<_> = paid.map(|own| own.id).collect();
        if !paid.is_empty() {
            return Ok(paid);
        }
        if returned && named {
            return Err(Rejection::NothingKnown);
        }
        let attempts = returned || matches!(notify.told, Told::Attempt(_) | Told::Authorization(_));
        // An attempt that was looked up without a name has that of its payment.
        let whole = payment.changed.gateway_payment_id.as_ref().filter(|_| attempts);
        let stands_in = |id: &GatewayOperationId| whole.is_some_and(|whole| whole.as_str() == id.as_str());
        // Of several names the last in order is the one that counts.
        let is_nameless = |own: &&Operation| own.gateway_ids().max().is_none_or(stands_in);
        let nameless: Vec<_> = of_kind.into_iter().filter(|own| !named || is_nameless(own)).collect();
        if attempts {
            // One that goes on and has no name yet, or else the last.
            let open = nameless.iter().find(|own| own.is_live()).or(nameless.last());
            return Ok(open.map(|own| own.id).into_iter().collect());
        }
        let said = match evidence.outcome {
            Outcome::Succeeded { reported } => Some(reported),
            _ => None,
        };
        // Of what we asked for, one alone may be meant: the only one of that amount. One that is on its way learns its
        // name when it arrives, and who fails under a name that nobody knows may be any.
        let whole = said.is_some_and(|amount| amount.is_none()) && named;
        let amount = if whole { Some(payment.asked.amount) } else { said.flatten() };
        let alike = |own: &&Operation| !own.found && amount.is_none_or(|amount| amount == own.amount);
        let candidates: Vec<_> = nameless.into_iter().filter(alike).collect();
        let [first, others @ ..] = &candidates[..] else { return Ok(Vec::new()) };
        let arrived = said.is_some() && (!first.is_live() || first.is_stuck());
        if others.is_empty() && (!named || arrived) {
            Ok(vec![first.id])
        } else {
            Err(Rejection::NothingKnown)
        }
    }

    /// An operation that was made at the gateway, once it has come to an end.
    fn found(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        evidence: &Evidence,
    ) -> Result<(), Rejection> {
        let id = payment.id_of_found(notify).ok_or(Rejection::NothingKnown)?;
        let all = payment.asked.amount;
        let amount = match &evidence.outcome {
            Outcome::Succeeded { reported } => reported.unwrap_or(all),
            Outcome::Failed(_) => all,
            // Told before what it is about: it is to be told again.
            Outcome::Reversed { .. } | Outcome::Canceled { .. } => return Err(Rejection::NothingKnown),
            _ => return Ok(()),
        };
        if amount.currency() != all.currency() || amount.is_zero() {
            payment.keep_misfit(evidence, notify.notification.as_str(), command.at);
            return Ok(());
        }
        let sources = payment.sources_of_found(Some(&notify.gateway));
        if sources.is_empty() && matches!(id, OperationId::Capture(_) | OperationId::Void(_)) {
            return Err(Rejection::NothingKnown);
        }
        let scope = &command.caller.scope;
        let called = evidence.gateway_operation_id.as_ref();
        let name = called.map(|called| operation_name(kind_of_name(id), Some(&notify.gateway), called));
        if let Some((holder, _)) = name.as_ref().and_then(|name| self.names.holder(scope, name)) {
            return Err(Rejection::GatewayIdTaken(holder.clone()));
        }
        let is_attempt = matches!(id, OperationId::Attempt(_));
        let mut found = payment.begin(id, if is_attempt { all } else { amount }, command.at);
        found.gateway = Some(notify.gateway.clone());
        found.found = !is_attempt;
        if let OperationId::Refund(_) = id {
            found.attempt = payment.attempt_of_refund(notify, amount);
        }
        let of_hold = sources.iter().any(|id| payment.operation(*id).is_some_and(|own| own.holds));
        found.holds = match id {
            OperationId::Attempt(_) => matches!(notify.told, Told::Authorization(_)),
            OperationId::Void(_) => of_hold,
            _ => false,
        };
        let refused = found.is_attempt() && matches!(evidence.outcome, Outcome::Failed(_));
        payment.ended = payment.ended.or(refused.then_some(Closed::Failed));
        payment.accepted |= found.is_attempt();
        found.heard.push(Heard::new(evidence.clone()));
        self.add(payment, found, &Known::Unasked);
        payment.happened(command.at, None);
        self.names.take(scope, name, &stream(payment), payment.version, of_operation(id));
        Ok(())
    }

    fn disputed(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        word: &DisputeWord,
    ) -> Result<(), Rejection> {
        let called = notify.about.gateway_dispute_id.clone().ok_or(Rejection::NothingKnown)?;
        let told = (word.clone(), notify.funds.clone());
        let own = |known: &Dispute| known.gateway == notify.gateway && known.called == called;
        let scope = &command.caller.scope;
        if let Some(place) = payment.disputes.iter().position(own) {
            let before = payment.disputes[place].said();
            payment.disputes[place].words.push(told);
            if payment.disputes[place].said() == before {
                return Ok(());
            }
        } else if self.names.holder(scope, &dispute_name(notify)).is_some() {
            return Err(Rejection::NothingKnown);
        } else {
            let (id, gateway) = (DisputeId::new(notify.id), notify.gateway.clone());
            let asked = payment.asked.amount;
            payment.disputes.push(Dispute { id, gateway, called, asked, words: vec![told] });
        }
        payment.happened(command.at, None);
        self.names.take(scope, Some(dispute_name(notify)), &stream(payment), payment.version, Fields::new());
        Ok(())
    }
}

impl Payment {
    fn was_at(&self, notify: &Notify) -> bool {
        let attempted = self
            .operations
            .iter()
            .any(|own| own.is_attempt() && own.gateway.as_ref() == Some(&notify.gateway));
        let made = self.changed.gateway_payment_id.is_some();
        attempted || (made && self.asked_gateway().is_none_or(|gateway| *gateway == notify.gateway))
    }

    /// A first attempt is found only of what was made at the gateway, or under the id that it was asked for.
    fn id_of_found(&self, notify: &Notify) -> Option<OperationId> {
        let (told, id) = (notify.about.operation, notify.id);
        let own: OperationId = match notify.told {
            Told::Attempt(_) | Told::Authorization(_) => {
                let own = AttemptId::new(id).into();
                let is_there = self.changed.gateway_payment_id.is_some() || self.is_beside_ours(notify);
                told.or(is_there.then_some(own))?;
                own
            }
            Told::Capture(_) => CaptureId::new(id).into(),
            Told::Refund(_) => RefundId::new(id).into(),
            Told::Void(_) => VoidId::new(id).into(),
            _ => return None,
        };
        Some(told.unwrap_or(own)).filter(|told| discriminant(told) == discriminant(&own))
    }

    /// Whether it is money that is told of beside what we asked of that gateway ourselves.
    fn is_beside_ours(&self, notify: &Notify) -> bool {
        let is_money =
            evidence_of(&notify.told).is_ok_and(|told| matches!(told.outcome, Outcome::Succeeded { .. }));
        let at = |own: &Operation| own.is_attempt() && own.gateway.as_ref() == Some(&notify.gateway);
        is_money && self.operations.iter().any(at)
    }

    /// What a found refund takes from.
    fn attempt_of_refund(&self, notify: &Notify, amount: Money) -> Option<AttemptId> {
        let ours = |own: &&Operation| {
            own.is_attempt() && own.gateway.as_ref() == Some(&notify.gateway) && own.paid().is_some()
        };
        let mut left = self.left().into_iter();
        let paid = left.find(|(own, left)| ours(own) && *left >= amount.minor().into()).map(|(own, _)| own);
        match paid.or_else(|| self.operations.iter().rfind(ours))?.id {
            OperationId::Attempt(id) => Some(id),
            _ => None,
        }
    }
}

/// What is told of an operation; or else of a dispute.
fn evidence_of(told: &Told) -> Result<&Evidence, &DisputeWord> {
    match told {
        Told::Attempt(evidence)
        | Told::Authorization(evidence)
        | Told::Capture(evidence)
        | Told::Refund(evidence)
        | Told::Void(evidence)
        | Told::Returned(evidence) => Ok(evidence),
        Told::Dispute(word) => Err(word),
        other => panic!("the model knows no {other:?}"),
    }
}

fn is_kind(notify: &Notify, own: &Operation) -> bool {
    match notify.told {
        Told::Attempt(_) | Told::Authorization(_) => own.is_attempt(),
        Told::Capture(_) => own.is_capture(),
        Told::Refund(_) => own.is_refund(),
        Told::Void(_) => own.is_void(),
        Told::Returned(_) => own.takes() && !own.may_hold(),
        _ => false,
    }
}

/// Of a charge, a hold is a step on its way; that it ran out means that nothing came of it.
fn meant_for(own: &Operation, notify: &Notify, evidence: &Evidence) -> Evidence {
    let mut meant = evidence.clone();
    if matches!(notify.told, Told::Authorization(_)) && !own.holds {
        meant.outcome = match meant.outcome {
            Outcome::Succeeded { .. } => Outcome::Pending,
            Outcome::Reversed { error_message } if own.is_ours() => Outcome::Canceled { error_message },
            other => other,
        };
    }
    meant
}

/// The names that an operation may have that is told of.
fn names_in(notify: &Notify) -> impl Iterator<Item = Name> {
    let kinds: &[ClaimKind] = match notify.told {
        Told::Attempt(_) | Told::Authorization(_) => &[ClaimKind::GatewayAttempt],
        Told::Capture(_) => &[ClaimKind::GatewayCapture],
        Told::Refund(_) => &[ClaimKind::GatewayRefund],
        Told::Void(_) => &[ClaimKind::GatewayVoid],
        // Of what brought the money.
        Told::Returned(_) => &[ClaimKind::GatewayAttempt, ClaimKind::GatewayCapture],
        _ => &[],
    };
    let called = evidence_of(&notify.told).ok().and_then(|evidence| evidence.gateway_operation_id.as_ref());
    let name = |(called, kind): (_, &ClaimKind)| operation_name(*kind, Some(&notify.gateway), called);
    called.into_iter().flat_map(|called| kinds.iter().map(move |kind| (called, kind))).map(name)
}

fn dispute_name(notify: &Notify) -> Name {
    let called = notify.about.gateway_dispute_id.as_ref();
    (ClaimKind::GatewayDispute, format!("{} {called:?}", notify.gateway))
}
