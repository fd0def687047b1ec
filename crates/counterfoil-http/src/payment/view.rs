//! A payment as it is answered. What is not known is left out.

use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::{DestinationType, Operation, OperationId, Payment, PaymentMethodType, Review};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{
    Actor, DestinationId, EnvironmentId, ErrorCode, GatewayName, GatewayOperationId, IdempotencyKey, Message,
    Metadata, PaymentUrl, TenantId,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::amount::Amounts;

#[derive(Serialize)]
pub(super) struct PaymentView<'a> {
    id: PaymentId,
    amount: Box<RawValue>,
    currency: Currency,
    payment_status: PaymentStatus,
    destination_type: DestinationType,
    destination_id: &'a DestinationId,
    payment_method_type: PaymentMethodType,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_gateway: Option<&'a GatewayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<&'a PaymentUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a IdempotencyKey>,
    metadata: &'a Metadata,
    track_attempts: bool,
    attempts: Vec<AttemptView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a Message>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    review: Vec<Review>,
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    tenant_id: &'a TenantId,
    environment_id: &'a EnvironmentId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
}

#[derive(Serialize)]
struct AttemptView<'a> {
    id: OperationId,
    payment_id: PaymentId,
    attempt_number: u32,
    payment_status: OperationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_attempt_id: Option<&'a GatewayOperationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a Message>,
    /// Attempts have no notes of their own; the reference always shows the object.
    metadata: Metadata,
    tenant_id: &'a TenantId,
    created_at: Timestamp,
    created_by: &'a Actor,
    updated_at: Timestamp,
    updated_by: &'a Actor,
}

impl<'a> PaymentView<'a> {
    pub(super) fn new(payment: &'a Payment, amounts: Amounts) -> PaymentView<'a> {
        let terms = payment.terms();
        let track_attempts = terms.method.kind().tracks_attempts();
        let attempts = payment.attempts().filter(|_| track_attempts);
        PaymentView {
            id: payment.id(),
            amount: amounts.json(terms.amount),
            currency: terms.amount.currency(),
            payment_status: payment.status(),
            destination_type: terms.destination.kind,
            destination_id: &terms.destination.id,
            payment_method_type: terms.method.kind(),
            payment_method_id: terms.method.id(),
            payment_gateway: payment.attempts().last().and_then(|attempt| attempt.gateway.as_ref()),
            payment_url: payment.live_attempt().and_then(Operation::payment_url),
            idempotency_key: terms.idempotency_key.as_ref(),
            metadata: &terms.metadata,
            track_attempts,
            attempts: attempts.map(|attempt| AttemptView::new(payment, attempt)).collect(),
            error_message: payment.error_message(),
            review: payment.reviews().into_iter().collect(),
            succeeded_at: payment.succeeded_at(),
            failed_at: payment.failed_at(),
            tenant_id: payment.scope().tenant(),
            environment_id: payment.scope().environment(),
            created_at: terms.created_at,
            created_by: &terms.created_by,
            updated_at: payment.updated_at(),
            updated_by: payment.updated_by(),
        }
    }
}

impl<'a> AttemptView<'a> {
    fn new(payment: &'a Payment, attempt: &'a Operation) -> AttemptView<'a> {
        AttemptView {
            id: attempt.id,
            payment_id: payment.id(),
            attempt_number: attempt.number,
            payment_status: attempt.status(),
            gateway_attempt_id: attempt.gateway_operation_id(),
            error_code: attempt.failure().map(|failure| &failure.code),
            error_message: attempt.error_message(),
            metadata: Metadata::default(),
            tenant_id: payment.scope().tenant(),
            created_at: attempt.created_at,
            created_by: &attempt.created_by,
            updated_at: attempt.updated_at,
            updated_by: &attempt.updated_by,
        }
    }
}
