//! Who asks. Spec: service registry, 2.1.

use std::collections::BTreeSet;
use std::fmt;

use budstikke_message::identifier::Iso6523;

/// An authenticated client.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The organisation of the claim `consumer`; letters that do not arrive go back to it.
    pub organisation: Iso6523,
    /// What the token allows.
    pub scopes: BTreeSet<String>,
    /// The token itself: registers of persons want to see it.
    pub token: CallerToken,
}

/// A client's bearer token, handed on to registers that answer only with it. Never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CallerToken(String);

impl CallerToken {
    /// A token as it came, without `Bearer`.
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token. Not for logs.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerToken")
    }
}
