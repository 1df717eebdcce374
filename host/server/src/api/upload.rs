//! Uploading a file: streamed to the vault, counted, and named in the store only when it is whole.
//! Spec: messaging API, 5.2.

use std::io::Read as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use budstikke_message::arkivmelding::{self, Arkivmelding};
use budstikke_message::file_name::FileName;
use budstikke_message::mime::mime_for;
use budstikke_message::violation::{Violation, code};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};

use super::arriving::Arriving;
use super::disposition::Disposition;
use super::error::{ApiError, ApiResult, kind};
use super::file_sink::FileSink;
use super::params::Params;
use super::unbroken;
use crate::abilities::documents::blocking;
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;
use crate::store::{Attachment, AttachmentRules, Description, NewAttachment, StoreError};
use crate::vault::{Unclaimed, Vault};

/// Largest arkivmelding.xml that is read, bytes.
const ARKIVMELDING: u64 = 16 * 1024 * 1024;

/// What the headers say about a file.
pub(super) struct FileHead {
    pub filename: FileName,
    pub title: Option<String>,
    pub mime: String,
}

impl FileHead {
    /// Reads the headers of an upload, or of a part of a form.
    pub(super) fn read(disposition: Disposition, headers: &HeaderMap) -> ApiResult<Self> {
        let fault = |field: &str, code, text: String| ApiError::constraint("", &[Violation::new(field, code, text)]);
        let Some(filename) = disposition.filename else {
            return Err(ApiError::new(
                kind::MISSING_HEADER_VALUE,
                "Content-Disposition has no filename.",
            ));
        };
        let filename = FileName::parse(filename)
            .map_err(|error| fault("Content-Disposition.filename", code::PATTERN, error.to_string()))?;
        let given = match headers.get(CONTENT_TYPE).map(|value| value.to_str()) {
            None => None,
            Some(Ok(value)) => Some(value),
            Some(Err(_)) => {
                return Err(fault(
                    "Content-Type",
                    code::PATTERN,
                    "it must be plain ASCII".to_owned(),
                ));
            }
        };
        let mime = mime_for(filename.as_str(), given).to_owned();
        Ok(Self {
            filename,
            title: disposition.name.filter(|title| !title.trim().is_empty()),
            mime,
        })
    }

    /// The row of the store. A file that describes the message is read back for that.
    pub(super) async fn attachment(self, vault: &Vault, file: &Unclaimed, primary: bool) -> ApiResult<NewAttachment> {
        let describes = if self.filename.as_str() == arkivmelding::FILE_NAME {
            let read = read_arkivmelding(vault, &file.blob().name, file.blob().size).await?;
            Some(Description {
                title: read.title().unwrap_or_default().to_owned(),
                reference: read.message_reference(),
            })
        } else {
            None
        };
        let file = Attachment {
            number: 0,
            blob: file.blob().name.clone(),
            filename: self.filename.into(),
            title: self.title,
            mime: self.mime,
            size: file.blob().size,
            primary,
        };
        Ok(NewAttachment { file, describes })
    }
}

/// Parses Content-Disposition.
pub(super) fn disposition_of(headers: &HeaderMap) -> ApiResult<Disposition> {
    let header = headers
        .get(CONTENT_DISPOSITION)
        .ok_or_else(|| missing_header("Content-Disposition"))?;
    Disposition::parse(header.as_bytes()).map_err(|error| {
        ApiError::constraint(
            "",
            &[Violation::new("Content-Disposition", code::PATTERN, error.to_string())],
        )
    })
}

fn missing_header(name: &str) -> ApiError {
    ApiError::new(kind::MISSING_HEADER, format!("The request header {name} is missing."))
}

/// Refuses a file without a title where the service needs one.
pub(super) fn title_given(required: bool, head: &FileHead, service: &str) -> ApiResult<()> {
    if required && head.title.is_none() {
        let text = format!(
            "The service {service} needs a title for every file; {} has none.",
            head.filename
        );
        return Err(ApiError::new(kind::MISSING_TITLE, text));
    }
    Ok(())
}

/// `PUT /api/messages/out/{messageId}`
pub(super) async fn put(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let mut arriving = Arriving::new(body);
    let received = match admitted(&node, &message_id, &params, &headers).await {
        Ok(admitted) => receive(&node, message_id, admitted, &mut arriving).await,
        Err(error) => Err(error),
    };
    match received {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(error) => {
            arriving.drain().await;
            Err(error)
        }
    }
}

/// What was settled before the first byte was read.
struct Admitted {
    head: FileHead,
    primary: bool,
    /// Bytes in the message already.
    present: u64,
    /// Largest sum, bytes.
    limit: u64,
}

