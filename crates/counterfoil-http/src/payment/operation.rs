//! What captures, refunds and voids have in common, as it is answered.

use counterfoil::clock::Timestamp;
use counterfoil::id::PaymentId;
use counterfoil::money::Currency;
use counterfoil::payment::{Operation, OperationId, Payment};
use counterfoil::text::{Actor, ErrorCode, GatewayName, Message, TenantId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::amount::Amounts;
use crate::schema;

/// What is told of every capture, refund and void.
#[derive(Serialize, ToSchema)]
#[schema(as = MoneyOperation)]
pub(super) struct OperationView<'a> {
    #[schema(value_type = schema::PaymentId)]
    payment_id: PaymentId,
    /// What was asked for.
    #[schema(value_type = schema::Amount)]
    amount: Box<RawValue>,
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// The gateway that it goes through; none where the money came past every gateway, and of credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::GatewayName)]
    payment_gateway: Option<&'a GatewayName>,
    /// Of one that a gateway reported first: the operation of ours that it is. It counts nothing by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::OperationId)]
    same_as: Option<OperationId>,
    /// Whether it may be one that was requested or recorded here, and counts nothing until an operator says so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    possible_duplicate: bool,
    /// The gateway's code, if it declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::ErrorCode)]
    error_code: Option<&'a ErrorCode>,
    /// Why it did not go well, while that is how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    error_message: Option<&'a Message>,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    /// Whoever asked for it, or told of it.
    #[schema(value_type = schema::Actor)]
    created_by: &'a Actor,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
    /// Whoever last changed it.
    #[schema(value_type = schema::Actor)]
    updated_by: &'a Actor,
}

impl<'a> OperationView<'a> {
    pub(super) fn new(payment: &'a Payment, operation: &'a Operation, amounts: Amounts) -> OperationView<'a> {
        OperationView {
            payment_id: payment.id(),
            amount: amounts.json(operation.amount),
            currency: operation.amount.currency(),
            payment_gateway: operation.gateway.as_ref(),
            same_as: operation.same_as(),
            possible_duplicate: operation.is_set_apart() && operation.same_as().is_none(),
            error_code: operation.failure().map(|failure| &failure.code),
            error_message: operation.error_message(),
            tenant_id: payment.scope().tenant(),
            created_at: operation.created_at,
            created_by: &operation.created_by,
            updated_at: operation.updated_at,
            updated_by: &operation.updated_by,
        }
    }
}
