//! The rules that may differ from host to host.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::payment::RetrySchedule;

/// In seconds. A card's outcome is known within minutes; a bank debit's within a week.
const POLLS: [u64; 14] =
    [5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400, 86_400, 86_400, 86_400, 86_400, 86_400];

/// The rules of the moment, carried by every command. What a rule decided stands in the event, so changing
/// a rule changes no history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub struct Policy {
    /// How long the caller that started an attempt may be on its way to the gateway: while it may, a gateway
    /// that knows nothing of the attempt proves nothing. Longer than [`call_deadline`](Self::call_deadline).
    pub lease: Duration,
    /// How long a gateway call may take. The ledger has no timer: it passes the deadline to the gateway, does not
    /// call after it, and trusts the gateway to return by it.
    pub call_deadline: Duration,
    /// When an attempt that was refused is followed by another. Default: never.
    pub retries: RetrySchedule,
    /// How long after a status query without a result the next one is made. After the last one an operator has to decide.
    /// Default: growing from five seconds to a day, eight days in all.
    pub polls: Vec<Duration>,
    /// Whether a charge may come to more than is due. Default: no. Money that was recorded or reported always counts.
    pub overpayment: Overpayment,
    /// Whether an invoice may be charged while the outcome of another charge for it is unknown. Default: no.
    pub beside_doubt: bool,
    /// Whether only what is registered, or what the host knows, can be paid. Default: anything can.
    pub strict_destinations: bool,
    /// Whether what a lost chargeback took of a destination's payments is owed again, so that it may be charged once
    /// more. Default: no, it still counts as paid.
    pub owe_charged_back: bool,
    /// Whether a `FAILED` payment can be processed again with another instrument. Default: no. The instrument must not be
    /// that of the last attempt, nor one whose payment was returned, and the payment must not be archived.
    pub process_failed: bool,
}

/// What becomes of a charge that would come to more than is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overpayment {
    /// The charge is rejected, and the rejection says what remains.
    #[default]
    Refuse,
    /// It is made; the payment is `OVERPAID` then.
    Accept,
}

impl Policy {
    /// With this schedule of retries.
    #[must_use]
    pub fn with_retries(mut self, retries: RetrySchedule) -> Policy {
        self.retries = retries;
        self
    }

    /// Asking again after these delays.
    #[must_use]
    pub fn with_polls(mut self, polls: impl IntoIterator<Item = Duration>) -> Policy {
        self.polls = polls.into_iter().collect();
        self
    }

    /// With this rule about charges that come to more than is due.
    #[must_use]
    pub const fn with_overpayment(mut self, overpayment: Overpayment) -> Policy {
        self.overpayment = overpayment;
        self
    }

    /// Charging an invoice whatever became of another charge for it.
    #[must_use]
    pub const fn charging_beside_doubt(mut self) -> Policy {
        self.beside_doubt = true;
        self
    }

    /// Refusing destinations that are not registered, where no host is asked.
    #[must_use]
    pub const fn with_strict_destinations(mut self) -> Policy {
        self.strict_destinations = true;
        self
    }

    /// With what lost chargebacks took owed again.
    #[must_use]
    pub const fn owing_charged_back(mut self) -> Policy {
        self.owe_charged_back = true;
        self
    }

    /// Letting a `FAILED` payment be processed again with another instrument.
    #[must_use]
    pub const fn processing_failed(mut self) -> Policy {
        self.process_failed = true;
        self
    }

    /// When a gateway is asked again that was asked at `now`, for the `polls`th time, and had no news.
    pub(crate) fn next_poll(&self, polls: u32, now: Timestamp) -> Option<Timestamp> {
        let place = usize::try_from(polls).ok()?.checked_sub(1)?;
        self.polls.get(place).map(|delay| now.saturating_add(*delay))
    }

    /// Sets how long a caller may take to send an attempt to its gateway.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Policy {
        self.lease = lease;
        self
    }

    /// With this deadline of gateway calls.
    #[must_use]
    pub const fn with_call_deadline(mut self, call_deadline: Duration) -> Policy {
        self.call_deadline = call_deadline;
        self
    }
}

impl Default for Policy {
    /// A call may take 30 seconds; its caller may be on its way for 60.
    fn default() -> Policy {
        Policy {
            lease: Duration::from_secs(60),
            call_deadline: Duration::from_secs(30),
            retries: RetrySchedule::default(),
            polls: POLLS.map(Duration::from_secs).into(),
            overpayment: Overpayment::Refuse,
            beside_doubt: false,
            strict_destinations: false,
            owe_charged_back: false,
            process_failed: false,
        }
    }
}
