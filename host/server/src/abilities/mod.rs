//! What an adapter can ask of this host: the server's side of the contract.

pub mod documents;
pub mod packaging;
mod parties;
pub mod tokens;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use budstikke_runtime::services::{Delivery, DocumentRef, Failure, Party, SealScheme, Services, Spool, Token};
use budstikke_store::{SetAside, StoreError};

use crate::config;
use crate::delivery::{self, Handover, Origin};
use crate::node::Node;
use documents::{Doc, VaultSpool, blocking, temporary};
use tokens::Tokens;

/// Largest value of an adapter's state, bytes, and longest key. Contract: `state`.
const STATE_VALUE: usize = 64 * 1024;
const STATE_KEY: usize = 200;

/// What one adapter was granted.
pub struct AdapterServices {
    name: String,
    settings: serde_json::Value,
    services: Vec<String>,
    token_profiles: Vec<String>,
    tokens: Arc<Tokens>,
    /// The node needs the adapters, and the adapters these services: the knot is tied at the start, before any call.
    node: Arc<OnceLock<Arc<Node>>>,
}

impl AdapterServices {
    /// `node` may be filled in later, but before the adapter is called for anything but `describe`.
    pub fn new(
        name: String,
        settings: serde_json::Value,
        adapter: &config::Adapter,
        tokens: Arc<Tokens>,
        node: Arc<OnceLock<Arc<Node>>>,
    ) -> Self {
        let (services, token_profiles) = (adapter.services.clone(), adapter.grants.tokens.clone());
        Self {
            name,
            settings,
            services,
            token_profiles,
            tokens,
            node,
        }
    }

    /// An adapter hands over for its own services only: with the name of another it could make that one's messages vanish.
    fn serves(&self, service: &str) -> Result<(), Failure> {
        if self.services.iter().any(|served| served == service) {
            return Ok(());
        }
        let text = format!(
            "the adapter does not serve {service}: see services in [adapters.{}]",
            self.name
        );
        Err(Failure::permanent("service", text))
    }

    fn node(&self) -> Result<&Arc<Node>, Failure> {
        self.node
            .get()
            .ok_or_else(|| Failure::temporary("the host has not started yet"))
    }

    fn granted(&self, profile: &str) -> Result<(), Failure> {
        if self.token_profiles.iter().any(|granted| granted == profile) {
            return Ok(());
        }
        let text = format!(
            "the adapter is not granted the token profile {profile}: add it to tokens in [adapters.{}.grants]",
            self.name
        );
        Err(Failure::permanent("profile", text))
    }
}

fn stored(error: &StoreError) -> Failure {
    match error {
        StoreError::StateFull(_) => Failure::permanent("limit", error.to_string()),
        error => Failure::temporary(error.to_string()),
    }
}

#[async_trait]
impl Services for AdapterServices {
    async fn spool(&self, name: &str, media_type: &str, limit: u64) -> Result<Box<dyn Spool>, Failure> {
        Ok(Box::new(VaultSpool::new(&self.node()?.vault, name, media_type, limit)))
    }

    fn from_bytes(&self, name: &str, media_type: &str, content: Vec<u8>) -> DocumentRef {
        Arc::new(Doc::bytes(name, media_type, content))
    }

    async fn asic(
        &self,
        name: &str,
        documents: Vec<DocumentRef>,
        sender: &str,
        receiver: &str,
    ) -> Result<DocumentRef, Failure> {
        packaging::asic(&self.node()?.identity, name, documents, sender, receiver)
    }

    async fn seal(
        &self,
        name: &str,
        content: DocumentRef,
        certificate: Vec<u8>,
        scheme: SealScheme,
    ) -> Result<DocumentRef, Failure> {
        packaging::seal(name, content, &certificate, &scheme)
    }

    async fn seal_to_us(&self, name: &str, content: DocumentRef) -> Result<DocumentRef, Failure> {
        packaging::seal_to_us(&self.node()?.identity, name, content)
    }

    async fn unseal(
        &self,
        name: &str,
        media_type: &str,
        content: DocumentRef,
        limit: u64,
    ) -> Result<DocumentRef, Failure> {
        let node = self.node()?;
        let (vault, identity) = (node.vault.clone(), node.identity.clone());
        let (name, media_type) = (name.to_owned(), media_type.to_owned());
        blocking(move || Ok(packaging::unseal(&vault, &identity, &name, &media_type, content, limit)))
            .await
            .map_err(|error| temporary(&error))?
    }

    async fn zip(&self, name: &str, parts: Vec<(String, DocumentRef)>) -> Result<DocumentRef, Failure> {
        packaging::zip(name, parts)
    }

    async fn unzip(&self, archive: DocumentRef) -> Result<Vec<DocumentRef>, Failure> {
        blocking(move || Ok(packaging::unzip(archive)))
            .await
            .map_err(|error| temporary(&error))?
    }

