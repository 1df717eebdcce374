//! The operator's own list, and an address service for everybody who does not stand in it.

use async_trait::async_trait;
use serde_json::Value;

use super::remote::RemoteRegistry;
use super::{Answer, Question, Record, Registry, RegistryError, TomlRegistry};

/// Who stands in the own list is asked of nobody else.
pub struct OwnListFirst {
    own: TomlRegistry,
    remote: RemoteRegistry,
}

impl OwnListFirst {
    /// Both.
    pub fn new(own: TomlRegistry, remote: RemoteRegistry) -> Self {
        Self { own, remote }
    }
}

#[async_trait]
impl Registry for OwnListFirst {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        if self.own.knows(question.receiver) {
            self.own.capabilities(question).await
        } else {
            self.remote.capabilities(question).await
        }
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        self.own.without_receiver(process).await
    }

    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        if self.own.knows(receiver) {
            self.own.record(receiver).await
        } else {
            self.remote.record(receiver).await
        }
    }

    fn report(&self) -> Option<Value> {
        self.remote.report()
    }

    async fn tidy(&self) {
        self.remote.tidy().await;
    }
}
