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

use crate::amount::{self, Amounts};
use crate::answer;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::fields::Fields;
use crate::idempotency;
use crate::path::WalletPath;

/// `GET /wallets/{id}`.
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    WalletPath(id): WalletPath,
) -> Result<Response, ApiError> {
    let wallet = api.ledger.wallet(&caller.scope, &id).await?.ok_or_else(|| ApiError::no_such("wallet"))?;
    Ok(answer::json(StatusCode::OK, &WalletView::new(&id, &wallet, api.amounts)))
}

/// `POST /wallets/{id}/top-ups`: answers the wallet as it is now.
pub(crate) async fn top_up(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    WalletPath(id): WalletPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let fields = Fields::parse(&body)?;
    let mut new = NewTopUp::new(id.clone(), amount::read(&fields)?);
    new.idempotency_key = idempotency::one_key(&headers, fields.text(idempotency::FIELD)?)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.top_up(&caller, new).await }).await?;
    let wallet = receipt.account().ok_or_else(ApiError::internal)?;
    let view = WalletView::new(&id, wallet, api.amounts);
    Ok(answer::mark_replay(receipt.replayed, answer::json(StatusCode::CREATED, &view)))
}

#[derive(Serialize)]
struct WalletView<'a> {
    id: &'a WalletId,
    tenant_id: &'a TenantId,
    environment_id: &'a EnvironmentId,
    balances: Vec<Balance>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize)]
struct Balance {
    currency: Currency,
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
