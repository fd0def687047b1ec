//! The one shape of every error, and the one place where errors of the core become it.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use counterfoil::command::Rejection;
use counterfoil::event::StreamId;
use counterfoil::id::PaymentId;
use counterfoil::ledger::LedgerError;
use counterfoil::money::MoneyError;
use counterfoil::status::{Action, PaymentStatus};
use counterfoil::store::{ExecuteError, Retry, StoreError};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer;

/// An error as the API answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    details: Map<String, Value>,
    retry_after: Option<u32>,
}

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    ValidationError,
    InvalidOperation,
    Unauthenticated,
    NotFound,
    MethodNotAllowed,
    AlreadyExists,
    PayloadTooLarge,
    IdempotencyMismatch,
    InternalError,
    ServiceUnavailable,
    OutcomeUnknown,
}

impl Code {
    const fn name(self) -> &'static str {
        match self {
            Code::ValidationError => "validation_error",
            Code::InvalidOperation => "invalid_operation",
            Code::Unauthenticated => "unauthenticated",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::AlreadyExists => "already_exists",
            Code::PayloadTooLarge => "payload_too_large",
            Code::IdempotencyMismatch => "idempotency_mismatch",
            Code::InternalError => "internal_error",
            Code::ServiceUnavailable => "service_unavailable",
            Code::OutcomeUnknown => "outcome_unknown",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Code::ValidationError | Code::InvalidOperation => StatusCode::BAD_REQUEST,
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::AlreadyExists => StatusCode::CONFLICT,
            Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Code::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Code::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::OutcomeUnknown => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl ApiError {
    /// What went wrong, for programs: `validation_error`, `not_found` …
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.name()
    }

    /// The status it is answered with; follows from the code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// What it is about: the field, the payment, what would be allowed.
    #[must_use]
    pub const fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError { code, message: message.into(), details: Map::new(), retry_after: None }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> ApiError {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// A request that cannot be understood.
    pub(crate) fn refused(message: impl fmt::Display) -> ApiError {
        ApiError::new(Code::ValidationError, message.to_string())
    }

    /// A request of which one field will not do.
    pub(crate) fn invalid(field: &str, message: impl fmt::Display) -> ApiError {
        ApiError::refused(message).with("field", field)
    }

    /// A field whose value is not one of the words that it takes.
    pub(crate) fn unknown_word(field: &str, allowed: Vec<&'static str>) -> ApiError {
        ApiError::invalid(field, format!("{field} must be one of {}", allowed.join(", ")))
            .with("allowed", allowed)
    }

    /// An amount that will not do.
    pub(crate) fn money(error: &MoneyError) -> ApiError {
        let invalid = ApiError::invalid("amount", error);
        match error {
            MoneyError::TooFine { currency, max_scale } => {
                invalid.with("currency", currency.to_string()).with("max_scale", *max_scale)
            }
            _ => invalid,
        }
    }

    /// Says no more than that: the same for what is missing, foreign, or no id at all.
    pub(crate) fn no_such(what: &'static str) -> ApiError {
        ApiError::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Something that must not happen. Never says what.
    pub(crate) fn internal() -> ApiError {
        let message = "something went wrong here; a write may be repeated with the same idempotency key";
        ApiError::new(Code::InternalError, message)
    }

    /// Nothing was written, or the question was only a reading one.
    pub(crate) fn unavailable(retry: Retry) -> ApiError {
        let message = "nothing happened: the books cannot be reached now; try again later";
        let mut error = ApiError::new(Code::ServiceUnavailable, message);
        error.retry_after = Some(match retry {
            Retry::Later => 1,
            // Somebody has to look at it first.
            Retry::Never => 60,
        });
        error
    }

    pub(crate) fn in_doubt(payment: Option<PaymentId>) -> ApiError {
        let message = "it may have happened: repeat the request with the same idempotency key to find out";
        let error = ApiError::new(Code::OutcomeUnknown, message);
        match payment {
            Some(payment) => error.with("payment_id", payment.to_string()),
            None => error,
        }
    }

    fn not_allowed(payment: PaymentId, action: Action, status: PaymentStatus, message: String) -> ApiError {
        let allowed: Vec<&str> = action.statuses().map(PaymentStatus::as_str).collect();
        ApiError::new(Code::InvalidOperation, message)
            .with("payment_id", payment.to_string())
            .with("current_status", status.as_str())
            // Clients of the reference's `process` read the same value here.
            .with("status", status.as_str())
            .with("allowed_statuses", allowed)
    }

    fn about(self, stream: &StreamId) -> ApiError {
        match stream {
            StreamId::Payment(id) => self.with("payment_id", id.to_string()),
            StreamId::Account(_) => self,
        }
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> ApiError {
        match error.error() {
            ExecuteError::Rejected(rejection) => rejection.into(),
            ExecuteError::NotCommitted(failure) => ApiError::unavailable(failure.kind().retry()),
            ExecuteError::Unknown(_) => ApiError::in_doubt(error.payment()),
        }
    }
}

/// Of a reading call.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::unavailable(error.kind().retry())
    }
}

impl From<&Rejection> for ApiError {
    fn from(rejection: &Rejection) -> ApiError {
        let message = rejection.to_string();
        match rejection {
            Rejection::PaymentNotFound(_) => ApiError::no_such("payment"),
            Rejection::OperationNotFound(_) => ApiError::no_such("operation"),
            Rejection::NotAllowed { payment, action, status } => {
                ApiError::not_allowed(*payment, *action, *status, message)
            }
            Rejection::Archived { payment } => {
                ApiError::new(Code::InvalidOperation, message).with("payment_id", payment.to_string())
            }
            Rejection::KeyMismatch { stream, fields } => {
                let fields: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
                ApiError::new(Code::IdempotencyMismatch, message).with("fields", fields).about(stream)
            }
            Rejection::IdTaken(stream) => ApiError::new(Code::AlreadyExists, message).about(stream),
            Rejection::AmountNotPositive => ApiError::invalid("amount", message),
            Rejection::Money(error) => ApiError::money(error),
            Rejection::NoGateway(_) => ApiError::invalid("payment_method_type", message),
            Rejection::InstrumentNotAllowed(_) => ApiError::invalid("payment_method_id", message),
            // A defect of the rules, not of the request.
            Rejection::IllegalMove(_) | Rejection::Defect(_) => ApiError::internal(),
            _ => ApiError::refused(message),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Shape<'a> {
            code: &'static str,
            message: &'a str,
            http_status_code: u16,
            #[serde(skip_serializing_if = "Map::is_empty")]
            details: &'a Map<String, Value>,
        }
        let shape = Shape {
            code: self.code(),
            message: &self.message,
            http_status_code: self.status().as_u16(),
            details: &self.details,
        };
        let mut response = answer::json(self.status(), &shape);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that no request can cause yet.
    #[test]
    fn rejections_say_what_they_are_about() {
        let id: PaymentId = "pay_00000000000000000000000007".parse().unwrap();
        let about = |rejection: Rejection| {
            let error = ApiError::from(&rejection);
            (error.code(), error.status().as_u16(), Value::Object(error.details))
        };
        let payment = serde_json::json!({"payment_id": id.to_string()});
        let archived = about(Rejection::Archived { payment: id });
        assert_eq!(archived, ("invalid_operation", 400, payment.clone()));
        let taken = about(Rejection::IdTaken(StreamId::Payment(id)));
        assert_eq!(taken, ("already_exists", 409, payment));
    }
}
