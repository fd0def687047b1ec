//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use counterfoil::id::PaymentId;
use counterfoil::text::WalletId;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{Ref, Required};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::schema;

/// The payment that a path names. What is no id names no payment.
#[derive(Debug)]
pub(crate) struct PaymentPath(pub(crate) PaymentId);

/// The wallet that a path names.
#[derive(Debug)]
pub(crate) struct WalletPath(pub(crate) WalletId);

impl<S: Send + Sync> FromRequestParts<S> for PaymentPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<PaymentPath, ApiError> {
        let id = decoded(parts, state).await.and_then(|text| text.parse().ok());
        id.map(PaymentPath).ok_or_else(|| ApiError::no_such("payment"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WalletPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<WalletPath, ApiError> {
        let field = "wallet_id";
        let text = decoded(parts, state).await;
        let text = text.ok_or_else(|| ApiError::invalid(field, "the wallet id is not UTF-8"))?;
        WalletId::new(text).map(WalletPath).map_err(|error| ApiError::invalid(field, error))
    }
}

impl IntoParams for PaymentPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![described::<schema::PaymentId>("The payment.")]
    }
}

impl IntoParams for WalletPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![described::<schema::WalletId>("The wallet.")]
    }
}

fn described<T: ToSchema>(description: &str) -> Parameter {
    Parameter::builder()
        .name("id")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(Ref::from_schema_name(T::name())))
        .build()
}

/// The path's one parameter; `None` if its percent-encoding does not make UTF-8.
async fn decoded<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    Path::from_request_parts(parts, state).await.ok().map(|Path(text)| text)
}
