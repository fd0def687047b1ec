//! API keys: who may call, and in whose name.

use std::fmt;
use std::fmt::Write;

use counterfoil::scope::{Caller, Scope};
use counterfoil::text::{Actor, EnvironmentId, InvalidText, TenantId};
use counterfoil_http::ApiKeys;

use crate::console;
use crate::error::Error;

/// A server of its own has one tenant in one environment.
pub(crate) const TENANT: &str = "default";
pub(crate) const ENVIRONMENT: &str = "default";
/// Who is written down for a key without an id.
const ACTOR: &str = "api";
/// 128 random bits take at least so many characters (base 64).
const SECRET_LENGTH: usize = 22;

/// A key, as `<id>.<secret>` or all secret. Never shown: only [`reveal`](Self::reveal) gives the text.
#[derive(Clone)]
pub(crate) struct ApiKey(String);

impl ApiKey {
    /// A new one with 192 random bits.
    pub(crate) fn make() -> Result<ApiKey, Error> {
        Ok(ApiKey(format!("key_{}.{}", random_hex::<6>()?, random_hex::<24>()?)))
    }

    /// Its text, secret and all.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What may be shown of it, and what must not.
    fn parts(&self) -> (&str, &str) {
        match self.0.split_once('.') {
            Some(("", secret)) => (ACTOR, secret),
            Some((id, secret)) => (id, secret),
            None => (ACTOR, &self.0),
        }
    }
}

impl From<String> for ApiKey {
    fn from(text: String) -> ApiKey {
        ApiKey(text)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// What the router checks callers against. A key that could be guessed is taken, with a warning.
pub(crate) fn register(keys: &[ApiKey]) -> Result<ApiKeys, Error> {
    let mut registered = ApiKeys::new();
    for key in keys {
        let (id, secret) = key.parts();
        if secret.len() < SECRET_LENGTH {
            console::complain(
                "warning",
                format_args!(
                    "the secret of API key `{id}` is short: use {SECRET_LENGTH} random characters or more"
                ),
            );
        }
        let caller = caller(id).map_err(|error| Error::because("cannot use the API key's id", &error))?;
        registered
            .insert(key.reveal(), caller)
            .map_err(|error| Error::because(format_args!("cannot use API key `{id}`"), &error))?;
    }
    Ok(registered)
}

fn caller(id: &str) -> Result<Caller, InvalidText> {
    Ok(Caller::new(scope()?, Actor::new(id)?))
}

/// What every key opens.
pub(crate) fn scope() -> Result<Scope, InvalidText> {
    Ok(Scope::new(TenantId::new(TENANT)?, EnvironmentId::new(ENVIRONMENT)?))
}

fn random_hex<const BYTES: usize>() -> Result<String, Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Error::because("cannot make an API key", &error))?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_made_here_is_strong_and_new_each_time() {
        let [a, b] = [ApiKey::make().unwrap(), ApiKey::make().unwrap()];
        let (id, secret) = a.parts();
        assert!(id.starts_with("key_") && secret.len() == 48, "{}", a.reveal());
        assert_ne!(a.reveal(), b.reveal());
    }

    #[test]
    fn the_actor_is_the_part_that_is_no_secret() {
        let actor = |key: &str| ApiKey::from(key.to_owned()).parts().0.to_owned();
        assert_eq!(["billing.s3cret", "s3cret", ".s3cret"].map(actor), ["billing", "api", "api"]);
    }

    #[test]
    fn debug_shows_nothing_of_a_key() {
        assert_eq!(format!("{:?}", ApiKey::from("billing.s3cret".to_owned())), "ApiKey(…)");
    }
}
