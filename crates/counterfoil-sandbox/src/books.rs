//! What the gateway itself holds true: every operation that it heard of, by its token.

use std::collections::BTreeMap;

use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::{FailureClass, Outcome};

use crate::course::{Course, no};
use crate::dispute::Dispute;
use crate::entry::{Asked, Attempt, Entry, Kind};

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) calls: usize,
    entries: BTreeMap<String, Entry>,
    pub(crate) disputes: Vec<Dispute>,
    /// How often something was sent and never arrived, by its token.
    lost: BTreeMap<String, u32>,
}

impl Books {
    /// Enters what is asked for, and tells what was entered; `None`: nothing now, because it was known, or because it
    /// never arrived. What the books say cannot be is refused, whatever was to become of it.
    pub(crate) fn enter(&mut self, asked: Asked, course: &Course, now: Timestamp) -> Option<&Entry> {
        let token = asked.token.clone();
        if self.entries.contains_key(&token) {
            return None;
        }
        let refused = self.refusal(&asked, now).map(Course::told);
        if course.end.is_none() {
            *self.lost.entry(token).or_default() += 1;
            return None;
        }
        let entry = Entry::new(asked, course)?;
        let entry = match refused {
            Some(refused) => Entry::new(entry.asked, &refused)?,
            None => entry,
        };
        Some(self.entries.entry(token).or_insert(entry))
    }

    /// How often something was sent with this token and never arrived.
    pub(crate) fn lost(&self, token: &str) -> u32 {
        self.lost.get(token).copied().unwrap_or(0)
    }

    pub(crate) fn entry(&self, token: &str) -> Option<&Entry> {
        self.entries.get(token)
    }

