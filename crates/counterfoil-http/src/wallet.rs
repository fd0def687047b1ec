//! Wallets of credits.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::account::Account;
use counterfoil::clock::Timestamp;
use counterfoil::ledger::NewTopUp;
use counterfoil::money::{Currency, Money};
use counterfoil::scope::Caller;
use counterfoil::text::{EnvironmentId, TenantId, WalletId};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::amount::{self, Amounts};
use crate::answer;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::error::described::{BadRequest, IdempotencyMismatch, NotFound, OutcomeUnknown, PayloadTooLarge};
use crate::fields::{Fields, own_body};
use crate::idempotency::{self, KeyHeader};
use crate::path::WalletPath;
use crate::schema;

/// Reads a wallet.
#[utoipa::path(
    get,
    path = "/wallets/{id}",
    operation_id = "readWallet",
    tag = "wallets",
    params(WalletPath),
    responses(
        (status = 200, description = "The wallet.", body = WalletView),
        (status = 400, response = BadRequest),
        (status = 404, response = NotFound),
    ),
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    WalletPath(id): WalletPath,
) -> Result<Response, ApiError> {
    let wallet = api.ledger.wallet(&caller.scope, &id).await?.ok_or_else(|| ApiError::no_such("wallet"))?;
    Ok(answer::json(StatusCode::OK, &WalletView::new(&id, &wallet, api.amounts)))
}

/// Puts credits into a wallet.
///
/// The wallet comes to be with its first top-up.
#[utoipa::path(
    post,
    path = "/wallets/{id}/top-ups",
    operation_id = "topUpWallet",
    tag = "wallets",
    params(WalletPath, KeyHeader),
    request_body = TopUpBody,
    responses(
        (status = 201, description = "The wallet, as it is now.", body = WalletView,
            headers(("Idempotent-Replayed" = bool, description = "`true` where it had been topped up before.")),
            links(("read" = (operation_id = "readWallet", parameters(("id" = "$response.body#/id"))))),
        ),
        (status = 400, response = BadRequest),
        (status = 413, response = PayloadTooLarge),
        (status = 422, response = IdempotencyMismatch),
        (status = 504, response = OutcomeUnknown),
    ),
)]
pub(crate) async fn top_up(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    WalletPath(id): WalletPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::of::<TopUpBody>(&body)?;
    let mut new = NewTopUp::new(id.clone(), amount::read(&fields)?);
    new.idempotency_key = idempotency::key(&headers, &fields)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.top_up(&caller, new).await }).await?;
    let wallet = receipt.account().ok_or_else(ApiError::internal)?;
    let view = WalletView::new(&id, wallet, api.amounts);
    Ok(answer::mark_replay(receipt.replayed, answer::json(StatusCode::CREATED, &view)))
}

own_body! {
    /// How much more is to be in a wallet.
    #[schema(as = TopUp)]
    struct TopUpBody {
        amount: schema::GivenAmount,
        currency: schema::GivenCurrency,
        idempotency_key: Option<schema::IdempotencyKey>,
    }
}

/// A wallet of credits.
#[derive(Serialize, ToSchema)]
#[schema(as = Wallet)]
struct WalletView<'a> {
    #[schema(value_type = schema::WalletId)]
    id: &'a WalletId,
    #[schema(value_type = schema::TenantId)]
    tenant_id: &'a TenantId,
    #[schema(value_type = schema::EnvironmentId)]
    environment_id: &'a EnvironmentId,
    /// One per currency.
    balances: Vec<Balance>,
    #[schema(value_type = schema::Time)]
    created_at: Timestamp,
    #[schema(value_type = schema::Time)]
    updated_at: Timestamp,
}

/// What is in a wallet, of one currency.
#[derive(Serialize, ToSchema)]
struct Balance {
    #[schema(value_type = schema::Currency)]
    currency: Currency,
    #[schema(value_type = schema::Amount)]
    amount: Box<RawValue>,
}

impl<'a> WalletView<'a> {
    fn new(id: &'a WalletId, wallet: &'a Account, amounts: Amounts) -> WalletView<'a> {
        let balance = |amount| Balance { currency: Money::currency(amount), amount: amounts.json(amount) };
        WalletView {
            id,
            tenant_id: wallet.scope().tenant(),
            environment_id: wallet.scope().environment(),
            balances: wallet.balances().map(balance).collect(),
            created_at: wallet.created_at(),
            updated_at: wallet.updated_at(),
        }
    }
}
