//! What the gateway tells of its own accord, and what the world outside does.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, Notification};
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{Actor, GatewayDisputeId};
use counterfoil_sandbox::Sandbox;

use super::dice::Dice;
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
    letters: Vec<(Scope, Notification)>,
    disputes: Vec<GatewayDisputeId>,
    /// Those of which the gateway gives movements of funds no name, and tells each in two notifications.
    nameless: BTreeSet<GatewayDisputeId>,
}

impl Bag {
    fn collect(&mut self, sandbox: &Sandbox) {
        for (scope, mut letter) in sandbox.take_notifications() {
            let dispute = letter.about.gateway_dispute_id.as_ref();
            if letter.funds.is_some() && dispute.is_some_and(|dispute| self.nameless.contains(dispute)) {
                letter.funds = None;
                let mut again = letter.clone();
                again.notification = format!("{}_again", letter.notification).parse().expect("a valid id");
                self.letters.push((scope.clone(), again));
            }
            self.letters.push((scope, letter));
        }
    }
}

impl Post {
    pub(super) fn new(seed: u64) -> Post {
        let (letters, disputes, nameless) = (Vec::new(), Vec::new(), BTreeSet::new());
        let bag = Bag { dice: Dice::new(seed, 3), letters, disputes, nameless };
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
                    bag.collect(sandbox);
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

    /// `false`: it was not taken.
    async fn bring(&self, world: &World, ledger: &Ledger, (scope, told): (Scope, Notification)) -> bool {
        let name = told.notification.clone();
        let taken = ledger.notify(&webhook(scope), told).await;
        let again = world.strikes(Trouble::Repeated, 6);
        if taken.is_ok() && !again {
            let letters = &mut self.bag().letters;
            let place = letters.iter().position(|(_, letter)| letter.notification == name);
            place.map(|place| letters.remove(place));
        }
        taken.is_ok()
    }

    /// Brings all there are. `false`: one was not taken.
    pub(super) async fn bring_all(&self, world: &World, sandbox: &Sandbox, ledger: &Ledger) -> bool {
        loop {
            let next = {
                let bag = &mut *self.bag();
                bag.collect(sandbox);
                bag.letters.pop()
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
