//! What gateways report of their own accord.

use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Notify, Rejection, Told, UnknownReference};
use counterfoil::event::StreamId;
use counterfoil::id::{AttemptId, CaptureId, DisputeId, RefundId, VoidId};
use counterfoil::payment::{DisputeWord, Evidence, OperationId, Outcome, Review};
use counterfoil::scope::Scope;
use counterfoil::text::Message;

use super::dispute::Dispute;
use super::evidence::{only, stand_in};
use super::names::{Fields, Name, kind_of_name, operation_name};
use super::operation::{About, Operation, Report};
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn notify(&mut self, command: &Command, notify: &Notify) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let id = format!("{} {}", notify.gateway, notify.notification);
        let (own, contents) = ((ClaimKind::Notification, id.clone()), contents(notify));
        let other = (ClaimKind::Notification, format!("{id} {contents:?}"));
        let is_reused = match self.names.first_answer(scope, Some(&own), &contents) {
            Ok(Some(first)) => return Ok(first),
            first => first.is_err(),
        };
        if let Some(first) = self.names.first_answer(scope, Some(&other), &contents)? {
            return Ok(first);
        }
        let mut payment = self.reported_payment(scope, notify)?.clone();
        let before = payment.version;
        if is_reused {
            payment.misfits.push((Review::NotificationIdReused, notify.notification.to_string()));
            payment.happened(command.at, None);
        }
        match evidence_of(&notify.told) {
            Ok(evidence) => self.told(command, &mut payment, notify, evidence)?,
            Err(word) => self.disputed(command, &mut payment, notify, word)?,
        }
        if payment.version == before {
            return Ok(unchanged(&payment));
        }
        let (stream, first) = (stream(&payment), before + 1);
        self.names.take(scope, Some(if is_reused { other } else { own }), &stream, first, contents);
        self.keep(scope, payment);
        Ok(Answer::Done { stream, sequence: first, replayed: false })
    }

    /// The payment that every known name belongs to. Of one that was never there, a gateway has nothing to report.
    fn reported_payment(&self, scope: &Scope, notify: &Notify) -> Result<&Payment, Rejection> {
        let holders = names_in(notify).filter_map(|name| self.names.holder(scope, &name));
        let mut meant: Vec<_> = notify.about.payment.into_iter().map(StreamId::Payment).collect();
        meant.extend(holders.map(|(holder, _)| holder.clone()));
        let Some(StreamId::Payment(id)) = meant.first() else { return Err(no_payment(notify).into()) };
        if meant.iter().any(|other| *other != meant[0]) {
            return Err(UnknownReference::Conflicting.into());
        }
        let payment =
            self.payment(scope, *id).map_err(|_| UnknownReference::Unknown { field: "payment_id" })?;
        if payment.was_at(notify) { Ok(payment) } else { Err(UnknownReference::OtherGateway.into()) }
    }

    fn told(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        evidence: &Evidence,
    ) -> Result<(), Rejection> {
        require_name(notify, evidence)?;
        let scope = &command.caller.scope;
        let parent = self.reported_parent(scope, payment, notify)?;
        let Some(id) = self.meant(scope, payment, notify, evidence, parent)? else {
            return self.external(command, payment, notify, evidence, parent);
        };
        let own = payment.operation(id).expect("it is there");
        // A success of nothing is no operation where it comes first, so it names no parent.
        let says_something = !evidence.is_success() || payment.is_money(evidence);
        let parent = parent.filter(|_| own.is_sized_by_reports() && says_something);
        let report = Report { parent, ..report_about(own, notify, evidence) };
        self.reported(command, payment, id, report);
        Ok(())
    }

    /// The attempt that it is reported to be of. A name of one that is not known here is an unknown reference.
    fn reported_parent(
        &self,
        scope: &Scope,
        payment: &Payment,
        notify: &Notify,
    ) -> Result<Option<AttemptId>, Rejection> {
        let ours = notify.about.attempt.map(|id| ("attempt_id", payment.operation(id.into())));
        let theirs = parent_name(notify).map(|name| {
            let named = self.names.holder(scope, &name).and_then(|(_, of)| payment.named(of));
            ("gateway_attempt_id", named)
        });
        let mut parents = Vec::new();
        for (field, named) in ours.into_iter().chain(theirs) {
            let there = named.filter(|own| own.is_at(&notify.gateway)).and_then(Operation::attempt_id);
            parents.push(there.ok_or(UnknownReference::Unknown { field })?);
        }
        parents.dedup();
        if parents.len() > 1 { Err(UnknownReference::Conflicting.into()) } else { Ok(parents.pop()) }
    }

    /// The operation that it is about, if that is known.
    fn meant(
        &self,
        scope: &Scope,
        payment: &Payment,
        notify: &Notify,
        evidence: &Evidence,
        parent: Option<AttemptId>,
    ) -> Result<Option<OperationId>, Rejection> {
        let holder = own_name(notify).and_then(|name| self.names.holder(scope, &name));
        let named = match (notify.about.operation, holder) {
            (Some(id), _) => Some(payment.operation(id)),
            (None, Some((_, of))) => Some(payment.named(of)),
            (None, None) => None,
        };
        if let Some(named) = named {
            let field = notify.about.operation.map_or("gateway_operation_id", own_field);
            let own = named.filter(|own| is_kind(notify, own));
            let own = own.ok_or(UnknownReference::Unknown { field })?;
            return Ok(Some(own.id));
        }
        let is_named = evidence.gateway_operation_id.is_some();
        match notify.told {
            Told::Attempt(_) | Told::Authorization(_) => payment.attempt_meant(&notify.gateway, is_named),
            Told::Void(_) => payment.void_meant(notify, parent, is_named),
            Told::Returned(_) => payment.returned(notify, evidence, parent).map(Some),
            _ => {
                let id = id_of_external(notify);
                let mut may_be = payment.nameless_like(id, &notify.gateway, parent, evidence.amount);
                // It learns its name when its own answer arrives.
                let waits = may_be.any(|own| own.is_live() && !own.is_stuck());
                if waits { Err(UnknownReference::MayBeOurs.into()) } else { Ok(None) }
            }
        }
    }

    /// An operation that was made at the gateway, once money succeeded or a decline was reported.
    fn external(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        evidence: &Evidence,
        parent: Option<AttemptId>,
    ) -> Result<(), Rejection> {
        match evidence.outcome {
            Outcome::Succeeded | Outcome::Failed(_) => {}
            Outcome::Reversed { .. } | Outcome::Canceled { .. } | Outcome::ReturnCanceled { .. } => {
                return Err(nothing_like(evidence).into());
            }
            _ => return Ok(()),
        }
        let id = id_of_external(notify);
        let may_be_new = match id {
            OperationId::Attempt(_) => payment.may_have_another(notify, evidence),
            OperationId::Void(_) => parent.is_some() || payment.only_source(&notify.gateway).is_some(),
            _ => !payment.sources(&notify.gateway).is_empty(),
        };
        if !may_be_new {
            return Err(match id {
                OperationId::Attempt(_) => nothing_like(evidence),
                OperationId::Void(_) if payment.sources(&notify.gateway).len() > 1 => {
                    UnknownReference::Several
                }
                _ => UnknownReference::NothingThere,
            }
            .into());
        }
        if evidence.is_success() && !payment.is_money(evidence) {
            payment.keep_misfit(evidence, notify.notification.as_str(), command.at);
            return Ok(());
        }
        let is_attempt = matches!(id, OperationId::Attempt(_));
        let mut evidence = evidence.clone();
        if let (None, Some(whole), true) =
            (&evidence.gateway_operation_id, &payment.changed.gateway_payment_id, is_attempt)
        {
            evidence.gateway_operation_id = Some(stand_in(whole.as_str()));
        }
        let called = evidence.gateway_operation_id.as_ref();
        let name = called.map(|called| operation_name(kind_of_name(id), Some(&notify.gateway), called));
        if name.as_ref().is_some_and(|name| self.names.holder(&command.caller.scope, name).is_some()) {
            return Err(UnknownReference::Conflicting.into());
        }
        let holds = matches!(notify.told, Told::Authorization(_));
        let about = if holds { About::Authorization } else { About::Operation };
        let parent = parent.filter(|_| !is_attempt);
        let report = Report { parent, ..Report::about(about, evidence) };
        let mut own = payment.begin(id, payment.asked.amount, command.at);
        own.gateway = Some(notify.gateway.clone());
        self.first_reported(command, payment, own, report, name);
        Ok(())
    }

    fn disputed(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        notify: &Notify,
        word: &DisputeWord,
    ) -> Result<(), Rejection> {
        let called = notify.about.gateway_dispute_id.clone().ok_or(UnknownReference::Unnamed)?;
        let told = (word.clone(), notify.funds.clone());
        let own = |known: &Dispute| known.gateway == notify.gateway && known.called == called;
        let scope = &command.caller.scope;
        self.reported_parent(scope, payment, notify)?;
        let there = |id: OperationId| payment.operation(id).is_some_and(|own| own.is_at(&notify.gateway));
        if let Some(id) = notify.about.operation.filter(|id| !there(*id)) {
            return Err(UnknownReference::Unknown { field: own_field(id) }.into());
        }
        if let Some(place) = payment.disputes.iter().position(own) {
            let before = payment.disputes[place].said();
            payment.disputes[place].words.push(told);
            if payment.disputes[place].said() == before {
                return Ok(());
            }
        } else {
            let (id, gateway) = (DisputeId::new(notify.id), notify.gateway.clone());
            let asked = payment.asked.amount;
            payment.disputes.push(Dispute { id, gateway, called, asked, words: vec![told], decided: None });
        }
        payment.happened(command.at, None);
        self.names.take(scope, dispute_name(notify), &stream(payment), payment.version, Fields::new());
        Ok(())
    }
}

