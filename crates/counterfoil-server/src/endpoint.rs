//! Where the sandbox's notifications may be told from outside.

use std::fmt;

use counterfoil::text::GatewayName;
use counterfoil_http::Endpoint;

use crate::error::Error;
use crate::{console, keys};

/// The name of the one endpoint, whatever the sandbox goes by.
const ID: &str = "sandbox";
/// 128 random bits take at least so many characters (base 64).
const SECRET_LENGTH: usize = 22;

/// The secret that notifications are signed with. Never shown.
#[derive(Clone)]
pub(crate) struct SandboxSecret(String);

impl SandboxSecret {
    /// `None` for what is no secret.
    pub(crate) fn new(text: &str) -> Option<SandboxSecret> {
        Some(SandboxSecret(text.to_owned())).filter(|secret| !secret.0.is_empty())
    }

    /// The endpoint where `gateway` tells of payments in the scope of the API keys.
    pub(crate) fn endpoint(&self, gateway: GatewayName) -> Result<Endpoint, Error> {
        if self.0.len() < SECRET_LENGTH {
            let advice = format_args!(
                "the secret of the endpoint `{ID}` is short: use {SECRET_LENGTH} random characters or more"
            );
            console::complain("warning", advice);
        }
        let cannot = |error: &dyn std::error::Error| Error::because("cannot use the sandbox's secret", error);
        let scope = keys::scope().map_err(|error| cannot(&error))?;
        Endpoint::new(ID, scope, gateway, &self.0).map_err(|error| cannot(&error))
    }
}

impl fmt::Debug for SandboxSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SandboxSecret(…)")
    }
}
