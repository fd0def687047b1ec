//! Time: invariants 44, 45 and 47.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use counterfoil::clock::Clock;
use counterfoil::command::{Command, Rejection, Request, Resolution};
use counterfoil::event::{Body, StartResult};
use counterfoil::gateway::{Charge, Finality, Gateway, Inquiry, LookUp, Modification};
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, NewPayment, NewRefund, NewResolution, Processing, Update};
use counterfoil::payment::{
    Attention, Closed, Evidence, Operation, OperationId, Payment, PaymentMethod, Retry, Work,
};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, Cause, OperationStatus, PaymentStatus, allowed};
use counterfoil::store::{Filter, PaymentStore, Query};
use counterfoil::text::{Actor, GatewayName, Message};
use counterfoil_memory::MemoryStore;
use counterfoil_sandbox::Sandbox;
use counterfoil_testkit::desk::{created, started};
use counterfoil_testkit::fixtures::{
    RETRIES, caller, card, customer, evidence, gateway_payment, instrument, not_sent, succeeded, usd,
};
use counterfoil_testkit::{Answer, Desk, ManualClock, Script, block_on};
use proptest::prelude::*;

use crate::watched::{Watched, config, find};

proptest! {
    #![proptest_config(config(200))]

    /// Invariant 44: what happens by time moves no money, and releases a hold only when it has run out.
    #[test]
    fn time_alone_moves_no_money(script in Script::any(60)) {
        for life in Watched::run(&script).lives() {
            for (event, before, after) in life.moves().filter(|(event, ..)| event.cause() == Cause::Clock) {
                let before = before.unwrap();
                prop_assert!(event.postings().is_empty());
                prop_assert_eq!(after.captured(), before.captured());
                prop_assert_eq!(after.refunded(), before.refunded());
                prop_assert_eq!(after.disputed(), before.disputed());
                if after.held() != before.held() {
                    let expired = after.terms().expires_at.is_some_and(|at| at <= event.at());
                    prop_assert!(expired && after.held().is_zero() && !before.is_reserved());
                    let expires = |body: &Body| matches!(body, Body::Closed(c) if c.closes == Closed::Expired);
                    prop_assert!(expires(event.body()));
                }
                let started: BTreeSet<_> = after.operations().iter().map(|operation| operation.id).collect();
                prop_assert_eq!(started, before.operations().iter().map(|operation| operation.id).collect());
            }
        }
    }

    /// Invariant 44: retries are bounded by their schedule, each waits as long as it says, and manual attempts leave the
    /// schedule as it was.
    #[test]
    fn retries_keep_to_their_schedule(script in Script::any(80)) {
        for life in Watched::run(&script).lives() {
            for (event, before, after) in life.moves() {
                let Some(before) = before else { continue };
                let by_schedule = before.next_attempt_at().filter(|at| *at <= event.at());
                let own = |id: &OperationId| matches!(id, OperationId::Attempt(_));
                let Body::Started(start) = event.body() else { continue };
                // A gateway may tell of an attempt under an id that was to be made, and was not.
                let asked = event.cause() == Cause::Command;
                let due = started_when_due(&script, start.operation);
                if own(&start.operation) && asked && due {
                    prop_assert!(by_schedule.is_some(), "nothing was due of {:?}", before.status());
                    let scheduled = after.attempts().filter(|attempt| attempt.kind.is_scheduled());
                    prop_assert!(scheduled.count() <= RETRIES.len() + not_sent_of(after));
                }
                if let Some(pending) = pending(before).filter(|_| own(&start.operation) && asked && !due) {
                    let manual = matches!(start.result, StartResult::Processing { .. });
                    prop_assert!(!start.kind.is_scheduled());
                    prop_assert!(!manual || start.kind.retry() == Some(pending), "the schedule was moved");
                }
            }
        }
    }

    /// Invariant 45, for two machines, one after the other, that both found it to be due.
    #[test]
    fn what_is_due_is_done_once(script in Script::any(60)) {
        let watched = Watched::run(&script);
        let machines = [Desk::new(7), Desk::new(8)];
        for payment in watched.payments() {
            let Some((at, work)) = payment.next_due() else { continue };
            let by = Caller::new(payment.scope().clone(), Actor::system());
            let mut states = Vec::new();
            for desk in &machines {
                desk.clock().set(at.max(desk.clock().now()).saturating_add(Duration::from_secs(1)));
                let command = command_for(desk, &by, payment.id(), work);
                states.push((Answer::of(block_on(watched.store.execute(command))), find(&watched.store, payment.scope(), payment.id())));
            }
            prop_assert!(!states[1].0.wrote(), "{:?} after {:?}", states[1].0, states[0].0);
            prop_assert_eq!(&states[0].1, &states[1].1);
            // What could not be done for now is done later; all else has moved on.
            let moved = states[0].1.as_ref().and_then(|now| now.next_due()) != Some((at, work));
            prop_assert!(moved || matches!(states[0].0, Answer::Refused(_)));
        }
    }

    /// Invariant 47: what may still move money is asked about at a time, or is listed as stuck; what waits can be ended
    /// by a command.
    #[test]
    fn nothing_waits_for_ever_unseen(script in Script::any(80)) {
        for state in Watched::run(&script).lives().iter().flat_map(|life| &life.states) {
            let live = state.operations().iter().any(|operation| operation.status().is_live());
            prop_assert!(!live || state.next_due().is_some() || state.is_stuck());
            prop_assert!(!state.is_stuck() || state.needs(Attention::Stuck));
            let waits = [PaymentStatus::Initiated, PaymentStatus::Pending, PaymentStatus::Authorized];
            prop_assert!(!waits.contains(&state.status()) || allowed(state.status(), Action::Void));
        }
    }
}

