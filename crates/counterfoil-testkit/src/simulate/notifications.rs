//! The gateway's notifications, and what payers, banks and the card network do.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counterfoil::command::Told;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, Notification};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{Actor, GatewayDisputeId, NotificationId};
use counterfoil_sandbox::Sandbox;

use super::dice::Dice;
use super::trouble::Trouble;
use super::world::World;
use crate::fixtures;

/// The notifications that the gateway has to deliver. Each is delivered until the ledger accepts it.
#[derive(Debug)]
pub(super) struct NotificationQueue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    pending: Vec<Pending>,
    /// The number of the last notification that was queued.
    last_number: u64,
    /// The notification id that the next reuse takes.
    last_id: Option<NotificationId>,
    disputes: Vec<GatewayDisputeId>,
    /// The disputes whose movements of funds have no id at the gateway. Each movement is reported in two notifications.
    without_funds_id: BTreeSet<GatewayDisputeId>,
}

/// A notification that the ledger has not accepted yet. Its contents change only when the ledger refuses it without our
/// id.
#[derive(Debug, Clone)]
struct Pending {
    number: u64,
    scope: Scope,
    notification: Notification,
    /// The same notification with our id of the operation, if `notification` does not carry it.
    with_our_id: Option<Notification>,
}

impl State {
    /// Takes the gateway's new notifications, and queues them in the form in which they are delivered.
    fn collect(&mut self, world: &World, sandbox: &Sandbox) {
        for (scope, mut notification) in sandbox.take_notifications() {
            let dispute = notification.about.gateway_dispute_id.as_ref();
            if notification.funds.is_some()
                && dispute.is_some_and(|dispute| self.without_funds_id.contains(dispute))
            {
                notification.funds = None;
                let mut again = notification.clone();
                again.notification = format!("{}_again", again.notification).parse().expect("a valid id");
                self.push(scope.clone(), again, None);
            } else if world.strikes(Trouble::ReusedId, 6) {
                let last = self.last_id.replace(notification.notification.clone());
                notification.notification = last.unwrap_or(notification.notification);
            }
            // Also when all else has come to rest: by then a requested operation may be stuck.
            let omits_our_id = world.allows(Trouble::NotEchoed) && self.dice.one_in(2);
            match without_our_id(&notification, sandbox, &mut self.dice).filter(|_| omits_our_id) {
                Some(without) => {
                    world.count(Trouble::NotEchoed);
                    self.push(scope, without, Some(notification));
                }
                None => self.push(scope, notification, None),
            }
        }
    }

    fn push(&mut self, scope: Scope, notification: Notification, with_our_id: Option<Notification>) {
        self.last_number += 1;
        self.pending.push(Pending { number: self.last_number, scope, notification, with_our_id });
    }

    /// Restores our id in a notification that was refused without it. Returns whether there was one to restore.
    fn restore_our_id(&mut self, number: u64) -> bool {
        let pending = self.pending.iter_mut().find(|pending| pending.number == number);
        let Some(pending) = pending else { return false };
        let Some(with_our_id) = pending.with_our_id.take() else { return false };
        pending.notification = with_our_id;
        true
    }

    fn remove(&mut self, number: u64) {
        self.pending.retain(|pending| pending.number != number);
    }
}

/// The notification with the gateway's ids instead of our id of the operation: the id of the operation, and for captures,
/// refunds and voids sometimes the id of the attempt. A success states its amount, because the ledger cannot look up what
/// was requested. None if the gateway's ids do not identify the operation.
fn without_our_id(notification: &Notification, sandbox: &Sandbox, dice: &mut Dice) -> Option<Notification> {
    let operation = notification.about.operation?;
    let mut without = notification.clone();
    without.about.operation = None;
    let attempt = sandbox.gateway_attempt_id(operation);
    match &mut without.told {
        Told::Attempt(_) | Told::Authorization(_) => {}
        // A return names an attempt, not a capture.
        Told::Returned(_) if operation.is_capture() => return None,
        Told::Returned(_) => without.about.gateway_attempt_id = attempt,
        Told::Capture(evidence) | Told::Refund(evidence) | Told::Void(evidence) => {
            let moved = evidence.is_success().then(|| sandbox.amount_asked(operation)).flatten();
            evidence.amount = evidence.amount.or(moved);
            without.about.gateway_attempt_id = attempt.filter(|_| dice.one_in(2));
        }
        _ => return None,
    }
    let has_gateway_id = without.told.evidence()?.gateway_operation_id.is_some();
    has_gateway_id.then_some(without)
}

