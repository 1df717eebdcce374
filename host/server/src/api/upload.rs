//! Uploading a file: streamed to the vault, counted, and named in the store only when it is whole.
//! Spec: messaging API, 5.2.

use std::io::{self, Read as _};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use budstikke_message::arkivmelding::{self, Arkivmelding};
use budstikke_message::document_type::Files;
use budstikke_message::file_name::FileName;
use budstikke_message::mime::mime_for;
use budstikke_message::sbd::{AttachedError, Sbd};
use budstikke_message::violation::{Violation, code};
use budstikke_message::xml;
use budstikke_store::files::{FileReader, MessageKey, NewFile};
use budstikke_store::{Attachment, AttachmentRules, Description, NewAttachment, StoreError, Vault};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};

use super::arriving::Arriving;
use super::description::body::Bytes;
use super::description::refusals::refusals;
use super::disposition::Disposition;
use super::error::{ApiError, ApiResult, Kind, kind};
use super::file_sink::FileSink;
use super::params::Params;
use super::unbroken;
use crate::abilities::documents::blocking;
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;

/// Largest file of XML that is read, bytes.
const XML: u64 = 16 * 1024 * 1024;

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

    /// The row of the store. A file that describes the message is read back for that, and handed over.
    pub(super) async fn attachment(
        self,
        just: &Written<'_>,
        primary: bool,
    ) -> ApiResult<(NewAttachment, Option<Arkivmelding>)> {
        let file = just.file;
        let read = if self.filename.as_str() == arkivmelding::FILE_NAME {
            let parsed = just.read_back(arkivmelding::FILE_NAME, Arkivmelding::read).await?;
            Some(arkivmelding_of(parsed)?)
        } else {
            None
        };
        let describes = read.as_ref().map(|read| Description {
            title: read.title().unwrap_or_default().to_owned(),
            reference: read.message_reference(),
        });
        let small = file.small().map(<[u8]>::to_vec);
        let file = Attachment {
            number: 0,
            blob: file.name().to_owned(),
            filename: self.filename.into(),
            title: self.title,
            mime: self.mime,
            size: file.size(),
            primary,
        };
        Ok((NewAttachment { file, small, describes }, read))
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

/// Refuses a file that its message type has no place for.
pub(super) fn fits(sbd: &Sbd, head: &FileHead) -> ApiResult<()> {
    let name = head.filename.as_str();
    // A receipt is handed out without its files, so they would be lost at the receiver.
    if sbd.message_type().files == Files::None {
        let text = format!("A message of type {} has no files.", sbd.message_type().name);
        return Err(ApiError::new(kind::INVALID_DOCUMENT, text));
    }
    sbd.check_file(name, head.title.as_deref(), &head.mime)
        .map_err(|error| {
            let kind = match error {
                AttachedError::NoTitle => kind::MISSING_TITLE,
                AttachedError::NotDescribed => kind::MISSING_METADATA,
                AttachedError::ContentType(_) => kind::INVALID_CONTENT_TYPE,
            };
            let text = format!(
                "A message of type {} cannot take the file {name}: {error}.",
                sbd.message_type().name
            );
            ApiError::new(kind, text)
        })
}

/// What every file can be refused with.
pub(super) const REFUSALS: &[Kind] = &[
    kind::MISSING_HEADER_VALUE,
    kind::CONSTRAINT,
    kind::DUPLICATE_FILENAME,
    kind::TOO_LARGE,
    kind::MISSING_TITLE,
    kind::MISSING_METADATA,
    kind::INVALID_CONTENT_TYPE,
    kind::INVALID_DOCUMENT,
    kind::CUT_OFF,
    kind::NOT_STORED,
    kind::DISK_FULL,
];

refusals! {
    PutRefusals: REFUSALS, &[kind::MISSING_HEADER, kind::SECOND_PRIMARY, kind::MESSAGE_QUEUED, kind::MESSAGE_NOT_FOUND,
        kind::NO_SUCH_PATH];
}

/// Upload a file
///
/// One file for each request, as raw bytes. Files are numbered in the order of their upload; the one that `hoveddokument` names
/// comes first. A file `arkivmelding.xml` gives the conversation its title and reference.
#[utoipa::path(put, path = "/api/messages/out/{messageId}", operation_id = "uploadFile", tag = "messages out",
    params(
        ("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message."),
        ("title" = Option<String>, Query, description = "Title of the file; goes before `name` of Content-Disposition."),
        ("Content-Disposition" = String, Header, example = "attachment; name=\"Svarbrev\"; filename=\"brev.pdf\"",
            description = "`name` is the title, `filename` the name of the file; `filename*` (RFC 5987) for other letters than ASCII."),
    ),
    request_body(description = "The content of the file. Its type is stored as it is given; `application/octet-stream` is \
        replaced by what the file's name says.", content((inline(Bytes) = "*/*"))),
    responses((status = 200, description = "The file is stored."), PutRefusals))]
