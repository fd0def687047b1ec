//! What an instrument makes the gateway do.

use counterfoil::gateway::Charge;
use counterfoil::money::Money;
use counterfoil::payment::{Failure, FailureClass, Outcome, PaymentMethodType};
use counterfoil::text::{ErrorCode, GatewayPaymentId, Message, PaymentMethodId, PaymentUrl};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Succeed,
    Decline,
    DeclineHard,
    Pending,
    Action,
    TimeoutPaid,
    TimeoutDeclined,
    TimeoutUnknown,
    Down,
    Overpaid,
}

impl Behaviour {
    pub(crate) fn of(charge: &Charge) -> Behaviour {
        match charge.instrument.as_ref().map_or("", PaymentMethodId::as_str) {
            "pm_sandbox_decline" => Behaviour::Decline,
            "pm_sandbox_decline_hard" => Behaviour::DeclineHard,
            "pm_sandbox_pending" => Behaviour::Pending,
            "pm_sandbox_action" => Behaviour::Action,
            "pm_sandbox_timeout_paid" => Behaviour::TimeoutPaid,
            "pm_sandbox_timeout_declined" => Behaviour::TimeoutDeclined,
            "pm_sandbox_timeout_unknown" => Behaviour::TimeoutUnknown,
            "pm_sandbox_down" => Behaviour::Down,
            "pm_sandbox_overpaid" => Behaviour::Overpaid,
            _ if charge.method == PaymentMethodType::PaymentLink => Behaviour::Action,
            _ => Behaviour::Succeed,
        }
    }

    /// Whether the caller gets no answer, whatever happened.
    pub(crate) const fn times_out(self) -> bool {
        matches!(self, Behaviour::TimeoutPaid | Behaviour::TimeoutDeclined | Behaviour::TimeoutUnknown)
    }

    /// What really happens at the gateway; `None`: it never hears of the charge.
    pub(crate) fn truth(self, charge: &Charge) -> Option<Outcome> {
        Some(match self {
            Behaviour::Succeed | Behaviour::TimeoutPaid => Outcome::Succeeded { reported: None },
            Behaviour::Decline | Behaviour::TimeoutDeclined => insufficient_funds(),
            Behaviour::DeclineHard => no(FailureClass::Hard, "stolen_card", "the card was reported stolen"),
            Behaviour::Pending => Outcome::Pending,
            Behaviour::Action => Outcome::RequiresAction { payment_url: payment_url(charge) },
            Behaviour::Overpaid => Outcome::Succeeded { reported: Some(one_more(charge.amount)) },
            Behaviour::TimeoutUnknown | Behaviour::Down => return None,
        })
    }
}

/// What became of a payment that was made at the gateway itself; `None`: no news.
pub(crate) fn made_here(id: &GatewayPaymentId) -> Option<Outcome> {
    if id.as_str().starts_with("sandbox_paid") {
        Some(Outcome::Succeeded { reported: None })
    } else if id.as_str().starts_with("sandbox_declined") {
        Some(insufficient_funds())
    } else {
        None
    }
}

fn insufficient_funds() -> Outcome {
    no(FailureClass::Soft, "insufficient_funds", "the account does not hold enough money")
}

fn no(class: FailureClass, code: &str, message: &str) -> Outcome {
    Outcome::Failed(Failure { class, code: ErrorCode::lossy(code), message: Message::lossy(message) })
}

fn payment_url(charge: &Charge) -> Option<PaymentUrl> {
    PaymentUrl::new(format!("https://sandbox.invalid/pay/{}", charge.token)).ok()
}

fn one_more(amount: Money) -> Money {
    // The largest amount there is cannot be overpaid.
    Money::from_minor(amount.minor().saturating_add(1), amount.currency()).unwrap_or(amount)
}