impl NotificationQueue {
    pub(super) fn new(seed: u64) -> NotificationQueue {
        NotificationQueue {
            state: Mutex::new(State {
                dice: Dice::new(seed, 3),
                pending: Vec::new(),
                last_number: 0,
                last_id: None,
                disputes: Vec::new(),
                without_funds_id: BTreeSet::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers one notification after the other until the simulation ends: in order, or in any order if notifications
    /// are repeated.
    pub(super) async fn work(&self, world: &World, sandbox: &Sandbox, ledger: &Ledger) {
        while !world.is_closing() {
            let wait = {
                let state = &mut *self.state();
                if state.pending.is_empty() || state.dice.one_in(6) {
                    state.collect(world, sandbox);
                }
                state.dice.below(20)
            };
            world.wait(1 + wait).await;
            let next = {
                let state = &mut *self.state();
                let is_any_order = world.allows(Trouble::Repeated);
                let index = if is_any_order { state.dice.below(state.pending.len() as u64) } else { 0 };
                state.pending.get(usize::try_from(index).unwrap_or(0)).cloned()
            };
            if let Some(pending) = next {
                self.deliver(world, ledger, pending).await;
            }
        }
    }

    /// Delivers a notification. Returns false if the ledger did not accept it, and there is no id of ours to add.
    async fn deliver(&self, world: &World, ledger: &Ledger, pending: Pending) -> bool {
        let Pending { number, scope, notification, .. } = pending;
        let answer = ledger.notify(&webhook(scope), notification).await;
        let is_repeated = world.strikes(Trouble::Repeated, 6);
        match answer {
            Ok(_) => {
                if !is_repeated {
                    self.state().remove(number);
                }
                true
            }
            Err(error) => error.rejection().is_some() && self.state().restore_our_id(number),
        }
    }

    /// Delivers all notifications. Returns false at the first that the ledger does not accept, with or without our id.
    pub(super) async fn deliver_all(&self, world: &World, sandbox: &Sandbox, ledger: &Ledger) -> bool {
        loop {
            let next = {
                let state = &mut *self.state();
                state.collect(world, sandbox);
                state.pending.last().cloned()
            };
            let Some(pending) = next else { return true };
            if !self.deliver(world, ledger, pending).await {
                return false;
            }
        }
    }

    /// The payer, the payer's bank or the card network acts on one of these payments.
    pub(super) fn act_outside(&self, world: &World, sandbox: &Sandbox, payments: &[PaymentId]) {
        let state = &mut *self.state();
        let Some(payment) = state.dice.pick(payments).copied() else { return };
        match state.dice.below(8) {
            0..=2 => {
                let well = !state.dice.one_in(4);
                sandbox.act(payment, well);
            }
            3 if world.strikes(Trouble::BankReturn, 3) => {
                sandbox.bank_return(payment);
            }
            4 | 5 if world.strikes(Trouble::Dispute, 2) => {
                let cents = i64::try_from(1 + state.dice.below(120)).unwrap_or(1);
                let opened = sandbox.open_dispute(payment, fixtures::usd(cents));
                let is_without_funds_id = state.dice.one_in(2);
                state.without_funds_id.extend(opened.clone().filter(|_| is_without_funds_id));
                state.disputes.extend(opened);
            }
            6 | 7 => {
                let Some(dispute) = state.dice.pick(&state.disputes).cloned() else { return };
                match state.dice.below(4) {
                    0 => sandbox.win(&dispute),
                    1 => sandbox.lose(&dispute),
                    2 => sandbox.withdraw(&dispute),
                    _ => sandbox.reinstate(&dispute),
                };
            }
            _ => {}
        }
    }
}

fn webhook(scope: Scope) -> Caller {
    Caller::new(scope, Actor::new("webhook").expect("a constant"))
}

/// Advances the clock: always a little, sometimes much.
pub(super) fn tick(world: &World, dice: &mut Dice) {
    let millis = match dice.below(64) {
        0..=6 => 500 + dice.below(8_000),
        7 | 8 => 10_000 + dice.below(120_000),
        9 if world.strikes(Trouble::Gap, 2) => 3_600_000 * (1 + dice.below(5)),
        _ => 1 + dice.below(40),
    };
    world.advance(Duration::from_millis(millis));
}
