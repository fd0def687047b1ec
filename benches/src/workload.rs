//! What is asked: payments that are there, and transitions of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use counterfoil::clock::Timestamp;
use counterfoil::command::{Command, Create, Policy, Report, Request};
use counterfoil::destinations::Known;
use counterfoil::id::{AttemptId, PaymentId};
use counterfoil::money::{Currency, Money};
use counterfoil::payment::{
    CaptureMethod, Checkout, Destination, Evidence, OperationId, Outcome, PaymentMethod,
};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{GatewayName, IdempotencyKey, Metadata};
use uuid::Uuid;

const START: i64 = 1_800_000_000_000_000;

/// Payments whose gateway says "pending" and "the payer must act" by turns: each report is a transition.
#[derive(Debug)]
pub struct Workload {
    kind: Kind,
    payments: u64,
    caller: Caller,
    policy: Arc<Policy>,
    gateways: Arc<[GatewayName]>,
    now: AtomicI64,
    created: AtomicU64,
    turns: Vec<AtomicBool>,
}

/// What each command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Moves a payment, picked at random, between `PROCESSING` and `REQUIRES_ACTION`.
    Transition,
    /// Creates a payment under a key of its own, with its first attempt.
    Create,
}

impl Workload {
    /// A workload over this many payments.
    ///
    /// # Panics
    ///
    /// Never: its names are constants.
    #[must_use]
    pub fn new(kind: Kind, payments: u64) -> Workload {
        let scope = Scope::new("tenant".parse().expect("valid"), "production".parse().expect("valid"));
        let caller = Caller::new(scope, "billing-service".parse().expect("valid"));
        Workload {
            kind,
            payments,
            caller,
            policy: Arc::default(),
            gateways: ["sandbox".parse().expect("valid")].into(),
            now: AtomicI64::new(START),
            created: AtomicU64::new(payments),
            turns: (0..payments).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Whose payments they are.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.caller.scope
    }

    /// The commands that create the payments.
    pub fn preload(&self) -> impl Iterator<Item = Command> {
        (0..self.payments).map(|number| self.create(number.into()))
    }

    /// The commands of one caller; another caller's are others.
    #[must_use]
    pub fn commands(&self, caller: usize) -> Commands<'_> {
        let seed = (caller as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Commands { workload: self, random: seed }
    }

    /// The id of payment `number`, as version 7 of such ids: later ones are greater.
    #[must_use]
    pub fn payment_id(number: u128) -> PaymentId {
        PaymentId::new(uuid(number * 2))
    }

    fn at(&self) -> Timestamp {
        let micros = self.now.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_unix_micros(micros).expect("the year is 2027")
    }

    fn command(&self, request: Request) -> Command {
        let (caller, policy) = (self.caller.clone(), self.policy.clone());
        Command { caller, at: self.at(), policy, gateways: self.gateways.clone(), request }
    }

    fn create(&self, number: u128) -> Command {
        let invoice = format!("inv_{number:012}").parse().expect("valid");
        self.command(Request::Create(Create {
            payment: Workload::payment_id(number),
            amount: Money::from_minor(9_950, Currency::USD).expect("valid"),
            destination: Destination::invoice(invoice),
            known: Known::Unasked,
            method: PaymentMethod::Card(Some(format!("pm_{number:012}").parse().expect("valid"))),
            capture_method: CaptureMethod::Automatic,
            expires_at: None,
            checkout: Checkout::default(),
            metadata: Metadata::new([("order", format!("order-{number}"))]).expect("valid"),
            idempotency_key: Some(IdempotencyKey::new(format!("key-{number:016}")).expect("valid")),
            process: Some(AttemptId::new(uuid(number * 2 + 1))),
            queued: false,
        }))
    }

    /// The gateway's clock rises with every report and its two answers alternate, so each report is a move.
    fn report(&self, number: u64) -> Command {
        let turned = usize::try_from(number).ok().and_then(|place| self.turns.get(place));
        let acts = turned.is_some_and(|turned| turned.fetch_not(Ordering::Relaxed));
        let outcome = if acts { Outcome::Pending } else { Outcome::RequiresAction { payment_url: None } };
        let number = u128::from(number);
        let mut command = self.command(Request::Report(Report {
            payment: Workload::payment_id(number),
            operation: OperationId::Attempt(AttemptId::new(uuid(number * 2 + 1))),
            evidence: Evidence::new(outcome, Timestamp::EPOCH),
        }));
        if let Request::Report(report) = &mut command.request {
            report.evidence.occurred_at = command.at;
        }
        command
    }
}

fn uuid(number: u128) -> Uuid {
    let millis = u64::try_from(1_700_000_000_000 + number / 8).unwrap_or(0);
    let mut low = [0; 10];
    low.copy_from_slice(&number.to_be_bytes()[6..]);
    uuid::Builder::from_unix_timestamp_millis(millis, &low).into_uuid()
}

/// One caller's commands.
#[derive(Debug)]
pub struct Commands<'a> {
    workload: &'a Workload,
    random: u64,
}

impl Commands<'_> {
    /// The next one.
    pub fn next_command(&mut self) -> Command {
        match self.workload.kind {
            Kind::Create => {
                self.workload.create(self.workload.created.fetch_add(1, Ordering::Relaxed).into())
            }
            Kind::Transition => self.workload.report(self.pick()),
        }
    }

    /// Which payment is next, uniformly. (xorshift64*)
    pub fn pick(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % self.workload.payments.max(1)
    }
}