    fn own_organisation(&self) -> String {
        self.node.get().map(|node| node.own_identifier()).unwrap_or_default()
    }

    async fn subjects(&self, profile: &str) -> Result<Vec<String>, Failure> {
        self.granted(profile)?;
        self.tokens.subjects(profile)
    }

    async fn token(&self, profile: &str, scopes: Vec<String>, subject: Option<String>) -> Result<Token, Failure> {
        self.granted(profile)?;
        self.tokens.token(profile, scopes, subject).await
    }

    async fn token_was_refused(&self, value: &str) {
        self.tokens.refused(value).await;
    }

    async fn deliver(
        &self,
        service: &str,
        reference: &str,
        sbd: Vec<u8>,
        package: Option<DocumentRef>,
    ) -> Result<Delivery, Failure> {
        self.serves(service)?;
        delivery::deliver(
            self.node()?,
            Handover {
                service,
                reference,
                sbd: &sbd,
                package,
                origin: Origin::Service,
            },
        )
        .await
    }

    async fn generate(&self, service: &str, reference: &str, sbd: Vec<u8>) -> Result<Delivery, Failure> {
        if self.was_handled(service, reference).await? {
            return Ok(Delivery::AlreadyKnown);
        }
        delivery::deliver(
            self.node()?,
            Handover {
                service,
                reference,
                sbd: &sbd,
                package: None,
                origin: Origin::Adapter,
            },
        )
        .await
    }

    async fn set_aside(
        &self,
        service: &str,
        reference: &str,
        reason: &str,
        content: Option<DocumentRef>,
    ) -> Result<(), Failure> {
        let node = self.node()?;
        let content = content.map(Doc::from_ref).transpose()?;
        self.serves(service)?;
        let kept = match content {
            None => None,
            Some(document) => {
                let vault = node.vault.clone();
                let kept = blocking(move || document.in_vault(&vault));
                Some(kept.await.map_err(|error| temporary(&error))?)
            }
        };
        tracing::error!(
            service,
            reference,
            reason,
            "something from the service is no message; it is kept aside"
        );
        let item = SetAside {
            id: 0,
            service: service.into(),
            reference: reference.into(),
            reason: reason.into(),
            blob: kept.as_ref().map(|kept| kept.file.name().to_owned()),
            size: kept.as_ref().map(|kept| kept.file.size()),
            data_key: kept
                .as_ref()
                .map(|kept| node.vault.wrap_key(reference, &kept.key))
                .transpose()
                .map_err(|error| temporary(&error))?,
            at: Node::now(),
        };
        let small = kept.as_ref().and_then(|kept| kept.file.small().map(<[u8]>::to_vec));
        let set_aside = node.store.set_aside(item, small).await;
        if let Some(kept) = &kept
            && set_aside.as_ref().map_or_else(StoreError::is_unclear, |()| true)
        {
            kept.file.claim();
        }
        set_aside.map_err(|error| stored(&error))
    }

    async fn was_handled(&self, service: &str, reference: &str) -> Result<bool, Failure> {
        self.serves(service)?;
        self.node()?
            .store
            .was_handled(service, reference)
            .await
            .map_err(|error| stored(&error))
    }

    async fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure> {
        parties::look_up(self.node()?.registry.as_ref(), identifier).await
    }

    async fn queue_key(&self) -> Result<String, Failure> {
        match self.node()?.registry.queue_key().await {
            Ok(Some(key)) => Ok(key),
            Ok(None) => Err(Failure::permanent("no-key", "the address service hands out no key")),
            Err(error) => Err(Failure::temporary(error.to_string())),
        }
    }

    async fn queue_key_was_refused(&self, value: &str) {
        if let Some(node) = self.node.get() {
            node.registry.queue_key_was_refused(value).await;
        }
    }

    async fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.node()?
            .store
            .state(&self.name, key, Node::now())
            .await
            .map_err(|error| stored(&error))
    }

    async fn state_set(&self, key: &str, value: Vec<u8>, lifetime: Option<u64>) -> Result<(), Failure> {
        if value.len() > STATE_VALUE || key.len() > STATE_KEY {
            let text = format!("a key may have {STATE_KEY} bytes and a value {STATE_VALUE}");
            return Err(Failure::permanent("limit", text));
        }
        let expires = lifetime
            .and_then(|seconds| i64::try_from(seconds).ok())
            .map(|seconds| Node::now().saturating_add(seconds.saturating_mul(1000)));
        self.node()?
            .store
            .set_state(&self.name, key, value, expires)
            .await
            .map_err(|error| stored(&error))
    }

    async fn state_remove(&self, key: &str) -> Result<(), Failure> {
        self.node()?
            .store
            .remove_state(&self.name, key)
            .await
            .map_err(|error| stored(&error))
    }

    fn settings(&self) -> &serde_json::Value {
        &self.settings
    }
}
