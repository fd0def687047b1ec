//! What a billing service does; with keys, so that it may do all of it again.

use std::time::Duration;

use counterfoil::command::Resolution;
use counterfoil::gateway::Finality;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{
    Ledger, LedgerError, NewAttempt, NewCapture, NewPayment, NewRefund, NewResolution, NewTopUp, NewVoid,
    Processing, Update,
};
use counterfoil::payment::PaymentMethod;
use counterfoil::scope::Caller;
use counterfoil_testkit::crash::Crash;
use counterfoil_testkit::fixtures::{
    credits, gateway_payment, instrument, invoice, key, second, usd, wallet,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::world::{WALLET, World};

/// What a wallet is filled with.
pub(super) const CREDITS: i64 = 150;

/// When what expires does: half a day after the clock of a world began.
const EXPIRY: u32 = 1_767_225_600 + 12 * 3_600;

/// It knows what arrived and what did not, at once.
const AT_ONCE: Finality = Finality::After(Duration::ZERO);

#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) method: Method,
    then: Vec<Then>,
    expires: bool,
    pub(super) finality: Finality,
    /// How often the caller comes back and asks for all of it again.
    pub(super) comes_back: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Method {
    Card(&'static str),
    /// A card that is charged by captures.
    Hold(&'static str),
    Link,
    Credits,
    Offline,
    /// Made at the gateway, which calls it this.
    Named(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    Process,
    Capture(i64),
    Refund(i64),
    Void,
    Record,
    Resolve(Resolution),
}

impl Flow {
    fn of(method: Method, then: &[Then]) -> Flow {
        Flow { method, then: then.to_vec(), expires: false, finality: AT_ONCE, comes_back: 1 }
    }

    const fn expiring(mut self) -> Flow {
        self.expires = true;
        self
    }

    /// With a gateway that never says for good that it knows nothing.
    const fn without_finality(mut self) -> Flow {
        self.finality = Finality::Never;
        self
    }

    /// The caller asks for all of it. What is refused has come to its end already, or is too early.
    pub(super) async fn ask(&self, world: &World, crash: Option<&Crash>) {
        if let Err(error) = self.run(&world.ledger(crash), &world.caller).await {
            assert!(error.rejection().is_some(), "{error:?}");
        }
    }

    async fn run(&self, ledger: &Ledger, caller: &Caller) -> Result<(), LedgerError> {
        if let Method::Credits = self.method {
            let new = NewTopUp::new(wallet(WALLET), usd(CREDITS)).with_idempotency_key(key("top up"));
            ledger.top_up(caller, new).await?;
        }
        let made = ledger.create(caller, self.payment()).await?;
        let id = made.payment().unwrap().id();
        if let Method::Named(name) = self.method {
            let update = Update::default().with_gateway_payment_id(gateway_payment(name));
            ledger.update(caller, id, update).await?;
        }
        for (place, then) in self.then.iter().enumerate() {
            then.ask(ledger, caller, id, place).await?;
        }
        Ok(())
    }

    fn payment(&self) -> NewPayment {
        let card = |id| PaymentMethod::Card(Some(instrument(id)));
        let method = match self.method {
            Method::Card(id) | Method::Hold(id) => card(id),
            Method::Named(_) => card("pm_ok"),
            Method::Link => PaymentMethod::PaymentLink(None),
            Method::Credits => credits(WALLET),
            Method::Offline => PaymentMethod::Offline,
        };
        let new = NewPayment::new(usd(100), invoice("inv_1"), method).with_idempotency_key(key("create"));
        let new = match self.method {
            Method::Hold(_) => new.captured_later(),
            Method::Link => new.with_gateway(counterfoil_sandbox::NAME.parse().unwrap()),
            Method::Named(_) => new.recorded_only(),
            _ => new,
        };
        if self.expires { new.expiring_at(second(EXPIRY)) } else { new }
    }
}

impl Then {
    async fn ask(
        self,
        ledger: &Ledger,
        caller: &Caller,
        id: PaymentId,
        place: usize,
    ) -> Result<(), LedgerError> {
        let key = key(&format!("then {place}"));
        match self {
            Then::Process => {
                let how = Processing::default().with_instrument(instrument("pm_other"));
                ledger.process(caller, id, how.with_idempotency_key(key)).await?
            }
            Then::Capture(cents) => {
                let new = NewCapture::of(usd(cents)).keeping_the_rest().with_idempotency_key(key);
                ledger.capture(caller, id, new).await?
            }
            Then::Refund(cents) => {
                ledger.refund(caller, id, NewRefund::of(usd(cents)).with_idempotency_key(key)).await?
            }
            Then::Void => ledger.void(caller, id, NewVoid::default().with_idempotency_key(key)).await?,
            Then::Record => {
                ledger.record_attempt(caller, id, NewAttempt::succeeded().with_idempotency_key(key)).await?
            }
            Then::Resolve(word) => {
                let note = "it is on no statement".parse().unwrap();
                ledger.resolve(caller, id, NewResolution::new(word, note)).await?
            }
        };
        Ok(())
    }
}

pub(super) fn flows() -> Vec<Flow> {
    vec![
        Flow::of(Method::Card("pm_ok"), &[]),
        Flow::of(Method::Card("pm_sandbox_timeout_paid"), &[]),
        Flow::of(Method::Card("pm_sandbox_timeout_declined"), &[]),
        Flow::of(Method::Card("pm_sandbox_timeout_unknown"), &[]),
        Flow::of(Method::Card("pm_sandbox_decline_once"), &[]),
        Flow::of(Method::Card("pm_sandbox_decline_hard"), &[Then::Process]),
        Flow::of(Method::Card("pm_sandbox_down"), &[]),
        Flow::of(Method::Card("pm_sandbox_pending"), &[]),
        Flow::of(Method::Card("pm_sandbox_action"), &[]),
        Flow::of(Method::Card("pm_ok"), &[Then::Refund(30), Then::Refund(70)]),
        Flow::of(Method::Card("pm_sandbox_refund_timeout"), &[Then::Refund(30)]),
        Flow::of(Method::Card("pm_sandbox_refund_fails"), &[Then::Refund(30)]),
        Flow::of(Method::Card("pm_sandbox_refund_bounces"), &[Then::Refund(30)]),
        Flow::of(Method::Card("pm_ok"), &[Then::Void]),
        Flow::of(Method::Card("pm_sandbox_void_timeout"), &[Then::Void]),
        Flow::of(Method::Hold("pm_ok"), &[Then::Capture(60), Then::Capture(40)]),
        Flow::of(Method::Hold("pm_ok"), &[Then::Capture(60), Then::Refund(60), Then::Void]),
        Flow::of(Method::Hold("pm_ok"), &[Then::Capture(100), Then::Void]),
        Flow::of(Method::Hold("pm_sandbox_void_timeout"), &[Then::Capture(100), Then::Void]),
        Flow::of(Method::Hold("pm_sandbox_capture_decline"), &[Then::Capture(60), Then::Void]),
        Flow::of(Method::Hold("pm_sandbox_capture_timeout"), &[Then::Capture(60)]),
        Flow::of(Method::Hold("pm_sandbox_timeout_paid"), &[]),
        Flow::of(Method::Hold("pm_ok"), &[]).expiring(),
        Flow::of(Method::Hold("pm_ok"), &[Then::Capture(60)]).expiring(),
        Flow::of(Method::Link, &[]),
        Flow::of(Method::Credits, &[]),
        Flow::of(Method::Credits, &[Then::Refund(30), Then::Refund(70)]),
        Flow::of(Method::Offline, &[Then::Record, Then::Refund(30)]),
        Flow::of(Method::Named("sandbox_paid_1"), &[]),
        Flow::of(Method::Named("sandbox_declined_1"), &[]),
        Flow::of(Method::Named("nobody_knows"), &[]).expiring(),
        Flow::of(Method::Card("pm_sandbox_timeout_unknown"), &[Then::Resolve(Resolution::Failed)])
            .without_finality(),
    ]
}

/// Flows whose caller comes back until all of it was asked for: some operations on money that is charged, or held.
pub(super) fn any_flow() -> impl Strategy<Value = Flow> {
    let charged = vec![
        "pm_ok",
        "pm_sandbox_timeout_paid",
        "pm_sandbox_pending",
        "pm_sandbox_refund_timeout",
        "pm_sandbox_refund_fails",
        "pm_sandbox_void_timeout",
    ];
    let held = vec!["pm_ok", "pm_sandbox_timeout_paid", "pm_sandbox_capture_timeout"];
    let method = prop_oneof![
        3 => select(charged).prop_map(Method::Card),
        3 => select(held).prop_map(Method::Hold),
        1 => Just(Method::Credits),
    ];
    let then = prop_oneof![
        2 => (1..=100_i64).prop_map(Then::Capture),
        3 => (1..=100_i64).prop_map(Then::Refund),
        1 => Just(Then::Void),
    ];
    (method, vec(then, 0..4), any::<bool>()).prop_map(|(method, mut then, expires)| {
        if !matches!(method, Method::Hold(_)) {
            then.retain(|then| !matches!(then, Then::Capture(_)));
        }
        Flow { expires, comes_back: 6, ..Flow::of(method, &then) }
    })
}