/// The scripts make manual attempts beside a schedule, scheduled ones, and open failed payments again.
#[test]
fn scripts_reach_every_kind_of_attempt() {
    let (mut beside, mut scheduled, mut reopened) = (0, 0, 0);
    for seed in 0..20 {
        for life in Watched::run(&Script::seeded(seed, 300)).lives() {
            for (event, before, _) in life.moves() {
                let Body::Started(start) = event.body() else { continue };
                beside +=
                    u32::from(start.kind.retry().is_some() && before.and_then(pending) == start.kind.retry());
                scheduled += u32::from(start.kind.is_scheduled());
                reopened += u32::from(start.reopens);
            }
        }
    }
    assert!(
        [beside, scheduled, reopened].iter().all(|reached| *reached > 0),
        "{beside}, {scheduled}, {reopened}"
    );
}

/// The scripts have operators decide everything that can be decided, but that an external operation is one of ours: that is
/// seldom there, and `reports_and_resolutions_come_to_what_the_model_says` has it in plenty.
#[test]
fn scripts_reach_every_kind_of_decision() {
    let mut reached = BTreeMap::new();
    for seed in 0..60 {
        for life in Watched::run(&Script::seeded(seed, 300)).lives() {
            for (event, _, _) in life.moves() {
                let decision = match event.body() {
                    Body::Resolved(resolved) => resolved.decision.as_str(),
                    Body::DisputeResolved(resolved) => resolved.decision.as_str(),
                    Body::Reported(reported) if reported.same.is_some() => "same by report",
                    _ => continue,
                };
                *reached.entry(decision).or_insert(0) += 1;
            }
        }
    }
    let all = [
        "succeeded",
        "failed",
        "not_sent",
        "returned",
        "allocated",
        "another",
        "won",
        "lost",
        "same by report",
    ];
    let missing: Vec<_> = all.into_iter().filter(|decision| !reached.contains_key(decision)).collect();
    assert!(missing.is_empty(), "{missing:?} of {reached:?}");
}

