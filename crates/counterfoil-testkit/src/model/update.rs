//! Names, notes, and statuses that are set.

use counterfoil::claim::ClaimKind;
use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Rejection, Resolution, Target, Update};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, RefundId, VoidId};
use counterfoil::money::Money;
use counterfoil::payment::{Closed, Evidence, OperationId, Origin, PaymentMethod, References};
use counterfoil::status::PaymentStatus;
use counterfoil::text::Message;

use super::due::Polls;
use super::names::{Fields, Name};
use super::operation::{Operation, Report};
use super::payment::Payment;
use super::{Model, stream, unchanged};
use crate::run::Answer;

impl Model {
    pub(super) fn update(&mut self, command: &Command, update: &Update) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let own = (ClaimKind::Update, update.update.to_string());
        if let Some(first) = self.names.first_answer(scope, Some(&own), &Fields::new())? {
            return Ok(first);
        }
        let mut payment = self.payment(scope, update.payment)?.clone();
        let first = payment.version + 1;
        let news = payment.news(&update.change);
        // Asking for where it stands asks for nothing.
        let target = update.target.as_ref().filter(|target| payment.status() != target.status);
        if news == References::default() && target.is_none() {
            return Ok(unchanged(&payment));
        }
        payment.can_be_changed(update)?;
        let mut name = None;
        if news != References::default() {
            name = self.gateway_payment_name(command, &news, &payment)?;
            payment.change(&news);
            self.happened(command, &mut payment, &Known::Unasked, None);
        }
        if let Some(target) = target.filter(|target| payment.status() != target.status) {
            let given_back = self.set(command, &mut payment, update, target)?;
            if let (PaymentMethod::Credits(wallet), Some(amount)) = (&payment.asked.method, given_back) {
                self.credit(command, wallet, amount)?;
            }
        }
        // Where it asks to be, it must be in the end.
        if let Some(target) = update.target.as_ref().filter(|target| payment.status() != target.status) {
            return Err(payment.not_settable(target));
        }
        let stream = stream(&payment);
        self.names.take(scope, name, &stream, first, Fields::new());
        self.names.take(scope, Some(own), &stream, first, Fields::new());
        self.keep(scope, payment);
        Ok(Answer::Done { stream, sequence: first, replayed: false })
    }

    /// One name at a gateway is one payment; one that this payment had before is still its own.
    fn gateway_payment_name(
        &self,
        command: &Command,
        news: &References,
        payment: &Payment,
    ) -> Result<Option<Name>, Rejection> {
        if news.gateway_payment_id.is_none() && news.gateway.is_none() {
            return Ok(None);
        }
        let now = &payment.changed;
        let id = news.gateway_payment_id.as_ref().or(now.gateway_payment_id.as_ref());
        let Some(id) = id else { return Ok(None) };
        let gateway = news.gateway.as_ref().or(payment.gateway()).or(command.gateways.first());
        let name = (ClaimKind::GatewayPayment, format!("{gateway:?} {id}"));
        match self.names.holder(&command.caller.scope, &name) {
            Some((holder, _)) if *holder != stream(payment) => Err(Rejection::GatewayIdTaken(holder.clone())),
            _ => Ok(Some(name)),
        }
    }
}

impl Payment {
    /// What of `change` is not so already.
    fn news(&self, change: &References) -> References {
        let now = self.names();
        let own_words = self.changed.error_message.as_ref();
        let mut news = change.clone();
        news.metadata.take_if(|metadata| *metadata == now.metadata);
        news.gateway.take_if(|gateway| Some(&*gateway) == self.asked_gateway());
        news.gateway_payment_id.take_if(|id| Some(&*id) == now.gateway_payment_id.as_ref());
        news.gateway_tracking_id.take_if(|id| Some(&*id) == now.gateway_tracking_id.as_ref());
        news.instrument.take_if(|instrument| Some(&*instrument) == now.instrument.as_ref());
        news.error_message.take_if(|message| Some(&*message) == own_words);
        news
    }

    fn can_be_changed(&self, update: &Update) -> Result<(), Rejection> {
        let payment = self.asked.payment;
        if update.if_version.is_some_and(|version| version != self.version) {
            Err(Rejection::VersionConflict { payment, version: self.version })
        } else if self.archived {
            Err(Rejection::Archived { payment })
        } else if update.change.gateway_payment_id.is_some() && !self.needs_gateway() {
            Err(Rejection::NotAtGateway(self.asked.method.kind()))
        } else if update.change.instrument.is_some() && !self.needs_gateway() {
            Err(Rejection::InstrumentNotAllowed(self.asked.method.kind()))
        } else {
            Ok(())
        }
    }

