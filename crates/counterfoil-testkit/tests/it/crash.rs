//! Every flow, stopped at every step.

use std::sync::Arc;
use std::time::Duration;

use counterfoil::command::Policy;
use counterfoil::gateway::Finality;
use counterfoil::ledger::{Ledger, LedgerError, NewCapture, NewPayment, NewRefund, NewVoid, Processing};
use counterfoil::money::Money;
use counterfoil::payment::{Attention, Payment, PaymentMethod, RetrySchedule};
use counterfoil::scope::Caller;
use counterfoil::status::PaymentStatus;
use counterfoil::store::{Filter, Query};
use counterfoil::verify::verify;
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::crash::Crash;
use counterfoil_testkit::fixtures::{caller, instrument, invoice, key, usd};
use counterfoil_testkit::{ManualClock, block_on};

/// What stands between a crash and the next start: the store, the gateway, and time.
struct World {
    store: Arc<MemoryStore>,
    sandbox: Arc<Sandbox>,
    clock: Arc<ManualClock>,
    caller: Caller,
}

impl World {
    fn new() -> World {
        let clock = Arc::new(ManualClock::default());
        // It knows what arrived and what did not, at once.
        let sandbox = Sandbox::new().with_clock(clock.clone()).with_finality(Finality::After(Duration::ZERO));
        let store = Arc::new(MemoryStore::new());
        World { store, sandbox: Arc::new(sandbox), clock, caller: caller("acme") }
    }

    fn ledger(&self, crash: Option<&Crash>) -> Ledger {
        let ledger = match crash {
            Some(crash) => {
                Ledger::new(crash.store(self.store.clone())).with_gateway(crash.gateway(self.sandbox.clone()))
            }
            None => Ledger::new(self.store.clone()).with_gateway(self.sandbox.clone()),
        };
        let hours = RetrySchedule::new([Duration::from_secs(3_600); 2]).unwrap();
        ledger.with_clock(self.clock.clone()).with_policy(Policy::default().with_retries(hours))
    }

    /// The gateway's webhooks, and what is due, for so many times ten minutes.
    async fn settle(&self, times: usize) {
        let ledger = self.ledger(None);
        for _ in 0..times {
            for (scope, told) in self.sandbox.take_notifications() {
                let webhook = Caller::new(scope, "webhook".parse().unwrap());
                ledger.notify(&webhook, told).await.unwrap();
            }
            self.clock.advance(Duration::from_secs(600));
            let run = ledger.run_due(100).await.unwrap();
            assert!(run.failed.is_empty(), "{:?}", run.failed);
        }
    }

    /// The one payment of this world, if it was made.
    async fn payment(&self) -> Option<Arc<Payment>> {
        let query = Query::new(Filter::default(), 10);
        let page = self.ledger(None).list(&self.caller.scope, &query).await.unwrap();
        assert!(page.payments.len() <= 1, "it was made twice");
        page.payments.into_iter().next()
    }
}

/// What a billing service does; with keys, so that it may do all of it again.
#[derive(Debug, Clone, Copy)]
struct Flow {
    card: &'static str,
    manual: bool,
    then: &'static [Then],
}

#[derive(Debug, Clone, Copy)]
enum Then {
    Process,
    Capture(i64),
    Refund(i64),
    Void,
}

impl Flow {
    async fn run(self, ledger: &Ledger, caller: &Caller) -> Result<(), LedgerError> {
        let card = PaymentMethod::Card(Some(instrument(self.card)));
        let mut new = NewPayment::new(usd(100), invoice("inv_1"), card).with_idempotency_key(key("create"));
        if self.manual {
            new = new.captured_later();
        }
        let made = ledger.create(caller, new).await?;
        let id = made.payment().unwrap().id();
        for (place, then) in self.then.iter().enumerate() {
            let key = key(&format!("then {place}"));
            match then {
                Then::Process => {
                    let how = Processing::default().with_instrument(instrument("pm_other"));
                    ledger.process(caller, id, how.with_idempotency_key(key)).await?;
                }
                Then::Capture(cents) => {
                    let new = NewCapture::of(usd(*cents)).keeping_the_rest().with_idempotency_key(key);
                    ledger.capture(caller, id, new).await?;
                }
                Then::Refund(cents) => {
                    let new = NewRefund::of(usd(*cents)).with_idempotency_key(key);
                    ledger.refund(caller, id, new).await?;
                }
                Then::Void => {
                    ledger.void(caller, id, NewVoid::default().with_idempotency_key(key)).await?;
                }
            }
        }
        Ok(())
    }
}

