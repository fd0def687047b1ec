//! The edge to whoever moves the money.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::id::PaymentId;
use crate::money::Money;
use crate::payment::{CaptureMethod, Checkout, Destination, Evidence, OperationId, PaymentMethodType};
use crate::scope::Scope;
use crate::text::{
    GatewayName, GatewayOperationId, GatewayPaymentId, GatewayTrackingId, Message, Metadata, PaymentMethodId,
};

/// A payment gateway, as the [`Ledger`](crate::ledger::Ledger) calls it: between two commands, never within
/// one, and at most once per operation.
///
/// What it answers is evidence. It never fails: a call that went wrong is an
/// [`Outcome`](crate::payment::Outcome) too, and the difference that matters is whether anything may have
/// reached the gateway.
#[async_trait]
pub trait Gateway: Debug + Send + Sync + 'static {
    /// Its name in the books. Never changes: histories and account names hold it.
    fn name(&self) -> &GatewayName;

    /// How long after the lease of an operation "I know nothing of it" becomes final.
    fn finality(&self) -> Finality;

    /// Whether [`void`](Self::void) can reverse a capture, as if the money had never been taken. Where it cannot, a void
    /// of captured money is refused, and its caller is pointed to refunds. The safe answer is no, which is the default.
    fn can_reverse_captures(&self) -> bool {
        false
    }

    /// Asks for money. Must come back by `charge.deadline`.
    ///
    /// `charge.token` must go to the gateway as its idempotency key. `charge.payment` and `charge.operation` are
    /// worth sending along as the gateway's own notes: [`report`](crate::ledger::Ledger::report) asks for both when
    /// the gateway calls back. Say
    /// [`NotSent`](crate::payment::Outcome::NotSent) only when nothing was written to the gateway, not even
    /// in part; when in doubt, [`Unknown`](crate::payment::Outcome::Unknown).
    async fn charge(&self, charge: &Charge) -> Evidence;

    /// Asks for money that is held, all of it or a part. As [`charge`](Self::charge) in all that matters; so are the
    /// following.
    async fn capture(&self, capture: &Modification) -> Evidence;

    /// Gives captured money back.
    async fn refund(&self, refund: &Modification) -> Evidence;

    /// Releases what is held, takes a charge back as if it had never been, or reverses a capture: which of them,
    /// [`holds`](Modification::holds) and [`reverses`](Modification::reverses) say.
    async fn void(&self, void: &Modification) -> Evidence;

    /// Asks what became of an operation; moves no money. `None`: the gateway answered, and knows nothing of
    /// it.
    async fn inquire(&self, inquiry: &Inquiry) -> Option<Evidence>;

    /// Asks what became of a payment that was made at the gateway itself, past this ledger; moves no money.
    /// `None`: no news, or it knows nothing of it. Evidence of success or of a final no becomes an attempt of the
    /// payment, found again by its gateway operation id; anything else is no news.
    async fn look_up(&self, payment: &LookUp) -> Option<Evidence>;
}

/// When a gateway that knows nothing of an operation will never know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finality {
    /// It may turn up at any time. The safe answer.
    #[default]
    Never,
    /// Not any more after this long.
    After(Duration),
}

/// The gateways that [can reverse a capture](Gateway::can_reverse_captures).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaptureReversals(Arc<[GatewayName]>);

impl CaptureReversals {
    /// Whether `gateway` can.
    #[must_use]
    pub fn contains(&self, gateway: &GatewayName) -> bool {
        self.0.contains(gateway)
    }
}

impl FromIterator<GatewayName> for CaptureReversals {
    fn from_iter<I: IntoIterator<Item = GatewayName>>(gateways: I) -> CaptureReversals {
        CaptureReversals(gateways.into_iter().collect())
    }
}

/// A charge, as a gateway needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charge {
    /// Whose.
    pub scope: Scope,
    /// Of which payment.
    pub payment: PaymentId,
    /// Which attempt.
    pub operation: OperationId,
    /// The gateway's idempotency key: a function of the operation alone.
    pub token: String,
    /// How much.
    pub amount: Money,
    /// Whether to take it at once, or to hold it for captures.
    pub capture_method: CaptureMethod,
    /// When the payment is over: a hold is of no use beyond it.
    pub expires_at: Option<Timestamp>,
    /// By what kind of method.
    pub method: PaymentMethodType,
    /// With which instrument; `None` is the payer's default one.
    pub instrument: Option<PaymentMethodId>,
    /// What it pays.
    pub destination: Destination,
    /// What else the payer's way is to be.
    pub checkout: Checkout,
    /// The host's notes.
    pub metadata: Metadata,
    /// The time by which the call must be over.
    pub deadline: Timestamp,
}

/// Something that is done about money that was charged or held, as a gateway needs to know it: a capture, a
/// refund, a void.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Modification {
    /// Whose.
    pub scope: Scope,
    /// Of which payment.
    pub payment: PaymentId,
    /// Which operation this is.
    pub operation: OperationId,
    /// The gateway's idempotency key: a function of the operation alone.
    pub token: String,
    /// How much.
    pub amount: Money,
    /// The attempt that charged or held the money.
    pub attempt: OperationId,
    /// What the gateway calls that attempt, where it said so.
    pub gateway_attempt_id: Option<GatewayOperationId>,
    /// What the gateway calls the payment, where it was made there.
    pub gateway_payment_id: Option<GatewayPaymentId>,
    /// Of a capture: whether the rest of the hold is released with it.
    pub is_final: bool,
    /// Of a void: whether it releases what is held; else it takes a charge back, or reverses a capture.
    pub holds: bool,
    /// Of a void that reverses a capture: that capture. All of it is reversed, which is the amount.
    pub reverses: Option<OperationId>,
    /// What the gateway calls that capture, where it said so.
    pub gateway_capture_id: Option<GatewayOperationId>,
    /// Why, in the host's words.
    pub reason: Option<Message>,
    /// The time by which the call must be over.
    pub deadline: Timestamp,
}

/// A question about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inquiry {
    /// Whose.
    pub scope: Scope,
    /// Of which payment.
    pub payment: PaymentId,
    /// Which one.
    pub operation: OperationId,
    /// The token it was sent with.
    pub token: String,
}

/// A question about a payment that was made at the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookUp {
    /// Whose.
    pub scope: Scope,
    /// Which payment it is here.
    pub payment: PaymentId,
    /// What the gateway calls it.
    pub gateway_payment_id: GatewayPaymentId,
    /// What else it is tracked under there.
    pub gateway_tracking_id: Option<GatewayTrackingId>,
}
