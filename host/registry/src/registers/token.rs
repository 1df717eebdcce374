//! The bearer token that we ask SvarUt and the Fiks IO catalogue with.

use async_trait::async_trait;

use super::RegisterError;
use crate::caller::CallerToken;

/// Where our own token comes from. An implementation keeps it until shortly before it expires.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that holds for a while yet. Fails as the register would that it is for.
    async fn token(&self) -> Result<CallerToken, RegisterError>;
    /// Forgets a token that a register refused.
    async fn refused(&self, token: &CallerToken);
}
