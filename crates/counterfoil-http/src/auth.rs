//! Who asks: the check that comes before everything else.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::Api;
use crate::error::{ApiError, Code};

/// Lets a request with a good key through, and notes whose it is.
pub(crate) async fn authenticate(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = api.keys.caller(request.headers()).cloned();
    let refused = || ApiError::new(Code::Unauthenticated, "a valid x-api-key header is needed");
    request.extensions_mut().insert(caller.ok_or_else(refused)?);
    Ok(next.run(request).await)
}
