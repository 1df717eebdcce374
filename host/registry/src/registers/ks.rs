//! How KS wants to be asked: our own token, and the id and password of an integration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, StatusCode};
use tokio::sync::Mutex;

use super::RegisterError;
use super::settings::Password;
use super::token::TokenSource;
use super::wire::Wire;
use crate::caller::CallerToken;

/// A refused token is replaced no more often than this: when it is the password that is wrong, a new token for each question would
/// only wear out the issuer.
const RENEWAL: Duration = Duration::from_secs(30);

/// The way to a register of KS.
pub(super) struct Ks {
    pub(super) wire: Wire,
    id: String,
    password: Password,
    token: Arc<dyn TokenSource>,
    renewed: Mutex<Renewed>,
}

impl Ks {
    pub(super) fn new(wire: Wire, id: &str, password: &Password, token: Arc<dyn TokenSource>) -> Self {
        Self {
            wire,
            id: id.to_owned(),
            password: password.clone(),
            token,
            renewed: Mutex::default(),
        }
    }

    /// The body of a 200, or `None` for one of the statuses that say that nothing is there. Asks with another token when the
    /// first is refused: it may have been revoked before its time.
    pub(super) async fn find(
        &self,
        question: impl Fn() -> RequestBuilder + Send + Sync,
        absent: &[StatusCode],
    ) -> Result<Option<Vec<u8>>, RegisterError> {
        let token = self.token.token().await?;
        match self.wire.find(self.signed(question(), &token), absent).await {
            Err(denied @ RegisterError::Denied { .. }) => match self.another(&token).await? {
                Some(another) => self.wire.find(self.signed(question(), &another), absent).await,
                None => Err(denied),
            },
            answer => answer,
        }
    }

    /// A token in the place of a refused one. `None`: it was replaced just now, and that did not help.
    async fn another(&self, refused: &CallerToken) -> Result<Option<CallerToken>, RegisterError> {
        // Held until the new token is there, so that those who were refused beside us find it.
        let mut renewed = self.renewed.lock().await;
        let current = self.token.token().await?;
        if current.secret() != refused.secret() {
            return Ok(Some(current));
        }
        if !renewed.again(Instant::now()) {
            return Ok(None);
        }
        self.token.refused(refused).await;
        self.token.token().await.map(Some)
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

/// When a token was last replaced.
#[derive(Default)]
struct Renewed(Option<Instant>);

impl Renewed {
    /// Whether one may be replaced now; then it counts as done.
    fn again(&mut self, now: Instant) -> bool {
        let may = self.0.is_none_or(|last| now.saturating_duration_since(last) >= RENEWAL);
        if may {
            self.0 = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_once_in_a_while() {
        let (mut renewed, now) = (Renewed::default(), Instant::now());
        assert!(renewed.again(now));
        assert!(!renewed.again(now));
        assert!(!renewed.again(now + RENEWAL.checked_sub(Duration::from_millis(1)).unwrap()));
        assert!(renewed.again(now + RENEWAL));
    }
}
