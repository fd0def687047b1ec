//! What the gateway tells of its own accord, and what the world outside does.

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
use super::said::evidence;
use super::trouble::Trouble;
use super::world::World;
use crate::fixtures;

/// Notifications on their way. Each is repeated until it was taken.
#[derive(Debug)]
pub(super) struct Post {
    bag: Mutex<Bag>,
}

#[derive(Debug)]
struct Bag {
    dice: Dice,
    letters: Vec<Letter>,
    /// How many letters there were.
    count: u64,
    /// The id of the last notification that may be used again.
    last_id: Option<NotificationId>,
    disputes: Vec<GatewayDisputeId>,
    /// Those of which the gateway gives movements of funds no name, and tells each in two notifications.
    nameless: BTreeSet<GatewayDisputeId>,
}

/// A notification. Until it is refused it says the same whenever it is brought.
#[derive(Debug, Clone)]
struct Letter {
    number: u64,
    scope: Scope,
    notification: Notification,
    /// With our id, of one that goes without.
    echoed: Option<Notification>,
}

impl Bag {
    fn collect(&mut self, world: &World, sandbox: &Sandbox) {
        for (scope, mut notification) in sandbox.take_notifications() {
            let dispute = notification.about.gateway_dispute_id.as_ref();
            if notification.funds.is_some() && dispute.is_some_and(|dispute| self.nameless.contains(dispute))
            {
                notification.funds = None;
                let mut again = notification.clone();
                again.notification = format!("{}_again", again.notification).parse().expect("a valid id");
                self.put(scope.clone(), again, None);
            } else if world.strikes(Trouble::ReusedId, 6) {
                let last = self.last_id.replace(notification.notification.clone());
                notification.notification = last.unwrap_or(notification.notification);
            }
            let is_stripped = world.strikes(Trouble::NotEchoed, 2);
            let without = without_our_id(&notification, sandbox, &mut self.dice).filter(|_| is_stripped);
            match without {
                Some(without) => self.put(scope, without, Some(notification)),
                None => self.put(scope, notification, None),
            }
        }
    }

    fn put(&mut self, scope: Scope, notification: Notification, echoed: Option<Notification>) {
        self.count += 1;
        self.letters.push(Letter { number: self.count, scope, notification, echoed });
    }

    /// It was refused: a letter that went without our id is repeated with it.
    fn echo(&mut self, number: u64) {
        let letter = self.letters.iter_mut().find(|letter| letter.number == number);
        if let Some((letter, echoed)) = letter.and_then(|letter| letter.echoed.take().map(|it| (letter, it)))
        {
            letter.notification = echoed;
        }
    }

    fn remove(&mut self, number: u64) {
        self.letters.retain(|letter| letter.number != number);
    }
}

/// It with the gateway's names only, where those say all: the operation's own, and its attempt's or none. It tells how
/// much was done, as our id would.
fn without_our_id(echoed: &Notification, sandbox: &Sandbox, dice: &mut Dice) -> Option<Notification> {
    let operation = echoed.about.operation?;
    let mut without = echoed.clone();
    without.about.operation = None;
    let attempt = sandbox.gateway_attempt_id(operation);
    match &mut without.told {
        Told::Attempt(_) | Told::Authorization(_) => {}
        // A return says of which attempt it is, not of which capture.
        Told::Returned(_) if operation.is_capture() => return None,
        Told::Returned(_) => without.about.gateway_attempt_id = attempt,
        Told::Capture(evidence) | Told::Refund(evidence) | Told::Void(evidence) => {
            let done = evidence.is_success().then(|| sandbox.amount_asked(operation)).flatten();
            evidence.amount = evidence.amount.or(done);
            without.about.gateway_attempt_id = attempt.filter(|_| dice.one_in(2));
        }
        _ => return None,
    }
    is_named(&without.told).then_some(without)
}

impl Post {
    pub(super) fn new(seed: u64) -> Post {
        let dice = Dice::new(seed, 3);
        let (letters, disputes, nameless) = (Vec::new(), Vec::new(), BTreeSet::new());
        let bag = Bag { dice, letters, count: 0, last_id: None, disputes, nameless };
        Post { bag: Mutex::new(bag) }
    }

