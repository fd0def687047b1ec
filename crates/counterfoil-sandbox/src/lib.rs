//! A payment gateway to try things out with and to test against: steered by the payment method id, with books of its
//! own, notifications, disputes, and a [hostile twin](Sandbox::adversarial).
//!
//! | `payment_method_id` | what the gateway does |
//! |---|---|
//! | anything else, or none | succeeds; of a `PAYMENT_LINK`, needs the payer |
//! | `pm_sandbox_decline` | says no: soft, `insufficient_funds` |
//! | `pm_sandbox_decline_hard` | says no: hard, `stolen_card` |
//! | `pm_sandbox_decline_once` | declines the first attempt of a payment, accepts the next |
//! | `pm_sandbox_pending` | accepts; the outcome, success, comes later |
//! | `pm_sandbox_action` | needs the payer: gives a payment url; a test [acts](Sandbox::act) for the payer |
//! | `pm_sandbox_timeout_paid` | the call times out; asked later it says paid |
//! | `pm_sandbox_timeout_declined` | the call times out; asked later it says declined |
//! | `pm_sandbox_timeout_unknown` | the call times out; asked later it knows nothing |
//! | `pm_sandbox_down` | certain that nothing was sent |
//! | `pm_sandbox_overpaid` | reports one minor unit more than asked |
//! | `pm_sandbox_capture_timeout`, `pm_sandbox_refund_timeout`, `pm_sandbox_void_timeout` | charges and holds succeed; captures, refunds, voids of them are done, but the call times out |
//! | `pm_sandbox_capture_decline`, `pm_sandbox_void_decline` | charges and holds succeed; captures, voids of them are declined: `capture_declined`, `void_declined` |
//! | `pm_sandbox_refund_fails` | charges succeed; refunds are accepted, and fail later |
//! | `pm_sandbox_refund_bounces` | charges succeed; refunds succeed, and come back later |
//!
//! *Later* is once the [notification](Sandbox::take_notifications) that tells the end was taken, or three seconds after
//! the call by the gateway's clock, whichever comes first. From then on it also says so when it is asked.
//!
//! A payment that was made at the gateway itself is steered by what the gateway is said to call it: one whose
//! `gateway_payment_id` begins with `sandbox_paid` is paid, with `sandbox_declined` declined, and of any other there
//! is no news.
//!
//! # Its books
//!
//! A token takes effect once, however often it is sent, as with any gateway worth its name. What its books do not have,
//! it refuses: to capture or release more than is [held](Sandbox::held), or after the hold ran out; to give back more
//! than is there. A void of captured money reverses the capture, unless it is told that it
//! [cannot](Sandbox::without_capture_reversals). The books are in memory: of a charge that an earlier run made, the caller is believed, if it knows the
//! name that was given then.
//!
//! # Example
//!
//! A refund that is accepted and then fails. The gateway tells so by a notification, which the host hands to its ledger.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use counterfoil::ledger::{Ledger, NewPayment, NewRefund};
//! use counterfoil::money::{Currency, Money};
//! use counterfoil::payment::{Destination, PaymentMethod};
//! use counterfoil::scope::{Caller, Scope};
//! # let me = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
//!
//! let sandbox = Arc::new(counterfoil_sandbox::Sandbox::new());
//! let store = Arc::new(counterfoil_memory::MemoryStore::new());
//! let ledger = Ledger::new(store).with_gateway(sandbox.clone());
//!
//! let card = PaymentMethod::Card(Some("pm_sandbox_refund_fails".parse()?));
//! let invoice = Destination::invoice("inv_1".parse()?);
//! let amount = Money::parse("99.50", Currency::USD)?;
//! let paid = ledger.create(&me, NewPayment::new(amount, invoice, card)).await?;
//! let id = paid.payment().unwrap().id();
//! assert_eq!(sandbox.captured(id), Some(amount));
//!
//! let refund = ledger.refund(&me, id, NewRefund::all()).await?;
//! assert!(refund.payment().unwrap().refundable().is_zero(), "on its way, as far as is known");
//!
//! for (scope, told) in sandbox.take_notifications() {
//!     ledger.notify(&Caller::new(scope, "webhook".parse()?), told).await?;
//! }
//! let payment = ledger.payment(&me.scope, id).await?.unwrap();
//! assert_eq!(payment.refundable(), amount, "it came to nothing");
//! assert_eq!((sandbox.calls(), sandbox.refunded(id)), (2, None));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adversary;
mod behaviour;
mod books;
mod course;
mod dispute;
mod entry;
mod gateway;
mod outbox;
mod played;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use adversary::Adversary;
use books::Books;
use counterfoil::clock::{Clock, SystemClock, Timestamp};
use counterfoil::gateway::Finality;
use counterfoil::id::PaymentId;
use counterfoil::ledger::Notification;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, OperationId, Outcome};
use counterfoil::scope::Scope;
use counterfoil::text::{GatewayName, GatewayOperationId, Message};
use outbox::{Outbox, Pen};

