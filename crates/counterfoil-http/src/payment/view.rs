//! A payment as it is answered. What is not known is left out.
#![allow(clippy::large_stack_arrays, reason = "the derived description, which is made once")]

use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::{
    CaptureMethod, DestinationType, Operation, OperationId, Payment, PaymentMethodType, Review,
};
use counterfoil::status::{OperationStatus, PaymentStatus};
use counterfoil::text::{
    Actor, DestinationId, DestinationNumber, EnvironmentId, ErrorCode, GatewayName, GatewayOperationId,
    GatewayPaymentId, GatewayTrackingId, IdempotencyKey, Message, Metadata, PaymentMethodId, PaymentUrl,
    TenantId,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::amount::Amounts;
use crate::schema;

/// A payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentView<'a> {
    /// Its id.
    #[schema(value_type = schema::PaymentId)]
    id: PaymentId,
    /// What is asked for.
    #[schema(value_type = schema::Amount)]
    amount: Box<RawValue>,
    /// All that was ever held for it, whatever became of that.
    #[schema(value_type = schema::Amount)]
    amount_authorized: Box<RawValue>,
    /// What came, and was not taken back by a void: it can be less or more than `amount`.
    #[schema(value_type = schema::Amount)]
    amount_captured: Box<RawValue>,
    /// What was given back of that.
    #[schema(value_type = schema::Amount)]
    amount_refunded: Box<RawValue>,
    /// What disputes have taken, or may take.
    #[schema(value_type = schema::Amount)]
    amount_disputed: Box<RawValue>,
    /// What of `amount_disputed` lost chargebacks took, less what was reinstated.
    #[schema(value_type = schema::Amount)]
    amount_charged_back: Box<RawValue>,
    /// What could be given back.
    #[schema(value_type = schema::Amount)]
    refundable: Box<RawValue>,
    /// What could be taken of what is held.
    #[schema(value_type = schema::Amount)]
    capturable: Box<RawValue>,
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    #[schema(value_type = schema::PaymentStatus)]
    payment_status: PaymentStatus,
    #[schema(value_type = schema::DestinationType)]
    destination_type: DestinationType,
    #[schema(value_type = schema::DestinationId)]
    destination_id: &'a DestinationId,
    /// What people call the invoice, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::DestinationNumber)]
    invoice_number: Option<&'a DestinationNumber>,
    #[schema(value_type = schema::PaymentMethodType)]
    payment_method_type: PaymentMethodType,
    /// Whether the money is taken at once, or held first.
    #[schema(value_type = schema::CaptureMethod)]
    capture_method: CaptureMethod,
    /// The instrument; of credits, the wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::PaymentMethodId)]
    payment_method_id: Option<&'a str>,
    /// The gateway that has it or was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayName)]
    payment_gateway: Option<&'a GatewayName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayPaymentId)]
    gateway_payment_id: Option<&'a GatewayPaymentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayTrackingId)]
    gateway_tracking_id: Option<&'a GatewayTrackingId>,
    /// Where the payer must go next, while `payment_status` is `REQUIRES_ACTION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::PaymentUrl)]
    payment_url: Option<&'a PaymentUrl>,
    /// Whether the gateway was asked to keep the card.
    save_card_and_make_default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::IdempotencyKey)]
    idempotency_key: Option<&'a IdempotencyKey>,
    #[schema(value_type = schema::Metadata)]
    metadata: &'a Metadata,
    /// Whether `attempts` are shown: not of what is paid outside of any gateway.
    track_attempts: bool,
    /// Every try to get the money, the first one first.
    attempts: Vec<AttemptView<'a>>,
    /// Why it did not go well, while that is how it stands: the host's own words, else why an automatic retry was given up,
    /// else what was said of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    error_message: Option<&'a Message>,
    /// Why a person should look at it, where there is a reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<schema::Review>)]
    review: Vec<Review>,
    /// When it is over, if it has not come to an end by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    expires_at: Option<Timestamp>,
    /// When the next attempt is made by itself, if one is. A time that has passed means at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    next_attempt_at: Option<Timestamp>,
    /// When the money was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    succeeded_at: Option<Timestamp>,
    /// When it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    failed_at: Option<Timestamp>,
    /// When money first went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    refunded_at: Option<Timestamp>,
    /// When it was cancelled, or reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    voided_at: Option<Timestamp>,
    /// When it was hidden from lists, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    archived_at: Option<Timestamp>,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::EnvironmentId)]
    environment_id: &'a EnvironmentId,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    /// Whoever asked for it.
    #[schema(value_type = schema::Actor)]
    created_by: &'a Actor,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
    /// Whoever last changed it.
    #[schema(value_type = schema::Actor)]
    updated_by: &'a Actor,
}

