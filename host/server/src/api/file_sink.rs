//! Takes the bytes of a file from the network to the vault, without a thread that waits for the network.

use std::io::Write as _;

use budstikke_store::Vault;
use budstikke_store::files::{FileWriter, MessageKey, NewFile};
use bytes::Bytes;

use super::error::{ApiError, ApiResult};
use crate::abilities::documents::blocking;

/// Bytes that are collected before they are encrypted and written.
const PIECE: usize = 256 * 1024;

/// Files up to this size are encrypted at once: they are small, and stay in memory until their commit.
const INLINE: usize = 16 * 1024;

/// A file on its way in. Dropped before [`FileSink::finish`], it leaves nothing behind.
pub(super) struct FileSink {
    vault: Vault,
    key: MessageKey,
    writer: Option<FileWriter>,
    /// Copied: a piece of one byte would otherwise keep a hundred bytes of bookkeeping until it is written.
    waiting: Vec<u8>,
    size: u64,
}

impl FileSink {
    pub(super) fn new(vault: &Vault, key: &MessageKey) -> Self {
        Self {
            vault: vault.clone(),
            key: key.clone(),
            writer: None,
            waiting: Vec::new(),
            size: 0,
        }
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Takes a piece.
    pub(super) async fn write(&mut self, piece: Bytes) -> ApiResult<()> {
        self.size = self.size.saturating_add(piece.len() as u64);
        self.waiting.extend_from_slice(&piece);
        if self.waiting.len() >= PIECE {
            let writer = self.written().await?;
            self.writer = Some(writer);
        }
        Ok(())
    }

    /// Puts the file on disk for good. Until a row of the store names it, the guard removes it.
    pub(super) async fn finish(mut self) -> ApiResult<NewFile> {
        if self.writer.is_none() && self.waiting.len() <= INLINE {
            // So little that a change of threads would take longer than the work, which touches no disk.
            let finished = self.vault.create(&self.key).and_then(|mut writer| {
                writer.write_all(&self.waiting)?;
                writer.finish()
            });
            return finished.map_err(|error| ApiError::of_vault(&error));
        }
        let writer = self.written().await?;
        blocking(move || writer.finish())
            .await
            .map_err(|error| ApiError::of_vault(&error))
    }

    async fn written(&mut self) -> ApiResult<FileWriter> {
        let (vault, key, writer) = (self.vault.clone(), self.key.clone(), self.writer.take());
        let waiting = std::mem::take(&mut self.waiting);
        blocking(move || {
            let mut writer = match writer {
                Some(writer) => writer,
                None => vault.create(&key)?,
            };
            writer.write_all(&waiting)?;
            Ok(writer)
        })
        .await
        .map_err(|error| ApiError::of_vault(&error))
    }
}
