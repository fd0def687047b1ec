//! The rules that may differ from host to host.

use std::time::Duration;

/// The rules of the moment, carried by every command. What a rule decided stands in the event, so changing
/// a rule changes no history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long the caller that started an attempt may be on its way to the gateway: while it may, a gateway
    /// that knows nothing of the attempt proves nothing. Longer than [`call_deadline`](Self::call_deadline).
    pub lease: Duration,
    /// How long a gateway call may take. The ledger has no timer: it tells the gateway the deadline, does not
    /// call after it, and trusts the gateway to come back by it.
    pub call_deadline: Duration,
}

impl Policy {
    /// With this lease.
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
        Policy { lease: Duration::from_secs(60), call_deadline: Duration::from_secs(30) }
    }
}