impl Payment {
    fn was_at(&self, notify: &Notify) -> bool {
        let attempted = self.operations.iter().any(|own| own.is_attempt() && own.is_at(&notify.gateway));
        attempted || self.was_created_at(notify)
    }

    fn was_created_at(&self, notify: &Notify) -> bool {
        let there = self.asked_gateway().is_none_or(|gateway| *gateway == notify.gateway);
        self.changed.gateway_payment_id.is_some() && there
    }

    /// Whether an attempt that is not known can be of it: it was created there, or there is money beside another one.
    fn may_have_another(&self, notify: &Notify, evidence: &Evidence) -> bool {
        let there = |own: &Operation| own.is_attempt() && own.is_at(&notify.gateway) && own.sent.is_some();
        self.was_created_at(notify) || (evidence.is_success() && self.operations.iter().any(there))
    }

    /// The only nameless void that was requested or recorded; without a name the only void at all.
    fn void_meant(
        &self,
        notify: &Notify,
        parent: Option<AttemptId>,
        is_named: bool,
    ) -> Result<Option<OperationId>, Rejection> {
        let there = |own: &&Operation| {
            is_kind(notify, own) && own.sent.is_some() && (parent.is_none() || own.parent == parent)
        };
        let voids: Vec<_> = self.operations.iter().filter(there).collect();
        let nameless = voids.iter().copied().filter(|own| !own.is_external() && own.names().is_empty());
        match only(nameless)? {
            None if !is_named => only(voids.into_iter()),
            meant => Ok(meant),
        }
    }

