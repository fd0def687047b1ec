//! When a declined attempt is followed by another.

use std::time::Duration;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::codec::{Damage, Encode, Reader, Writer};

/// The delays of scheduled attempts. The first one counts from the first attempt, each other one from the scheduled
/// attempt before. A scheduled attempt is made if the attempt before it was declined for a reason that may pass.
///
/// Attempts that a caller makes in between (manual attempts) neither use nor move an entry of the schedule. If one is
/// declined, the next scheduled attempt is made at its time; at once if that time has passed.
///
/// A hard decline (of any class but [`Soft`](super::FailureClass::Soft)) excludes its instrument from scheduled attempts. They go on with another instrument that was named or
/// tried. If there is none, the payment waits for one until the end of the schedule.
///
/// ```
/// use std::time::Duration;
/// use counterfoil::payment::RetrySchedule;
///
/// let day = Duration::from_secs(86_400);
/// let schedule = RetrySchedule::new([day, day * 3, day * 7])?;
/// assert_eq!(schedule.len(), 3);
/// assert!(RetrySchedule::new([day * 3, day]).is_err(), "it never gets hastier");
/// # Ok::<(), counterfoil::payment::InvalidSchedule>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetrySchedule(Vec<Duration>);

/// Why delays make no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSchedule {
    /// A delay of nothing.
    #[error("a delay must be longer than nothing")]
    Zero,
    /// A delay that is shorter than the one before it.
    #[error("a delay must not be shorter than the one before it")]
    Falls,
    /// Too many of them, or too long ones.
    #[error(
        "at most {} delays of at most {} days together",
        RetrySchedule::MAX_LENGTH,
        RetrySchedule::MAX_DAYS
    )]
    TooLong,
}

impl RetrySchedule {
    /// The largest number of delays in one schedule.
    pub const MAX_LENGTH: usize = 50;
    /// The most days that they may be together.
    pub const MAX_DAYS: u64 = 366;

    /// A schedule of `delays`. Without a delay, no attempt is repeated.
    ///
    /// # Errors
    ///
    /// [`InvalidSchedule`]: backoff never falls, never overflows, and ends.
    pub fn new(delays: impl IntoIterator<Item = Duration>) -> Result<RetrySchedule, InvalidSchedule> {
        let delays: Vec<Duration> = delays.into_iter().take(RetrySchedule::MAX_LENGTH + 1).collect();
        let sum = delays.iter().try_fold(Duration::ZERO, |sum, delay| sum.checked_add(*delay));
        let longest = Duration::from_secs(RetrySchedule::MAX_DAYS * 86_400);
        if delays.len() > RetrySchedule::MAX_LENGTH || sum.is_none_or(|sum| sum > longest) {
            Err(InvalidSchedule::TooLong)
        } else if delays.iter().any(Duration::is_zero) {
            Err(InvalidSchedule::Zero)
        } else if delays.is_sorted() {
            Ok(RetrySchedule(delays))
        } else {
            Err(InvalidSchedule::Falls)
        }
    }

    /// How many scheduled attempts may follow the first attempt.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no attempt is repeated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What follows an attempt that starts at `at`, after `made` scheduled ones.
    pub(crate) fn after(&self, made: usize, at: Timestamp) -> Option<Retry> {
        let rest = self.0.get(made..)?;
        let delay = rest.first()?;
        let until = rest.iter().fold(at, |sum, delay| sum.saturating_add(*delay));
        Some(Retry { at: at.saturating_add(*delay), until })
    }
}

/// What follows an attempt if it is declined. It is fixed when the attempt is started. A manual attempt has the same as
/// the attempt before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Retry {
    /// When the next scheduled attempt is made, if the reason of the decline may pass.
    #[serde(rename = "retry_at")]
    pub at: Timestamp,
    /// The end of the schedule: until then the payment waits for another instrument after a hard decline.
    #[serde(rename = "retry_until")]
    pub until: Timestamp,
}

impl Encode for Retry {
    fn encode(&self, to: &mut Writer) {
        self.at.encode(to);
        self.until.encode(to);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Retry, Damage> {
        Ok(Retry { at: Timestamp::decode(from)?, until: Timestamp::decode(from)? })
    }
}
