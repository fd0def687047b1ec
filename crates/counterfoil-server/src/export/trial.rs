//! The trial balance: whether all that was moved came from somewhere.

use std::collections::BTreeMap;

use counterfoil::event::Event;
use counterfoil::money::Currency;

use super::amount;
use crate::error::Error;

/// The sum of all postings per currency, which is zero, and the first event of which it is not.
#[derive(Debug, Default)]
pub(super) struct Trial {
    sums: BTreeMap<Currency, i128>,
    unbalanced: Option<String>,
}

impl Trial {
    /// Counts the postings of `event`.
    pub(super) fn add(&mut self, event: &Event) {
        let mut own: BTreeMap<Currency, i128> = BTreeMap::new();
        for posting in event.postings() {
            *own.entry(posting.currency).or_default() += i128::from(posting.minor);
        }
        for (currency, sum) in own {
            *self.sums.entry(currency).or_default() += sum;
            if sum != 0 && self.unbalanced.is_none() {
                let (scope, stream, sequence) = (event.scope(), event.stream(), event.sequence());
                let sum = amount::short(sum, currency);
                self.unbalanced = Some(format!("{scope}: {stream}, event {sequence}: {sum} {currency}"));
            }
        }
    }

    /// The sums, sorted by currency.
    pub(super) fn sums(&self) -> impl Iterator<Item = (Currency, i128)> {
        self.sums.iter().map(|(currency, sum)| (*currency, *sum))
    }

    /// What is wrong, if it is.
    pub(super) fn fault(&self) -> Option<Error> {
        self.unbalanced.as_ref().map(|first| {
            Error::new(format_args!("the books do not balance, first where the postings sum up to: {first}"))
        })
    }
}
