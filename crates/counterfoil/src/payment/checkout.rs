//! What is sent to a gateway about a payment besides the amount.

use serde::Serialize;

use crate::text::{GatewayName, GatewayOptions, ReturnUrl};

/// What the payer's way through a gateway is to be. Fixed when the payment is created.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Checkout {
    /// The gateway that was asked for; `None` leaves it to the ledger.
    #[serde(rename = "payment_gateway", skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewayName>,
    /// Where the payer comes back to when it went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_url: Option<ReturnUrl>,
    /// Where the payer comes back to when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_url: Option<ReturnUrl>,
    /// Whether the gateway is to keep the card, as the payer's default one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub save_card_and_make_default: bool,
    /// What only this gateway understands.
    #[serde(rename = "gateway_options", skip_serializing_if = "Option::is_none")]
    pub options: Option<GatewayOptions>,
}
