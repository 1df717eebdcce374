//! What an operator allows one adapter: interfaces, HTTP hosts, token profiles. What is not written is not allowed.

mod host;
mod imports;

use serde::Deserialize;

pub use host::{GrantError, HostGrant};
pub use imports::{Ability, ImportError};
pub(crate) use imports::{check_imports, check_policy_imports};

/// The grants of one adapter, as under `[adapters.<name>.grants]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// HTTP hosts; an empty list means none.
    pub http: Vec<HostGrant>,
    /// Names of token profiles.
    pub tokens: Vec<String>,
    /// Interfaces of the contract by name (`documents`, `packaging`, `identity`, `exchange`, `state`, `http`), or `*`.
    pub interfaces: Vec<String>,
}

impl Grants {
    /// Whether the interface may be linked. A granted HTTP host grants `http` with it.
    pub(crate) fn allow(&self, ability: Ability) -> bool {
        (ability == Ability::Http && !self.http.is_empty())
            || self.interfaces.iter().any(|name| name == "*" || name == ability.name())
    }

    /// The grant that covers an address, if there is one.
    pub(crate) fn covering(&self, scheme: &str, host: &str, port: u16) -> Option<&HostGrant> {
        self.http.iter().find(|grant| grant.covers(scheme, host, port))
    }

    /// Whether tokens of the profile may be asked for.
    pub(crate) fn has_profile(&self, profile: &str) -> bool {
        self.tokens.iter().any(|name| name == profile)
    }
}