pub(super) async fn put(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    let mut arriving = Arriving::new(body, node.limits.silence_time);
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
    /// Of the message.
    key: MessageKey,
    head: FileHead,
    primary: bool,
    /// It must be well-formed XML.
    xml: bool,
    service: String,
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
        return Err(ApiError::too_large(&message.facts.service, total, limit));
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
    fits(&sbd, &head)?;
    let key = node
        .vault
        .key_of(message_id, &message.sbd)
        .map_err(|error| ApiError::of_vault(&error))?;
    Ok(Admitted {
        key,
        xml: must_be_xml(&sbd, &head),
        head,
        primary,
        service: message.facts.service,
        present,
        limit,
    })
}

async fn receive(node: &Arc<Node>, message_id: String, admitted: Admitted, arriving: &mut Arriving) -> ApiResult<()> {
    let Admitted {
        key,
        head,
        primary,
        xml,
        service,
        present,
        limit,
    } = admitted;
    let mut sink = FileSink::new(&node.vault, &key);
    while let Some(piece) = arriving.next().await? {
        let total = present.saturating_add(sink.size()).saturating_add(piece.len() as u64);
        if total > limit {
            return Err(ApiError::too_large(&service, total, limit));
        }
        sink.write(piece).await?;
    }
    let node = node.clone();
    unbroken(async move {
        let file = sink.finish().await?;
        let written = Written {
            vault: &node.vault,
            key: &key,
            file: &file,
        };
        if xml {
            xml_fits(&written, &head).await?;
        }
        let filename = head.filename.to_string();
        let (attachment, _) = head.attachment(&written, primary).await?;
        fail_point::reached("upload.before-commit");
        let attached = node
            .store
            .attach(&message_id, attachment, AttachmentRules { limit }, Node::now())
            .await;
        settle(&[file], attached.as_ref().err());
        attached.map_err(|error| match error {
            StoreError::DuplicateFilename => duplicate(&filename),
            StoreError::TooLarge { total, limit } => ApiError::too_large(&service, total, limit),
            error => ApiError::of_store(&error, &message_id),
        })?;
        fail_point::reached("upload.after-commit");
        Ok(())
    })
    .await?
}

