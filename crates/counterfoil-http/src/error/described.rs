//! The answers that refuse, for the description: one per status, all of one shape.

use utoipa::ToResponse;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Content, Header, Object, Ref, RefOr, Response, Type};

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident $(, $header:literal: $type:ident, $about:literal)?;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl<'r> ToResponse<'r> for $name {
            fn response() -> (&'r str, RefOr<Response>) {
                let response = refusal(concat!($($doc),+).trim());
                $(let response = response.header($header, header(Type::$type, $about));)?
                (stringify!($name), RefOr::T(response.build()))
            }
        }
    )+};
}

refusals! {
    /// `validation_error`: the request cannot be understood, or one field of it, `details.field`, will not do.
    /// `invalid_operation`: the payment does not allow it now; the details say how it stands.
    BadRequest;
    /// `unauthenticated`: there is no valid key, or no valid signature.
    Unauthenticated;
    /// `not_found`: there is no such thing, or it belongs to somebody else.
    NotFound;
    /// `already_exists`: the name at the gateway is taken by another payment. `version_conflict`: the payment is not
    /// at the version of `If-Match`.
    Conflict, "ETag": String, "Of a `version_conflict`: the version that the payment is at.";
    /// `unknown_position`: the position is not in this feed, because the ledger was restored from a backup or is another
    /// one. Read the feed again from its start. An event that is still there has the same `hash`.
    Gone;
    /// `payload_too_large`: the body is larger than 256 KiB.
    PayloadTooLarge;
    /// `idempotency_mismatch`: the key was used for something else; `details.fields` says what differs.
    IdempotencyMismatch;
    /// `internal_error`: something went wrong in the server. A write may be repeated with the same idempotency key.
    InternalError;
    /// `service_unavailable`: nothing happened.
    ServiceUnavailable, "Retry-After": Integer, "The seconds after which to try again.";
    /// `outcome_unknown`: it may have happened. The same request with the same idempotency key finds out.
    OutcomeUnknown;
}

fn refusal(description: &str) -> ResponseBuilder {
    let content = Content::new(Some(Ref::from_schema_name("Error")));
    ResponseBuilder::new().description(description).content("application/json", content)
}

pub(crate) fn header(kind: Type, description: &str) -> Header {
    let mut header = Header::new(Object::with_type(kind));
    header.description = Some(description.to_owned());
    header
}
