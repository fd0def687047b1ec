//! The [`Ledger`]: what a billing service talks to.
//!
//! A thin shell. It gives commands their ids and time, executes them again while their outcome is unknown,
//! and calls the gateway between two commands. Whatever must hold, holds without it.

mod commands;
mod due;
mod error;
mod flow;
mod move_request;
mod moves;
mod queued;
mod reads;
pub mod reconcile;
mod request;

use std::sync::Arc;

pub use due::DueRun;
pub use error::LedgerError;
pub use move_request::{NewCapture, NewRecordedRefund, NewRefund, NewResolution, NewVoid, Notification};
pub use request::{NewAttempt, NewPayment, NewTopUp, Processing, Update};

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::command::{Command, Policy, Receipt, Request};
use crate::destinations::{Destinations, Known};
use crate::gateway::{CaptureReversals, Gateway};
use crate::id::{IdSource, RandomIds};
use crate::payment::Destination;
use crate::scope::{Caller, Scope};
use crate::store::{ExecuteError, PaymentStore};
use crate::text::GatewayName;

/// How often a command is executed while nobody knows whether it was written.
const TRIES: usize = 3;

/// The books of a billing service: payments and wallets over a [`PaymentStore`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Arc<dyn PaymentStore>,
    gateways: Vec<Arc<dyn Gateway>>,
    gateway_names: Arc<[GatewayName]>,
    reversals: CaptureReversals,
    destinations: Option<Arc<dyn Destinations>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    policy: Arc<Policy>,
}

impl Ledger {
    /// A ledger over `store`, with the machine's clock, random ids, the default policy, and no gateway.
    #[must_use]
    pub fn new(store: Arc<dyn PaymentStore>) -> Ledger {
        Ledger {
            store,
            gateways: Vec::new(),
            gateway_names: Arc::default(),
            reversals: CaptureReversals::default(),
            destinations: None,
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds::default()),
            policy: Arc::new(Policy::default()),
        }
    }

    /// With this gateway too, instead of one of the same name. Payments that ask for no gateway go through the
    /// first one.
    #[must_use]
    pub fn with_gateway(mut self, gateway: Arc<dyn Gateway>) -> Ledger {
        match self.gateways.iter_mut().find(|known| known.name() == gateway.name()) {
            Some(known) => *known = gateway,
            None => self.gateways.push(gateway),
        }
        self.gateway_names = self.gateways.iter().map(|gateway| gateway.name().clone()).collect();
        let reversing = self.gateways.iter().filter(|gateway| gateway.can_reverse_captures());
        self.reversals = reversing.map(|gateway| gateway.name().clone()).collect();
        self
    }

    /// With these destinations: only what they know can be paid. Without any, everything can.
    #[must_use]
    pub fn with_destinations(mut self, destinations: Arc<dyn Destinations>) -> Ledger {
        self.destinations = Some(destinations);
        self
    }

    /// With this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Ledger {
        self.clock = clock;
        self
    }

    /// With this source of ids.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Ledger {
        self.ids = ids;
        self
    }

    /// With these rules.
    #[must_use]
    pub fn with_policy(mut self, policy: Policy) -> Ledger {
        self.policy = Arc::new(policy);
        self
    }

    /// The rules that every command carries.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn PaymentStore> {
        &self.store
    }

    /// Executes a command, again while its outcome is unknown: it is idempotent by value, so that is safe,
    /// and tells which it was.
    async fn execute(&self, command: Command) -> Result<Receipt, ExecuteError> {
        let mut tries = 1;
        loop {
            match self.store.execute(command.clone()).await {
                Err(ExecuteError::Unknown(_)) if tries < TRIES => tries += 1,
                // Nothing was written *this* time: what an earlier try left in doubt is still in doubt.
                Err(ExecuteError::NotCommitted(error)) if tries > 1 => {
                    return Err(ExecuteError::Unknown(error));
                }
                answer => return answer,
            }
        }
    }

    fn command(&self, caller: &Caller, request: Request) -> Command {
        self.command_at(caller, self.clock.now(), request)
    }

    fn command_at(&self, caller: &Caller, at: Timestamp, request: Request) -> Command {
        let (policy, gateways) = (self.policy.clone(), self.gateway_names.clone());
        Command { caller: caller.clone(), at, policy, gateways, request }
    }

    fn gateway(&self, name: &GatewayName) -> Option<&Arc<dyn Gateway>> {
        self.gateways.iter().find(|gateway| gateway.name() == name)
    }

    /// What the host knows of a destination.
    async fn look_up(&self, scope: &Scope, destination: &Destination) -> Known {
        let Some(destinations) = &self.destinations else { return Known::Unasked };
        match destinations.look_up(scope, destination).await {
            Ok(Some(info)) => Known::Found(info),
            Ok(None) => Known::Absent,
            Err(_) => Known::Unavailable,
        }
    }
}