    pub(crate) fn entry_mut(&mut self, token: &str) -> Option<&mut Entry> {
        self.entries.get_mut(token)
    }

    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.values_mut()
    }

    pub(crate) fn of_payment(&self, payment: PaymentId) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.asked.payment == payment)
    }

    /// How many charges and holds there were.
    pub(crate) fn charges(&self, now: Timestamp) -> usize {
        let attempts = self.entries.values().filter(|entry| entry.asked.of().is_none());
        attempts.filter(|entry| entry.ever_moved(now) > 0).count()
    }

    /// What was ever taken, whatever went back.
    pub(crate) fn taken(&self, payment: PaymentId, now: Timestamp) -> i64 {
        sum(self.of_payment(payment).filter(|entry| takes(entry)).map(|entry| entry.ever_moved(now)))
    }

    pub(crate) fn captured(&self, payment: PaymentId, now: Timestamp) -> i64 {
        let taken = self.of_payment(payment).filter(|entry| takes(entry)).map(|entry| entry.moved(now));
        let undone = self.of_payment(payment).filter(|entry| matches!(entry.asked.kind, Kind::Undo { .. }));
        sum(taken).saturating_sub(sum(undone.map(|entry| entry.moved(now)))).max(0)
    }

    pub(crate) fn refunded(&self, payment: PaymentId, now: Timestamp) -> i64 {
        let refunds =
            self.of_payment(payment).filter(|entry| matches!(entry.asked.kind, Kind::Refund { .. }));
        sum(refunds.map(|entry| entry.moved(now)))
    }

    pub(crate) fn held(&self, payment: PaymentId, now: Timestamp) -> i64 {
        sum(self.of_payment(payment).map(|entry| self.held_by(entry, now, Entry::ever_moved)))
    }

    /// Nothing, in a payment's currency.
    pub(crate) fn zero(&self, payment: PaymentId) -> Option<Money> {
        self.of_payment(payment).next().map(|entry| Money::zero(entry.asked.amount.currency()))
    }

    /// Why the books cannot have it; `None`: they can. Of what an earlier run did they say nothing: then the caller is
    /// believed, who knows the name that it was given then.
    fn refusal(&self, asked: &Asked, now: Timestamp) -> Option<Outcome> {
        let of = asked.of()?;
        let Some(attempt) = self.entries.get(&of.token) else {
            let unknown = || refuse("charge_not_found", "there is no such charge");
            return (!of.is_vouched).then(unknown);
        };
        let amount = asked.amount.minor();
        match &asked.kind {
            Kind::Charge(_) | Kind::Hold(..) => None,
            Kind::Capture { .. } | Kind::Release { .. } => self.refuse_hold(attempt, asked, now),
            Kind::Refund { .. } => {
                let left = self.left_of(attempt, now);
                match () {
                    () if amount <= left.min(self.undisputed(asked.payment, now)) => None,
                    () if amount <= left => Some(refuse("charge_disputed", "the charge is disputed")),
                    () if left <= 0 => {
                        Some(refuse("charge_already_refunded", "nothing is left to give back"))
                    }
                    () => Some(refuse("amount_too_large", "that is more than is left to give back")),
                }
            }
            Kind::Undo { capture, .. } if !self.names_its_money(attempt, capture.as_deref()) => {
                Some(refuse("capture_not_found", "there is no such capture of the charge"))
            }
            Kind::Undo { .. } => {
                let is_whole =
                    self.left_of(attempt, now) == amount && self.captured_of(attempt, now) == amount;
                let free = is_whole && self.disputed(asked.payment) == 0;
                (!free).then(|| refuse("charge_not_whole", "not all of the charge is there to be taken back"))
            }
        }
    }

    /// Whether what is to be taken back is named as what it is: of a hold its capture, of a charge none.
    fn names_its_money(&self, attempt: &Entry, capture: Option<&str>) -> bool {
        let is_hold = matches!(attempt.asked.kind, Kind::Hold(..));
        match capture {
            None => !is_hold,
            Some(capture) => is_hold && self.about(attempt).any(|entry| entry.asked.token == capture),
        }
    }

    fn refuse_hold(&self, attempt: &Entry, asked: &Asked, now: Timestamp) -> Option<Outcome> {
        let held = self.held_by(attempt, now, Entry::bound);
        match () {
            () if attempt.moved(now) == 0 => Some(refuse("charge_not_found", "nothing is held")),
            () if attempt.is_expired(now) => Some(refuse("authorization_expired", "the hold has run out")),
            () if held == 0 && matches!(asked.kind, Kind::Release { .. }) => {
                Some(refuse("already_voided", "nothing is held any more"))
            }
            () if held == 0 => Some(refuse("already_captured", "nothing is held any more")),
            () if asked.amount.minor() > held => {
                Some(refuse("amount_too_large", "that is more than is held"))
            }
            () => None,
        }
    }

    /// What `attempt` holds still, when `amount` tells what others took from it.
    fn held_by(&self, attempt: &Entry, now: Timestamp, amount: fn(&Entry, Timestamp) -> i64) -> i64 {
        if !matches!(attempt.asked.kind, Kind::Hold(..)) || attempt.is_expired(now) {
            return 0;
        }
        let mut held = attempt.moved(now);
        for entry in self.about(attempt) {
            let taken = amount(entry, now);
            match entry.asked.kind {
                Kind::Capture { is_final: true, .. } if taken > 0 => return 0,
                Kind::Capture { .. } | Kind::Release { .. } => held = held.saturating_sub(taken),
                _ => {}
            }
        }
        held.max(0)
    }

    /// What `attempt` brought.
    fn captured_of(&self, attempt: &Entry, now: Timestamp) -> i64 {
        let captures = self.about(attempt).filter(|entry| takes(entry));
        let own = if takes(attempt) { attempt.moved(now) } else { 0 };
        sum(captures.map(|entry| entry.moved(now))).saturating_add(own)
    }

    /// What of that did not go back, and will not.
    fn left_of(&self, attempt: &Entry, now: Timestamp) -> i64 {
        let back = self
            .about(attempt)
            .filter(|entry| matches!(entry.asked.kind, Kind::Refund { .. } | Kind::Undo { .. }));
        self.captured_of(attempt, now).saturating_sub(sum(back.map(|entry| entry.bound(now))))
    }

    fn about<'a>(&'a self, attempt: &'a Entry) -> impl Iterator<Item = &'a Entry> {
        let token = &attempt.asked.token;
        let is_about = move |of: &Attempt| of.token == *token;
        self.of_payment(attempt.asked.payment).filter(move |entry| entry.asked.of().is_some_and(is_about))
    }

    /// What is left of all of a payment's charges, and not disputed: a dispute is about a payment, and not about one of
    /// them.
    fn undisputed(&self, payment: PaymentId, now: Timestamp) -> i64 {
        let attempts = self.of_payment(payment).filter(|entry| entry.asked.of().is_none());
        sum(attempts.map(|attempt| self.left_of(attempt, now))).saturating_sub(self.disputed(payment))
    }

    /// What disputes have of a payment's money, or may have.
    pub(crate) fn disputed(&self, payment: PaymentId) -> i64 {
        sum(self.disputes.iter().filter(|dispute| dispute.payment == payment).map(Dispute::reserves))
    }
}

/// Whether its success is money.
pub(crate) fn takes(entry: &Entry) -> bool {
    matches!(entry.asked.kind, Kind::Charge(_) | Kind::Capture { .. })
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

fn refuse(code: &str, message: &str) -> Outcome {
    no(FailureClass::Hard, code, message)
}
