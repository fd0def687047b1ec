//! The other end of the line: its books, by idempotency key, and what goes wrong with the next call.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counterfoil::money::Money;

#[derive(Debug, Default)]
pub(crate) struct Remote {
    books: Mutex<Books>,
    fault: Mutex<Option<Fault>>,
}

/// What can be asked of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order<'a> {
    Charge { card: &'a str },
    Hold { card: &'a str },
    Capture { of: &'a str, release_rest: bool },
    Refund { of: &'a str },
    Release { of: &'a str },
    Cancel { of: &'a str },
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) state: &'static str,
    pub(crate) amount: Money,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    NoConnection,
    RequestLost,
    AnswerLost,
}

/// How a call fails. A client that cannot tell these two apart must always say that it broke.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Not a byte was written.
    NotConnected,
    /// Some of the request, or all of it, was written; then the connection broke, or time ran out.
    Broken,
}

impl Remote {
    /// A key is entered once: sent again, it is answered as before.
    pub(crate) fn order(
        &self,
        key: &str,
        order: Order<'_>,
        amount: Money,
        _: Duration,
    ) -> Result<Answer, CallError> {
        self.call(|books| {
            if !books.answers.contains_key(key) {
                let state = books.carry_out(&id(key), order, amount.minor());
                books.answers.insert(key.to_owned(), Answer { id: id(key), state, amount });
            }
            books.answers.get(key).cloned()
        })?
        .ok_or(CallError::Broken)
    }

    pub(crate) fn find(&self, key: &str) -> Result<Option<Answer>, CallError> {
        self.call(|books| books.answers.get(key).cloned())
    }

    fn call<T>(&self, request: impl FnOnce(&mut Books) -> T) -> Result<T, CallError> {
        let fault = lock(&self.fault).take();
        match fault {
            Some(Fault::NoConnection) => return Err(CallError::NotConnected),
            Some(Fault::RequestLost) => return Err(CallError::Broken),
            Some(Fault::AnswerLost) | None => {}
        }
        let answer = request(&mut lock(&self.books));
        if fault.is_some() { Err(CallError::Broken) } else { Ok(answer) }
    }

    pub(crate) fn next_call_meets(&self, fault: Fault) {
        *lock(&self.fault) = Some(fault);
    }

    pub(crate) fn becomes_paid(&self, key: &str, amount: Money) {
        let mut books = lock(&self.books);
        books.funds.insert(id(key), Funds { held: 0, taken: amount.minor() });
        books.answers.insert(key.to_owned(), Answer { id: id(key), state: "done", amount });
    }

    /// By its own books, in minor units.
    pub(crate) fn taken(&self) -> i64 {
        lock(&self.books).funds.values().map(|funds| funds.taken).sum()
    }
}

#[derive(Debug, Default)]
struct Books {
    answers: BTreeMap<String, Answer>,
    /// What each charge or hold has, by its id.
    funds: BTreeMap<String, Funds>,
}

/// In minor units.
#[derive(Debug, Clone, Copy, Default)]
struct Funds {
    held: i64,
    taken: i64,
}

impl Books {
    /// What it does of what it is asked for; it refuses what is not there.
    fn carry_out(&mut self, id: &str, order: Order<'_>, amount: i64) -> &'static str {
        let before = |funds: &BTreeMap<String, Funds>, of: &str| funds.get(of).copied().unwrap_or_default();
        let (of, after) = match order {
            Order::Charge { card: "empty" } | Order::Hold { card: "empty" } => return "no_funds",
            Order::Charge { card: "slow" } => return "in_progress",
            Order::Charge { .. } => (id, Funds { held: 0, taken: amount }),
            Order::Hold { .. } => (id, Funds { held: amount, taken: 0 }),
            Order::Capture { of, release_rest } => {
                let Funds { held, taken } = before(&self.funds, of);
                // Below nothing it stays: that is refused.
                let rest = if release_rest { (held - amount).min(0) } else { held - amount };
                (of, Funds { held: rest, taken: taken + amount })
            }
            Order::Release { of } => {
                let funds = before(&self.funds, of);
                (of, Funds { held: funds.held - amount, ..funds })
            }
            Order::Refund { of } | Order::Cancel { of } => {
                let funds = before(&self.funds, of);
                (of, Funds { taken: funds.taken - amount, ..funds })
            }
        };
        if after.held < 0 || after.taken < 0 {
            return "not_that_much";
        }
        self.funds.insert(of.to_owned(), after);
        "done"
    }
}

fn id(key: &str) -> String {
    format!("toll_{key}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
