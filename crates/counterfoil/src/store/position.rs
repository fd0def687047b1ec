//! Positions in the feed. A position names a ledger, its era and an event.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::error::{StoreError, StoreErrorKind};
use crate::clock::{Clock, SystemClock};
use crate::id::{Base32, IdSource, RandomIds, parse_base32};

/// The letters of base 32 that the parts of a position take, for 50, 32 and 64 bits.
const LEDGER_LETTERS: usize = 10;
const ERA_LETTERS: usize = 7;
const NUMBER_LETTERS: usize = 13;
const LEDGER_BITS: u32 = 50;
/// The text of [`Position::START`].
const START: &str = "0";

/// The id of a ledger: 50 random bits that are chosen when its store is made and never change. A copy of the store has
/// the same id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerId(u64);

impl LedgerId {
    /// The id that consists of the lowest 50 bits of `bits`.
    #[must_use]
    pub const fn new(bits: u64) -> LedgerId {
        LedgerId(bits & ((1 << LEDGER_BITS) - 1))
    }

    /// The id of a new ledger.
    #[must_use]
    pub fn random() -> LedgerId {
        let (_, random) = RandomIds::default().next(SystemClock.now()).as_u64_pair();
        LedgerId::new(random)
    }

    /// The bits of the id, for stores to save.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// An era of a ledger. A ledger is in its first era until it is restored from a backup. A restore loses the events that
/// were committed after the backup, and later events take their numbers. So a restore begins a new era.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Era {
    ledger: LedgerId,
    number: u32,
}

impl Era {
    /// The era of `ledger` with this number.
    #[must_use]
    pub const fn new(ledger: LedgerId, number: u32) -> Era {
        Era { ledger, number }
    }

    /// The first era of `ledger`. Its number is 1.
    #[must_use]
    pub const fn first(ledger: LedgerId) -> Era {
        Era::new(ledger, 1)
    }

    /// The era that follows this one.
    #[must_use]
    pub const fn next(self) -> Era {
        Era::new(self.ledger, self.number.saturating_add(1))
    }

    /// The id of the ledger.
    #[must_use]
    pub const fn ledger(self) -> LedgerId {
        self.ledger
    }

    /// The number of the era. Later eras have greater numbers.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// The position after the event with this number in the feed. Number 0 is [`Position::START`].
    #[must_use]
    pub const fn position(self, number: u64) -> Position {
        if number == 0 { Position::START } else { Position(Some((self, number))) }
    }
}

/// A position in the feed of a ledger: the start, or after an event. A position names the ledger and its [era](Era), so a
/// follower notices that the store was restored or is another one.
///
/// Followers treat a position as opaque. Its text has at most 32 bytes out of `0-9`, `a-z` and `-`, so it fits into a URL
/// and an HTTP header. Within one era, later positions are greater, and their texts sort in the same order. The numbers
/// count the events of all scopes, so two positions reveal about how many events were committed between them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(Option<(Era, u64)>);

impl Position {
    /// The position before the first event of any ledger.
    pub const START: Position = Position(None);

    /// The era in which the feed gave this position. None for the start, which is in every era.
    #[must_use]
    pub fn era(self) -> Option<Era> {
        self.0.map(|(era, _)| era)
    }

    /// Checks that a feed which ends at `end` can have given this position. Returns the number of the event before it, or 0
    /// at the start. Every store calls this for each position that a follower passes in. `during` names the operation for
    /// the error, such as "reading the feed".
    ///
    /// # Errors
    ///
    /// [`UnknownPosition`](StoreErrorKind::UnknownPosition) if the position is of another ledger, of another era, or beyond
    /// the end. A position of an earlier era is refused even if its event was not lost, because a store does not know which
    /// events an earlier era had.
    pub fn within(self, end: Position, during: &'static str) -> Result<u64, StoreError> {
        let Some((era, number)) = self.0 else { return Ok(0) };
        let problem = match end.0 {
            Some((current, last)) if current == era && number <= last => return Ok(number),
            Some((current, _)) if current.ledger != era.ledger => "is of another ledger",
            Some((current, _)) if current != era => "is of another era",
            _ => "is beyond the end",
        };
        let unknown = Unknown { position: self, problem, end };
        Err(StoreError::new(StoreErrorKind::UnknownPosition, during).caused_by(unknown))
    }
}

