//! Disputes about payments, as gateways tell of them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use counterfoil::clock::Timestamp;
use counterfoil::id::{DisputeId, PaymentId};
use counterfoil::money::Currency;
use counterfoil::payment::{Dispute, DisputeStage, DisputeStatus, Payment};
use counterfoil::text::{ErrorCode, GatewayDisputeId, GatewayName, Message, TenantId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::found::Found;
use crate::amount::Amounts;
use crate::api::Api;
use crate::error::described::NotFound;
use crate::path::PaymentPath;
use crate::{answer, schema};

/// Lists the disputes about a payment.
#[utoipa::path(
    get,
    path = "/payments/{id}/disputes",
    operation_id = "listDisputes",
    tag = "payments",
    params(PaymentPath),
    responses(
        (status = 200, description = "Disputes, in the order in which they were told of.", body = DisputeListView),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Found(payment): Found) -> Response {
    let disputes = payment.disputes().iter();
    let items = disputes.map(|dispute| DisputeView::new(&payment, dispute, api.amounts)).collect();
    answer::json(StatusCode::OK, &DisputeListView { items })
}

/// Disputes about a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = DisputeList)]
struct DisputeListView<'a> {
    items: Vec<DisputeView<'a>>,
}

/// The payer, or the payer's bank, wants money back.
#[derive(Serialize, ToSchema)]
#[schema(as = Dispute)]
struct DisputeView<'a> {
    #[schema(value_type = schema::DisputeId)]
    id: DisputeId,
    #[schema(value_type = schema::PaymentId)]
    payment_id: PaymentId,
    /// Who told of it.
    #[schema(value_type = schema::GatewayName)]
    payment_gateway: &'a GatewayName,
    #[schema(value_type = schema::GatewayDisputeId)]
    gateway_dispute_id: &'a GatewayDisputeId,
    #[schema(value_type = schema::DisputeStage)]
    stage: DisputeStage,
    #[schema(value_type = schema::DisputeStatus)]
    dispute_status: DisputeStatus,
    /// What is disputed, where the gateway or an operator said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Amount)]
    amount: Option<Box<RawValue>>,
    /// What the gateway took for it, as it reported or as an operator decided.
    #[schema(value_type = schema::Amount)]
    amount_withdrawn: Box<RawValue>,
    /// What of that the gateway gave back.
    #[schema(value_type = schema::Amount)]
    amount_reinstated: Box<RawValue>,
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    /// Until when it is to be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Time)]
    due_by: Option<Timestamp>,
    /// The payer's reason, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::ErrorCode)]
    error_code: Option<&'a ErrorCode>,
    /// The payer's reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Message)]
    error_message: Option<&'a Message>,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
}

impl<'a> DisputeView<'a> {
    fn new(payment: &'a Payment, dispute: &'a Dispute, amounts: Amounts) -> DisputeView<'a> {
        let currency = payment.terms().amount.currency();
        DisputeView {
            id: dispute.id,
            payment_id: payment.id(),
            payment_gateway: &dispute.gateway,
            gateway_dispute_id: &dispute.gateway_dispute_id,
            stage: dispute.stage(),
            dispute_status: dispute.status(),
            amount: dispute.amount().map(|amount| amounts.json(amount)),
            amount_withdrawn: amounts.json(dispute.withdrawn()),
            amount_reinstated: amounts.json(dispute.reinstated()),
            currency,
            due_by: dispute.due_by(),
            error_code: dispute.reason_code(),
            error_message: dispute.reason(),
            tenant_id: payment.scope().tenant(),
            created_at: dispute.created_at,
            updated_at: dispute.updated_at,
        }
    }
}
