//! Calls: what a billing service asks of a ledger, one after the other.
//!
//! A [`Script`](crate::Script) is made of commands, as stores are given them. Calls are a floor higher: they go
//! through a [`Ledger`], which gives ids and time and calls the gateway. Whoever wraps a ledger (an HTTP API, a
//! billing service) plays the same calls on both, with equal clocks and equal ids, and must say the same: it is a
//! [`Player`], and so is the [`Till`], which has a ledger and nothing before it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use counterfoil_memory::MemoryStore;
//! use counterfoil_testkit::block_on;
//! use counterfoil_testkit::calls::{Till, any_calls, play};
//! use counterfoil_testkit::proptest::prelude::*;
//!
//! let few = ProptestConfig { cases: 10, failure_persistence: None, ..ProptestConfig::default() };
//! proptest!(few, |(calls in any_calls(10))| {
//!     let till = || Till::new(Arc::new(MemoryStore::new()));
//!     let (mut one, mut other) = (till(), till()); // in its place, a player who goes through the service
//!     prop_assert_eq!(block_on(play(&calls, &mut one)), block_on(play(&calls, &mut other)));
//! });
//! ```

mod any;

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::command::{Receipt, Rejection};
use counterfoil::id::{IdSource, PaymentId};
use counterfoil::ledger::{
    Ledger, LedgerError, NewAttempt, NewPayment, NewRecordedRefund, NewTopUp, Processing, Update,
};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::PaymentStore;
use counterfoil_sandbox::Sandbox;
use uuid::Uuid;

pub use any::any_calls;

use crate::clock::ManualClock;
use crate::fixtures;

/// One thing that is asked. A payment is meant by its place among those that were made so far; places wrap around.
#[derive(Debug, Clone)]
pub enum Call {
    /// A new payment.
    Create(NewPayment),
    /// Its next attempt.
    Process(usize, Processing),
    /// An attempt that was made elsewhere.
    Record(usize, NewAttempt),
    /// A refund that was made elsewhere.
    RecordRefund(usize, NewRecordedRefund),
    /// Names, notes, a status. The second number is how many versions ago the caller looked at it, if it did.
    Update(usize, Update, Option<u64>),
    /// To hide it.
    Archive(usize),
    /// Credits into a wallet.
    TopUp(NewTopUp),
    /// Nothing, for so many seconds.
    Wait(u32),
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said<Refusal> {
    /// A payment, as it stands now.
    Payment {
        /// Which one.
        id: PaymentId,
        /// At which version.
        version: u64,
        /// Where it stands.
        status: PaymentStatus,
        /// Whether nothing new happened.
        replayed: bool,
    },
    /// The call was done, and says no more.
    Done,
    /// It was refused.
    Refused(Refusal),
}

/// Somebody on whom calls are played.
pub trait Player {
    /// Why a call is refused.
    type Refusal: Debug + PartialEq;

    /// Plays `call` about `payment`, if it is about one.
    fn play(
        &mut self,
        call: &Call,
        payment: Option<PaymentId>,
    ) -> impl Future<Output = Said<Self::Refusal>> + Send;
}

/// Plays `calls` on `player`, and gives all that was said.
pub async fn play<P: Player>(calls: &[Call], player: &mut P) -> Vec<Said<P::Refusal>> {
    let (mut payments, mut all) = (Vec::new(), Vec::new());
    for call in calls {
        let said = player.play(call, about(call, &payments)).await;
        if let (Call::Create(_), Said::Payment { id, .. }) = (call, &said) {
            payments.push(*id);
        }
        all.push(said);
    }
    all
}

fn about(call: &Call, payments: &[PaymentId]) -> Option<PaymentId> {
    match call {
        Call::Process(place, _)
        | Call::Record(place, _)
        | Call::RecordRefund(place, _)
        | Call::Update(place, ..)
        | Call::Archive(place) => payments.get(place.checked_rem(payments.len())?).copied(),
        Call::Create(_) | Call::TopUp(_) | Call::Wait(_) => None,
    }
}

/// A ledger with a clock, ids and a sandbox of its own: each gives the same ids and the same times.
#[derive(Debug, Clone)]
pub struct Till {
    /// The ledger.
    pub ledger: Ledger,
    /// Who calls.
    pub caller: Caller,
    clock: Arc<ManualClock>,
}

impl Till {
    /// One over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn PaymentStore>) -> Till {
        let clock = Arc::new(ManualClock::default());
        let sandbox = Sandbox::named(fixtures::gateway()).with_clock(clock.clone());
        let ledger = Ledger::new(store)
            .with_gateway(Arc::new(sandbox))
            .with_clock(clock.clone())
            .with_ids(Arc::new(CallIds::default()));
        Till { ledger, caller: fixtures::caller("acme"), clock }
    }

    /// The version at which a payment stands. Panics if there is none.
    pub async fn version(&self, id: PaymentId) -> u64 {
        let read = self.ledger.payment(&self.caller.scope, id).await;
        read.expect("the store can be read").expect("it was made").version()
    }

    /// Moves its clock a little: each call is later than the one before.
    pub fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    /// Moves its clock on.
    pub fn wait(&self, seconds: u32) {
        self.clock.advance(Duration::from_secs(seconds.into()));
    }
}

/// Ids that start anew with every moment: a call that was refused before it took any leaves the next call's as they
/// are. Rising as long as the clock is.
#[derive(Debug, Default)]
struct CallIds(Mutex<(Option<Timestamp>, u64)>);

impl IdSource for CallIds {
    fn next(&self, at: Timestamp) -> Uuid {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = if last.0 == Some(at) { (last.0, last.1 + 1) } else { (Some(at), 0) };
        let millis = at.unix_micros().unsigned_abs() / 1_000;
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&last.1.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

impl Player for Till {
    type Refusal = Rejection;

    async fn play(&mut self, call: &Call, payment: Option<PaymentId>) -> Said<Rejection> {
        self.tick();
        let (ledger, caller) = (&self.ledger, &self.caller);
        let made = match (call, payment) {
            (Call::Create(new), _) => ledger.create(caller, new.clone()).await,
            (Call::TopUp(new), _) => ledger.top_up(caller, new.clone()).await,
            (Call::Process(_, how), Some(id)) => ledger.process(caller, id, how.clone()).await,
            (Call::Record(_, new), Some(id)) => ledger.record_attempt(caller, id, new.clone()).await,
            (Call::RecordRefund(_, new), Some(id)) => ledger.record_refund(caller, id, new.clone()).await,
            (Call::Update(_, update, seen), Some(id)) => {
                let mut update = update.clone();
                if let Some(ago) = seen {
                    update.if_version = Some(self.version(id).await - ago);
                }
                ledger.update(caller, id, update).await
            }
            (Call::Archive(_), Some(id)) => ledger.archive(caller, id).await,
            (Call::Wait(seconds), _) => {
                self.wait(*seconds);
                return Said::Done;
            }
            (_, None) => return Said::Done,
        };
        said(made)
    }
}

fn said(made: Result<Receipt, LedgerError>) -> Said<Rejection> {
    match made {
        Ok(receipt) => match receipt.payment() {
            Some(payment) => Said::Payment {
                id: payment.id(),
                version: payment.version(),
                status: payment.status(),
                replayed: receipt.replayed,
            },
            None => Said::Done,
        },
        Err(error) => match error.rejection() {
            Some(rejection) => Said::Refused(rejection.clone()),
            None => panic!("the store failed: {error:?}"),
        },
    }
}