    /// What brought the money that was returned.
    fn returned(
        &self,
        notify: &Notify,
        evidence: &Evidence,
        parent: Option<AttemptId>,
    ) -> Result<OperationId, Rejection> {
        let cancels = matches!(evidence.outcome, Outcome::ReturnCanceled { .. });
        if cancels && evidence.gateway_operation_id.is_some() {
            return Err(nothing_like(evidence).into());
        }
        if evidence.gateway_operation_id.is_none() {
            let returned = self.operations.iter().filter(|own| {
                let of_it = parent.is_none() || own.parent == parent || own.attempt_id() == parent;
                of_it && is_kind(notify, own) && own.known().has_whole_return()
            });
            if let Some(known) = only(returned)? {
                return Ok(known);
            }
        }
        let brought = self
            .operations
            .iter()
            .filter(|own| is_kind(notify, own) && own.charged().is_some() && !own.is_same_as_another());
        let meant = match parent.and_then(|id| self.operation(id.into())) {
            Some(charge) if charge.takes() => Some(charge.id),
            Some(_) => only(brought.filter(|own| own.parent == parent))?,
            None => match only(brought)? {
                None if evidence.amount.is_none() => self.attempt_meant(&notify.gateway, false)?,
                meant => meant,
            },
        };
        let meant = meant.filter(|id| self.operation(*id).is_some_and(|own| is_kind(notify, own)));
        Ok(meant.ok_or(UnknownReference::NothingThere)?)
    }
}

/// Why no name leads to a payment.
fn no_payment(notify: &Notify) -> UnknownReference {
    let field = match names_in(notify).next() {
        None => return UnknownReference::Unnamed,
        Some((ClaimKind::GatewayPayment, _)) => "gateway_payment_id",
        Some((ClaimKind::GatewayDispute, _)) => "dispute_id",
        Some(_) if notify.about.gateway_attempt_id.is_some() => "gateway_attempt_id",
        Some(_) => "gateway_operation_id",
    };
    UnknownReference::Unknown { field }
}

/// Of something that is not known, and does not come to be known by this.
fn nothing_like(evidence: &Evidence) -> UnknownReference {
    match evidence.gateway_operation_id {
        Some(_) => UnknownReference::Unknown { field: "gateway_operation_id" },
        None => UnknownReference::NothingThere,
    }
}

/// Where our own id of an operation stands.
fn own_field(id: OperationId) -> &'static str {
    match id {
        OperationId::Attempt(_) => "attempt_id",
        OperationId::Capture(_) => "capture_id",
        OperationId::Refund(_) => "refund_id",
        OperationId::Void(_) => "void_id",
        other => panic!("the model knows no {other:?}"),
    }
}

