//! The operator's own list, and an address service for everybody who does not stand in it.

use async_trait::async_trait;
use budstikke_message::identifier::OrganisationNumber;
use serde_json::Value;

use super::{Answer, Published, Question, Record, Registry, RegistryError, TomlRegistry};

/// Who stands in the own list is asked of nobody else.
pub struct OwnListFirst {
    own: TomlRegistry,
    service: Box<dyn Registry>,
}

impl OwnListFirst {
    /// Both.
    pub fn new(own: TomlRegistry, service: Box<dyn Registry>) -> Self {
        Self { own, service }
    }
}

#[async_trait]
impl Registry for OwnListFirst {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        if self.own.knows(question.receiver) {
            self.own.capabilities(question).await
        } else {
            self.service.capabilities(question).await
        }
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        self.own.without_receiver(process).await
    }

    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        if self.own.knows(receiver) {
            self.own.record(receiver).await
        } else {
            self.service.record(receiver).await
        }
    }

    async fn info(&self, receiver: &str) -> Result<Value, RegistryError> {
        if self.own.knows(receiver) {
            self.own.info(receiver).await
        } else {
            self.service.info(receiver).await
        }
    }

    async fn steps(&self, question: Question<'_>) -> Option<Vec<String>> {
        if self.own.knows(question.receiver) {
            None
        } else {
            self.service.steps(question).await
        }
    }

    async fn published(&self, organisation: &OrganisationNumber) -> Result<Published, RegistryError> {
        self.service.published(organisation).await
    }

    async fn queue_key(&self) -> Result<Option<String>, RegistryError> {
        self.service.queue_key().await
    }

    async fn queue_key_was_refused(&self, key: &str) {
        self.service.queue_key_was_refused(key).await;
    }

    fn report(&self) -> Option<Value> {
        self.service.report()
    }

    async fn tidy(&self) {
        self.service.tidy().await;
    }

    fn sweep(&self) {
        self.service.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::RegistryError;
    use crate::registry::remote::tests::stand_in::{Says, StandIn};
    use crate::registry::remote::tests::{PROCESS, client, organisation};

    #[tokio::test]
    async fn the_address_service_is_not_asked_about_who_stands_in_the_own_list() {
        let stand_in = StandIn::new(Says::Good(organisation("REMOTE")));
        let list = format!(
            "[[receivers]]\nidentifier = \"974720760\"\n[[receivers.capabilities]]\nprocesses = [\"{PROCESS}\"]\n\
             service = \"OWN\"\ndocument-types = [\"urn:x::brev\"]"
        );
        let own = TomlRegistry::new(&toml::from_str(&list).unwrap()).unwrap();
        let registry = OwnListFirst::new(own, Box::new(client(&stand_in, |_| {})));
        let service = async |receiver, process| {
            let answer = registry
                .capabilities(Question::about(receiver).in_process(process))
                .await;
            answer.map(|answer| answer.capabilities[0].service.clone())
        };
        assert_eq!(service("974720760", PROCESS).await.unwrap(), "OWN");
        let refused = service("974720760", "urn:other").await;
        assert!(matches!(refused, Err(RegistryError::NotAccepted { .. })));
        assert!(registry.record("974720760").await.is_ok());
        assert!(stand_in.asked().is_empty());
        assert_eq!(service("910076787", PROCESS).await.unwrap(), "REMOTE");
        assert_eq!(stand_in.asked().len(), 1);
        assert!(registry.report().is_some());
    }
}