async fn admitted(node: &Arc<Node>, message_id: &str, params: &Params, headers: &HeaderMap) -> ApiResult<Admitted> {
    headers
        .get(CONTENT_TYPE)
        .ok_or_else(|| missing_header("Content-Type"))?;
    let mut disposition = disposition_of(headers)?;
    if let Some(title) = params.first("title") {
        disposition.name = Some(title.to_owned());
    }
    let found = node.store.outgoing_with_files(message_id).await;
    let (message, files) = found
        .map_err(|error| ApiError::of_store(&error, message_id))?
        .ok_or_else(|| ApiError::no_message(message_id))?;
    let head = FileHead::read(disposition, headers)?;
    if message.queued {
        return Err(ApiError::of_store(&StoreError::AlreadyQueued, message_id));
    }
    if files.iter().any(|file| file.filename == head.filename.as_str()) {
        return Err(duplicate(head.filename.as_str()));
    }
    let limit = node.upload_limit(&message.facts.service);
    let present = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size));
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let total = present.saturating_add(announced.unwrap_or(0));
    if total > limit {
        return Err(ApiError::too_large(total, limit));
    }
    let sbd = sealed_sbd::open(&node.vault, &node.types, message_id, &message.sbd).map_err(|error| damaged(&error))?;
    let primary = sbd.primary_document() == Some(head.filename.as_str());
    if primary && files.iter().any(|file| file.primary) {
        return Err(ApiError::new(
            kind::SECOND_PRIMARY,
            "The message has its primary document already.",
        ));
    }
    let title_required = node
        .rules(&message.facts.service)
        .is_some_and(|rules| rules.title_required);
    title_given(title_required, &head, &message.facts.service)?;
    Ok(Admitted {
        head,
        primary,
        present,
        limit,
    })
}

async fn receive(node: &Arc<Node>, message_id: String, admitted: Admitted, arriving: &mut Arriving) -> ApiResult<()> {
    let Admitted {
        head,
        primary,
        present,
        limit,
    } = admitted;
    let mut sink = FileSink::new(&node.vault);
    while let Some(piece) = arriving.next().await? {
        let total = present.saturating_add(sink.size()).saturating_add(piece.len() as u64);
        if total > limit {
            return Err(ApiError::too_large(total, limit));
        }
        sink.write(piece).await?;
    }
    let node = node.clone();
    unbroken(async move {
        let file = sink.finish().await?;
        let filename = head.filename.to_string();
        let attachment = head.attachment(&node.vault, &file, primary).await?;
        fail_point::reached("upload.before-commit");
        let attached = node
            .store
            .attach(&message_id, attachment, AttachmentRules { limit }, Node::now())
            .await;
        settle(&[file], attached.as_ref().err());
        attached.map_err(|error| match error {
            StoreError::DuplicateFilename => duplicate(&filename),
            error => ApiError::of_store(&error, &message_id),
        })?;
        fail_point::reached("upload.after-commit");
        Ok(())
    })
    .await?
}

/// Files become the store's, unless it has certainly refused them. When nobody knows (the process is going down), they stay
/// for the sweeper: removing a file that a row names would lose it.
pub(super) fn settle(files: &[Unclaimed], error: Option<&StoreError>) {
    let refused = error.is_some_and(|error| !error.is_unclear());
    if !refused {
        files.iter().for_each(Unclaimed::claim);
    }
}

/// The error for a name that is used already.
pub(super) fn duplicate(filename: &str) -> ApiError {
    ApiError::new(
        kind::DUPLICATE_FILENAME,
        format!("The message has a file {filename} already."),
    )
}

/// A stored SBD that cannot be read back.
pub(super) fn damaged(error: &anyhow::Error) -> ApiError {
    tracing::error!(error = format!("{error:#}"), "a stored SBD cannot be read");
    ApiError::new(kind::INTERNAL, "The stored message cannot be read.")
}

/// Reads `arkivmelding.xml` back from the vault.
pub(super) async fn read_arkivmelding(vault: &Vault, blob: &str, size: u64) -> ApiResult<Arkivmelding> {
    if size > ARKIVMELDING {
        let text = format!("arkivmelding.xml is {size} bytes; at most {ARKIVMELDING} are read.");
        return Err(ApiError::new(kind::UNREADABLE_ARKIVMELDING, text));
    }
    let (vault, blob) = (vault.clone(), blob.to_owned());
    let read = blocking(move || {
        let mut content = Vec::new();
        vault.read(&blob)?.take(ARKIVMELDING).read_to_end(&mut content)?;
        Ok(Arkivmelding::read(&content))
    });
    let parsed = read.await.map_err(|error| ApiError::of_vault(&error))?;
    parsed.map_err(|error| ApiError::new(kind::UNREADABLE_ARKIVMELDING, error.to_string()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::api::scenes::chunked;

    /// An upload of `size` bytes in pieces, without an announced length, where `limit` holds.
    pub(in crate::api) async fn received(node: &Arc<Node>, message_id: &str, size: usize, limit: u64) -> ApiResult<()> {
        let disposition = Disposition {
            name: None,
            filename: Some("a.txt".into()),
        };
        let head = FileHead::read(disposition, &HeaderMap::new())?;
        let admitted = Admitted {
            head,
            primary: false,
            present: 0,
            limit,
        };
        receive(node, message_id.to_owned(), admitted, &mut Arriving::new(chunked(size))).await
    }
}
