//! What the answer to each rejection is.

use counterfoil::command::{Rejection, UnknownReference, settable};
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::store::Retry;

use super::{ApiError, Code};

impl From<&Rejection> for ApiError {
    fn from(rejection: &Rejection) -> ApiError {
        let message = rejection.to_string();
        match rejection {
            Rejection::PaymentNotFound(_) => ApiError::no_such("payment"),
            Rejection::OperationNotFound(_) => ApiError::no_such("operation"),
            Rejection::DisputeNotFound(_) => ApiError::no_such("dispute"),
            Rejection::DestinationNotFound(_) => ApiError::new(Code::NotFound, message),
            Rejection::NothingKnown(unknown) => unknown_reference(*unknown),
            Rejection::KeyMismatch { stream, fields } => {
                let fields: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
                ApiError::new(Code::IdempotencyMismatch, message).with("fields", fields).about(stream)
            }
            Rejection::IdTaken(stream) | Rejection::GatewayIdTaken(stream) => {
                ApiError::new(Code::AlreadyExists, message).about(stream)
            }
            Rejection::VersionConflict { payment, version } => {
                let error =
                    ApiError::new(Code::VersionConflict, message).of(*payment).with("version", *version);
                ApiError { version: Some(*version), ..error }
            }
            Rejection::DestinationsUnavailable => {
                let message = format!("nothing happened: {message}");
                ApiError::new(Code::ServiceUnavailable, message).retry(Retry::Later)
            }
            // Defects of the rules, not of the request; and what only the clock asks for.
            Rejection::IllegalMove(_) | Rejection::Defect(_) | Rejection::NotDue { .. } => {
                ApiError::internal()
            }
            _ => not_now(rejection).unwrap_or_else(|| will_not_do(rejection)),
        }
    }
}

/// A notification that cannot be placed. One that names nothing is wrong in itself; any other may be told again.
fn unknown_reference(unknown: UnknownReference) -> ApiError {
    let error = match unknown {
        UnknownReference::Unnamed => ApiError::invalid("payment_id", unknown),
        _ => ApiError::new(Code::NotFound, unknown.to_string()),
    };
    match unknown {
        UnknownReference::Unknown { field } => error.with("field", field),
        _ => error,
    }
    .with("reason", unknown.as_str())
}

/// What the payment's state does not allow.
fn not_now(rejection: &Rejection) -> Option<ApiError> {
    let refused =
        |payment: PaymentId| ApiError::new(Code::InvalidOperation, rejection.to_string()).of(payment);
    Some(match rejection {
        Rejection::NotAllowed { payment, action, status } => not_allowed(refused(*payment), *action, *status),
        Rejection::ProcessFailedDisabled { payment } => {
            not_allowed(refused(*payment), Action::Process, PaymentStatus::Failed)
        }
        Rejection::SameInstrument { payment, instrument }
        | Rejection::InstrumentReturned { payment, instrument } => {
            let error = refused(*payment).with("current_status", PaymentStatus::Failed.as_str());
            match instrument {
                Some(instrument) => error.with("payment_method_id", instrument.as_str()),
                None => error,
            }
        }
        Rejection::NotSettable { payment, status, to } => {
            let allowed: Vec<&str> = settable(*status).map(PaymentStatus::as_str).collect();
            let message = match other_way(*to) {
                Some(way) => format!("{rejection}: {way}"),
                None => rejection.to_string(),
            };
            ApiError::new(Code::InvalidOperation, message)
                .of(*payment)
                .with("current_status", status.as_str())
                .with("allowed_statuses", allowed)
        }
        Rejection::InFlight { payment, until } => refused(*payment).with("until", until.to_string()),
        Rejection::Queued { payment, operation } | Rejection::NotQueued { payment, operation, .. } => {
            refused(*payment).with("operation_id", operation.to_string())
        }
        Rejection::Archived { payment }
        | Rejection::AtGateway { payment }
        | Rejection::NotWhole { payment }
        | Rejection::NothingToRelease { payment, .. }
        | Rejection::CaptureNotReversible { payment, .. }
        | Rejection::NothingToResolve { payment }
        | Rejection::Settled { payment }
        | Rejection::Unfit { payment, .. }
        | Rejection::NoneOpen { payment }
        | Rejection::SeveralOpen { payment } => refused(*payment),
        Rejection::ExceedsRefundable { payment, refundable } => {
            refused(*payment).with_amount("refundable", *refundable)
        }
        Rejection::ExceedsCapturable { payment, capturable } => {
            refused(*payment).with_amount("capturable", *capturable)
        }
        Rejection::ExceedsDue { destination, remaining } => {
            ApiError::new(Code::InvalidOperation, rejection.to_string())
                .with("destination_type", destination.kind.as_str())
                .with("destination_id", destination.id.as_str())
                .with_amount("remaining", *remaining)
        }
        // The payment that is in doubt, not the one that was asked for.
        Rejection::DestinationInDoubt { destination, payment } => refused(*payment)
            .with("destination_type", destination.kind.as_str())
            .with("destination_id", destination.id.as_str()),
        _ => return None,
    })
}

