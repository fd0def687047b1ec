//! Ids in paths.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use counterfoil::id::PaymentId;
use counterfoil::payment::{Destination, DestinationType};
use counterfoil::text::{DestinationId, WalletId};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{Ref, Required};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::fields::one_of;
use crate::schema;

/// The payment that a path names. What is no id names no payment.
#[derive(Debug)]
pub(crate) struct PaymentPath(pub(crate) PaymentId);

/// The destination that a path names.
#[derive(Debug)]
pub(crate) struct DestinationPath(pub(crate) Destination);

/// The endpoint that a path names, if there is one.
#[derive(Debug)]
pub(crate) struct EndpointPath(pub(crate) String);

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

impl<S: Send + Sync> FromRequestParts<S> for DestinationPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<DestinationPath, ApiError> {
        let texts = Path::<(String, String)>::from_request_parts(parts, state).await;
        let not_utf8 = |_| ApiError::invalid("destination_id", "the destination is not UTF-8");
        let Path((kind, id)) = texts.map_err(not_utf8)?;
        let kind = one_of("destination_type", &kind, DestinationType::ALL, DestinationType::as_str)?;
        let id = DestinationId::new(id).map_err(|error| ApiError::invalid("destination_id", error))?;
        Ok(DestinationPath(Destination { kind, id }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EndpointPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<EndpointPath, ApiError> {
        // What is no text is the name of no endpoint.
        Ok(EndpointPath(decoded(parts, state).await.unwrap_or_default()))
    }
}

impl IntoParams for DestinationPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            named::<schema::DestinationType>("type", "What kind of thing."),
            named::<schema::DestinationId>("id", "Which one."),
        ]
    }
}

impl IntoParams for EndpointPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![named::<schema::EndpointId>("endpoint_id", "Where this gateway tells of this scope.")]
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
    named::<T>("id", description)
}

fn named<T: ToSchema>(name: &str, description: &str) -> Parameter {
    Parameter::builder()
        .name(name)
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
