//! What an instrument makes the gateway do.

use std::time::Duration;

use counterfoil::clock::Timestamp;
use counterfoil::gateway::Charge;
use counterfoil::money::Money;
use counterfoil::payment::{FailureClass, OperationId, Outcome, PaymentMethodType};
use counterfoil::text::{GatewayPaymentId, PaymentMethodId, PaymentUrl};

use crate::course::{Course, DONE, Lifts, insufficient_funds, no, refund_failed};

/// How long the gateway keeps to itself what it said would come later, should nobody take its notifications.
const LATER: Duration = Duration::from_secs(3);

/// What an instrument that begins with `pm_sandbox_` is called without that, if the gateway knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Decline,
    DeclineHard,
    DeclineOnce,
    Pending,
    Action,
    TimeoutPaid,
    TimeoutDeclined,
    TimeoutUnknown,
    Down,
    Overpaid,
    CaptureTimeout,
    CaptureDecline,
    RefundTimeout,
    RefundFails,
    RefundBounces,
    VoidTimeout,
    VoidDecline,
}

impl Behaviour {
    /// `None`: nothing out of the ordinary.
    pub(crate) fn of(charge: &Charge) -> Option<Behaviour> {
        Some(match charge.instrument.as_ref().map_or("", PaymentMethodId::as_str) {
            "pm_sandbox_decline" => Behaviour::Decline,
            "pm_sandbox_decline_hard" => Behaviour::DeclineHard,
            "pm_sandbox_decline_once" => Behaviour::DeclineOnce,
            "pm_sandbox_pending" => Behaviour::Pending,
            "pm_sandbox_action" => Behaviour::Action,
            "pm_sandbox_timeout_paid" => Behaviour::TimeoutPaid,
            "pm_sandbox_timeout_declined" => Behaviour::TimeoutDeclined,
            "pm_sandbox_timeout_unknown" => Behaviour::TimeoutUnknown,
            "pm_sandbox_down" => Behaviour::Down,
            "pm_sandbox_overpaid" => Behaviour::Overpaid,
            "pm_sandbox_capture_timeout" => Behaviour::CaptureTimeout,
            "pm_sandbox_capture_decline" => Behaviour::CaptureDecline,
            "pm_sandbox_refund_timeout" => Behaviour::RefundTimeout,
            "pm_sandbox_refund_fails" => Behaviour::RefundFails,
            "pm_sandbox_refund_bounces" => Behaviour::RefundBounces,
            "pm_sandbox_void_timeout" => Behaviour::VoidTimeout,
            "pm_sandbox_void_decline" => Behaviour::VoidDecline,
            _ if charge.method == PaymentMethodType::PaymentLink => Behaviour::Action,
            _ => return None,
        })
    }

    /// How the charge goes, or the authorization; `is_first`: no other of its payment came before.
    pub(crate) fn of_charge(self, charge: &Charge, is_first: bool, now: Timestamp) -> Course {
        match self {
            Behaviour::Decline => Course::told(insufficient_funds()),
            Behaviour::DeclineOnce if is_first => Course::told(insufficient_funds()),
            Behaviour::DeclineHard => {
                Course::told(no(FailureClass::Hard, "stolen_card", "the card was reported stolen"))
            }
            Behaviour::Pending => later(DONE, Outcome::Pending, now),
            Behaviour::Action => Course::told(requires_action(charge)),
            Behaviour::TimeoutPaid => Course::told(DONE).in_silence(),
            Behaviour::TimeoutDeclined => Course::told(insufficient_funds()).in_silence(),
            Behaviour::TimeoutUnknown => Course::lost(),
            Behaviour::Down => Course::not_sent(),
            Behaviour::Overpaid => Course::told(DONE).of(one_more(charge.amount)),
            _ => Course::told(DONE),
        }
    }

    /// How a capture, a refund or a void goes of what was charged so.
    pub(crate) fn of_modification(self, operation: OperationId, now: Timestamp) -> Course {
        match (self, operation) {
            (Behaviour::CaptureTimeout, OperationId::Capture(_))
            | (Behaviour::RefundTimeout, OperationId::Refund(_))
            | (Behaviour::VoidTimeout, OperationId::Void(_)) => Course::told(DONE).in_silence(),
            (Behaviour::CaptureDecline, OperationId::Capture(_)) => {
                Course::told(no(FailureClass::Hard, "capture_declined", "the gateway declined the capture"))
            }
            (Behaviour::VoidDecline, OperationId::Void(_)) => {
                Course::told(no(FailureClass::Hard, "void_declined", "the gateway declined the void"))
            }
            (Behaviour::RefundFails, OperationId::Refund(_)) => later(refund_failed(), Outcome::Pending, now),
            (Behaviour::RefundBounces, OperationId::Refund(_)) => later(refund_failed(), DONE, now),
            _ => Course::told(DONE),
        }
    }
}

fn later(end: Outcome, first: Outcome, now: Timestamp) -> Course {
    Course::told(end).veiled(Some(first), Lifts::At(now.saturating_add(LATER)))
}

/// What became of a payment that was made at the gateway itself; `None`: no news.
pub(crate) fn made_here(id: &GatewayPaymentId) -> Option<Outcome> {
    if id.as_str().starts_with("sandbox_paid") {
        Some(DONE)
    } else if id.as_str().starts_with("sandbox_declined") {
        Some(insufficient_funds())
    } else {
        None
    }
}

/// The payer must act, on a page that is not there.
pub(crate) fn requires_action(charge: &Charge) -> Outcome {
    let payment_url = PaymentUrl::new(format!("https://sandbox.invalid/pay/{}", charge.token)).ok();
    Outcome::RequiresAction { payment_url }
}

fn one_more(amount: Money) -> Money {
    // The largest amount there is cannot be overpaid.
    Money::from_minor(amount.minor().saturating_add(1), amount.currency()).unwrap_or(amount)
}