/// Files become the store's, unless it has certainly refused them. When nobody knows (the process is going down), they stay
/// for the sweeper: removing a file that a row names would lose it.
pub(super) fn settle(files: &[NewFile], error: Option<&StoreError>) {
    let refused = error.is_some_and(|error| !error.is_unclear());
    if !refused {
        files.iter().for_each(NewFile::claim);
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

/// Whether the message type says that the file is XML.
pub(super) fn must_be_xml(sbd: &Sbd, head: &FileHead) -> bool {
    sbd.message_type().xml_files.contains(&head.filename.as_str())
}

/// Refuses a file that is no XML; it is read back for that.
pub(super) async fn xml_fits(written: &Written<'_>, head: &FileHead) -> ApiResult<()> {
    let name = head.filename.as_str();
    let read = written.read_back(name, xml::check).await?;
    read.map_err(|error| {
        let text = format!("The file {name} cannot be used: {error}.");
        ApiError::new(kind::INVALID_DOCUMENT, text)
    })
}

/// Reads the `arkivmelding.xml` of a stored message.
pub(super) async fn read_arkivmelding(vault: &Vault, key: &MessageKey, file: &Attachment) -> ApiResult<Arkivmelding> {
    let (opening, key, blob) = (vault.clone(), key.clone(), file.blob.clone());
    let open = move || opening.read(&key, &blob);
    arkivmelding_of(parsed(arkivmelding::FILE_NAME, file.size, open, Arkivmelding::read).await?)
}

fn arkivmelding_of(read: Result<Arkivmelding, arkivmelding::ArkivmeldingError>) -> ApiResult<Arkivmelding> {
    read.map_err(|error| ApiError::new(kind::INVALID_DOCUMENT, error.to_string()))
}

/// A file that was just written and that no row names yet.
pub(super) struct Written<'a> {
    pub(super) vault: &'a Vault,
    pub(super) key: &'a MessageKey,
    pub(super) file: &'a NewFile,
}

impl Written<'_> {
    async fn read_back<T: Send + 'static>(&self, name: &str, parse: fn(&[u8]) -> T) -> ApiResult<T> {
        // A small file is only here; a large one is found by its name.
        if self.file.small().is_some() {
            let mut reader = self
                .vault
                .read_new(self.key, self.file)
                .map_err(|error| ApiError::of_vault(&error))?;
            let mut content = Vec::new();
            reader
                .read_to_end(&mut content)
                .map_err(|error| ApiError::of_vault(&error))?;
            return Ok(parse(&content));
        }
        let (vault, key, blob) = (self.vault.clone(), self.key.clone(), self.file.name().to_owned());
        parsed(name, self.file.size(), move || vault.read(&key, &blob), parse).await
    }
}

/// Reads a file of XML, if it is not too large for that.
async fn parsed<T: Send + 'static>(
    name: &str,
    size: u64,
    open: impl FnOnce() -> io::Result<FileReader> + Send + 'static,
    parse: fn(&[u8]) -> T,
) -> ApiResult<T> {
    if size > XML {
        let text = format!("{name} is {size} bytes; at most {XML} are read.");
        return Err(ApiError::new(kind::INVALID_DOCUMENT, text));
    }
    let read = blocking(move || {
        let mut content = Vec::new();
        open()?.take(XML).read_to_end(&mut content)?;
        Ok(parse(&content))
    });
    read.await.map_err(|error| ApiError::of_vault(&error))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::api::scenes::chunked;

    #[test]
    fn a_title_is_needed_where_the_service_says_so() {
        let head = |title: &str| FileHead {
            filename: FileName::parse("a.txt".to_owned()).unwrap(),
            title: Some(title.to_owned()).filter(|title| !title.is_empty()),
            mime: "text/plain".to_owned(),
        };
        assert!(title_given(false, &head(""), "S").is_ok());
        assert!(title_given(true, &head("Brev"), "S").is_ok());
        assert_eq!(
            title_given(true, &head(""), "S").unwrap_err().kind(),
            kind::MISSING_TITLE
        );
    }

    /// An upload of `size` bytes in pieces, without an announced length, where `limit` holds.
    pub(in crate::api) async fn received(node: &Arc<Node>, message_id: &str, size: usize, limit: u64) -> ApiResult<()> {
        let disposition = Disposition {
            name: None,
            filename: Some("a.txt".into()),
        };
        let head = FileHead::read(disposition, &HeaderMap::new())?;
        let admitted = Admitted {
            key: MessageKey::generate().unwrap(),
            head,
            primary: false,
            xml: false,
            service: "S".to_owned(),
            present: 0,
            limit,
        };
        let mut arriving = Arriving::new(chunked(size), node.limits.silence_time);
        receive(node, message_id.to_owned(), admitted, &mut arriving).await
    }
}
