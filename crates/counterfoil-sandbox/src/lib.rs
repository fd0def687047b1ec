//! A payment gateway to try things out with, steered by the payment method id, with books of its own.
//!
//! | `payment_method_id` | what the gateway does |
//! |---|---|
//! | anything else, or none | succeeds; of a `PAYMENT_LINK`, needs the payer |
//! | `pm_sandbox_decline` | says no: soft, `insufficient_funds` |
//! | `pm_sandbox_decline_hard` | says no: hard, `stolen_card` |
//! | `pm_sandbox_pending` | accepts; the outcome would come later |
//! | `pm_sandbox_action` | needs the payer: gives a payment url |
//! | `pm_sandbox_timeout_paid` | the call times out; asked later it says paid |
//! | `pm_sandbox_timeout_declined` | the call times out; asked later it says declined |
//! | `pm_sandbox_timeout_unknown` | the call times out; asked later it knows nothing |
//! | `pm_sandbox_down` | certain that nothing was sent |
//! | `pm_sandbox_overpaid` | reports one minor unit more than asked |
//!
//! A payment that was made at the gateway itself is steered by what the gateway is said to call it: one whose
//! `gateway_payment_id` begins with `sandbox_paid` is paid, with `sandbox_declined` declined, and of any other there
//! is no news.
//!
//! A token is charged once, however often it is sent, as with any gateway worth its name.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use std::sync::Arc;
//! use counterfoil::ledger::{Ledger, NewPayment};
//! use counterfoil::money::{Currency, Money};
//! use counterfoil::payment::{Destination, PaymentMethod};
//! use counterfoil::status::PaymentStatus;
//! # use counterfoil::scope::{Caller, Scope};
//! # let caller = Caller::new(Scope::new("acme".parse()?, "test".parse()?), "ann".parse()?);
//!
//! let sandbox = Arc::new(counterfoil_sandbox::Sandbox::new());
//! let store = Arc::new(counterfoil_memory::MemoryStore::new());
//! let ledger = Ledger::new(store).with_gateway(sandbox.clone());
//!
//! let card = PaymentMethod::Card(Some("pm_sandbox_decline".parse()?));
//! let invoice = Destination::invoice("inv_1".parse()?);
//! let amount = Money::parse("99.50", Currency::USD)?;
//! let receipt = ledger.create(&caller, NewPayment::new(amount, invoice, card)).await?;
//!
//! assert_eq!(receipt.payment().unwrap().status(), PaymentStatus::Failed);
//! assert_eq!((sandbox.calls(), sandbox.charges()), (1, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod behaviour;
mod books;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use behaviour::Behaviour;
use books::Books;
use counterfoil::clock::{Clock, SystemClock};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{Evidence, Outcome};
use counterfoil::text::{GatewayName, GatewayOperationId, Message};

/// The name it has in the books, unless it is given another.
pub const NAME: &str = "sandbox";

/// A steerable [`Gateway`]. See the [crate's page](crate) for what it does when.
#[derive(Debug)]
pub struct Sandbox {
    name: GatewayName,
    clock: Arc<dyn Clock>,
    books: Mutex<Books>,
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
        Sandbox { name, clock: Arc::new(SystemClock), books: Mutex::default() }
    }

    /// Telling time by this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Sandbox {
        self.clock = clock;
        self
    }

    /// How often it was asked for money.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.books().calls()
    }

    /// How many charges it made: of the same token at most one.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.books().charges()
    }

    /// What it took for `payment`, by its own books.
    #[must_use]
    pub fn taken(&self, payment: PaymentId) -> Option<Money> {
        self.books().taken(payment)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn modify(&self, asked: &Modification) -> Evidence {
        self.evidence(&asked.token, Outcome::Succeeded { reported: None })
    }

    fn evidence(&self, token: &str, outcome: Outcome) -> Evidence {
        let reached = !matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown { .. });
        let evidence = Evidence::new(outcome, self.clock.now());
        // A gateway that was not heard of gave no id.
        match GatewayOperationId::new(format!("{}_{token}", self.name)) {
            Ok(id) if reached => evidence.with_gateway_operation_id(id),
            _ => evidence,
        }
    }
}

#[async_trait]
impl Gateway for Sandbox {
    fn name(&self) -> &GatewayName {
        &self.name
    }

    fn finality(&self) -> Finality {
        Finality::Never
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        let outcome = {
            let mut books = self.books();
            books.called();
            let behaviour = Behaviour::of(charge);
            let truth = books.enter(charge, behaviour.truth(charge));
            if behaviour.times_out() {
                Outcome::Unknown { error_message: Message::lossy("the gateway did not answer in time") }
            } else {
                truth.unwrap_or(Outcome::NotSent { error_message: Message::lossy("the gateway is down") })
            }
        };
        self.evidence(&charge.token, outcome)
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.modify(capture)
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.modify(refund)
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.modify(void)
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        let truth = self.books().truth(&inquiry.token)?;
        Some(self.evidence(&inquiry.token, truth))
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        let outcome = behaviour::made_here(&payment.gateway_payment_id)?;
        Some(Evidence::new(outcome, self.clock.now()))
    }
}
