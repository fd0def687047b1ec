//! Time and ids that a test decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use counterfoil::clock::{Clock, Timestamp};
use counterfoil::id::IdSource;
use uuid::Uuid;

/// 2026-01-01T00:00:00Z, where test time begins.
const START: i64 = 1_767_225_600_000_000;

/// A clock that stands still until it is moved.
///
/// ```
/// use std::time::Duration;
/// use counterfoil::clock::Clock;
/// use counterfoil_testkit::ManualClock;
///
/// let clock = ManualClock::default();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), before.saturating_add(Duration::from_secs(60)));
/// clock.set(before);
/// assert_eq!(clock.now(), before, "it may step back");
/// ```
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> ManualClock {
        ManualClock(Mutex::new(now))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let mut now = lock(&self.0);
        *now = now.saturating_add(by);
    }

    /// Sets it, back too.
    pub fn set(&self, now: Timestamp) {
        *lock(&self.0) = now;
    }
}

impl Default for ManualClock {
    /// Shows the start of 2026.
    fn default() -> ManualClock {
        ManualClock::new(Timestamp::from_unix_micros(START).unwrap_or(Timestamp::EPOCH))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// How many ids of one seed have the same time: those that the ten bits beside the seed tell apart.
const IDS_PER_MILLI: u64 = 1 << 10;

/// Ids that are the same in every run: `UUIDv7`s of the given times, made unique by the seed and a counter.
///
/// ```
/// use counterfoil::{clock::Timestamp, id::IdSource};
/// use counterfoil_testkit::SeededIds;
///
/// let ids = || SeededIds::new(7);
/// assert_eq!(ids().next(Timestamp::EPOCH), ids().next(Timestamp::EPOCH));
/// assert_ne!(ids().next(Timestamp::EPOCH), SeededIds::new(u64::MAX).next(Timestamp::EPOCH));
/// ```
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    count: u64,
    latest_millis: u64,
}

impl SeededIds {
    /// A source of its own for every seed: no other gives any of its ids.
    #[must_use]
    pub const fn new(seed: u64) -> SeededIds {
        SeededIds { seed, given: Mutex::new(Given { count: 0, latest_millis: 0 }) }
    }
}

impl IdSource for SeededIds {
    fn next(&self, at: Timestamp) -> Uuid {
        let mut given = lock(&self.given);
        given.count += 1;
        // Ids rise even when the clock steps back.
        given.latest_millis = given.latest_millis.max(at.unix_micros().unsigned_abs() / 1_000);
        let place = given.count % IDS_PER_MILLI;
        if place == 0 {
            // The small counter begins again, so the time goes on, ahead of the clock if need be.
            given.latest_millis += 1;
        }
        // The version takes the upper four bits of the first two bytes, the variant the upper two of the others.
        let low = u16::try_from(self.seed & 0xfff).unwrap_or_default();
        let mut random = [0; 10];
        random[..2].copy_from_slice(&low.to_be_bytes());
        random[2..].copy_from_slice(&((self.seed >> 12) << 10 | place).to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(given.latest_millis, &random).into_uuid()
    }
}

/// A panicking test leaves nothing half done in these.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Also where so many are given at one time that the counter begins again, and where seeds differ in one bit.
    #[test]
    fn ids_are_given_once_and_rise() {
        let mut all = BTreeSet::new();
        let seeds = (0..64).map(|bit| 1 << bit).chain([0, u64::MAX]);
        for seed in seeds {
            let ids = SeededIds::new(seed);
            let given: Vec<Uuid> = (0..2_500).map(|_| ids.next(Timestamp::EPOCH)).collect();
            assert!(given.is_sorted_by(|one, next| one < next), "seed {seed}");
            assert!(
                given
                    .iter()
                    .all(|id| id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122)
            );
            all.extend(given);
        }
        assert_eq!(all.len(), 66 * 2_500);
    }
}