/// Invariant 45: two machines at once, and a gateway that takes money without a word.
#[test]
fn two_machines_ask_and_charge_once() {
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::default()));
    let sandbox = Arc::new(Sandbox::new().with_clock(clock.clone()));
    let ledger = || Ledger::new(store.clone()).with_gateway(sandbox.clone()).with_clock(clock.clone());
    let (one, other, by) = (ledger(), ledger(), caller("acme"));
    let silent = PaymentMethod::Card(Some(instrument("pm_sandbox_timeout_paid")));
    for cents in 1..=10 {
        let new = NewPayment::new(usd(cents), customer("cus_1"), silent.clone());
        block_on(one.create(&by, new)).unwrap();
    }
    for _ in 0..4 {
        clock.advance(Duration::from_secs(60));
        let runs = block_on(async { tokio::join!(one.run_due(100), other.run_due(100)) });
        assert!(runs.0.unwrap().failed.is_empty() && runs.1.unwrap().failed.is_empty());
    }
    let paid = block_on(store.list(&by.scope, &Query::new(Filter::default(), 100))).unwrap().payments;
    assert_eq!(paid.len(), 10);
    assert!(paid.iter().all(|payment| payment.status() == PaymentStatus::Succeeded));
    let reports = |payment: &Arc<Payment>| payment.version();
    assert!(paid.iter().map(reports).all(|version| version == paid[0].version()), "each was told once");
    assert_eq!(sandbox.charges(), 10);
}

fn command_for(desk: &Desk, by: &Caller, payment: PaymentId, work: Work) -> Command {
    match work {
        Work::Send { operation } => desk.send(by, payment, operation),
        Work::Poll { .. } | Work::LookUp { .. } => desk.poll(by, payment, work),
        Work::Retry { number } => {
            let mut command = desk.process(by, payment, Processing::default());
            if let Request::Process(process) = &mut command.request {
                process.number = Some(number);
            }
            command
        }
        _ => desk.lapse(by, payment, work),
    }
}

/// Whether the script started this attempt because it was due.
fn started_when_due(script: &Script, operation: OperationId) -> bool {
    script.commands().iter().any(|command| match &command.request {
        Request::Process(process) => process.number.is_some() && operation == process.attempt.into(),
        _ => false,
    })
}

/// What follows if the last attempt that reached its gateway was declined.
fn pending(payment: &Payment) -> Option<Retry> {
    let arrived =
        |attempt: &&Operation| attempt.lease_until.is_some() && attempt.status() != OperationStatus::NotSent;
    payment.attempts().filter(arrived).last()?.kind.retry()
}

fn not_sent_of(payment: &Payment) -> usize {
    payment.attempts().filter(|attempt| attempt.status() == OperationStatus::NotSent).count()
}

/// Invariants 8, 24 and 45: what is sent again is on the way once more, and whoever sent it first cannot say any more
/// that it was not.
#[test]
fn what_is_sent_again_is_on_its_way_again() {
    let (store, desk, by) = (MemoryStore::new(), Desk::new(1), caller("acme"));
    let done = |command: Command| Answer::of(block_on(store.execute(command)));
    let create = desk.create(&by, NewPayment::new(usd(1_000), customer("cus_1"), card()));
    let payment = created(&create);
    let paid = desk.report(&by, payment, started(&create), evidence(succeeded(None), 1));
    let refund = desk.refund(&by, payment, NewRefund::of(usd(300)));
    let operation = started(&refund);
    for command in [create, paid, refund] {
        assert!(done(command).wrote());
    }
    desk.clock().advance(Duration::from_secs(3_600));
    assert!(done(desk.resend(&by, payment, Work::Poll { operation, polls: 0 })).wrote());

    let now = || find(&store, &by.scope, payment).unwrap();
    let until = now().operation(operation).unwrap().runs_until().unwrap();
    assert!(until > desk.clock().now());
    assert!(now().next_due().is_some_and(|(at, _)| at >= until), "nobody asks before it can have arrived");
    let note = Message::lossy("not seen there");
    let resolve = || desk.resolve(&by, payment, NewResolution::new(Resolution::NotSent, note.clone()));
    assert!(matches!(done(resolve()), Answer::Refused(Rejection::InFlight { .. })));

    let first_word = desk.report(&by, payment, operation, evidence(not_sent(), 1));
    done(first_word);
    assert_eq!(now().operation(operation).unwrap().status(), OperationStatus::Unknown);
    assert_eq!(now().refundable(), usd(700), "it may still be done");
    desk.clock().set(until.saturating_add(Duration::from_secs(1)));
    assert!(done(resolve()).wrote());
    assert_eq!(
        (now().operation(operation).unwrap().status(), now().refundable()),
        (OperationStatus::NotSent, usd(1_000))
    );
}

