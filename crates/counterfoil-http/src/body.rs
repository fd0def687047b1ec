//! Request bodies: bounded before they are kept.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};

use crate::error::{ApiError, Code};

/// The most bytes of a body.
const MAX_BODY: usize = 256 * 1024;

/// The bytes of a body, all of them.
#[derive(Debug)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<S: Sync> FromRequest<S> for Bytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Bytes, ApiError> {
        read(request.into_body()).await.map(Bytes)
    }
}

/// What is announced as too large is refused unread; what was not, as soon as it is.
async fn read(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MAX_BODY {
        return Err(too_large());
    }
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| ApiError::refused("the body ended before it was complete"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > MAX_BODY - bytes.len() {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn too_large() -> ApiError {
    ApiError::new(Code::PayloadTooLarge, "the body is larger than 256 KiB")
}
