//! Where tests make their commands.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{Archive, Command, Create, Policy, Process, Report, Request, TopUp};
use counterfoil::id::{AttemptId, IdSource, PaymentId, TopUpId};
use counterfoil::ledger::{NewPayment, NewTopUp, Processing};
use counterfoil::payment::{Evidence, OperationId};
use counterfoil::scope::Caller;

use crate::clock::{ManualClock, SeededIds};
use crate::fixtures;

/// Makes commands as a [`Ledger`](counterfoil::ledger::Ledger) does, with an id and a time for each, but
/// hands them over as plain data: to be executed twice, changed, or raced. Equal calls on equal desks make
/// equal commands.
#[derive(Debug)]
pub struct Desk {
    clock: ManualClock,
    ids: SeededIds,
    policy: Arc<Policy>,
}

impl Desk {
    /// A desk whose ids no desk with another seed gives.
    #[must_use]
    pub fn new(seed: u16) -> Desk {
        Desk { clock: ManualClock::default(), ids: SeededIds::new(seed), policy: Arc::default() }
    }

    /// Its clock: each command is a millisecond later than the one before.
    #[must_use]
    pub const fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// A new payment, and its first attempt if it is to be processed.
    #[must_use]
    pub fn create(&self, caller: &Caller, new: NewPayment) -> Command {
        let at = self.next_moment();
        let create = Create {
            payment: PaymentId::new(self.ids.next(at)),
            amount: new.amount,
            destination: new.destination,
            method: new.method,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
            process: new.process.then(|| AttemptId::new(self.ids.next(at))),
            gateway: Some(fixtures::gateway()),
        };
        self.command(caller, at, Request::Create(create))
    }

    /// The next attempt of `payment`.
    #[must_use]
    pub fn process(&self, caller: &Caller, payment: PaymentId, how: Processing) -> Command {
        let at = self.next_moment();
        let process = Process {
            payment,
            attempt: AttemptId::new(self.ids.next(at)),
            instrument: how.instrument,
            gateway: Some(fixtures::gateway()),
            idempotency_key: how.idempotency_key,
        };
        self.command(caller, at, Request::Process(process))
    }

    /// What the gateway says about an operation.
    #[must_use]
    pub fn report(
        &self,
        caller: &Caller,
        payment: PaymentId,
        operation: OperationId,
        evidence: Evidence,
    ) -> Command {
        let report = Report { payment, operation, evidence };
        self.command(caller, self.next_moment(), Request::Report(report))
    }

    /// Hiding a payment.
    #[must_use]
    pub fn archive(&self, caller: &Caller, payment: PaymentId) -> Command {
        self.command(caller, self.next_moment(), Request::Archive(Archive { payment }))
    }

    /// More credits in a wallet.
    #[must_use]
    pub fn top_up(&self, caller: &Caller, new: NewTopUp) -> Command {
        let at = self.next_moment();
        let top_up = TopUp {
            top_up: TopUpId::new(self.ids.next(at)),
            wallet: new.wallet,
            amount: new.amount,
            idempotency_key: new.idempotency_key,
        };
        self.command(caller, at, Request::TopUp(top_up))
    }

    fn next_moment(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(1));
        self.clock.now()
    }

    fn command(&self, caller: &Caller, at: Timestamp, request: Request) -> Command {
        Command { caller: caller.clone(), at, policy: self.policy.clone(), request }
    }
}

/// The payment that a [`Desk::create`] makes. Panics at any other command.
#[must_use]
pub fn created(command: &Command) -> PaymentId {
    match &command.request {
        Request::Create(create) => create.payment,
        other => panic!("{other:?} creates no payment"),
    }
}

/// The attempt that a command starts. Panics at one that starts none.
#[must_use]
pub fn started(command: &Command) -> OperationId {
    let attempt = match &command.request {
        Request::Create(create) => create.process,
        Request::Process(process) => Some(process.attempt),
        _ => None,
    };
    attempt.expect("a command that starts an attempt").into()
}