const FLOWS: &[Flow] = &[
    Flow { card: "pm_ok", manual: false, then: &[] },
    Flow { card: "pm_sandbox_timeout_paid", manual: false, then: &[] },
    Flow { card: "pm_sandbox_timeout_declined", manual: false, then: &[] },
    Flow { card: "pm_sandbox_decline_once", manual: false, then: &[] },
    Flow { card: "pm_sandbox_decline_hard", manual: false, then: &[Then::Process] },
    Flow { card: "pm_sandbox_down", manual: false, then: &[] },
    Flow { card: "pm_sandbox_pending", manual: false, then: &[] },
    Flow { card: "pm_ok", manual: false, then: &[Then::Refund(30), Then::Refund(70)] },
    Flow { card: "pm_sandbox_refund_fails", manual: false, then: &[Then::Refund(30)] },
    Flow { card: "pm_ok", manual: false, then: &[Then::Void] },
    Flow { card: "pm_ok", manual: true, then: &[Then::Capture(60), Then::Capture(40)] },
    Flow { card: "pm_ok", manual: true, then: &[Then::Capture(60), Then::Refund(60), Then::Void] },
    Flow { card: "pm_sandbox_timeout_paid", manual: true, then: &[] },
];

/// INVARIANTS 24, 25, 45, 46, 47: a crash between any two steps; then whoever comes next does what is due, and the
/// caller repeats the request. Money moved at most once, the end is the one without the crash, and the gateway's own
/// books agree.
#[test]
fn a_flow_that_is_stopped_at_any_step_comes_to_the_same_end() {
    for flow in FLOWS {
        let expected = block_on(ended(*flow, usize::MAX)).expect("it ends without a crash");
        for step in 0.. {
            let Some(end) = block_on(ended(*flow, step)) else { break };
            assert_eq!(end, expected, "{flow:?}, stopped at step {step}");
        }
    }
}

type End = (PaymentStatus, [i64; 3], usize);

/// How a flow ends that is stopped at `step`; `None`: it has no such step.
async fn ended(flow: Flow, step: usize) -> Option<End> {
    let world = World::new();
    let crash = Crash::at(step);
    let ledger = world.ledger(Some(&crash));
    if crash.run(flow.run(&ledger, &world.caller)).await.is_some() && step != usize::MAX {
        return None;
    }
    // The caller comes back before the time for another instrument is over.
    world.settle(5).await;
    // What was refused the second time had come to its end already.
    if let Err(error) = flow.run(&world.ledger(None), &world.caller).await {
        assert!(error.rejection().is_some(), "{error:?}");
    }
    world.settle(40).await;
    let payment = world.payment().await.expect("the caller's second try made it");
    assert!(!payment.needs(Attention::Stuck), "{flow:?} at {step}: {payment:?}");
    verify(world.store.as_ref()).await.unwrap();
    let ours = [payment.captured(), payment.held(), payment.refunded()].map(Money::minor);
    let (sandbox, id) = (&world.sandbox, payment.id());
    let theirs = [sandbox.captured(id), sandbox.held(id), sandbox.refunded(id)];
    let theirs = theirs.map(|money| money.map_or(0, Money::minor));
    assert_eq!(ours, theirs, "{flow:?} at {step}: the gateway's books differ");
    Some((payment.status(), ours, sandbox.charges()))
}
