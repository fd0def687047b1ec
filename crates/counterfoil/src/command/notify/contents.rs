//! What a notification says, for comparison with another one of the same id.

use super::{Notify, Told};
use crate::claim::{Fingerprint, RequestField};
use crate::payment::{DisputeWord, Evidence, Outcome};
use crate::text::NotificationId;

impl Notify {
    /// Its contents, without times and messages.
    pub(super) fn contents(&self) -> Fingerprint {
        let about = &self.about;
        let (kind, amount) = match (&self.told, self.told.evidence()) {
            (Told::Dispute(word), _) => (format!("dispute.{}", word.kind), word.amount),
            (told, Some(evidence)) => (format!("{}.{}", told.subject(), outcome(evidence)), evidence.amount),
            (told, None) => (told.subject().to_owned(), None),
        };
        let evidence = self.told.evidence();
        let own =
            evidence.and_then(|evidence| evidence.gateway_operation_id.as_ref().map(ToString::to_string));
        let fields = [
            (RequestField::Amount, amount.map(|amount| amount.minor().to_string())),
            (RequestField::Currency, amount.map(|amount| amount.currency().to_string())),
            (RequestField::PaymentId, about.payment.map(|id| id.to_string())),
            (RequestField::OperationId, about.operation.map(|id| id.to_string())),
            (RequestField::GatewayAttemptId, about.gateway_attempt_id.as_ref().map(ToString::to_string)),
            (RequestField::NotificationType, Some(kind)),
            (RequestField::GatewayPaymentId, about.gateway_payment_id.as_ref().map(ToString::to_string)),
            (RequestField::GatewayOperationId, own.or(self.movement().map(ToString::to_string))),
            (RequestField::DisputeId, about.gateway_dispute_id.as_ref().map(ToString::to_string)),
            (RequestField::Stage, self.word().map(|word| word.stage.to_string())),
            (RequestField::DisputeStatus, self.word().and_then(|word| word.status).map(|it| it.to_string())),
            (RequestField::ErrorCode, self.error_code()),
            (RequestField::PaymentUrl, evidence.and_then(payment_url)),
            (RequestField::AttemptId, about.attempt.map(|id| id.to_string())),
        ];
        let given = fields.into_iter().filter_map(|(field, value)| Some((field, value?)));
        given.fold(Fingerprint::default(), |fields, (field, value)| fields.with(field, value.as_bytes()))
    }

    fn word(&self) -> Option<&DisputeWord> {
        match &self.told {
            Told::Dispute(word) => Some(word),
            _ => None,
        }
    }

    /// The name of the movement of funds that a dispute made.
    fn movement(&self) -> Option<&NotificationId> {
        self.word().and(self.funds.as_ref())
    }

    fn error_code(&self) -> Option<String> {
        match self.told.evidence().map(|evidence| &evidence.outcome) {
            Some(Outcome::Failed(failure)) => Some(format!("{} {}", failure.class, failure.code)),
            _ => self.word()?.reason_code.as_ref().map(ToString::to_string),
        }
    }
}

impl Told {
    const fn subject(&self) -> &'static str {
        match self {
            Told::Attempt(_) => "attempt",
            Told::Authorization(_) => "authorization",
            Told::Capture(_) => "capture",
            Told::Refund(_) => "refund",
            Told::Void(_) => "void",
            Told::Returned(_) => "return",
            Told::Dispute(_) => "dispute",
        }
    }
}

const fn outcome(evidence: &Evidence) -> &'static str {
    match evidence.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed(_) => "failed",
        Outcome::Pending => "pending",
        Outcome::RequiresAction { .. } => "requires_action",
        Outcome::Canceled { .. } => "canceled",
        Outcome::Reversed { .. } => "reversed",
        Outcome::ReturnCanceled { .. } => "return_canceled",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Unknown { .. } => "unknown",
    }
}

fn payment_url(evidence: &Evidence) -> Option<String> {
    match &evidence.outcome {
        Outcome::RequiresAction { payment_url } => payment_url.as_ref().map(ToString::to_string),
        _ => None,
    }
}
