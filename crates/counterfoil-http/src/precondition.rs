//! `ETag` and `If-Match`: a payment is written to only if nobody else has written to it meanwhile.

use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use utoipa::IntoParams;

/// What a request demands of the version of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing.
    None,
    /// To be this one.
    Version(u64),
    /// What no version is.
    Never,
}

/// The tag of a version: strong, since equal versions are equal payments.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What the `If-Match` header demands: one strong tag, or `*` for any version. Several tags are not understood,
/// and so match nothing, like a weak one and one that was never given.
pub(crate) fn of(headers: &HeaderMap) -> Precondition {
    #[cfg(test)]
    crate::asked::note("If-Match");
    let mut given = headers.get_all(IF_MATCH).iter();
    match (given.next(), given.next()) {
        (None, _) => Precondition::None,
        (Some(only), None) if only == "*" => Precondition::None,
        (Some(only), None) => {
            only.to_str().ok().and_then(version).map_or(Precondition::Never, Precondition::Version)
        }
        _ => Precondition::Never,
    }
}

fn version(text: &str) -> Option<u64> {
    let version = text.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    // One version, one tag: no other way of writing the number is one.
    (tag(version) == text).then_some(version)
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "only described: headers are read by their names")]
pub(crate) struct IfMatch {
    /// The version that is to be changed, an `ETag` that was answered, or `*` for any. With another one than the
    /// payment is at, nothing changes.
    #[param(rename = "If-Match", required = false)]
    if_match: String,
}
