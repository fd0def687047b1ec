//! Whose data it is, and who asks.

use std::fmt;
use std::sync::Arc;

use crate::text::{Actor, EnvironmentId, TenantId};

/// One tenant in one environment. Every call to a store names one, and nothing of another is ever seen,
/// changed or matched: not its payments, not its idempotency keys, not its wallets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Arc<(TenantId, EnvironmentId)>);

impl Scope {
    /// The scope of `tenant` in `environment`.
    #[must_use]
    pub fn new(tenant: TenantId, environment: EnvironmentId) -> Scope {
        Scope(Arc::new((tenant, environment)))
    }

    /// Whose data it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.0.0
    }

    /// Which of the tenant's environments.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentId {
        &self.0.1
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant(), self.environment())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// Who asks, and for whom. An API key belongs to exactly one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Whose data it is about.
    pub scope: Scope,
    /// Who is written down as having done it.
    pub actor: Actor,
}

impl Caller {
    /// `actor` acting within `scope`.
    #[must_use]
    pub fn new(scope: Scope, actor: Actor) -> Caller {
        Caller { scope, actor }
    }
}