/// The reason why a feed cannot have given a position.
#[derive(Debug, thiserror::Error)]
#[error("position {position} {problem}; the feed ends at {end}")]
struct Unknown {
    position: Position,
    problem: &'static str,
    end: Position,
}

/// A text is not a position of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position that a feed has given")]
pub struct InvalidPosition;

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Base32::<LEDGER_LETTERS>(self.0.into()), f)
    }
}

impl fmt::Debug for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerId({self})")
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((Era { ledger, number: era }, number)) = self.0 else { return f.write_str(START) };
        let (era, number) = (Base32::<ERA_LETTERS>(era.into()), Base32::<NUMBER_LETTERS>(number.into()));
        write!(f, "{ledger}-{era}-{number}")
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({self})")
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        if text == START {
            return Ok(Position::START);
        }
        let parse = || {
            let (ledger, rest) = text.split_once('-')?;
            let (era, number) = rest.split_once('-')?;
            let ledger = u64::try_from(parse_base32::<LEDGER_LETTERS>(ledger)?).ok()?;
            let era = u32::try_from(parse_base32::<ERA_LETTERS>(era)?).ok()?;
            let number = u64::try_from(parse_base32::<NUMBER_LETTERS>(number)?).ok()?;
            // The only text of the start is "0".
            (number > 0).then(|| Era::new(LedgerId::new(ledger), era).position(number))
        };
        parse().ok_or(InvalidPosition)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use proptest::prelude::*;

    use super::*;

    fn position() -> impl Strategy<Value = Position> {
        (any::<u64>(), any::<u32>(), any::<u64>())
            .prop_map(|(ledger, era, number)| Era::new(LedgerId::new(ledger), era).position(number))
    }

    proptest! {
        #[test]
        fn position_text_round_trips_and_sorts_like_the_position(a in position(), b in position()) {
            prop_assert_eq!(a.to_string().parse(), Ok(a));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn position_text_has_at_most_32_plain_bytes(position in position()) {
            let text = position.to_string();
            prop_assert!(text.len() <= 32, "{}", text);
            prop_assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-')), "{}", text);
        }

        #[test]
        fn each_position_has_one_text(text in "[0-9a-z-]{0,33}|[0-9a-z]{10}-[0-9a-z]{7}-[0-9a-z]{13}") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }

        /// INVARIANTS 40.
        #[test]
        fn within_accepts_positions_of_one_era_up_to_the_end(
            ledgers in [0_u64..2, 0..2], eras in [1_u32..3, 1..3], numbers in [0_u64..4, 0..4],
        ) {
            let [after, end] = [0, 1].map(|at| Era::new(LedgerId::new(ledgers[at]), eras[at]).position(numbers[at]));
            let known = numbers[0] == 0
                || (ledgers[0] == ledgers[1] && eras[0] == eras[1] && numbers[0] <= numbers[1]);
            match after.within(end, "a test") {
                Ok(number) => prop_assert!(known && number == numbers[0]),
                Err(error) => prop_assert!(!known && error.kind() == StoreErrorKind::UnknownPosition),
            }
        }
    }

    const ERA: Era = Era::first(LedgerId::new(7));

    #[test]
    fn position_has_a_fixed_format_and_malformed_texts_are_refused() {
        assert_eq!(ERA.position(8).to_string(), "0000000007-0000001-0000000000008");
        assert_eq!(Position::START.to_string(), "0");
        let bad = [
            "",
            "00",
            "0000000007-0000001-0000000000000",
            "0000000007-0000001-000000000000I",
            "0000000007-0000001-000000000008",
            "0000000007-zzzzzzz-0000000000008",
            "0000000007-0000001-zzzzzzzzzzzzz",
            "0000000007-0000001-0000000000008-",
            "000000000700000010000000000008",
        ];
        for text in bad {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }

    #[test]
    fn the_error_names_the_position_and_the_remedy() {
        let error = ERA.position(8).within(ERA.next().position(9), "reading the feed").unwrap_err();
        let said = error.to_string();
        assert!(said.ends_with("read the feed again from its start"), "{said}");
        let cause = error.source().unwrap().to_string();
        assert_eq!(
            cause,
            "position 0000000007-0000001-0000000000008 is of another era; \
             the feed ends at 0000000007-0000002-0000000000009"
        );
    }

    #[test]
    fn random_ledger_ids_differ() {
        let ids: std::collections::BTreeSet<_> = (0..1_000).map(|_| LedgerId::random()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| LedgerId::new(id.bits()) == *id));
    }
}
