//! What is asked for, out of the bytes of a body.

use counterfoil::ledger::{NewPayment, Processing};
use counterfoil::payment::{Destination, DestinationType, PaymentMethod, PaymentMethodType};

use crate::amount;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::idempotency;

/// What the body of `POST /payments` asks for. Does no I/O: this is the whole parser, for fuzzing too.
pub fn parse_create(body: &[u8]) -> Result<NewPayment, ApiError> {
    let fields = Fields::parse(body)?;
    let mut new = NewPayment::new(amount::read(&fields)?, destination(&fields)?, method(&fields)?);
    new.metadata = fields.metadata("metadata")?.unwrap_or_default();
    new.idempotency_key = fields.text(idempotency::FIELD)?;
    new.process = fields.boolean("process_payment")?.unwrap_or(true);
    Ok(new)
}

/// What the body of `POST /payments/{id}/process` asks for; it may be empty.
pub(super) fn parse_process(body: &[u8]) -> Result<Processing, ApiError> {
    let fields = Fields::parse_optional(body)?;
    let mut how = Processing::default();
    how.instrument = fields.text("payment_method_id")?;
    how.idempotency_key = fields.text(idempotency::FIELD)?;
    Ok(how)
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