    fn bag(&self) -> MutexGuard<'_, Bag> {
        self.bag.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings one letter after the other, in any order.
    pub(super) async fn work(&self, world: &World, sandbox: &Sandbox, ledger: &Ledger) {
        while !world.is_closing() {
            let wait = {
                let bag = &mut *self.bag();
                if bag.letters.is_empty() || bag.dice.one_in(6) {
                    bag.collect(world, sandbox);
                }
                bag.dice.below(20)
            };
            world.wait(1 + wait).await;
            let next = {
                let bag = &mut *self.bag();
                let orderly = !world.allows(Trouble::Repeated);
                let place = if orderly { 0 } else { bag.dice.below(bag.letters.len() as u64) };
                bag.letters.get(usize::try_from(place).unwrap_or(0)).cloned()
            };
            if let Some(letter) = next {
                self.bring(world, ledger, letter).await;
            }
        }
    }

    /// `false`: it was not taken, and will not be.
    async fn bring(&self, world: &World, ledger: &Ledger, letter: Letter) -> bool {
        let Letter { number, scope, notification, echoed } = letter;
        let taken = ledger.notify(&webhook(scope), notification).await;
        let again = world.strikes(Trouble::Repeated, 6);
        match taken {
            Ok(_) if again => true,
            Ok(_) => {
                self.bag().remove(number);
                true
            }
            Err(error) => {
                let may_be_echoed = error.rejection().is_some() && echoed.is_some();
                if may_be_echoed {
                    self.bag().echo(number);
                }
                may_be_echoed
            }
        }
    }

    /// Brings all there are. `false`: one was not taken.
    pub(super) async fn bring_all(&self, world: &World, sandbox: &Sandbox, ledger: &Ledger) -> bool {
        loop {
            let next = {
                let bag = &mut *self.bag();
                bag.collect(world, sandbox);
                bag.letters.last().cloned()
            };
            let Some(letter) = next else { return true };
            if !self.bring(world, ledger, letter).await {
                return false;
            }
        }
    }

    /// The payer, the payer's bank and the card network do something about one of these payments.
    pub(super) fn happen(&self, world: &World, sandbox: &Sandbox, payments: &[PaymentId]) {
        let bag = &mut *self.bag();
        let Some(payment) = bag.dice.pick(payments).copied() else { return };
        match bag.dice.below(8) {
            0..=2 => {
                let well = !bag.dice.one_in(4);
                sandbox.act(payment, well);
            }
            3 if world.strikes(Trouble::BankReturn, 3) => {
                sandbox.bank_return(payment);
            }
            4 | 5 if world.strikes(Trouble::Dispute, 2) => {
                let cents = i64::try_from(1 + bag.dice.below(120)).unwrap_or(1);
                let opened = sandbox.open_dispute(payment, fixtures::usd(cents));
                let is_nameless = bag.dice.one_in(2);
                bag.nameless.extend(opened.clone().filter(|_| is_nameless));
                bag.disputes.extend(opened);
            }
            6 | 7 => {
                let Some(dispute) = bag.dice.pick(&bag.disputes).cloned() else { return };
                match bag.dice.below(4) {
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

/// Whether the gateway's own name is told.
fn is_named(told: &Told) -> bool {
    evidence(told).is_some_and(|evidence| evidence.gateway_operation_id.is_some())
}

fn webhook(scope: Scope) -> Caller {
    Caller::new(scope, Actor::new("webhook").expect("a constant"))
}

/// Time goes on: always a little, sometimes much.
pub(super) fn tick(world: &World, dice: &mut Dice) {
    let millis = match dice.below(64) {
        0..=6 => 500 + dice.below(8_000),
        7 | 8 => 10_000 + dice.below(120_000),
        9 if world.strikes(Trouble::Gap, 2) => 3_600_000 * (1 + dice.below(5)),
        _ => 1 + dice.below(40),
    };
    world.advance(Duration::from_millis(millis));
}
