//! Where gateways tell their notifications, and what proves that it is they.

use std::fmt;

use axum::http::HeaderMap;
use counterfoil::clock::Timestamp;
use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{Actor, GatewayName};

use super::signature::{self, Signature};

/// Where one gateway tells its notifications about one scope: `POST /v1/gateways/{id}/notifications`, signed with a
/// secret that the gateway and this endpoint share.
///
/// What is told stands in the histories as told by `gateway:NAME`.
#[derive(Clone)]
pub struct Endpoint {
    id: Box<str>,
    caller: Caller,
    gateway: GatewayName,
    secrets: Vec<Box<[u8]>>,
}

/// Why there is no such endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEndpoint {
    /// Its id does not fit in a path as it is.
    #[error("an endpoint's id must be 1 to {} letters, digits, `-`, `_` or `.`", Endpoint::MAX_ID)]
    Id,
    /// It would let everybody in.
    #[error("an endpoint's secret must not be empty")]
    NoSecret,
}

impl Endpoint {
    /// The most characters of an id.
    pub const MAX_ID: usize = 100;

    /// The endpoint `id`, where `gateway` tells of payments of `scope` and signs with `secret`: best 128 random bits
    /// or more, which cannot be checked here.
    pub fn new(
        id: &str,
        scope: Scope,
        gateway: GatewayName,
        secret: impl AsRef<[u8]>,
    ) -> Result<Endpoint, InvalidEndpoint> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if id.is_empty() || id.len() > Endpoint::MAX_ID || !id.bytes().all(fits) {
            return Err(InvalidEndpoint::Id);
        }
        let actor = Actor::new(format!("gateway:{gateway}")).map_err(|_| InvalidEndpoint::Id)?;
        let caller = Caller::new(scope, actor);
        Endpoint { id: id.into(), caller, gateway, secrets: Vec::new() }.or_with(secret)
    }

    /// Taking this secret too: while one is replaced by another.
    pub fn or_with(mut self, secret: impl AsRef<[u8]>) -> Result<Endpoint, InvalidEndpoint> {
        if secret.as_ref().is_empty() {
            return Err(InvalidEndpoint::NoSecret);
        }
        self.secrets.push(secret.as_ref().into());
        Ok(self)
    }

    pub(super) fn gateway(&self) -> &GatewayName {
        &self.gateway
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// Shows no secret.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.id)
    }
}

/// The endpoints of an API.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    /// Adds one, instead of one of the same id.
    pub(crate) fn insert(&mut self, endpoint: Endpoint) {
        self.0.retain(|known| known.id != endpoint.id);
        self.0.push(endpoint);
    }

    /// The endpoint `id`, if `body` is signed with its secret. What is wrong, neither the answer nor its time tells.
    pub(super) fn authentic(
        &self,
        id: &str,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Option<&Endpoint> {
        let signature = Signature::of(headers);
        let endpoint = self.0.iter().find(|endpoint| *endpoint.id == *id);
        // Where there is no endpoint, the same work is done in vain.
        let nobody: [Box<[u8]>; 1] = [Box::from(*b"nobody's secret")];
        let secrets = endpoint.map_or(&nobody[..], |endpoint| &endpoint.secrets);
        let good = signature::is_good(&signature?, secrets, body, now);
        endpoint.filter(|_| good)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(id: &str, secret: &str) -> Result<Endpoint, InvalidEndpoint> {
        let scope = Scope::new("acme".parse().unwrap(), "test".parse().unwrap());
        Endpoint::new(id, scope, "stripe".parse().unwrap(), secret)
    }

    #[test]
    fn an_endpoint_has_a_name_for_paths_and_a_secret_that_is_not_shown() {
        let shown = format!("{:?}", endpoint("stripe-1", "whsec").unwrap().or_with("whsec_2").unwrap());
        assert_eq!(shown, "Endpoint(stripe-1)");
        for id in ["", "a/b", "a b", "é", "%41", &"a".repeat(101)] {
            assert_eq!(endpoint(id, "s").unwrap_err(), InvalidEndpoint::Id, "{id:?}");
        }
        assert_eq!(endpoint("a", "").unwrap_err(), InvalidEndpoint::NoSecret);
        assert_eq!(endpoint("a", "s").unwrap().or_with("").unwrap_err(), InvalidEndpoint::NoSecret);
    }
}