    /// What a gateway has a name for, it has: that is accepted.
    fn change(&mut self, news: &References) {
        let news = news.clone();
        self.accepted |= news.gateway_payment_id.is_some();
        let renamed =
            news.gateway_payment_id.is_some() && news.gateway_payment_id != self.changed.gateway_payment_id;
        if renamed {
            self.polls = Polls::default();
        }
        let now = &mut self.changed;
        now.metadata = news.metadata.or(now.metadata.take());
        now.gateway = news.gateway.or(now.gateway.take());
        now.gateway_payment_id = news.gateway_payment_id.or(now.gateway_payment_id.take());
        now.gateway_tracking_id = news.gateway_tracking_id.or(now.gateway_tracking_id.take());
        now.instrument = news.instrument.or(now.instrument.take());
        now.error_message = news.error_message.or(now.error_message.take());
    }

    fn not_settable(&self, target: &Target) -> Rejection {
        Rejection::NotSettable { payment: self.asked.payment, status: self.status(), to: target.status }
    }
}

impl Model {
    /// Writes down what leads to the status. What it gives back, if that is it.
    fn set(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        update: &Update,
        target: &Target,
    ) -> Result<Option<Money>, Rejection> {
        use PaymentStatus::{
            Failed, Initiated, Overpaid, PartiallyCaptured, PartiallyRefunded, Pending, Processing, Refunded,
            RequiresAction, Succeeded, Voided,
        };
        let at = target.at.unwrap_or(command.at);
        if at > command.at {
            return Err(Rejection::InFuture(at));
        }
        let id = update.update.as_uuid();
        let mut given_back = None;
        let mut said = Some(at);
        match (payment.status(), target.status) {
            (Initiated, Pending) => {
                payment.accepted = true;
                said = None;
            }
            (Initiated | Pending, Succeeded) => {
                let evidence = Evidence::succeeded(at);
                let made_there = payment.changed.gateway_payment_id.is_some();
                let some = if made_there {
                    payment.gateway().or(command.gateways.first())
                } else {
                    payment.asked_gateway()
                };
                let gateway = some.filter(|_| payment.needs_gateway()).cloned();
                super::record::write_down(command, payment, AttemptId::new(id).into(), evidence, gateway)?;
            }
            (Initiated | Pending, Failed) => payment.close(command.at, at, Closed::Failed),
            (Processing, Succeeded | Failed) => {
                self.settle(command, payment, target.status, at, update.change.error_message.as_ref())?;
                return Ok(None);
            }
            (Initiated | Pending | RequiresAction, Voided) if !payment.is_on_its_way() => {
                payment.close(command.at, at, Closed::Voided);
            }
            (Succeeded, Voided) => {
                payment.require_whole()?;
                given_back = Some(give_back(command, payment, OperationId::Void(VoidId::new(id)), at));
            }
            (Succeeded | Overpaid | PartiallyCaptured | PartiallyRefunded, Refunded) => {
                payment.require_free()?;
                given_back = Some(give_back(command, payment, OperationId::Refund(RefundId::new(id)), at));
            }
            _ => return Err(payment.not_settable(target)),
        }
        self.happened(command, payment, &Known::Unasked, said);
        Ok(given_back)
    }

    /// A person's word on what is under way counts like the gateway's, once nobody can be on the way any more.
    fn settle(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        to: PaymentStatus,
        at: Timestamp,
        message: Option<&Message>,
    ) -> Result<(), Rejection> {
        let live = payment.operations.iter().filter(|own| own.is_under_way());
        if let Some(queued) = live.clone().find(|own| own.is_queued()) {
            return Err(Rejection::Queued { payment: payment.asked.payment, operation: queued.id });
        }
        let on_its_way = live.clone().filter_map(Operation::runs_until).max();
        if let Some(until) = on_its_way.filter(|until| *until > command.at) {
            return Err(Rejection::InFlight { payment: payment.asked.payment, until });
        }
        let came = to == PaymentStatus::Succeeded;
        let ids: Vec<OperationId> = live.map(|own| own.id).take(if came { 1 } else { usize::MAX }).collect();
        let says = if came { Resolution::Succeeded { amount: None } } else { Resolution::Failed };
        for id in ids {
            self.decide(command, payment, id, says, message, at);
        }
        Ok(())
    }
}

/// Adds money that went back elsewhere, all of it that could.
fn give_back(command: &Command, payment: &mut Payment, id: OperationId, at: Timestamp) -> Money {
    let amount = payment.refundable();
    let mut operation = payment.begin(id, amount, command.at);
    operation.origin = Origin::Recorded;
    operation.reverses = operation.is_void();
    if let [(only, _)] = payment.left()[..]
        && only.gateway.is_some()
    {
        (operation.parent, operation.gateway) = (only.attempt_id(), only.gateway.clone());
    }
    operation.reports.push(Report::new(Evidence::succeeded(at)));
    payment.operations.push(operation);
    amount
}
