//! The rules that may differ from host to host.

use std::time::Duration;

/// The rules of the moment, carried by every command. What a rule decided stands in the event, so changing
/// a rule changes no history.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long the caller that started an attempt may be on its way to the gateway. Longer than the
    /// gateway call's own deadline, [`call_deadline`](Self::call_deadline).
    pub lease: Duration,
    /// How long a gateway call may take.
    pub call_deadline: Duration,
}

impl Default for Policy {
    /// A call may take 30 seconds, and is given up for lost after 60.
    fn default() -> Policy {
        Policy { lease: Duration::from_secs(60), call_deadline: Duration::from_secs(30) }
    }
}
