//! Payments: create, process, read.

mod request;
mod view;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use counterfoil::command::Receipt;
use counterfoil::scope::Caller;

pub use request::parse_create;

use self::view::PaymentView;
use crate::amount::Amounts;
use crate::answer;
use crate::api::Api;
use crate::body::Bytes;
use crate::error::ApiError;
use crate::idempotency;
use crate::path::PaymentPath;

/// `POST /payments`.
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let mut new = parse_create(&body)?;
    new.idempotency_key = idempotency::one_key(&headers, new.idempotency_key)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.create(&caller, new).await }).await?;
    answer(StatusCode::CREATED, &receipt, api.amounts)
}

/// `POST /payments/{id}/process`.
pub(crate) async fn process(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Response, ApiError> {
    let mut how = request::parse_process(&body)?;
    how.idempotency_key = idempotency::one_key(&headers, how.idempotency_key)?;
    let ledger = api.ledger.clone();
    let receipt = api.flows.carry(async move { ledger.process(&caller, id, how).await }).await?;
    answer(StatusCode::OK, &receipt, api.amounts)
}

/// `GET /payments/{id}`.
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    PaymentPath(id): PaymentPath,
) -> Result<Response, ApiError> {
    let payment = api.ledger.payment(&caller.scope, id).await?;
    let payment = payment.ok_or_else(|| ApiError::no_such("payment"))?;
    Ok(answer::json(StatusCode::OK, &PaymentView::new(&payment, api.amounts)))
}

fn answer(status: StatusCode, receipt: &Receipt, amounts: Amounts) -> Result<Response, ApiError> {
    let payment = receipt.payment().ok_or_else(ApiError::internal)?;
    let response = answer::json(status, &PaymentView::new(payment, amounts));
    Ok(answer::mark_replay(receipt.replayed, response))
}
