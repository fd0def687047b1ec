//! What the values of the API look like: for its description, read off the core's own types.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use counterfoil::{id, money, payment, status, text};
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, AnyOf, SchemaType};
use utoipa::openapi::{KnownFormat, ObjectBuilder, Ref, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

/// No control characters. (Nor only white space, which patterns say badly.)
const VISIBLE: &str = r"^[^\x00-\x1f\x7f-\x9f]+$";

/// What the ids of operations begin with.
const OPERATIONS: [&str; 4] =
    [id::AttemptId::PREFIX, id::CaptureId::PREFIX, id::RefundId::PREFIX, id::VoidId::PREFIX];

macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let description = concat!($($doc),+).trim();
                RefOr::T(Schema::from($schema.description(Some(description))))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

schemas! {
    /// The id of a payment.
    PaymentId = ids(id::PaymentId::PREFIX);
    /// The id of an attempt.
    AttemptId = ids(id::AttemptId::PREFIX);
    /// The id of a refund.
    RefundId = ids(id::RefundId::PREFIX);
    /// The id of a capture.
    CaptureId = ids(id::CaptureId::PREFIX);
    /// The id of a void.
    VoidId = ids(id::VoidId::PREFIX);
    /// The id of a dispute.
    DisputeId = ids(id::DisputeId::PREFIX);
    /// The id of an attempt, a capture, a refund or a void.
    OperationId = ids(&format!("({})", OPERATIONS.join("|")));
    /// The name under which a request may be repeated: it takes effect once. Requests of one kind (creations, captures,
    /// refunds …) share one name space, over all payments of a tenant's environment.
    IdempotencyKey = texts(text::IdempotencyKey::MAX_LENGTH);
    /// What is paid, in the host's own words.
    DestinationId = texts(text::DestinationId::MAX_LENGTH);
    /// What a destination is called by people.
    DestinationNumber = texts(text::DestinationNumber::MAX_LENGTH);
    /// A stored instrument at a gateway; of credits, the wallet.
    PaymentMethodId = texts(text::PaymentMethodId::MAX_LENGTH);
    /// Where a gateway tells its notifications.
    EndpointId = string().min_length(Some(1)).max_length(Some(crate::Endpoint::MAX_ID)).pattern(Some("^[A-Za-z0-9._-]+$"));
    /// A wallet of credits.
    WalletId = texts(text::WalletId::MAX_LENGTH);
    /// A gateway, as the host registered it.
    GatewayName = texts(text::GatewayName::MAX_LENGTH);
    /// What a gateway calls an attempt.
    GatewayAttemptId = texts(text::GatewayOperationId::MAX_LENGTH);
    /// What a gateway calls a payment that was made there.
    GatewayPaymentId = texts(text::GatewayPaymentId::MAX_LENGTH);
    /// What else a payment is tracked under at its gateway.
    GatewayTrackingId = texts(text::GatewayTrackingId::MAX_LENGTH);
    /// What a gateway calls a refund.
    GatewayRefundId = texts(text::GatewayOperationId::MAX_LENGTH);
    /// What a gateway calls a capture.
    GatewayCaptureId = texts(text::GatewayOperationId::MAX_LENGTH);
    /// What a gateway calls a void.
    GatewayVoidId = texts(text::GatewayOperationId::MAX_LENGTH);
    /// What a gateway calls an attempt, a capture, a refund or a void; or a movement of a dispute's money.
    GatewayOperationId = texts(text::GatewayOperationId::MAX_LENGTH);
    /// What a gateway calls a dispute.
    GatewayDisputeId = texts(text::GatewayDisputeId::MAX_LENGTH);
    /// What a gateway calls something that it told: told again, it changes nothing.
    NotificationId = texts(text::NotificationId::MAX_LENGTH);
    /// Why something failed, for programs.
    ErrorCode = texts(text::ErrorCode::MAX_LENGTH);
    /// Why something failed, for people.
    Message = texts(text::Message::MAX_LENGTH);
    /// Where the payer is sent.
    PaymentUrl = texts(text::PaymentUrl::MAX_LENGTH);
    /// Where the payer comes back to.
    ReturnUrl = texts(text::ReturnUrl::MAX_LENGTH);
    /// A tenant.
    TenantId = texts(text::TenantId::MAX_LENGTH);
    /// An environment of a tenant.
    EnvironmentId = texts(text::EnvironmentId::MAX_LENGTH);
    /// Who asked for something, or who told of it.
    Actor = texts(text::Actor::MAX_LENGTH);
    /// A moment, as RFC 3339 writes it; answered in UTC to the microsecond, taken from the year 1970 on.
    Time = string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    /// An ISO 4217 currency.
    Currency = words(money::Currency::all().map(|currency| currency.to_string()));
    /// Where a payment stands.
    PaymentStatus = words(status::PaymentStatus::ALL.iter().map(|status| status.as_str()));
    /// Where an attempt stands.
    AttemptStatus = words(status::OperationStatus::ALL.iter().map(|status| status.as_str()));
    /// Where a refund stands.
    RefundStatus = words(status::OperationStatus::ALL.iter().map(|status| status.as_str()));
    /// Where a capture stands.
    CaptureStatus = words(status::OperationStatus::ALL.iter().map(|status| status.as_str()));
    /// Where a void stands.
    VoidStatus = words(status::OperationStatus::ALL.iter().map(|status| status.as_str()));
    /// What a void does: it releases what is held, or takes a charge or a capture back.
    VoidType = words([payment::VoidTarget::Hold, payment::VoidTarget::Charge].map(payment::VoidTarget::as_str));
    /// When the money is taken: at once, or held first.
    CaptureMethod = words(payment::CaptureMethod::ALL.iter().map(|method| method.as_str()));
    /// How far a dispute has gone.
    DisputeStage = words(payment::DisputeStage::ALL.iter().map(|stage| stage.as_str()));
    /// Where a dispute stands at its stage.
    DisputeStatus = words(payment::DisputeStatus::ALL.iter().map(|status| status.as_str()));
    /// In which way a payment waits for a person.
    Attention = words(payment::Attention::ALL.iter().map(|attention| attention.as_str()));
    /// What can be asked of a payment.
    Action = words(status::Action::ALL.iter().map(|action| action.as_str()));
    /// What kind of thing is paid.
    DestinationType = words(payment::DestinationType::ALL.iter().map(|kind| kind.as_str()));
    /// How it is paid.
    PaymentMethodType = words(payment::PaymentMethodType::ALL.iter().map(|kind| kind.as_str()));
    /// Why a person should look at a payment.
    Review = words(payment::Review::ALL.iter().map(|review| review.as_str()));
    /// A host's own notes.
    Metadata = metadata();
    /// An amount as it is answered: exact, with at most as many decimal places as its currency has.
    Amount = object(Type::Number).minimum(Some(0)).examples([json!(99), json!(123)]);
    /// An amount as it is answered: exact, in a string, with at most as many decimal places as its currency has.
    TextAmount = string().pattern(Some(r"^(0|[1-9][0-9]*)(\.[0-9]+)?$")).examples(["99.5", "123"]);
    /// An amount as it is asked for: more than nothing, no finer than its currency. A string is read exactly as a
    /// number is.
    GivenAmount = any_amounts().exclusive_minimum(Some(0));
    /// An amount that may be nothing, no finer than its currency. A string is read exactly as a number is.
    GivenDue = any_amounts().minimum(Some(0));
    /// A currency as it is asked for, in upper or lower case.
    GivenCurrency = given_currencies();
    /// What made it happen: somebody's command, a gateway's word, or the clock.
    Cause = words([
        status::Cause::Command,
        status::Cause::Evidence,
        status::Cause::Clock,
        status::Cause::Resolution
    ].map(status::Cause::as_str));
    /// A place in a list; opaque.
    Cursor = string().min_length(Some(1));
    /// A position in the feed; opaque. It names the ledger, so that a client notices when it was restored.
    Position = string().pattern(Some("^[0-9a-z-]{1,32}$"));
    /// What an event is, and all before it: SHA-256.
    Hash = string().pattern(Some("^[0-9a-f]{64}$"));
}

/// A whole number.
pub(crate) fn numbers(bounds: RangeInclusive<u64>) -> ObjectBuilder {
    object(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(*bounds.start()))
        .maximum(Some(*bounds.end()))
}

/// One of these words.
pub(crate) fn words(all: impl IntoIterator<Item = impl Into<String>>) -> ObjectBuilder {
    string().enum_values(Some(all.into_iter().map(Into::into).collect::<Vec<String>>()))
}

fn any_amounts() -> ObjectBuilder {
    object(SchemaType::Array(vec![Type::Number, Type::String]))
        .pattern(Some(r"^(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"))
        .examples([json!(123), json!("99.50")])
}

fn given_currencies() -> utoipa::openapi::schema::AnyOfBuilder {
    let in_any_case = string().pattern(Some("^[A-Za-z]{3}$"));
    AnyOf::builder().item(Ref::from_schema_name(Currency::name())).item(in_any_case).examples([json!("usd")])
}

fn metadata() -> ObjectBuilder {
    let value = string().max_length(Some(text::Metadata::MAX_VALUE)).pattern(Some(r"^[^\x00]*$")).build();
    object(Type::Object)
        .max_properties(Some(text::Metadata::MAX_ENTRIES))
        .property_names(Some(texts(text::Metadata::MAX_KEY)))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value.into()))))
}

fn ids(prefix: &str) -> ObjectBuilder {
    let example = prefix.trim_start_matches('(').split('|').next().unwrap_or(prefix);
    string()
        .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
        .examples([json!(format!("{example}_01k9zq3v5m8r2t4w6y7b1c3d5f"))])
}

fn texts(max: usize) -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(max)).pattern(Some(VISIBLE))
}

fn string() -> ObjectBuilder {
    object(Type::String)
}

fn object(kind: impl Into<SchemaType>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}
