//! What should come of commands.
//!
//! Written from the published rules, without the core's decisions: no versions to guard, nothing cached,
//! every answer worked out anew. Where the model and a store differ, one of them is wrong.

mod facts;
mod names;
mod payment;

use std::collections::BTreeMap;

use counterfoil::account::AccountId;
use counterfoil::claim::{ClaimKind, RequestField};
use counterfoil::clock::Timestamp;
use counterfoil::command::{Archive, Command, Create, Process, Rejection, Report, Request, TopUp};
use counterfoil::event::StreamId;
use counterfoil::id::{AttemptId, PaymentId};
use counterfoil::money::{Currency, Money, MoneyError};
use counterfoil::payment::{Evidence, Failure, FailureClass, OperationId, Outcome, PaymentMethod};
use counterfoil::scope::Scope;
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::text::{ErrorCode, GatewayName, Message, PaymentMethodId, WalletId};

pub use facts::{AttemptFacts, PaymentFacts, WalletFacts};
use names::{Fields, Names, create_fields};
use payment::{Attempt, Heard, Payment};

use crate::run::Answer;

/// The books as they should be.
#[derive(Debug, Clone, Default)]
pub struct Model {
    payments: BTreeMap<(Scope, PaymentId), Payment>,
    wallets: BTreeMap<(Scope, WalletId), Wallet>,
    names: Names,
}

#[derive(Debug, Clone)]
struct Wallet {
    balances: BTreeMap<Currency, i64>,
    version: u64,
    updated_at: Timestamp,
}

impl Model {
    /// What a store must answer to `command` now.
    pub fn execute(&mut self, command: &Command) -> Answer {
        let answer = match &command.request {
            Request::Create(create) => self.create(command, create),
            Request::Process(process) => self.process(command, process),
            Request::Report(report) => self.report(command, report),
            Request::Archive(archive) => self.archive(command, archive),
            Request::TopUp(top_up) => self.top_up(command, top_up),
            other => panic!("the model knows no {other:?}"),
        };
        answer.unwrap_or_else(Answer::Refused)
    }

    /// All payments, by scope and id.
    pub fn payments(&self) -> impl Iterator<Item = (&Scope, PaymentId, PaymentFacts)> {
        self.payments.iter().map(|((scope, id), payment)| (scope, *id, payment.facts()))
    }

    /// All wallets, by scope and id.
    pub fn wallets(&self) -> impl Iterator<Item = (&Scope, &WalletId, WalletFacts)> {
        self.wallets.iter().map(|((scope, id), wallet)| (scope, id, wallet.facts()))
    }

