//! An SBD in a database column: sealed, since a body can hold a person number.

use std::io;

use anyhow::Context as _;
use budstikke_message::document_type::MessageTypes;
use budstikke_message::sbd::Sbd;
use budstikke_store::files::MessageKey;
use budstikke_store::{SealedSbd, Vault};

fn context(message_id: &str) -> String {
    format!("sbd {message_id}")
}

/// For the database, with a new key: for a message that has no files yet.
pub fn seal(vault: &Vault, message_id: &str, sbd: &Sbd) -> io::Result<SealedSbd> {
    seal_with(vault, &MessageKey::generate()?, message_id, sbd)
}

/// For the database, with the key that the files of the message have.
pub fn seal_with(vault: &Vault, key: &MessageKey, message_id: &str, sbd: &Sbd) -> io::Result<SealedSbd> {
    Ok(SealedSbd {
        content: key.seal(&context(message_id), &sbd.to_json().map_err(io::Error::other)?)?,
        data_key: vault.wrap_key(message_id, key)?,
    })
}

/// From the database, as the JSON that was stored.
pub fn open_json(vault: &Vault, message_id: &str, sealed: &SealedSbd) -> io::Result<Vec<u8>> {
    let key = vault.key_of(message_id, sealed)?;
    Ok(key.unseal(&context(message_id), &sealed.content)?.to_vec())
}

/// From the database, as the JSON that was stored, once it is certain that it is JSON: it stands beside others in a list.
pub fn open_proven(vault: &Vault, message_id: &str, sealed: &SealedSbd) -> io::Result<Vec<u8>> {
    let json = open_json(vault, message_id, sealed)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(&json)?;
    Ok(json)
}

/// From the database.
pub fn open(vault: &Vault, types: &MessageTypes, message_id: &str, sealed: &SealedSbd) -> anyhow::Result<Sbd> {
    let json = open_json(vault, message_id, sealed)?;
    Sbd::parse(&json, types).with_context(|| format!("the stored SBD of message {message_id}"))
}
