//! More is asked for at once than there is, and one key is used by many at once (INVARIANTS 4, 20, 21 and 31).
//!
//! A race is on a store of its own, whose books are verified in the end. Callers stand at a barrier in threads of
//! their own; with more callers than threads, each thread holds many at once.

mod example;
mod keys;
mod meet;
mod money;

use crate::campaign::{Campaign, Counts, Repeats};
use crate::dice::Dice;
use crate::run::Order;
use meet::{Books, Place};

/// One of so many races is for one key, and by a crowd.
const CROWDED: u64 = 1_000;
/// How many callers are a crowd.
const CROWD: usize = 1_000;

pub(crate) const CAMPAIGN: Campaign = Campaign {
    name: "races",
    about: "more refunds, captures, voids and debits at once than there is money; one key by 1,000 callers",
    full: 1_000_000,
    sitting: Order::first(100_000),
    slice: 10_000,
    parallel: true,
    repeats: Repeats::Choices,
    finds: None,
    case,
};

fn case(seed: u64) -> Result<Counts, String> {
    let mut dice = Dice::new(seed);
    let place = dice.of(&[Place::Memory, Place::Sqlite, Place::CompareAndSet]);
    race(seed, place, &mut dice)
}

/// The race of this number, at a place.
fn race(seed: u64, place: Place, dice: &mut Dice) -> Result<Counts, String> {
    let books = Books::open(place)?;
    let raced = if seed.is_multiple_of(CROWDED) {
        keys::race(&books, CROWD, dice)
    } else if dice.one_in(4) {
        let callers = 2 + dice.below(23);
        keys::race(&books, callers, dice)
    } else {
        money::race(&books, seed, dice)
    };
    let counts = raced.and_then(|counts| books.end().map(|()| counts));
    counts.map_err(|what| format!("{place:?}: {what}"))
}

#[cfg(test)]
mod tests {
    use counterfoil_testkit::planted::Bug;

    use super::*;

    /// What the first races find in such a store.
    fn losses(bug: Bug) -> Vec<String> {
        let lost = |seed| race(seed, Place::Planted(bug), &mut Dice::new(seed)).err();
        (1..400).filter_map(lost).collect()
    }

    #[test]
    fn a_store_that_is_not_broken_loses_none() {
        assert_eq!(losses(Bug::None), Vec::<String>::new());
    }

    #[test]
    fn rows_that_are_written_blindly_are_found() {
        assert!(!losses(Bug::LostUpdate).is_empty());
    }

    #[test]
    fn claims_that_are_taken_blindly_are_found() {
        assert!(!losses(Bug::ClaimOutsideTransaction).is_empty());
    }

    #[test]
    fn destinations_that_are_written_blindly_are_found() {
        assert!(!losses(Bug::DestinationGuardMissing).is_empty());
    }
}
