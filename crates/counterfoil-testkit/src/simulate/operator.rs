//! The operator: resolves unknown outcomes, works through review items, and records what was done elsewhere.

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

use super::ask::Ask;
use super::client::Shelf;
use super::dice::Dice;
use super::reconcile::{moved_at_gateway, requested_original};
use super::trouble::Trouble;
use super::world::World;
use crate::fixtures;

/// The actor of the operator's events.
const ACTOR: &str = "desk";

/// The largest number of steps between two actions of the operator.
const PACE: u64 = 24;

/// How often the operator works through the lists at the end.
const ROUNDS: usize = 3;

/// An operator who works for all tenants, on the payments that their clients know. No crash stops the operator for good.
#[derive(Debug)]
pub(super) struct Operator {
    sandbox: Arc<Sandbox>,
    shelves: [(&'static str, Shelf); 2],
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    done: u64,
}

impl Operator {
    pub(super) fn new(seed: u64, sandbox: Arc<Sandbox>, shelves: [(&'static str, Shelf); 2]) -> Operator {
        Operator { sandbox, shelves, state: Mutex::new(State { dice: Dice::new(seed, 4), done: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the operator's requests that succeeded.
    pub(super) fn done(&self) -> u64 {
        self.state().done
    }

    /// Acts now and then, until the simulation ends.
    pub(super) async fn work(&self, world: &World, ledger: &Ledger) {
        while !world.is_closing() {
            let (wait, tenant, list) = {
                let dice = &mut self.state().dice;
                let lists = [None, Some(Attention::Review), Some(Attention::Stuck)];
                (1 + dice.below(PACE), dice.below(4), dice.pick(&lists).copied().flatten())
            };
            world.wait(wait).await;
            let tenant = usize::from(tenant == 0);
            let found = self.list(ledger, tenant, list, 3).await;
            let Some(payment) = self.state().dice.pick(&found).cloned() else { continue };
            self.act(world, ledger, tenant, &payment).await;
        }
    }

    /// Works through the lists of stuck payments and of reviews. Some payments are left out at random.
    pub(super) async fn clear(&self, world: &World, ledger: &Ledger) {
        for _ in 0..ROUNDS {
            for tenant in 0..self.shelves.len() {
                for list in [Attention::Stuck, Attention::Review] {
                    for payment in self.list(ledger, tenant, Some(list), usize::MAX).await {
                        if !self.state().dice.one_in(4) {
                            self.act(world, ledger, tenant, &payment).await;
                        }
                    }
                }
            }
        }
    }

    /// The newest payments that need this attention, or of all payments.
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

    async fn act(&self, world: &World, ledger: &Ledger, tenant: usize, payment: &Payment) {
        let Some(ask) = self.choose(world, payment) else { return };
        let (caller, _) = self.tenant(tenant);
        // After a refusal or an unknown outcome, the payment is still on its list.
        let done = ask.ask(ledger, &caller).await;
        self.state().done += u64::from(done.is_ok());
    }

    fn tenant(&self, place: usize) -> (Caller, &Shelf) {
        let (tenant, known) = &self.shelves[place];
        let scope = fixtures::caller(tenant).scope;
        (Caller::new(scope, Actor::new(ACTOR).expect("a constant")), known)
    }

    fn choose(&self, world: &World, payment: &Payment) -> Option<Ask> {
        let dice = &mut self.state().dice;
        let open: Vec<&Operation> = at_gateway(payment).filter(|own| own.status().is_under_way()).collect();
        let has_reviews = !payment.reviews().is_empty();
        match dice.below(12) {
            0 => return Some(register(dice, payment)),
            1 | 2 if world.allows(Trouble::ByHand) => {
                world.count(Trouble::ByHand);
                return record_by_hand(dice, payment);
            }
            _ => {}
        }
        match dice.pick(&open).copied() {
            Some(open) if !has_reviews || dice.one_in(2) => self.resolve(world, dice, payment, open),
            _ if has_reviews => self.review(world, dice, payment),
            _ => None,
        }
    }

    /// Resolves an operation as the gateway's books say, or by a guess.
    fn resolve(
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
        } else if let Some(original) = requested_original(&self.sandbox, payment, operation) {
            (Resolution::SameAs { operation: original }, "the gateway ids are the same")
        } else {
            (resolution_of(self.sandbox.said(operation.id).as_ref())?, "as the gateway's books have it")
        };
        let new = NewResolution::new(resolution, Message::lossy(note)).about(operation.id);
        Some(Ask::Resolve(payment.id(), new))
    }

    /// Works on the review items of a payment. Resolves an operation that differs from the gateway's books, or else
    /// dismisses the review. In haste, the operator dismisses it without looking.
    fn review(&self, world: &World, dice: &mut Dice, payment: &Payment) -> Option<Ask> {
        let hasty = world.allows(Trouble::Haste) && dice.one_in(2);
        if hasty {
            world.count(Trouble::Haste);
        } else {
            let mut all = at_gateway(payment);
            let differs = all.find(|own| match requested_original(&self.sandbox, payment, own) {
                Some(_) => own.is_set_apart() && own.same_as().is_none(),
                None => moved_here(own) != moved_at_gateway(&self.sandbox, own),
            });
            let any: Vec<&Operation> = at_gateway(payment).collect();
            let chosen = differs.or_else(|| dice.pick(&any).copied().filter(|_| dice.one_in(4)));
            let ask = chosen.and_then(|own| self.resolve(world, dice, payment, own));
            if ask.is_some() {
                return ask;
            }
        }
        let note = Message::lossy(if hasty { "never mind" } else { "looked into" });
        Some(Ask::Resolve(payment.id(), NewResolution::new(Resolution::Dismissed, note)))
    }
}

/// The operations that a gateway has, without those that the operator recorded.
fn at_gateway(payment: &Payment) -> impl Iterator<Item = &Operation> {
    payment.operations().iter().filter(|own| own.gateway.is_some() && own.created_by.as_str() != ACTOR)
}

fn moved_here(operation: &Operation) -> i64 {
    operation.moved().map_or(0, Money::minor)
}

/// The resolution that follows from the gateway's books. None if the outcome is still open there.
fn resolution_of(evidence: Option<&Evidence>) -> Option<Resolution> {
    match evidence.map(|evidence| &evidence.outcome) {
        Some(Outcome::Succeeded) => {
            Some(Resolution::Succeeded { amount: evidence.and_then(|evidence| evidence.amount) })
        }
        Some(Outcome::Failed(_) | Outcome::Canceled { .. }) => Some(Resolution::Failed),
        Some(_) => None,
        None => Some(Resolution::NotSent),
    }
}

fn guess(dice: &mut Dice) -> Resolution {
    match dice.below(6) {
        0 => Resolution::Succeeded { amount: Some(amount(dice, 150)) },
        1 | 2 => Resolution::Succeeded { amount: None },
        3 => Resolution::Failed,
        4 => Resolution::Another,
        _ => Resolution::NotSent,
    }
}

/// Sets a status, or records an attempt or refund that was made elsewhere.
fn record_by_hand(dice: &mut Dice, payment: &Payment) -> Option<Ask> {
    let recordable = allowed(payment.status(), Action::RecordAttempt);
    if recordable && dice.one_in(2) {
        let outcome = match dice.below(4) {
            0 => Recorded::Failed { error_message: None },
            1 => Recorded::Succeeded { amount: None },
            _ => Recorded::Succeeded { amount: Some(amount(dice, 150)) },
        };
        return Some(Ask::Record(payment.id(), NewAttempt::new(outcome)));
    }
    if allowed(payment.status(), Action::Refund) && dice.one_in(2) {
        let mut new = NewRecordedRefund::of(amount(dice, 60));
        // Every attempt of the simulation uses the only gateway.
        new.gateway = payment.gateway().filter(|_| dice.one_in(2)).cloned();
        return Some(Ask::RecordRefund(payment.id(), new));
    }
    let settable: Vec<_> = counterfoil::command::settable(payment.status()).collect();
    let update = Update::to(*dice.pick(&settable)?);
    let update = if dice.one_in(2) { update.if_version(payment.version()) } else { update };
    Some(Ask::Update(payment.id(), update))
}

/// Registers an amount due for the destination of the payment.
fn register(dice: &mut Dice, payment: &Payment) -> Ask {
    let owed = Owed { amount_due: amount(dice, 600), number: None, payable: !dice.one_in(6) };
    Ask::Register(payment.terms().destination.clone(), owed)
}

/// An amount of at most this many cents.
fn amount(dice: &mut Dice, most: u64) -> Money {
    fixtures::usd(i64::try_from(1 + dice.below(most)).unwrap_or(1))
}
