//! `identity`: who we are, and tokens of granted profiles.

use crate::bindings::budstikke::plugin::identity;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::{cut, to_contract};
use crate::services::Failure;

/// Scopes in one request.
const SCOPES: usize = 50;

impl CallState {
    fn check_profile(&self, profile: &str) -> Result<(), ContractFailure> {
        if self.plugin.grants.has_profile(profile) {
            return Ok(());
        }
        let profile = cut(profile.to_owned(), 100);
        let detail = format!(
            "token profile `{profile}` is not granted; to grant it, add it to `tokens` under `[adapters.{}.grants]`",
            self.plugin.name
        );
        Err(to_contract(Failure::permanent("profile", detail)))
    }
}

impl identity::Host for CallState {
    fn own_organisation(&mut self) -> wasmtime::Result<String> {
        Ok(self.plugin.services.own_organisation())
    }

    async fn subjects(&mut self, profile: String) -> wasmtime::Result<Result<Vec<String>, ContractFailure>> {
        if let Err(failure) = self.check_profile(&profile) {
            return Ok(Err(failure));
        }
        Ok(self.plugin.services.subjects(&profile).await.map_err(to_contract))
    }

    async fn token(
        &mut self,
        profile: String,
        scopes: Vec<String>,
        subject: Option<String>,
    ) -> wasmtime::Result<Result<identity::BearerToken, ContractFailure>> {
        if let Err(failure) = self.check_profile(&profile) {
            return Ok(Err(failure));
        }
        if scopes.len() > SCOPES || scopes.iter().any(|scope| scope.len() > 500) {
            let failure = Failure::permanent("scope", format!("at most {SCOPES} scopes of 500 bytes"));
            return Ok(Err(to_contract(failure)));
        }
        let token = self.plugin.services.token(&profile, scopes, subject).await;
        Ok(token
            .map(|token| identity::BearerToken {
                value: token.value,
                expires: token.expires,
            })
            .map_err(to_contract))
    }

    async fn token_was_refused(&mut self, value: String) -> wasmtime::Result<()> {
        self.plugin.services.token_was_refused(&value).await;
        Ok(())
    }
}