/// Invariant 47: a payment that is another one at its gateway is asked about anew.
#[test]
fn another_name_is_asked_about_anew() {
    let (store, desk, by) = (MemoryStore::new(), Desk::new(1), caller("acme"));
    let done = |command: Command| assert!(Answer::of(block_on(store.execute(command))).wrote());
    let create = desk.create(&by, NewPayment::new(usd(1_000), customer("cus_1"), card()).recorded_only());
    let payment = created(&create);
    let named = |name| Update::default().with_gateway_payment_id(gateway_payment(name));
    done(create);
    done(desk.update(&by, payment, named("pi_1")));
    let now = || find(&store, &by.scope, payment).unwrap();
    for polls in 0.. {
        let Some((at, work)) = now().next_due() else { break };
        assert_eq!(work, Work::LookUp { polls });
        desk.clock().set(at);
        done(desk.poll(&by, payment, work));
    }
    assert!(now().is_stuck());
    done(desk.update(&by, payment, named("pi_2")));
    assert!(!now().is_stuck() && now().next_due().is_some());
}

/// A gateway whose answers to questions take hours.
#[derive(Debug)]
struct Slow(Sandbox, Arc<ManualClock>);

#[async_trait]
impl Gateway for Slow {
    fn name(&self) -> &GatewayName {
        self.0.name()
    }

    fn finality(&self) -> Finality {
        Finality::After(Duration::from_secs(600))
    }

    async fn charge(&self, charge: &Charge) -> Evidence {
        self.0.charge(charge).await
    }

    async fn capture(&self, capture: &Modification) -> Evidence {
        self.0.capture(capture).await
    }

    async fn refund(&self, refund: &Modification) -> Evidence {
        self.0.refund(refund).await
    }

    async fn void(&self, void: &Modification) -> Evidence {
        self.0.void(void).await
    }

    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence> {
        let answer = self.0.inquire(inquiry).await;
        self.1.advance(Duration::from_secs(3 * 3_600));
        answer
    }

    async fn look_up(&self, payment: &LookUp) -> Option<Evidence> {
        self.0.look_up(payment).await
    }
}

/// Invariants 25, 46: that a gateway never heard of a charge is final by when it was asked, not by when its answer is
/// looked at: meanwhile the charge may have come there.
#[test]
fn a_slow_answer_is_not_final_because_it_was_slow() {
    let clock = Arc::new(ManualClock::default());
    let gateway = Arc::new(Slow(Sandbox::new(), clock.clone()));
    let ledger = Ledger::new(Arc::new(MemoryStore::new())).with_gateway(gateway).with_clock(clock.clone());
    let lost = PaymentMethod::Card(Some(instrument("pm_sandbox_timeout_unknown")));
    let new = NewPayment::new(usd(100), customer("cus_1"), lost);
    let made = block_on(ledger.create(&caller("acme"), new)).unwrap();
    let id = made.payment().unwrap().id();
    let status = || {
        let payment = block_on(ledger.payment(&caller("acme").scope, id)).unwrap().unwrap();
        payment.attempts().last().unwrap().status()
    };
    clock.advance(Duration::from_secs(61));
    assert!(block_on(ledger.inquire(&caller("acme"), id)).unwrap().is_none());
    assert_eq!(status(), OperationStatus::Unknown);
    // Asked once more, after all that time, it is.
    block_on(ledger.inquire(&caller("acme"), id)).unwrap().unwrap();
    assert_eq!(status(), OperationStatus::NotSent);
}
