//! What a message type asks of a file. Spec: messaging API, 5.2.

use serde_json::Value;

use super::Sbd;
use crate::document_type::Attached;

/// The member that tells about files.
const METADATA: &str = "metadataFiler";

/// Why a file cannot be part of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachedError {
    /// It has no title.
    #[error("every file but the primary document and those that metadataFiler names needs a title")]
    NoTitle,
    /// The body says nothing about it.
    #[error("every file but the primary document must have an entry in metadataFiler")]
    NotDescribed,
    /// Its content type is not taken.
    #[error("the content type must be one of {}", .0.join(", "))]
    ContentType(&'static [&'static str]),
}

impl Sbd {
    /// Whether a file can be part of the message. `title` is none when it is blank; parameters of `mime` do not count.
    pub fn check_file(&self, name: &str, title: Option<&str>, mime: &str) -> Result<(), AttachedError> {
        if self.primary_document() == Some(name) {
            return Ok(());
        }
        let metadata = self.body.get(METADATA).and_then(Value::as_object);
        match self.kind.attached {
            Attached::Free => Ok(()),
            Attached::Titled => {
                let mut named = metadata.into_iter().flat_map(serde_json::Map::values);
                if title.is_some() || named.any(|value| value == name) {
                    Ok(())
                } else {
                    Err(AttachedError::NoTitle)
                }
            }
            Attached::Described(types) => {
                if !metadata.is_some_and(|metadata| metadata.contains_key(name)) {
                    return Err(AttachedError::NotDescribed);
                }
                let essence = mime.split(';').next().unwrap_or_default().trim();
                if types.iter().any(|known| known.eq_ignore_ascii_case(essence)) {
                    Ok(())
                } else {
                    Err(AttachedError::ContentType(types))
                }
            }
        }
    }
}
