//! What a script is made of.

use counterfoil::account::Owed;
use counterfoil::command::{Policy, RecordGatewayEntry};
use counterfoil::destinations::Known;
use counterfoil::ledger::{
    NewAttempt, NewCapture, NewPayment, NewRecordedRefund, NewRefund, NewResolution, NewTopUp, NewVoid,
    Notification, Processing, Update,
};
use counterfoil::payment::{Destination, Evidence, Work};
use counterfoil::scope::Caller;
use counterfoil::text::{GatewayName, GatewayPaymentId};

/// A place among the operations of a payment that the script asked for so far, whether they came to be or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Counted from the first.
    First(usize),
    /// Counted from the last.
    Last(usize),
    /// Among those that go on, if there are any; else counted from the last.
    Live(usize),
}

/// One thing that is done.
///
/// A payment is meant by its place among those that the script asked for so far, counted from the last; where that is
/// 0 or 1, among those about which what is asked can be done, if there are any. Places wrap around. A `caller` of `None` is the one who asked for the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Asks for a payment.
    Create {
        /// Who asks.
        caller: Caller,
        /// For what.
        new: NewPayment,
        /// What the host knows of what is paid.
        known: Known,
        /// In how many seconds it is over, if ever.
        expires_in: Option<i64>,
        /// Whether there is a gateway at all.
        gateway: bool,
    },
    /// Asks for the next attempt.
    Process {
        /// Who asks.
        caller: Option<Caller>,
        /// For which payment.
        payment: usize,
        /// How.
        how: Processing,
        /// As which attempt, if only that one is wanted: it is due.
        number: Option<u32>,
        /// What the host knows of what is paid.
        known: Known,
        /// Whether there is a gateway at all.
        gateway: bool,
    },
    /// Writes down an attempt that was made elsewhere.
    RecordAttempt {
        /// Who asks.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// What became of it.
        new: NewAttempt,
    },
    /// A gateway says something.
    Report {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// About which of its operations.
        operation: Place,
        /// What.
        evidence: Evidence,
    },
    /// A gateway says something about a payment that was made there.
    Discover {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// Who says so.
        gateway: GatewayName,
        /// Of which of its payments.
        name: GatewayPaymentId,
        /// What.
        evidence: Evidence,
    },
    /// Changes names and notes of a payment, or its status.
    Update {
        /// Who asks.
        caller: Option<Caller>,
        /// Which payment.
        payment: usize,
        /// To what.
        update: Update,
    },
    /// Hides a payment.
    Archive {
        /// Who asks.
        caller: Option<Caller>,
        /// Which payment.
        payment: usize,
    },
    /// Puts credits into a wallet.
    TopUp {
        /// Who asks.
        caller: Caller,
        /// For what.
        new: NewTopUp,
    },
    /// Records a fee or a payout of a gateway.
    RecordGatewayEntry {
        /// In whose scope.
        caller: Caller,
        /// What the gateway reports.
        record: RecordGatewayEntry,
    },
    /// Executes an earlier command once more, to the letter.
    Again {
        /// Which of them.
        command: usize,
    },
    /// Moves the clock, back too.
    Clock {
        /// By how many seconds.
        seconds: i64,
    },
    /// Takes what is held.
    Capture {
        /// Who asks.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// What.
        new: NewCapture,
    },
    /// Gives back what was captured.
    Refund {
        /// Who asks.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// What.
        new: NewRefund,
    },
    /// Records a refund that was made elsewhere.
    RecordRefund {
        /// Who asks.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// What.
        new: NewRecordedRefund,
    },
    /// Cancels, releases, takes back.
    Void {
        /// Who asks.
        caller: Option<Caller>,
        /// Which payment.
        payment: usize,
        /// Why.
        new: NewVoid,
    },
    /// Sends a queued operation, or cancels it.
    Queued {
        /// The caller, if another one than that of the payment.
        caller: Option<Caller>,
        /// The payment of the operation.
        payment: usize,
        /// The operation, if none is queued.
        operation: Place,
        /// Whether the operation is canceled instead of sent.
        cancels: bool,
    },
    /// A gateway tells something of its own accord.
    Notify {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// Whether it calls the payment by our name.
        by_id: bool,
        /// About which of its operations, if it calls one by our name.
        operation: Option<Place>,
        /// Of which of its attempts, counted from the first, if it calls one by our name.
        parent: Option<usize>,
        /// The rest of what it says.
        said: Notification,
    },
    /// A person settles what is unknown or marked.
    Resolve {
        /// Who.
        caller: Option<Caller>,
        /// Of which payment.
        payment: usize,
        /// Which of its operations, if one is named.
        operation: Option<Place>,
        /// Which other one, counted from the first, where the resolution names one: an attempt, or an operation that was
        /// requested.
        other: usize,
        /// How.
        new: NewResolution,
    },
    /// Registers what is owed.
    Register {
        /// Who does.
        caller: Caller,
        /// For what.
        destination: Destination,
        /// How much.
        owed: Owed,
    },
    /// What is due next about a payment is done, as if every gateway were asked in vain.
    Due {
        /// About which payment.
        payment: usize,
        /// Whether the clock is moved on to then, if it is not yet.
        waits: bool,
    },
    /// A gateway was asked in vain.
    Poll {
        /// In whose scope.
        caller: Option<Caller>,
        /// About which payment.
        payment: usize,
        /// About which of its operations; else about itself.
        operation: Option<Place>,
        /// How often that had been so already.
        polls: u32,
        /// Whether it is sent again.
        resend: bool,
    },
    /// Time is over.
    Lapse {
        /// In whose scope.
        caller: Option<Caller>,
        /// For which payment.
        payment: usize,
        /// For what.
        work: Work,
    },
    /// From now on these are the rules.
    Rules {
        /// Which.
        policy: Policy,
    },
}