/// The status that it has is none in which this payment allows it, even where others may.
fn not_allowed(error: ApiError, action: Action, status: PaymentStatus) -> ApiError {
    let others = action.statuses().filter(|other| *other != status);
    let allowed: Vec<&str> = others.map(PaymentStatus::as_str).collect();
    let error = error
        .with("current_status", status.as_str())
        // Clients of the reference's `process` read the same value here.
        .with("status", status.as_str())
        .with("allowed_statuses", allowed);
    match action {
        // And those of its `DELETE` here.
        Action::Archive => error.with("payment_status", status.as_str()),
        _ => error,
    }
}

/// How a payment gets to a status that nobody can set.
const fn other_way(to: PaymentStatus) -> Option<&'static str> {
    match to {
        PaymentStatus::Initiated => Some("that is where payments begin, with process_payment false"),
        PaymentStatus::Processing | PaymentStatus::RequiresAction => {
            Some("POST /payments/{id}/process sends it to its gateway, whose answer decides")
        }
        PaymentStatus::Overpaid => Some("POST /payments/{id}/attempts takes the amount that came"),
        PaymentStatus::PartiallyRefunded => {
            Some("POST /payments/{id}/refunds takes an amount; REFUNDED is all of it")
        }
        PaymentStatus::Authorized => Some("payments are held that are made with capture_method manual"),
        PaymentStatus::PartiallyCaptured => {
            Some("POST /payments/{id}/capture takes an amount, and final false")
        }
        _ => None,
    }
}

/// What no payment would be asked for like this.
fn will_not_do(rejection: &Rejection) -> ApiError {
    let invalid = |field| ApiError::invalid(field, rejection);
    match rejection {
        Rejection::AmountNotPositive => invalid("amount"),
        Rejection::Money(error) => ApiError::money(error),
        Rejection::NoGateway(_) => invalid("payment_method_type"),
        Rejection::InstrumentNotAllowed(_) => invalid("payment_method_id"),
        Rejection::NameRequired => invalid("gateway_operation_id"),
        Rejection::NotAtGateway(_) => invalid("gateway_payment_id"),
        Rejection::NotRecordable(_) => invalid("payment_status"),
        Rejection::GatewayRequired(_) | Rejection::UnknownGateway(_) | Rejection::NothingCameBy(_) => {
            invalid("payment_gateway")
        }
        Rejection::DestinationNotPayable(_) => invalid("destination_id"),
        Rejection::CaptureMethodNotAllowed(_) => invalid("capture_method"),
        Rejection::InPast(_) => invalid("expires_at"),
        Rejection::DestinationCurrency { expected } => {
            invalid("currency").with("currency", expected.to_string())
        }
        // `InFuture` among them: which of the times it is, the request tells.
        _ => ApiError::refused(rejection),
    }
}

impl ApiError {
    fn of(self, payment: PaymentId) -> ApiError {
        self.with("payment_id", payment.to_string())
    }

    fn about(self, stream: &StreamId) -> ApiError {
        match stream {
            StreamId::Payment(id) => self.of(*id),
            StreamId::Account(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Those that no request can cause.
    #[test]
    fn rejections_say_what_they_are_about() {
        let id: PaymentId = "pay_00000000000000000000000007".parse().unwrap();
        let about = |rejection: Rejection| {
            let error = ApiError::from(&rejection);
            (error.code(), error.status().as_u16(), Value::Object(error.details))
        };
        let taken = about(Rejection::IdTaken(StreamId::Payment(id)));
        assert_eq!(taken, ("already_exists", 409, json!({"payment_id": id.to_string()})));
        let wallet = "w".parse().unwrap();
        let taken =
            about(Rejection::IdTaken(StreamId::Account(counterfoil::account::AccountId::wallet(&wallet))));
        assert_eq!(taken, ("already_exists", 409, json!({})));
    }

    /// A payment may be refused what its status allows, while an attempt of it is under way.
    #[test]
    fn a_status_in_which_it_was_refused_is_not_said_to_allow_it() {
        let payment = "pay_00000000000000000000000007".parse().unwrap();
        let (action, status) = (Action::Void, PaymentStatus::Pending);
        assert!(action.statuses().any(|allowed| allowed == status));
        let error = ApiError::from(&Rejection::NotAllowed { payment, action, status });
        let allowed = error.details["allowed_statuses"].as_array().unwrap();
        assert!(!allowed.is_empty() && !allowed.contains(&json!("PENDING")), "{allowed:?}");
    }

    /// Where nobody can be led by setting it, the message says what else leads there.
    #[test]
    fn a_status_that_nobody_can_set_says_how_it_comes_about() {
        let set: Vec<_> = PaymentStatus::ALL.iter().flat_map(|from| settable(*from)).collect();
        for to in PaymentStatus::ALL {
            assert_eq!(other_way(*to).is_some(), !set.contains(to), "{to}");
        }
    }
}