    fn create(&mut self, command: &Command, create: &Create) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = create.idempotency_key.as_ref().map(|key| (ClaimKind::CreateKey, key.to_string()));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &create_fields(create))? {
            return Ok(first);
        }
        let stream = StreamId::Payment(create.payment);
        if let Some(payment) = self.payments.get(&(scope.clone(), create.payment)) {
            return if same_terms(payment, command, create) {
                Ok(Answer::Done { stream, sequence: 1, replayed: true })
            } else {
                Err(Rejection::IdTaken(stream))
            };
        }
        if create.amount.is_zero() {
            return Err(Rejection::AmountNotPositive);
        }
        let gateway_method = matches!(create.method, PaymentMethod::Card(_) | PaymentMethod::Ach(_));
        let mut payment = Payment {
            asked: create.clone(),
            asked_by: command.caller.clone(),
            asked_at: command.at,
            submitted: create.process.is_some() || !gateway_method,
            refused: false,
            archived: false,
            attempts: Vec::new(),
            version: 0,
            succeeded_at: None,
            failed_at: None,
            updated_at: command.at,
        };
        if let Some(attempt) = create.process {
            self.attempt(command, &mut payment, attempt, create.gateway.as_ref(), None)?;
        }
        payment.happened(command.at);
        self.names.take(scope, key, &stream, 1, create_fields(create));
        self.payments.insert((scope.clone(), create.payment), payment);
        Ok(Answer::Done { stream, sequence: 1, replayed: false })
    }

    fn process(&mut self, command: &Command, process: &Process) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let key = process.idempotency_key.as_ref().map(|key| (ClaimKind::ProcessKey, key.to_string()));
        let mut fields = Fields::from([(RequestField::PaymentId, process.payment.to_string())]);
        fields.extend(process.instrument.iter().map(|id| (RequestField::PaymentMethodId, id.to_string())));
        if let Some(first) = self.names.first_answer(scope, key.as_ref(), &fields)? {
            return Ok(first);
        }
        let stream = StreamId::Payment(process.payment);
        let mut payment = self.payment(scope, process.payment)?.clone();
        let id = OperationId::Attempt(process.attempt);
        if let Some(attempt) = payment.attempts.iter().find(|attempt| attempt.id == id) {
            return Ok(Answer::Done { stream, sequence: attempt.sequence, replayed: true });
        }
        allowed(&payment, Action::Process, &[PaymentStatus::Initiated, PaymentStatus::Pending])?;
        let (gateway, instrument) = (process.gateway.as_ref(), process.instrument.as_ref());
        self.attempt(command, &mut payment, process.attempt, gateway, instrument)?;
        payment.submitted = true;
        payment.happened(command.at);
        let sequence = payment.version;
        self.names.take(scope, key, &stream, sequence, fields);
        self.payments.insert((scope.clone(), process.payment), payment);
        Ok(Answer::Done { stream, sequence, replayed: false })
    }

    /// Adds attempt `id`: sent to a gateway, or done at once.
    fn attempt(
        &mut self,
        command: &Command,
        payment: &mut Payment,
        id: AttemptId,
        gateway: Option<&GatewayName>,
        instrument: Option<&PaymentMethodId>,
    ) -> Result<(), Rejection> {
        let amount = payment.asked.amount;
        let kind = payment.asked.method.kind();
        let mut attempt = Attempt {
            id: id.into(),
            sequence: payment.version + 1,
            amount,
            gateway: None,
            heard: Vec::new(),
        };
        let at_once = match &payment.asked.method {
            PaymentMethod::Offline | PaymentMethod::Credits(_) if instrument.is_some() => {
                return Err(Rejection::InstrumentNotAllowed(kind));
            }
            PaymentMethod::Offline => Some(true),
            PaymentMethod::Credits(wallet) => Some(self.debit(command, wallet, amount)),
            _ => {
                attempt.gateway = Some(gateway.ok_or(Rejection::NoGateway(kind))?.clone());
                None
            }
        };
        if let Some(paid) = at_once {
            let outcome =
                if paid { Outcome::Succeeded { reported: None } } else { Outcome::Failed(no_credits()) };
            attempt.heard.push(Heard { evidence: Evidence::new(outcome, command.at), clash: false });
            payment.refused |= !paid;
        }
        payment.attempts.push(attempt);
        Ok(())
    }

    fn debit(&mut self, command: &Command, id: &WalletId, amount: Money) -> bool {
        let wallet = self.wallets.get_mut(&(command.caller.scope.clone(), id.clone()));
        let Some(wallet) = wallet else { return false };
        let balance = wallet.balances.get(&amount.currency()).copied().unwrap_or(0);
        let covered = balance >= amount.minor();
        if covered {
            wallet.balances.insert(amount.currency(), balance - amount.minor());
            wallet.happened(command.at);
        }
        covered
    }

    fn report(&mut self, command: &Command, report: &Report) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let stream = StreamId::Payment(report.payment);
        let mut payment = self.payment(scope, report.payment)?.clone();
        let found = payment.attempts.iter_mut().find(|attempt| attempt.id == report.operation);
        let asked = found.and_then(|attempt| attempt.gateway.clone().map(|gateway| (attempt, gateway)));
        let (attempt, gateway) = asked.ok_or(Rejection::OperationNotFound(report.operation))?;
        let id = report.evidence.gateway_operation_id.as_ref();
        let name = id.map(|id| (ClaimKind::GatewayOperation, format!("{gateway} {id}")));
        let fields = Fields::from([(RequestField::OperationId, report.operation.to_string())]);
        let clash = self.names.first_answer(scope, name.as_ref(), &fields).is_err();

        let before = attempt.known();
        attempt.heard.push(Heard { evidence: report.evidence.clone(), clash });
        let news = attempt.known() != before;
        let refuses = matches!(report.evidence.outcome, Outcome::Failed(_)) && !payment.refused;
        if !news && !refuses {
            return Ok(Answer::Done { stream, sequence: payment.version, replayed: true });
        }
        payment.refused |= refuses;
        payment.archived &= matches!(payment.status(), PaymentStatus::Initiated | PaymentStatus::Failed);
        payment.happened(command.at);
        let sequence = payment.version;
        self.names.take(scope, name.filter(|_| !clash), &stream, sequence, fields);
        self.payments.insert((scope.clone(), report.payment), payment);
        Ok(Answer::Done { stream, sequence, replayed: false })
    }

    fn archive(&mut self, command: &Command, archive: &Archive) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let mut payment = self.payment(scope, archive.payment)?.clone();
        let replayed = payment.archived;
        if !replayed {
            allowed(&payment, Action::Archive, &[PaymentStatus::Initiated, PaymentStatus::Failed])?;
            payment.archived = true;
            payment.happened(command.at);
        }
        let sequence = payment.version;
        self.payments.insert((scope.clone(), archive.payment), payment);
        Ok(Answer::Done { stream: StreamId::Payment(archive.payment), sequence, replayed })
    }

    fn top_up(&mut self, command: &Command, top_up: &TopUp) -> Result<Answer, Rejection> {
        let scope = &command.caller.scope;
        let fields = Fields::from([
            (RequestField::Amount, top_up.amount.minor().to_string()),
            (RequestField::Currency, top_up.amount.currency().to_string()),
            (RequestField::WalletId, top_up.wallet.to_string()),
        ]);
        let key = top_up.idempotency_key.as_ref().map(|key| (ClaimKind::TopUpKey, key.to_string()));
        let id = Some((ClaimKind::TopUp, top_up.top_up.to_string()));
        for name in [&key, &id] {
            if let Some(first) = self.names.first_answer(scope, name.as_ref(), &fields)? {
                return Ok(first);
            }
        }
        if top_up.amount.is_zero() {
            return Err(Rejection::AmountNotPositive);
        }
        let place = (scope.clone(), top_up.wallet.clone());
        let mut wallet = self.wallets.get(&place).cloned().unwrap_or_else(|| Wallet::new(command.at));
        let balance = wallet.balances.entry(top_up.amount.currency()).or_default();
        *balance += top_up.amount.minor();
        if *balance > Money::MAX_MINOR {
            return Err(MoneyError::TooLarge.into());
        }
        wallet.happened(command.at);
        let sequence = wallet.version;
        self.wallets.insert(place, wallet);
        let stream = StreamId::Account(AccountId::wallet(&top_up.wallet));
        for name in [key, id] {
            self.names.take(scope, name, &stream, sequence, fields.clone());
        }
        Ok(Answer::Done { stream, sequence, replayed: false })
    }

    fn payment(&self, scope: &Scope, id: PaymentId) -> Result<&Payment, Rejection> {
        self.payments.get(&(scope.clone(), id)).ok_or(Rejection::PaymentNotFound(id))
    }
}

