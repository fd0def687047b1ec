//! What the gateway itself holds true.

use std::collections::BTreeMap;

use counterfoil::gateway::Charge;
use counterfoil::id::PaymentId;
use counterfoil::money::Money;
use counterfoil::payment::Outcome;

#[derive(Debug, Default)]
pub(crate) struct Books {
    calls: usize,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    payment: PaymentId,
    truth: Outcome,
    taken: Option<Money>,
}

impl Books {
    pub(crate) fn called(&mut self) {
        self.calls += 1;
    }

    /// Enters a charge, unless its token was entered before: then what happened then is what happened.
    pub(crate) fn enter(&mut self, charge: &Charge, truth: Option<Outcome>) -> Option<Outcome> {
        if let Some(entry) = self.entries.get(&charge.token) {
            return Some(entry.truth.clone());
        }
        let truth = truth?;
        let taken = match &truth {
            Outcome::Succeeded { reported } => Some(reported.unwrap_or(charge.amount)),
            _ => None,
        };
        let entry = Entry { payment: charge.payment, truth: truth.clone(), taken };
        self.entries.insert(charge.token.clone(), entry);
        Some(truth)
    }

    pub(crate) fn truth(&self, token: &str) -> Option<Outcome> {
        self.entries.get(token).map(|entry| entry.truth.clone())
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    pub(crate) fn charges(&self) -> usize {
        self.entries.values().filter(|entry| entry.taken.is_some()).count()
    }

    pub(crate) fn taken(&self, payment: PaymentId) -> Option<Money> {
        let mut amounts =
            self.entries.values().filter(|entry| entry.payment == payment).filter_map(|entry| entry.taken);
        let first = amounts.next()?;
        Some(amounts.fold(first, |sum, amount| sum.checked_add(amount).unwrap_or(sum)))
    }
}
