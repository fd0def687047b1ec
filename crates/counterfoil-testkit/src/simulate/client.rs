//! Whoever asks for payments, and asks again where no answer came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use counterfoil::command::{Receipt, Rejection};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::{Ledger, LedgerError};
use counterfoil::scope::Caller;
use counterfoil::text::IdempotencyKey;

use super::ask::Ask;
use super::dice::Dice;
use super::world::World;
use crate::fixtures;

/// The payments that the clients of one scope know of.
pub(super) type Shelf = Arc<Mutex<Vec<PaymentId>>>;

/// A client: what it remembers is in no machine, so no crash takes it.
#[derive(Debug)]
pub(super) struct Client {
    caller: Caller,
    number: u64,
    shelf: Shelf,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    dice: Dice,
    asked: u64,
    pending: Option<Pending>,
}

/// Something that was asked for, or is to be.
#[derive(Debug, Clone)]
struct Pending {
    ask: Ask,
    /// What it was answered.
    answer: Option<(StreamId, u64)>,
}

impl Client {
    pub(super) fn new(seed: u64, number: u64, caller: Caller, shelf: Shelf) -> Client {
        let memory = Memory { dice: Dice::new(seed, 100 + number), asked: 0, pending: None };
        Client { caller, number, shelf, memory: Mutex::new(memory) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one thing after the other, until all is closed.
    pub(super) async fn work(&self, world: &World, own: &Ledger, other: &Ledger) {
        while !world.is_closing() {
            world.wait(1).await;
            if self.memory().pending.is_none() {
                let Some(ask) = self.choose(world, own).await else { continue };
                self.memory().pending = Some(Pending { ask, answer: None });
            }
            let twice = self.memory().dice.one_in(6);
            self.send(world, own, twice.then_some(other)).await;
        }
    }

    /// Asks once more for what it had no answer to.
    pub(super) async fn finish(&self, world: &World, ledger: &Ledger) {
        self.send(world, ledger, None).await;
        self.memory().pending = None;
    }

    /// Asks for what is pending: of one machine, or of two at once.
    async fn send(&self, world: &World, own: &Ledger, other: Option<&Ledger>) {
        let Some(Pending { ask, .. }) = self.memory().pending.clone() else { return };
        let heard = match other.filter(|_| ask.is_once()) {
            None => vec![ask.clone().ask(own, &self.caller).await],
            Some(other) => {
                let (own, other) = (ask.clone().ask(own, &self.caller), ask.clone().ask(other, &self.caller));
                let (one, two) = tokio::join!(own, other);
                vec![one, two]
            }
        };
        // Of two at once the one that was refused may have come first: a refusal binds no key.
        let had_answer = self.memory().pending.as_ref().is_some_and(|pending| pending.answer.is_some());
        let accepted = heard.iter().any(Result::is_ok);
        for answer in &heard {
            let refused = answer.as_ref().is_err_and(|error| error.rejection().is_some());
            if had_answer || !accepted || !refused {
                self.hear(world, answer);
            }
        }
        if accepted {
            self.end();
        }
        if let Some(changed) = ask.changed().filter(|_| accepted && self.memory().dice.one_in(8)) {
            must_be_refused(world, changed.ask(own, &self.caller).await);
        }
    }

    /// It is known what came of it; sometimes it is asked for once more all the same.
    fn end(&self) {
        let memory = &mut *self.memory();
        if !memory.dice.one_in(5) {
            memory.pending = None;
        }
    }

    /// 20: one key has one answer. What was answered may be asked for again, what was not is.
    fn hear(&self, world: &World, answer: &Result<Receipt, LedgerError>) {
        let memory = &mut *self.memory();
        let Some(pending) = &mut memory.pending else { return };
        match answer {
            Ok(receipt) => {
                self.remember(receipt.payment().map(|payment| payment.id()));
                let told = (receipt.stream.clone(), receipt.sequence);
                let before = pending.answer.replace(told.clone());
                if before.as_ref().is_some_and(|before| *before != told) && pending.ask.key().is_some() {
                    world.break_with(format!("invariant 20 is broken: {before:?}, then {told:?}"));
                }
            }
            Err(error) => match error.rejection() {
                Some(rejection) => {
                    if let Some(before) = pending.answer.as_ref().filter(|_| pending.ask.key().is_some()) {
                        world.break_with(format!("invariant 20 is broken: {before:?}, then {rejection}"));
                    }
                    memory.pending = None;
                }
                // It may exist, or come to be when this is asked for again.
                None if memory.dice.one_in(3) => self.remember(error.payment()),
                None => {}
            },
        }
    }

    fn remember(&self, payment: Option<PaymentId>) {
        let mut known = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let new = payment.filter(|payment| !known.contains(payment));
        known.extend(new);
    }

    async fn choose(&self, world: &World, ledger: &Ledger) -> Option<Ask> {
        let about = {
            let memory = &mut *self.memory();
            let known = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let recent = known.get(known.len().saturating_sub(4)..).unwrap_or_default();
            let payment = if memory.dice.one_in(4) { None } else { memory.dice.pick(recent).copied() };
            memory.asked += 1;
            (payment, memory.asked)
        };
        let (payment, asked) = about;
        // Another tenant uses the same keys, for itself.
        let key: IdempotencyKey = fixtures::key(&format!("sim-{}-{asked}", self.number % 3));
        let Some(id) = payment else {
            let dice = &mut self.memory().dice;
            let top_up = dice.one_in(8);
            return Some(if top_up { Ask::top_up(key) } else { Ask::payment(dice, key, world.now()) });
        };
        let payment = ledger.payment(&self.caller.scope, id).await.ok().flatten()?;
        let dice = &mut self.memory().dice;
        match dice.below(16) {
            0 => Some(Ask::note(dice, &payment)),
            1 => Ask::instrument(&payment),
            _ => Ask::about(dice, &payment, key),
        }
    }
}

/// 21: a key that was used asks for nothing else.
fn must_be_refused(world: &World, answer: Result<Receipt, LedgerError>) {
    let fits = match answer {
        Ok(_) => false,
        Err(error) => matches!(error.rejection(), None | Some(Rejection::KeyMismatch { .. })),
    };
    if !fits {
        world.break_with("invariant 21 is broken: one key, another request, and no mismatch");
    }
}
