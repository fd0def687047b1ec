//! What is asked for, out of the bytes of a body.

use counterfoil::ledger::{NewPayment, Processing};
use counterfoil::payment::{
    CaptureMethod, Checkout, Destination, DestinationType, PaymentMethod, PaymentMethodType,
};
use utoipa::ToSchema;

use crate::amount;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::idempotency;
use crate::schema;

/// Which calls take an amount.
const MONEY_ELSEWHERE: &str = "processing charges the payment's own amount; to charge another amount, create a payment \
    of it, and POST /payments/{id}/capture captures a part of a hold";

/// What the body of `POST /payments` asks for. Does no I/O: this is the whole parser, for fuzzing too.
pub fn parse_create(body: &[u8]) -> Result<NewPayment, ApiError> {
    let fields = Fields::parse(body)?;
    let mut new = NewPayment::new(amount::read(&fields)?, destination(&fields)?, method(&fields)?);
    checkout(&fields, &mut new.checkout)?;
    let capture = fields.word("capture_method", CaptureMethod::ALL, CaptureMethod::as_str)?;
    new.capture_method = capture.unwrap_or(CaptureMethod::Automatic);
    new.expires_at = fields.time("expires_at")?;
    new.metadata = fields.metadata("metadata")?.unwrap_or_default();
    new.idempotency_key = fields.text(idempotency::FIELD)?;
    new.process = fields.boolean("process_payment")?.unwrap_or(true);
    Ok(new)
}

/// What the body of `POST /payments/{id}/process` asks for; it may be empty.
pub(super) fn parse_process(body: &[u8]) -> Result<Processing, ApiError> {
    let fields = Fields::parse_optional(body)?;
    fields.require_no_money(MONEY_ELSEWHERE)?;
    let mut how = Processing::default();
    how.instrument = fields.text("payment_method_id")?;
    how.idempotency_key = fields.text(idempotency::FIELD)?;
    Ok(how)
}

fn checkout(fields: &Fields<'_>, checkout: &mut Checkout) -> Result<(), ApiError> {
    checkout.gateway = fields.text("payment_gateway")?;
    checkout.success_url = fields.text("success_url")?;
    checkout.cancel_url = fields.text("cancel_url")?;
    checkout.save_card_and_make_default = fields.boolean("save_card_and_make_default")?.unwrap_or(false);
    checkout.options = fields.options("gateway_options")?;
    Ok(())
}

fn destination(fields: &Fields<'_>) -> Result<Destination, ApiError> {
    let kind = fields.required("destination_type", |fields, name| {
        fields.word(name, DestinationType::ALL, DestinationType::as_str)
    })?;
    let id = fields.required("destination_id", Fields::text)?;
    Ok(Destination { kind, id })
}

fn method(fields: &Fields<'_>) -> Result<PaymentMethod, ApiError> {
    let kind = fields.required("payment_method_type", |fields, name| {
        fields.word(name, PaymentMethodType::ALL, PaymentMethodType::as_str)
    })?;
    let id = fields.string("payment_method_id")?;
    PaymentMethod::new(kind, id.as_deref()).map_err(|error| ApiError::invalid("payment_method_id", error))
}

/// What a payment is to be.
#[derive(ToSchema)]
#[schema(as = CreatePayment)]
#[allow(dead_code, reason = "only described: the parser reads fields by their names")]
pub(super) struct CreateBody {
    amount: schema::GivenAmount,
    currency: schema::GivenCurrency,
    destination_type: schema::DestinationType,
    destination_id: schema::DestinationId,
    payment_method_type: schema::PaymentMethodType,
    /// Needed by `ACH` and `UPI`, and by `CREDITS`, whose wallet it is; not taken by `OFFLINE`.
    payment_method_id: Option<schema::PaymentMethodId>,
    idempotency_key: Option<schema::IdempotencyKey>,
    metadata: Option<schema::Metadata>,
    /// Whether it is sent on its way at once; `true` unless said. `POST /payments/{id}/process` does it later.
    process_payment: Option<bool>,
    /// `automatic` unless said. With `manual` the money is held, and taken by `POST /payments/{id}/capture`; not for
    /// `OFFLINE` and `CREDITS`.
    capture_method: Option<schema::CaptureMethod>,
    /// When it is over, if it has not come to an end by then; a hold is released.
    expires_at: Option<schema::Time>,
    /// Needed by `PAYMENT_LINK`; without it the ledger chooses.
    payment_gateway: Option<schema::GatewayName>,
    /// Where the payer comes back to when it went well.
    success_url: Option<schema::ReturnUrl>,
    /// Where the payer comes back to when not.
    cancel_url: Option<schema::ReturnUrl>,
    /// Whether the gateway is to keep the card, as the payer's default one.
    save_card_and_make_default: Option<bool>,
    /// What only the gateway understands; at most 10000 characters of JSON.
    #[schema(value_type = Option<Object>)]
    gateway_options: Option<()>,
}

/// How a payment is sent on its way.
#[derive(ToSchema)]
#[schema(as = ProcessPayment)]
#[allow(dead_code, reason = "only described: the parser reads fields by their names")]
pub(super) struct ProcessBody {
    /// Another instrument than the payment's own.
    payment_method_id: Option<schema::PaymentMethodId>,
    idempotency_key: Option<schema::IdempotencyKey>,
}
