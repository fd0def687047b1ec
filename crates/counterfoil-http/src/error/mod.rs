//! The one shape of every error, and the one place where errors of the core become it.

pub(crate) mod described;
mod rejection;

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use counterfoil::id::PaymentId;
use counterfoil::ledger::LedgerError;
use counterfoil::money::{Money, MoneyError};
use counterfoil::store::{ExecuteError, Retry, StoreError, StoreErrorKind};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::Object;

use crate::amount::Amounts;
use crate::{answer, schema};

/// An error as the API answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    details: Map<String, Value>,
    /// Which of the details are amounts: kept as text, answered as amounts are.
    amounts: Vec<&'static str>,
    retry_after: Option<u32>,
    version: Option<u64>,
}

macro_rules! codes {
    ($($code:ident = $name:literal, $status:ident;)+) => {
        /// What went wrong, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($code,)+
        }

        impl Code {
            const ALL: &[Code] = &[$(Code::$code,)+];

            const fn name(self) -> &'static str {
                match self { $(Code::$code => $name,)+ }
            }

            const fn status(self) -> StatusCode {
                match self { $(Code::$code => StatusCode::$status,)+ }
            }
        }
    };
}

codes! {
    ValidationError = "validation_error", BAD_REQUEST;
    InvalidOperation = "invalid_operation", BAD_REQUEST;
    Unauthenticated = "unauthenticated", UNAUTHORIZED;
    NotFound = "not_found", NOT_FOUND;
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    AlreadyExists = "already_exists", CONFLICT;
    VersionConflict = "version_conflict", CONFLICT;
    UnknownPosition = "unknown_position", GONE;
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE;
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY;
    InternalError = "internal_error", INTERNAL_SERVER_ERROR;
    ServiceUnavailable = "service_unavailable", SERVICE_UNAVAILABLE;
    OutcomeUnknown = "outcome_unknown", GATEWAY_TIMEOUT;
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

    /// What it is about: the field, the payment, what would be allowed. Amounts are texts here.
    #[must_use]
    pub const fn details(&self) -> &Map<String, Value> {
        &self.details
    }

    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError {
            code,
            message: message.into(),
            details: Map::new(),
            amounts: Vec::new(),
            retry_after: None,
            version: None,
        }
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> ApiError {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn with_amount(mut self, key: &'static str, amount: Money) -> ApiError {
        self.amounts.push(key);
        self.with(key, amount.amount_text().to_string())
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
            MoneyError::CurrencyMismatch { expected, .. } => {
                ApiError::invalid("currency", error).with("currency", expected.to_string())
            }
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
        ApiError::new(Code::ServiceUnavailable, message).retry(retry)
    }

    /// The error for a position that is not in the feed.
    pub(crate) fn unknown_position() -> ApiError {
        let message = "the position is not in this feed: the ledger was restored from a backup, or is another one; \
                       read the feed again from its start, without a position";
        ApiError::new(Code::UnknownPosition, message)
    }

    /// The same in other words.
    pub(crate) fn saying(mut self, message: impl Into<Cow<'static, str>>) -> ApiError {
        self.message = message.into();
        self
    }

    fn retry(mut self, retry: Retry) -> ApiError {
        self.retry_after = Some(match retry {
            Retry::Later => 1,
            // Somebody has to look at it first.
            Retry::Never => 60,
        });
        self
    }

    pub(crate) fn in_doubt(payment: Option<PaymentId>) -> ApiError {
        let message = "it may have happened: repeat the request with the same idempotency key to find out";
        let error = ApiError::new(Code::OutcomeUnknown, message);
        match payment {
            Some(payment) => error.with("payment_id", payment.to_string()),
            None => error,
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
        match error.kind() {
            StoreErrorKind::UnknownPosition => ApiError::unknown_position(),
            kind => ApiError::unavailable(kind.retry()),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message)
    }
}

impl std::error::Error for ApiError {}

/// Why a request was refused, or what became of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorView<'a> {
    /// What went wrong, for programs.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What went wrong, for people. The words may change.
    message: &'a str,
    /// The status of the answer.
    #[schema(value_type = i32)]
    http_status_code: u16,
    /// What it is about, where there is more to say: the `field`, the `payment_id`, what is `allowed`, what is
    /// `refundable`.
    #[serde(skip_serializing_if = "Details::is_empty")]
    #[schema(value_type = Object)]
    details: Details<'a>,
}

fn codes() -> Object {
    schema::words(Code::ALL.iter().map(|code| code.name())).build()
}

/// The details, with amounts in one form.
struct Details<'a> {
    error: &'a ApiError,
    form: Amounts,
}

impl Details<'_> {
    fn is_empty(&self) -> bool {
        self.error.details.is_empty()
    }
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.error.details.len()))?;
        for (key, value) in &self.error.details {
            let digits = value.as_str().filter(|_| self.error.amounts.iter().any(|name| name == key));
            match digits {
                Some(digits) => map.serialize_entry(key, &self.form.written(digits))?,
                None => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

impl ApiError {
    /// The answer, with amounts in this form.
    pub(crate) fn answer(&self, form: Amounts) -> Response {
        let view = ErrorView {
            code: self.code(),
            message: &self.message,
            http_status_code: self.status().as_u16(),
            details: Details { error: self, form },
        };
        let mut response = answer::json(self.status(), &view);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        match self.version {
            Some(version) => answer::with_version(version, response),
            None => response,
        }
    }
}

impl IntoResponse for ApiError {
    /// With amounts as numbers; the router, which knows how they are answered, says it anew where that differs.
    fn into_response(self) -> Response {
        let mut response = self.answer(Amounts::Number);
        if !self.amounts.is_empty() {
            response.extensions_mut().insert(self);
        }
        response
    }
}
