//! Time, injected: a [`Timestamp`] is data in a command, never read while deciding.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::codec::{Damage, Encode, Reader, Writer};

/// A moment in UTC to the microsecond, which is what every store can keep. Written as RFC 3339 with
/// six digits of a second, so that texts sort like moments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time between the years 1970 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// 9999-12-31T23:59:59.999999Z, the last that RFC 3339 can write.
    pub const MAX: Timestamp = Timestamp(253_402_300_799_999_999);

    /// The moment so many microseconds after the epoch; `None` outside of [`EPOCH`](Self::EPOCH) to
    /// [`MAX`](Self::MAX).
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Option<Timestamp> {
        if micros < 0 || micros > Timestamp::MAX.0 { None } else { Some(Timestamp(micros)) }
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// This moment and `duration` later, at most [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Timestamp {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(micros)).min(Timestamp::MAX)
    }

    /// This moment and `duration` earlier, at least [`EPOCH`](Self::EPOCH).
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Timestamp {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(micros)).max(Timestamp::EPOCH)
    }

    /// One microsecond later: the earliest time of a next event.
    #[must_use]
    pub fn successor(self) -> Timestamp {
        self.saturating_add(Duration::from_micros(1))
    }

    pub(crate) fn unix_parts(self) -> (u64, u32) {
        let seconds = u64::try_from(self.0 / 1_000_000).unwrap_or(0);
        let nanos = u32::try_from(self.0 % 1_000_000 * 1_000).unwrap_or(0);
        (seconds, nanos)
    }

    fn from_offset(at: OffsetDateTime) -> Option<Timestamp> {
        // Truncated, never rounded: a stored time must not be later than the moment itself.
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).ok().and_then(Timestamp::from_unix_micros)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).map_err(|_| fmt::Error)?;
        let (date, time) = (at.date(), at.time());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        let (hour, minute, second, micro) = time.as_hms_micro();
        // All six digits, always: so the texts sort like the moments.
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Timestamp, InvalidTimestamp> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        Timestamp::from_offset(at).ok_or(InvalidTimestamp)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl Encode for Timestamp {
    fn encode(&self, to: &mut Writer) {
        to.signed(self.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Timestamp, Damage> {
        Timestamp::from_unix_micros(from.signed()?).ok_or(Damage::Malformed("time"))
    }
}

/// Where "now" comes from.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present moment. It may step back: event times still rise.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_offset(OffsetDateTime::now_utc()).unwrap_or(Timestamp::EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_rfc_3339_in_utc_to_the_microsecond() {
        let at: Timestamp = "2026-02-03T04:05:06.123456789+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-02-03T03:05:06.123456Z");
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!(Timestamp::EPOCH.to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::MAX.successor(), Timestamp::MAX);
        assert_eq!("1969-12-31T23:59:59Z".parse::<Timestamp>(), Err(InvalidTimestamp));
        assert_eq!("2026-02-30T00:00:00Z".parse::<Timestamp>(), Err(InvalidTimestamp));
    }
}
