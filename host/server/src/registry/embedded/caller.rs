//! As whom the address service is asked: the organisation that this installation belongs to, which may ask for everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use budstikke_message::identifier::{Identifier, Iso6523};
use budstikke_registry::caller::{Caller, CallerToken};

use crate::abilities::tokens::Tokens;
use crate::registry::RegistryError;
use budstikke_message::identifier::without_person_numbers;

/// The caller of every question.
pub struct Asker {
    /// Letters that do not arrive go back to it.
    pub organisation: Iso6523,
    /// All scopes that the rules ask for: nobody but the operator decides here.
    pub scopes: BTreeSet<String>,
    /// For registers that want to see a token; none: they are shown an empty one.
    pub token: Option<ShownToken>,
}

/// `token-profile` and `scopes` of `[registry]`.
pub struct ShownToken {
    /// Where tokens come from.
    pub tokens: Arc<Tokens>,
    /// `[tokens.<profile>]`
    pub profile: String,
    /// What is asked for.
    pub scopes: Vec<String>,
}

impl Asker {
    /// With a token only where a register can want one: a token issuer that is down stands in nobody else's way.
    pub(super) async fn caller(&self, receiver: &Identifier) -> Result<Caller, RegistryError> {
        let token = match (&self.token, receiver) {
            (Some(shown), Identifier::Person(_) | Identifier::Nhn(_)) => shown.token().await?,
            _ => String::new(),
        };
        Ok(Caller {
            organisation: self.organisation.clone(),
            scopes: self.scopes.clone(),
            token: CallerToken::new(token),
        })
    }

    /// A register did not take the token of this caller. True: there was one, and the next will be another.
    pub(super) async fn refused(&self, caller: &Caller) -> bool {
        match &self.token {
            Some(shown) if !caller.token.secret().is_empty() => {
                shown.tokens.refused(caller.token.secret()).await;
                true
            }
            _ => false,
        }
    }
}

impl ShownToken {
    async fn token(&self) -> Result<String, RegistryError> {
        let token = self.tokens.token(&self.profile, self.scopes.clone(), None).await;
        let token = token.map_err(|failure| {
            let why = without_person_numbers(&failure.to_string());
            RegistryError::Unreachable(format!("no token: {why}"))
        })?;
        Ok(token.value)
    }
}
