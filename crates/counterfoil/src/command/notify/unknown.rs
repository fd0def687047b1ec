//! Why a notification matches nothing.

/// Why a notification matches no payment or no operation. Nothing was written, and the gateway may send it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownReference {
    /// It has no name by which a payment could be found. Our own id of an operation is found within its payment only.
    #[error("the notification names no payment: it needs a payment_id, or a name that the gateway gave")]
    Unnamed,
    /// A name in it is of nothing that is known here, or of nothing of this payment at this gateway.
    #[error("{field} names nothing that is known here; repeat the notification once it may be known")]
    Unknown {
        /// Which name, as the notification calls it.
        field: &'static str,
    },
    /// Its names belong to different payments or attempts.
    #[error("the names in the notification belong to different payments or attempts")]
    Conflicting,
    /// The payment was never at the gateway that sent the notification.
    #[error("the payment was never at this gateway")]
    OtherGateway,
    /// Several operations can be meant.
    #[error(
        "several can be meant: name the operation, or the attempt that it is of; repeating the same does not help"
    )]
    Several,
    /// An operation that was requested here may be meant. It has no name yet, and has not come to an end.
    #[error("one that was requested here may be meant, and goes on: repeat the notification later")]
    MayBeOurs,
    /// The payment has nothing at this gateway that it can be about.
    #[error("the payment has nothing at this gateway that it can be about; repeat the notification later")]
    NothingThere,
}

impl UnknownReference {
    /// A word for it, for programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            UnknownReference::Unnamed => "unnamed",
            UnknownReference::Unknown { .. } => "unknown_name",
            UnknownReference::Conflicting => "conflicting_names",
            UnknownReference::OtherGateway => "other_gateway",
            UnknownReference::Several => "several_meant",
            UnknownReference::MayBeOurs => "may_be_ours",
            UnknownReference::NothingThere => "nothing_there",
        }
    }
}