/// The name it has in the books, unless it is given another.
pub const NAME: &str = "sandbox";

/// A steerable [`Gateway`](counterfoil::gateway::Gateway). See the [crate's page](crate) for what it does when.
#[derive(Debug)]
pub struct Sandbox {
    name: GatewayName,
    clock: Arc<dyn Clock>,
    finality: Finality,
    adversary: Option<Adversary>,
    tells_all: bool,
    reverses_captures: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    books: Books,
    outbox: Outbox,
}

impl Default for Sandbox {
    fn default() -> Sandbox {
        Sandbox::new()
    }
}

impl Sandbox {
    /// A gateway with empty books, telling time by the machine's clock.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "a constant name is valid or is not")]
    pub fn new() -> Sandbox {
        Sandbox::named(GatewayName::new(NAME).expect("a constant, checked by every test that makes one"))
    }

    /// A gateway that goes by another name: the one that a host's clients ask for.
    #[must_use]
    pub fn named(name: GatewayName) -> Sandbox {
        Sandbox {
            name,
            clock: Arc::new(SystemClock),
            finality: Finality::Never,
            adversary: None,
            tells_all: false,
            reverses_captures: true,
            state: Mutex::default(),
        }
    }

    /// A gateway that does what gateways do on bad days: it declines, times out before and after the deed, answers
    /// "pending" and settles later, does not know yet what it has done, lets refunds bounce, and sends its notifications
    /// out of order and twice. What it does with an operation follows from `seed` and the operation's token. Its books
    /// are right all the same, and who asks about an operation is told the truth at the fourth question at the latest,
    /// of a bounced refund by notification. Instruments that steer do so here too.
    ///
    /// A token is made of an id, and a ledger's ids are random until it is given others: for a run that goes the same way
    /// again, seed them too ([`Ledger::with_ids`](counterfoil::ledger::Ledger::with_ids)), and give both a clock that
    /// stands still.
    #[must_use]
    pub fn adversarial(seed: u64) -> Sandbox {
        Sandbox { adversary: Some(Adversary::new(seed)), ..Sandbox::new() }
    }

