//! How KS wants to be asked: our own token, and the id and password of an integration.

use std::sync::Arc;

use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, StatusCode};

use super::RegisterError;
use super::settings::Password;
use super::token::TokenSource;
use super::wire::Wire;
use crate::caller::CallerToken;

/// The way to a register of KS.
pub(super) struct Ks {
    pub(super) wire: Wire,
    id: String,
    password: Password,
    token: Arc<dyn TokenSource>,
}

impl Ks {
    pub(super) fn new(wire: Wire, id: &str, password: &Password, token: Arc<dyn TokenSource>) -> Self {
        Self {
            wire,
            id: id.to_owned(),
            password: password.clone(),
            token,
        }
    }

    /// The body of a 200, or `None` for one of the statuses that say that nothing is there. Asks with a fresh token when the
    /// first is refused: it may have been revoked before its time.
    pub(super) async fn find(
        &self,
        question: impl Fn() -> RequestBuilder + Send + Sync,
        absent: &[StatusCode],
    ) -> Result<Option<Vec<u8>>, RegisterError> {
        let token = self.token.token().await?;
        match self.wire.find(self.signed(question(), &token), absent).await {
            Err(RegisterError::Denied { .. }) => {
                self.token.refused(&token).await;
                let fresh = self.token.token().await?;
                self.wire.find(self.signed(question(), &fresh), absent).await
            }
            answer => answer,
        }
    }

    /// The request with all that identifies us.
    fn signed(&self, request: RequestBuilder, token: &CallerToken) -> RequestBuilder {
        request
            .bearer_auth(token.secret())
            .header("IntegrasjonId", &self.id)
            .header("IntegrasjonPassord", self.password.secret())
            .header(ACCEPT, "application/json")
    }
}