impl Wallet {
    fn new(at: Timestamp) -> Wallet {
        Wallet { balances: BTreeMap::new(), version: 0, updated_at: at }
    }

    fn happened(&mut self, at: Timestamp) {
        self.version += 1;
        self.updated_at = if self.version == 1 { at } else { at.max(self.updated_at.successor()) };
    }

    fn facts(&self) -> WalletFacts {
        let money = |(currency, minor): (&Currency, &i64)| {
            Money::from_minor(*minor, *currency).expect("checked when it was put in")
        };
        let balances = self.balances.iter().map(money).collect();
        WalletFacts { balances, version: self.version, updated_at: self.updated_at }
    }
}

fn allowed(payment: &Payment, action: Action, where_: &[PaymentStatus]) -> Result<(), Rejection> {
    let (id, status) = (payment.asked.payment, payment.status());
    if payment.archived {
        Err(Rejection::Archived { payment: id })
    } else if where_.contains(&status) {
        Ok(())
    } else {
        Err(Rejection::NotAllowed { payment: id, action, status })
    }
}

/// Whether `command` is the very one that made `payment`.
fn same_terms(payment: &Payment, command: &Command, create: &Create) -> bool {
    let first = &payment.asked;
    payment.asked_by == command.caller
        && payment.asked_at == command.at
        && first.idempotency_key == create.idempotency_key
        && first.process == create.process
        && create_fields(create) == create_fields(first)
}

fn no_credits() -> Failure {
    Failure {
        class: FailureClass::Soft,
        code: ErrorCode::lossy("insufficient_credits"),
        message: Message::lossy("too few credits"),
    }
}
