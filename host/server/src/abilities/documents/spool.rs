//! Downloads on their way into the vault.

use std::io::{self, Read};
use std::sync::Arc;

use async_trait::async_trait;
use budstikke_runtime::services::{ByteWriter, DocumentRef, Failure, Spool};
use budstikke_store::Vault;
use budstikke_store::files::MessageKey;
use tokio_util::io::SyncIoBridge;

use super::stream::{PIECE, copy};
use super::{Doc, VaultFile, temporary};

/// Collects bytes from a service in the vault.
pub struct VaultSpool {
    vault: Vault,
    name: String,
    media_type: String,
    limit: u64,
    writing: Option<tokio::task::JoinHandle<io::Result<VaultFile>>>,
}

impl VaultSpool {
    /// `limit` in bytes.
    pub fn new(vault: &Vault, name: &str, media_type: &str, limit: u64) -> Self {
        Self {
            vault: vault.clone(),
            name: name.into(),
            media_type: media_type.into(),
            limit,
            writing: None,
        }
    }
}

#[async_trait]
impl Spool for VaultSpool {
    async fn writer(&mut self) -> Result<ByteWriter, Failure> {
        if self.writing.is_some() {
            return Err(Failure::permanent(
                "already-open",
                "the spool has given its writer already",
            ));
        }
        let (ours, theirs) = tokio::io::duplex(PIECE);
        let (vault, limit) = (self.vault.clone(), self.limit);
        let incoming = SyncIoBridge::new(ours);
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let key = MessageKey::generate()?;
            let mut writer = vault.create(&key)?;
            copy(&mut incoming.take(limit.saturating_add(1)), &mut writer)?;
            if writer.size() > limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("more than {limit} bytes"),
                ));
            }
            let file = writer.finish()?;
            Ok(VaultFile { file, key })
        }));
        Ok(Box::pin(theirs))
    }

    async fn finish(mut self: Box<Self>) -> Result<DocumentRef, Failure> {
        let Some(writing) = self.writing.take() else {
            return Ok(Arc::new(Doc::bytes(&self.name, &self.media_type, Vec::new())));
        };
        let blob = writing
            .await
            .map_err(io::Error::other)
            .and_then(|result| result)
            .map_err(|error| {
                if error.kind() == io::ErrorKind::FileTooLarge {
                    Failure::permanent("too-large", error.to_string())
                } else {
                    temporary(&error)
                }
            })?;
        Ok(Arc::new(Doc::received(&self.vault, &self.name, &self.media_type, blob)))
    }
}
