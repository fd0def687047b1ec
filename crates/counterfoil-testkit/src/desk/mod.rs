//! Where tests make their commands.

mod moves;

use std::sync::Arc;
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::command::{
    self, Archive, Command, Create, Discover, Policy, Process, RecordAttempt, RecordGatewayEntry, Report,
    Request, Target, TopUp,
};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, IdSource, PaymentId, TopUpId, UpdateId};
use counterfoil::ledger::{NewAttempt, NewPayment, NewTopUp, Processing, Update};
use counterfoil::payment::{Evidence, OperationId};
use counterfoil::scope::Caller;
use counterfoil::text::{GatewayName, GatewayPaymentId};

use crate::clock::{ManualClock, SeededIds};
use crate::fixtures;

/// Makes commands as a [`Ledger`](counterfoil::ledger::Ledger) does, with an id and a time for each, but
/// hands them over as plain data: to be executed twice, changed, or raced. Equal calls on equal desks make
/// equal commands.
///
/// ```
/// use counterfoil::ledger::NewTopUp;
/// use counterfoil::store::PaymentStore;
/// use counterfoil_memory::MemoryStore;
/// use counterfoil_testkit::fixtures::{caller, usd, wallet};
/// use counterfoil_testkit::{Desk, block_on};
///
/// let (store, desk) = (MemoryStore::new(), Desk::new(1));
/// let command = desk.top_up(&caller("acme"), NewTopUp::new(wallet("w"), usd(500)));
/// assert!(!block_on(store.execute(command.clone())).unwrap().replayed);
/// assert!(block_on(store.execute(command)).unwrap().replayed, "the same once more does nothing");
/// ```
#[derive(Debug)]
pub struct Desk {
    clock: ManualClock,
    ids: SeededIds,
    policy: Arc<Policy>,
    gateways: Arc<[GatewayName]>,
}

impl Desk {
    /// A desk whose ids no desk with another seed gives.
    #[must_use]
    pub fn new(seed: u16) -> Desk {
        let gateways = Arc::new([fixtures::gateway(), fixtures::other_gateway()]);
        Desk {
            clock: ManualClock::default(),
            ids: SeededIds::new(seed.into()),
            policy: Arc::default(),
            gateways,
        }
    }

    /// The same with these rules.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Desk {
        self.set_policy(policy);
        self
    }

    /// From now on these are the rules.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = Arc::new(policy);
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
            known: Known::Unasked,
            method: new.method,
            capture_method: new.capture_method,
            expires_at: new.expires_at,
            checkout: new.checkout,
            metadata: new.metadata,
            idempotency_key: new.idempotency_key,
            process: new.process.then(|| AttemptId::new(self.ids.next(at))),
            queued: new.queued,
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
            number: None,
            instrument: how.instrument,
            known: Known::Unasked,
            idempotency_key: how.idempotency_key,
            queued: how.queued,
        };
        self.command(caller, at, Request::Process(process))
    }

    /// An attempt of `payment` that was made elsewhere.
    #[must_use]
    pub fn record_attempt(&self, caller: &Caller, payment: PaymentId, new: NewAttempt) -> Command {
        let at = self.next_moment();
        let record = RecordAttempt {
            payment,
            attempt: AttemptId::new(self.ids.next(at)),
            outcome: new.outcome,
            gateway: new.gateway,
            gateway_attempt_id: new.gateway_attempt_id,
            idempotency_key: new.idempotency_key,
        };
        self.command(caller, at, Request::RecordAttempt(record))
    }

    /// What the tests' gateway says about a payment that was made there.
    #[must_use]
    pub fn discover(
        &self,
        caller: &Caller,
        payment: PaymentId,
        gateway_payment_id: GatewayPaymentId,
        evidence: Evidence,
    ) -> Command {
        let at = self.next_moment();
        let attempt = AttemptId::new(self.ids.next(at));
        let gateway = fixtures::gateway();
        let discover = Discover { payment, attempt, gateway, gateway_payment_id, evidence };
        self.command(caller, at, Request::Discover(discover))
    }

    /// Other names and notes of `payment`, or another status.
    #[must_use]
    pub fn update(&self, caller: &Caller, payment: PaymentId, update: Update) -> Command {
        let at = self.next_moment();
        let target = update.status.map(|(status, at)| Target { status, at });
        let update = command::Update {
            update: UpdateId::new(self.ids.next(at)),
            payment,
            if_version: update.if_version,
            change: update.change,
            target,
        };
        self.command(caller, at, Request::Update(update))
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

    /// A fee or a payout of a gateway.
    #[must_use]
    pub fn record_gateway_entry(&self, caller: &Caller, record: RecordGatewayEntry) -> Command {
        self.command(caller, self.next_moment(), Request::RecordGatewayEntry(record))
    }

    fn next_moment(&self) -> Timestamp {
        self.clock.advance(Duration::from_millis(1));
        self.clock.now()
    }

    fn command(&self, caller: &Caller, at: Timestamp, request: Request) -> Command {
        let (policy, gateways) = (self.policy.clone(), self.gateways.clone());
        Command { caller: caller.clone(), at, policy, gateways, request }
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

/// The operation that a command starts or writes down. Panics at one that does neither.
#[must_use]
pub fn started(command: &Command) -> OperationId {
    let attempt = match &command.request {
        Request::Create(create) => create.process,
        Request::Process(process) => Some(process.attempt),
        Request::RecordAttempt(record) => Some(record.attempt),
        Request::Discover(discover) => Some(discover.attempt),
        Request::Capture(capture) => return capture.capture.into(),
        Request::Refund(refund) => return refund.refund.into(),
        Request::RecordRefund(record) => return record.refund.into(),
        Request::Void(void) => return void.void.into(),
        _ => None,
    };
    attempt.expect("a command that starts an operation").into()
}
