//! Whose data it is, and who asks.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::text::{Actor, EnvironmentId, TenantId};

/// One tenant in one environment. Every call to a store names one, and nothing of another is ever seen,
/// changed or matched: not its payments, not its idempotency keys, not its wallets.
#[derive(Clone)]
pub struct Scope(Arc<Names>);

struct Names {
    tenant: TenantId,
    environment: EnvironmentId,
    /// Every look-up of everything hashes its scope: two texts, hashed once.
    hash: u64,
}

impl Scope {
    /// The scope of `tenant` in `environment`.
    #[must_use]
    pub fn new(tenant: TenantId, environment: EnvironmentId) -> Scope {
        let mut hasher = DefaultHasher::new();
        (&tenant, &environment).hash(&mut hasher);
        Scope(Arc::new(Names { tenant, environment, hash: hasher.finish() }))
    }

    /// Whose data it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.0.tenant
    }

    /// Which of the tenant's environments.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentId {
        &self.0.environment
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Scope) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.cmp(other).is_eq()
    }
}

impl Eq for Scope {}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Scope) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Scope) -> Ordering {
        (self.tenant(), self.environment()).cmp(&(other.tenant(), other.environment()))
    }
}

impl Hash for Scope {
    fn hash<H: Hasher>(&self, to: &mut H) {
        to.write_u64(self.0.hash);
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