    /// Telling time by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Sandbox {
        self.clock = clock;
        self
    }

    /// Declaring when "I know nothing of it" is final. Default: never, which is the safe answer and what most gateways
    /// must be taken for, so what is tried out here is what happens there: a request that got lost waits for a person.
    #[must_use]
    pub const fn with_finality(mut self, finality: Finality) -> Sandbox {
        self.finality = finality;
        self
    }

    /// Sending a notification of everything that happens, as gateways do; else only of what comes later than the answer.
    #[must_use]
    pub const fn with_notifications(mut self) -> Sandbox {
        self.tells_all = true;
        self
    }

    /// Unable to reverse a capture, as many gateways are: captured money goes back by refunds only. It declares so, and
    /// declines to be asked all the same.
    #[must_use]
    pub const fn without_capture_reversals(mut self) -> Sandbox {
        self.reverses_captures = false;
        self
    }

    /// How often it was asked to move money.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.state().books.calls
    }

    /// How many charges and holds it made: of the same token at most one.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.state().books.charges(self.clock.now())
    }

    /// What it ever took for `payment`, by its own books, whatever went back since; `None`, here and below: nothing.
    #[must_use]
    pub fn taken(&self, payment: PaymentId) -> Option<Money> {
        self.amount(payment, Books::taken)
    }

    /// What it took for `payment`, less what was taken back by voids and banks.
    #[must_use]
    pub fn captured(&self, payment: PaymentId) -> Option<Money> {
        self.amount(payment, Books::captured)
    }

    /// What it holds for `payment`: neither captured, nor released, nor run out.
    #[must_use]
    pub fn held(&self, payment: PaymentId) -> Option<Money> {
        self.amount(payment, Books::held)
    }

    /// What it gave back of what it took for `payment`, less what came back.
    #[must_use]
    pub fn refunded(&self, payment: PaymentId) -> Option<Money> {
        self.amount(payment, Books::refunded)
    }

    /// What disputes about `payment` have taken or may take.
    #[must_use]
    pub fn disputed(&self, payment: PaymentId) -> Option<Money> {
        self.amount(payment, |books, payment, _| books.disputed(payment))
    }

    /// What its books say of an operation to somebody who looks at them, at its dashboard say: no question, so it brings
    /// nothing nearer. `None`: it knows nothing of it.
    #[must_use]
    pub fn said(&self, operation: OperationId) -> Option<Evidence> {
        let now = self.clock.now();
        let state = self.state();
        let entry = state.books.entry(&operation.to_string())?;
        let outcome = entry.said(now)?.clone();
        let amount = entry.reported(&outcome);
        Some(self.pen().evidence(&entry.asked.token, outcome, amount))
    }

    /// The requested amount of an operation. None if the sandbox does not know the operation.
    #[must_use]
    pub fn amount_asked(&self, operation: OperationId) -> Option<Money> {
        self.state().books.entry(&operation.to_string()).map(|entry| entry.asked.amount)
    }

    /// The gateway id of an attempt, or of the attempt that an operation is of. None if the sandbox does not know the
    /// operation.
    #[must_use]
    pub fn gateway_attempt_id(&self, operation: OperationId) -> Option<GatewayOperationId> {
        let state = self.state();
        let asked = &state.books.entry(&operation.to_string())?.asked;
        self.pen().operation_id(asked.of().map_or(&asked.token, |attempt| &attempt.token))
    }

    /// Takes the notifications that are waiting, for whoever delivers them: to
    /// [`Ledger::notify`](counterfoil::ledger::Ledger::notify), say, in any order and as often as one likes. Each has a
    /// name of its own.
    #[must_use]
    pub fn take_notifications(&self) -> Vec<(Scope, Notification)> {
        let pen = self.pen();
        let State { books, outbox } = &mut *self.state();
        if self.tells_all {
            outbox.letters.extend(books.entries_mut().filter_map(|entry| run_out(entry, pen)));
        }
        let mut letters = std::mem::take(&mut outbox.letters);
        for token in letters.iter().filter_map(|letter| letter.ends.as_deref()) {
            if let Some(entry) = books.entry_mut(token) {
                entry.lift();
            }
        }
        outbox.rounds += usize::from(!letters.is_empty());
        if let Some(adversary) = self.adversary {
            adversary.shuffle(&mut letters, outbox.rounds);
        }
        letters.into_iter().map(|letter| (letter.scope, letter.notification)).collect()
    }

    fn amount(
        &self,
        payment: PaymentId,
        minor: impl FnOnce(&Books, PaymentId, Timestamp) -> i64,
    ) -> Option<Money> {
        let state = self.state();
        let minor = minor(&state.books, payment, self.clock.now());
        let currency = state.books.zero(payment)?.currency();
        Money::from_minor(minor, currency).ok().filter(|amount| !amount.is_zero())
    }

    fn pen(&self) -> Pen<'_> {
        Pen { name: &self.name, now: self.clock.now() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That a hold has run out, once.
fn run_out(entry: &mut entry::Entry, pen: Pen<'_>) -> Option<outbox::Letter> {
    let news = entry.is_expired(pen.now) && entry.moved(pen.now) > 0 && !entry.expiry_told;
    entry.expiry_told |= news;
    let error_message = Message::lossy("the hold has run out");
    news.then(|| pen.letter(entry, Outcome::Reversed { error_message }, false)).flatten()
}
