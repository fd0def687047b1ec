//! The signature of a notification: that it comes from whoever holds the secret, and was signed just now.

use std::fmt::Write;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use counterfoil::clock::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

const HEADER: HeaderName = HeaderName::from_static("counterfoil-signature");

/// How far the time of signing may be from now, before and after: what is older may be somebody else's copy.
const TOLERANCE: Duration = Duration::from_secs(300);

/// The most signatures of a header that are looked at.
const MOST: usize = 8;

/// The `Counterfoil-Signature` of a notification with this `body`, signed with `secret` at `now`: for whoever passes on
/// what a gateway tells, and for tests.
///
/// ```
/// use counterfoil::clock::{Clock, SystemClock};
///
/// let header = counterfoil_http::sign("whsec", SystemClock.now(), br#"{"type": "refund.succeeded"}"#);
/// assert!(header.starts_with("t=") && header.contains(",v1="));
/// ```
#[must_use]
pub fn sign(secret: impl AsRef<[u8]>, now: Timestamp, body: &[u8]) -> String {
    let signed_at = (now.unix_micros() / 1_000_000).to_string();
    format!("t={signed_at},v1={}", tag(secret.as_ref(), &signed_at, body))
}

/// Whether a request has the header at all.
pub(super) fn is_given(headers: &HeaderMap) -> bool {
    headers.contains_key(HEADER)
}

/// What the header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// The seconds, as they were written: that is what was signed.
    signed_at: String,
    tags: Vec<String>,
}

impl Signature {
    /// The signature of a request that has one. What else the header says is for others.
    pub(super) fn of(headers: &HeaderMap) -> Option<Signature> {
        #[cfg(test)]
        crate::asked::note("Counterfoil-Signature");
        let mut given = headers.get_all(HEADER).iter();
        match (given.next(), given.next()) {
            (Some(only), None) => Signature::parse(only.to_str().ok()?),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Signature> {
        let pairs = || text.split(',').filter_map(|pair| pair.trim().split_once('='));
        let mut times = pairs().filter(|(name, _)| *name == "t").map(|(_, value)| value);
        let signed_at = times.next().filter(|time| time.bytes().all(|byte| byte.is_ascii_digit()))?;
        let tags = pairs().filter(|(name, _)| *name == "v1").map(|(_, value)| value.to_ascii_lowercase());
        let tags: Vec<String> = tags.take(MOST).collect();
        let one = times.next().is_none() && !tags.is_empty();
        one.then(|| Signature { signed_at: signed_at.to_owned(), tags })
    }

    /// When it was made, to the second.
    fn moment(&self) -> Option<Timestamp> {
        let seconds: i64 = self.signed_at.parse().ok()?;
        Timestamp::from_unix_micros(seconds.checked_mul(1_000_000)?)
    }
}

/// Whether one of the signatures was made with one of `secrets`, over `body`, within the tolerance of `now`.
pub(super) fn is_good(signature: &Signature, secrets: &[Box<[u8]>], body: &[u8], now: Timestamp) -> bool {
    let mut good = Choice::from(0);
    // Each with each, and to the end: the time tells neither which one was met nor how nearly.
    for secret in secrets {
        let expected = tag(secret, &signature.signed_at, body);
        for tag in &signature.tags {
            good |= expected.as_bytes().ct_eq(tag.as_bytes());
        }
    }
    let moment = signature.moment();
    let fresh = moment.is_some_and(|moment| {
        moment <= now.saturating_add(TOLERANCE) && now <= moment.saturating_add(TOLERANCE)
    });
    bool::from(good) && fresh
}

/// HMAC-SHA256 of `signed_at.body`, in hexadecimal digits.
fn tag(secret: &[u8], signed_at: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec`.
    const KNOWN: &str = "8ad37ba156048ae0e0a5533c75cdf26fee88b07f93cb57ee4c80adb053012032";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
    }

    fn good(header: &str, secrets: &[&str], body: &str, now: Timestamp) -> bool {
        let secrets: Vec<Box<[u8]>> = secrets.iter().map(|secret| secret.as_bytes().into()).collect();
        let signature = Signature::parse(header);
        signature.is_some_and(|signature| is_good(&signature, &secrets, body.as_bytes(), now))
    }

    #[test]
    fn a_signature_is_that_of_other_programs() {
        assert_eq!(tag(b"whsec", "1700000000", br#"{"a":1}"#), KNOWN);
    }

    #[test]
    fn secret_body_and_time_must_all_be_right() {
        let header = format!("t=1700000000,v1={KNOWN}");
        let (now, body) = (at(1_700_000_000), r#"{"a":1}"#);
        assert!(good(&header, &["whsec"], body, now));
        assert!(!good(&header, &["whsec2"], body, now));
        assert!(!good(&header, &["whsec"], r#"{"a":2}"#, now));
        assert!(!good(&header.replace("00,", "01,"), &["whsec"], body, now), "the time is signed too");
        assert!(!good(&format!("{header}0"), &["whsec"], body, now));
        assert!(!good(&header[..header.len() - 1], &["whsec"], body, now));
    }

    #[test]
    fn while_secrets_change_one_of_several_is_enough() {
        let (now, body) = (at(1_700_000_000), r#"{"a":1}"#);
        assert!(good(&format!("t=1700000000,v1={KNOWN}"), &["new", "whsec"], body, now));
        assert!(good(&format!("t=1700000000, v1=00, v0=x, v1={KNOWN}"), &["whsec"], body, now));
        assert!(good(&format!("t=1700000000,v1={}", KNOWN.to_uppercase()), &["whsec"], body, now));
        let many = "v1=00,".repeat(MOST);
        assert!(!good(&format!("t=1700000000,{many}v1={KNOWN}"), &["whsec"], body, now));
    }

    #[test]
    fn it_is_good_for_five_minutes_each_way() {
        let header = format!("t=1700000000,v1={KNOWN}");
        for (seconds, is) in [(-301, false), (-300, true), (300, true), (301, false)] {
            assert_eq!(good(&header, &["whsec"], r#"{"a":1}"#, at(1_700_000_000 + seconds)), is, "{seconds}");
        }
    }

    #[test]
    fn other_headers_are_none() {
        for header in ["", "t=1", "v1=00", "t=,v2=00", "t=-1,v1=00", "t=1,t=1,v1=00", "t=1 v1=00", "t=x,v1=0"]
        {
            assert_eq!(Signature::parse(header), None, "{header:?}");
        }
        // Later than any time there is.
        assert!(!good("t=99999999999999999999,v1=00", &["whsec"], "", Timestamp::MAX));
    }
}
