//! The payment that a request is about.

use std::sync::Arc;

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use counterfoil::id::PaymentId;
use counterfoil::payment::Payment;
use counterfoil::scope::{Caller, Scope};

use crate::api::Api;
use crate::error::ApiError;
use crate::path::PaymentPath;

/// The payment that the path of a request names, as it is now, for requests that only read it. Where there is none that
/// the caller may see, the request ends here.
#[derive(Debug)]
pub(crate) struct Found(pub(crate) Arc<Payment>);

impl FromRequestParts<Arc<Api>> for Found {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Found, ApiError> {
        let caller = Extension::<Caller>::from_request_parts(parts, api).await;
        let Extension(caller) = caller.map_err(|_| ApiError::internal())?;
        let PaymentPath(id) = PaymentPath::from_request_parts(parts, api).await?;
        find(api, &caller.scope, id).await.map(Found)
    }
}

pub(super) async fn find(api: &Api, scope: &Scope, id: PaymentId) -> Result<Arc<Payment>, ApiError> {
    api.ledger.payment(scope, id).await?.ok_or_else(|| ApiError::no_such("payment"))
}
