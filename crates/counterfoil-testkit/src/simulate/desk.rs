//! The person at the desk: says what became of what nobody knows, looks at what is marked for review, and writes down
//! what came about elsewhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use counterfoil::account::Owed;
use counterfoil::command::{Recorded, Resolution};
use counterfoil::ledger::{Ledger, NewAttempt, NewRecordedRefund, NewResolution, Update};
use counterfoil::money::Money;
use counterfoil::payment::{Attention, Evidence, Operation, Outcome, Payment};
use counterfoil::scope::Caller;
use counterfoil::status::{Action, allowed};
use counterfoil::store::{Filter, Query};
use counterfoil::text::{Actor, Message};
use counterfoil_sandbox::Sandbox;

use super::agree::{moved_there, requested};
use super::ask::Ask;
use super::client::Shelf;
use super::dice::Dice;
use super::trouble::Trouble;
use super::world::World;
use crate::fixtures;

/// Who the person is in the histories.
const ACTOR: &str = "desk";

/// Steps between two things that are done at the desk, at most.
const PACE: u64 = 24;

/// How often the lists are worked off in the end.
const ROUNDS: usize = 3;

/// A person who works for all tenants, on the payments that their clients know of, and whom no crash takes.
#[derive(Debug)]
pub(super) struct Desk {
    sandbox: Arc<Sandbox>,
    shelves: [(&'static str, Shelf); 2],
    hand: Mutex<Hand>,
}

#[derive(Debug)]
struct Hand {
    dice: Dice,
    done: u64,
}

impl Desk {
    pub(super) fn new(seed: u64, sandbox: Arc<Sandbox>, shelves: [(&'static str, Shelf); 2]) -> Desk {
        Desk { sandbox, shelves, hand: Mutex::new(Hand { dice: Dice::new(seed, 4), done: 0 }) }
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often something was done here.
    pub(super) fn done(&self) -> u64 {
        self.hand().done
    }

    /// Does one thing now and then, until all is closed.
    pub(super) async fn work(&self, world: &World, ledger: &Ledger) {
        while !world.is_closing() {
            let (wait, tenant, list) = {
                let dice = &mut self.hand().dice;
                let lists = [None, Some(Attention::Review), Some(Attention::Stuck)];
                (1 + dice.below(PACE), dice.below(4), dice.pick(&lists).copied().flatten())
            };
            world.wait(wait).await;
            let tenant = usize::from(tenant == 0);
            let found = self.list(ledger, tenant, list, 3).await;
            let Some(payment) = self.hand().dice.pick(&found).cloned() else { continue };
            self.see_to(world, ledger, tenant, &payment).await;
        }
    }

    /// Works off what waits for a person, but for what is left lying.
    pub(super) async fn clear(&self, world: &World, ledger: &Ledger) {
        for _ in 0..ROUNDS {
            for tenant in 0..self.shelves.len() {
                for list in [Attention::Stuck, Attention::Review] {
                    for payment in self.list(ledger, tenant, Some(list), usize::MAX).await {
                        if !self.hand().dice.one_in(4) {
                            self.see_to(world, ledger, tenant, &payment).await;
                        }
                    }
                }
            }
        }
    }

    /// The newest payments on a list: of those that wait in this way for a person, or of all.
    async fn list(
        &self,
        ledger: &Ledger,
        tenant: usize,
        list: Option<Attention>,
        limit: usize,
    ) -> Vec<Arc<Payment>> {
        let (caller, known) = self.tenant(tenant);
        let mut filter = Filter::default();
        filter.ids = Some(known.lock().unwrap_or_else(PoisonError::into_inner).clone());
        filter.attention = list;
        let page = ledger.list(&caller.scope, &Query::new(filter, limit)).await;
        page.map(|page| page.payments).unwrap_or_default()
    }

    async fn see_to(&self, world: &World, ledger: &Ledger, tenant: usize, payment: &Payment) {
        let Some(ask) = self.choose(world, payment) else { return };
        let (caller, _) = self.tenant(tenant);
        // What was refused, or is in doubt, is seen to again if it is still on a list.
        let done = ask.ask(ledger, &caller).await;
        self.hand().done += u64::from(done.is_ok());
    }

    fn tenant(&self, place: usize) -> (Caller, &Shelf) {
        let (tenant, known) = &self.shelves[place];
        let scope = fixtures::caller(tenant).scope;
        (Caller::new(scope, Actor::new(ACTOR).expect("a constant")), known)
    }

    fn choose(&self, world: &World, payment: &Payment) -> Option<Ask> {
        let dice = &mut self.hand().dice;
        let open: Vec<&Operation> = at_gateway(payment).filter(|own| own.status().is_under_way()).collect();
        let marked = !payment.reviews().is_empty();
        match dice.below(12) {
            0 => return Some(owed(dice, payment)),
            1 | 2 if world.allows(Trouble::ByHand) => {
                world.count(Trouble::ByHand);
                return by_hand(dice, payment);
            }
            _ => {}
        }
        match dice.pick(&open).copied() {
            Some(open) if !marked || dice.one_in(2) => self.word_on(world, dice, payment, open),
            _ if marked => self.review(world, dice, payment),
            _ => None,
        }
    }

    /// What the gateway's books say became of an operation; or a guess at it.
    fn word_on(
        &self,
        world: &World,
        dice: &mut Dice,
        payment: &Payment,
        operation: &Operation,
    ) -> Option<Ask> {
        let guesses = world.allows(Trouble::Guess) && dice.one_in(2);
        let (resolution, note) = if guesses {
            world.count(Trouble::Guess);
            (guess(dice), "a guess")
        } else if let Some(requested) = requested(&self.sandbox, payment, operation) {
            (Resolution::SameAs { operation: requested }, "it has its name")
        } else {
            (read(self.sandbox.said(operation.id).as_ref())?, "as the gateway's books have it")
        };
        let new = NewResolution::new(resolution, Message::lossy(note)).about(operation.id);
        Some(Ask::Resolve(payment.id(), new))
    }

    /// What is to be done about what is marked: whatever differs from the gateway's books is set right, and else there is
    /// nothing to be done. In haste nobody looks.
    fn review(&self, world: &World, dice: &mut Dice, payment: &Payment) -> Option<Ask> {
        let hasty = world.allows(Trouble::Haste) && dice.one_in(2);
        if hasty {
            world.count(Trouble::Haste);
        } else {
            let mut all = at_gateway(payment);
            let differs = all.find(|own| {
                let is_twin = requested(&self.sandbox, payment, own).is_some();
                moved_here(own) != moved_there(&self.sandbox, own) && (!is_twin || own.is_set_apart())
            });
            let any: Vec<&Operation> = at_gateway(payment).collect();
            let doubted = differs.or_else(|| dice.pick(&any).copied().filter(|_| dice.one_in(4)));
            let ask = doubted.and_then(|own| self.word_on(world, dice, payment, own));
            if ask.is_some() {
                return ask;
            }
        }
        let note = Message::lossy(if hasty { "never mind" } else { "looked into" });
        Some(Ask::Resolve(payment.id(), NewResolution::new(Resolution::Dismissed, note)))
    }
}

/// What was sent to a gateway, or told of by one. What this person recorded no gateway's books have.
fn at_gateway(payment: &Payment) -> impl Iterator<Item = &Operation> {
    payment.operations().iter().filter(|own| own.gateway.is_some() && own.created_by.as_str() != ACTOR)
}

fn moved_here(operation: &Operation) -> i64 {
    operation.moved().map_or(0, Money::minor)
}

/// What is read in the gateway's books; `None`: that nobody knows yet.
fn read(said: Option<&Evidence>) -> Option<Resolution> {
    match said.map(|said| &said.outcome) {
        Some(Outcome::Succeeded) => Some(Resolution::Succeeded { amount: said.and_then(|said| said.amount) }),
        Some(Outcome::Failed(_) | Outcome::Canceled { .. }) => Some(Resolution::Failed),
        Some(_) => None,
        None => Some(Resolution::NotSent),
    }
}

fn guess(dice: &mut Dice) -> Resolution {
    match dice.below(6) {
        0 => Resolution::Succeeded { amount: Some(some(dice, 150)) },
        1 | 2 => Resolution::Succeeded { amount: None },
        3 => Resolution::Failed,
        4 => Resolution::Another,
        _ => Resolution::NotSent,
    }
}

/// A status that is set, or money that came or went in another way.
fn by_hand(dice: &mut Dice, payment: &Payment) -> Option<Ask> {
    let recordable = allowed(payment.status(), Action::RecordAttempt);
    if recordable && dice.one_in(2) {
        let outcome = match dice.below(4) {
            0 => Recorded::Failed { error_message: None },
            1 => Recorded::Succeeded { amount: None },
            _ => Recorded::Succeeded { amount: Some(some(dice, 150)) },
        };
        return Some(Ask::Record(payment.id(), NewAttempt::new(outcome)));
    }
    if allowed(payment.status(), Action::Refund) && dice.one_in(2) {
        let mut new = NewRecordedRefund::of(some(dice, 60));
        // Every attempt of the simulation goes through the first gateway that there is.
        new.gateway = payment.gateway().filter(|_| dice.one_in(2)).cloned();
        return Some(Ask::RecordRefund(payment.id(), new));
    }
    let settable: Vec<_> = counterfoil::command::settable(payment.status()).collect();
    let update = Update::to(*dice.pick(&settable)?);
    let update = if dice.one_in(2) { update.if_version(payment.version()) } else { update };
    Some(Ask::Update(payment.id(), update))
}

/// What is owed for what it pays, as somebody has it now.
fn owed(dice: &mut Dice, payment: &Payment) -> Ask {
    let owed = Owed { amount_due: some(dice, 600), number: None, payable: !dice.one_in(6) };
    Ask::Register(payment.terms().destination.clone(), owed)
}

/// So many cents at most.
fn some(dice: &mut Dice, most: u64) -> Money {
    fixtures::usd(i64::try_from(1 + dice.below(most)).unwrap_or(1))
}