/// What it says, without times and messages.
fn contents(notify: &Notify) -> Fields {
    let mut told = notify.told.clone();
    let (never, none) = (Timestamp::EPOCH, || Message::lossy(""));
    match &mut told {
        Told::Dispute(word) => {
            (word.occurred_at, word.due_by, word.reason) = (never, None, None);
        }
        Told::Attempt(evidence)
        | Told::Authorization(evidence)
        | Told::Capture(evidence)
        | Told::Refund(evidence)
        | Told::Void(evidence)
        | Told::Returned(evidence) => {
            evidence.occurred_at = never;
            match &mut evidence.outcome {
                Outcome::Failed(failure) => failure.message = none(),
                Outcome::NotSent { error_message }
                | Outcome::Unknown { error_message }
                | Outcome::Canceled { error_message }
                | Outcome::Reversed { error_message }
                | Outcome::ReturnCanceled { error_message } => *error_message = none(),
                _ => {}
            }
        }
        other => panic!("the model knows no {other:?}"),
    }
    let funds = notify.funds.as_ref().filter(|_| matches!(told, Told::Dispute(_)));
    let contents = format!("{:?} {told:?} {funds:?}", notify.about);
    Fields::from([(RequestField::NotificationType, contents)])
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

/// What adds up must have a name, or it could count twice. Of a return our own id names what it is of.
fn require_name(notify: &Notify, evidence: &Evidence) -> Result<(), Rejection> {
    let is_named = match notify.told {
        Told::Capture(_) | Told::Refund(_) => notify.about.operation.is_some(),
        Told::Returned(_) => evidence.amount.is_none(),
        _ => true,
    };
    if is_named || evidence.gateway_operation_id.is_some() { Ok(()) } else { Err(Rejection::NameRequired) }
}

fn is_kind(notify: &Notify, own: &Operation) -> bool {
    let is_kind = match notify.told {
        Told::Attempt(_) | Told::Authorization(_) => own.is_attempt(),
        Told::Capture(_) => own.is_capture(),
        Told::Refund(_) => own.is_refund(),
        Told::Void(_) => own.is_void(),
        Told::Returned(_) => own.takes(),
        _ => false,
    };
    is_kind && own.is_at(&notify.gateway)
}

fn id_of_external(notify: &Notify) -> OperationId {
    let id = notify.id;
    match notify.told {
        Told::Capture(_) => CaptureId::new(id).into(),
        Told::Refund(_) => RefundId::new(id).into(),
        Told::Void(_) => VoidId::new(id).into(),
        _ => AttemptId::new(id).into(),
    }
}

/// To a charge that was requested, a hold means that it goes on; a released one, that it was canceled.
fn report_about(own: &Operation, notify: &Notify, evidence: &Evidence) -> Report {
    let mut evidence = evidence.clone();
    match &notify.told {
        Told::Returned(_) => {
            let name = evidence.gateway_operation_id.take();
            Report::about(About::Return(name), evidence)
        }
        Told::Authorization(_) if own.is_requested() && !own.authorizes => {
            evidence.outcome = match evidence.outcome {
                Outcome::Succeeded => Outcome::Pending,
                Outcome::Reversed { error_message } => Outcome::Canceled { error_message },
                other => other,
            };
            Report::new(evidence)
        }
        Told::Authorization(_) => Report::about(About::Authorization, evidence),
        _ => Report::new(evidence),
    }
}

/// The names that must belong to the payment. Where our own id of the operation is given, the gateway's name of it need
/// not: it is flagged if it is another one's.
fn names_in(notify: &Notify) -> impl Iterator<Item = Name> {
    let payment = notify.about.gateway_payment_id.as_ref();
    let payment = payment.map(|id| (ClaimKind::GatewayPayment, format!("{:?} {id}", Some(&notify.gateway))));
    let own = own_name(notify).filter(|_| notify.about.operation.is_none());
    [payment, dispute_name(notify), parent_name(notify), own].into_iter().flatten()
}

fn own_name(notify: &Notify) -> Option<Name> {
    let called = evidence_of(&notify.told).ok()?.gateway_operation_id.as_ref()?;
    let kind = match notify.told {
        Told::Returned(_) => ClaimKind::GatewayReturn,
        _ => kind_of_name(id_of_external(notify)),
    };
    Some(operation_name(kind, Some(&notify.gateway), called))
}

fn parent_name(notify: &Notify) -> Option<Name> {
    let called = notify.about.gateway_attempt_id.as_ref()?;
    Some(operation_name(ClaimKind::GatewayAttempt, Some(&notify.gateway), called))
}

fn dispute_name(notify: &Notify) -> Option<Name> {
    let called = notify.about.gateway_dispute_id.as_ref()?;
    Some((ClaimKind::GatewayDispute, format!("{} {called:?}", notify.gateway)))
}