/// A try to get the money of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptView<'a> {
    #[schema(value_type = schema::AttemptId)]
    id: OperationId,
    #[schema(value_type = schema::PaymentId)]
    payment_id: PaymentId,
    /// 1, 2, 3 … among those of its payment.
    attempt_number: u32,
    #[schema(value_type = schema::AttemptStatus)]
    payment_status: OperationStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayAttemptId)]
    gateway_attempt_id: Option<&'a GatewayOperationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::ErrorCode)]
    error_code: Option<&'a ErrorCode>,
    /// Why it did not go well, while that is how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    error_message: Option<&'a Message>,
    /// Always empty: attempts have no notes of their own.
    #[schema(value_type = schema::Metadata)]
    metadata: Metadata,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    /// Whoever asked for it.
    #[schema(value_type = schema::Actor)]
    created_by: &'a Actor,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
    /// Whoever last changed it.
    #[schema(value_type = schema::Actor)]
    updated_by: &'a Actor,
}

impl<'a> PaymentView<'a> {
    pub(super) fn new(payment: &'a Payment, amounts: Amounts) -> PaymentView<'a> {
        let terms = payment.terms();
        let track_attempts = terms.method.kind().tracks_attempts();
        let is_invoice = terms.destination.kind == DestinationType::Invoice;
        PaymentView {
            id: payment.id(),
            amount: amounts.json(terms.amount),
            amount_authorized: amounts.json(payment.authorized()),
            amount_captured: amounts.json(payment.captured()),
            amount_refunded: amounts.json(payment.refunded()),
            amount_disputed: amounts.json(payment.disputed()),
            amount_charged_back: amounts.json(payment.charged_back()),
            refundable: amounts.json(payment.refundable()),
            capturable: amounts.json(payment.capturable()),
            currency: terms.amount.currency(),
            payment_status: payment.status(),
            destination_type: terms.destination.kind,
            destination_id: &terms.destination.id,
            invoice_number: terms.number.as_ref().filter(|_| is_invoice),
            payment_method_type: terms.method.kind(),
            capture_method: terms.capture_method,
            payment_method_id: payment.instrument().map(PaymentMethodId::as_str).or(terms.method.id()),
            payment_gateway: payment.gateway(),
            gateway_payment_id: payment.gateway_payment_id(),
            gateway_tracking_id: payment.gateway_tracking_id(),
            payment_url: payment.payment_url(),
            save_card_and_make_default: terms.checkout.save_card_and_make_default,
            idempotency_key: terms.idempotency_key.as_ref(),
            metadata: payment.metadata(),
            track_attempts,
            attempts: AttemptView::shown_of(payment),
            error_message: payment.error_message(),
            review: payment.reviews().into_iter().collect(),
            expires_at: terms.expires_at,
            next_attempt_at: payment.next_attempt_at(),
            succeeded_at: payment.succeeded_at(),
            failed_at: payment.failed_at(),
            refunded_at: payment.refunded_at(),
            voided_at: payment.voided_at(),
            archived_at: payment.archived_at(),
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
    /// Those that are shown of `payment`.
    pub(super) fn shown_of(payment: &'a Payment) -> Vec<AttemptView<'a>> {
        let shown = payment.terms().method.kind().tracks_attempts();
        let attempts = payment.attempts().filter(|_| shown);
        attempts.map(|attempt| AttemptView::new(payment, attempt)).collect()
    }

    pub(super) fn new(payment: &'a Payment, attempt: &'a Operation) -> AttemptView<'a> {
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
