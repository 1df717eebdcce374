//! Create, attach and send in one request. Spec: messaging API, 5.4.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use budstikke_message::arkivmelding::Arkivmelding;
use budstikke_message::sbd::Sbd;
use budstikke_store::Attachment;
use budstikke_store::files::{MessageKey, NewFile};
use http::header::CONTENT_TYPE;

use super::arriving::Arriving;
use super::create::{self, Call, Draft};
use super::description::body::MessageForm;
use super::description::refusals::refusals;
use super::description::sbd::StandardBusinessDocument;
use super::error::{ApiError, ApiResult, kind};
use super::file_sink::FileSink;
use super::form_data::FormData;
use super::upload::{
    self, FileHead, Written, disposition_of, duplicate, fits, must_be_xml, settle, title_given, xml_fits,
};
use super::{json_bytes, send, unbroken};
use crate::node::Node;

/// Everything that the request brought.
struct Received {
    sbd: Sbd,
    files: Vec<(FileHead, NewFile)>,
}

refusals! {
    PostRefusals: create::REFUSALS, upload::REFUSALS, send::REFUSALS, &[kind::MISSING_HEADER, kind::MISSING_PART,
        kind::BAD_MULTIPART, kind::PART_TOO_LARGE, kind::UNSUPPORTED_MEDIA_TYPE];
}

/// Create, upload and send in one request
///
/// For small messages: a file is at most 5 MiB. When the sending is refused, the message exists; go on with it by its id.
#[utoipa::path(post, path = "/api/messages/out/multipart", operation_id = "createAndSendMessage", tag = "messages out",
    request_body(content = MessageForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The message is queued.", body = StandardBusinessDocument), PostRefusals))]
pub(super) async fn post(State(node): State<Arc<Node>>, headers: HeaderMap, body: Body) -> ApiResult {
    let content_type = headers.get(CONTENT_TYPE).filter(|value| {
        value.to_str().is_ok_and(|text| {
            text.trim_start()
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        })
    });
    let content_type = content_type.ok_or_else(|| {
        ApiError::new(
            kind::UNSUPPORTED_MEDIA_TYPE,
            "The Content-Type must be multipart/form-data.",
        )
    })?;
    let arriving = Arriving::new(body, node.limits.silence_time);
    let mut form = FormData::new(content_type, arriving, node.limits.request_bytes)?;
    let key = MessageKey::generate().map_err(|error| ApiError::of_vault(&error))?;
    let received = match receive(&node, &key, &mut form).await {
        Ok(received) => received,
        Err(error) => {
            form.drain().await;
            return Err(error);
        }
    };
    let draft = create::prepare(&node, received.sbd, &key, Call::Multipart).await?;
    Ok(json_bytes(store(&node, draft, &key, received.files).await?))
}

async fn receive(node: &Arc<Node>, key: &MessageKey, form: &mut FormData) -> ApiResult<Received> {
    let (mut sbd, mut files): (Option<Sbd>, Vec<(FileHead, NewFile)>) = (None, Vec::new());
    let (mut parts, most) = (0_usize, node.limits.parts);
    while let Some(headers) = form.next_part().await? {
        parts += 1;
        if parts > most {
            let text = format!("The request has more than {most} parts.");
            return Err(ApiError::new(kind::REQUEST_TOO_LARGE, text));
        }
        let disposition = disposition_of(&headers)?;
        // With a filename too: clients that send the SBD from a file give it one.
        if sbd.is_none() && disposition.name.as_deref() == Some("sbd") {
            sbd = Some(create::read(
                node,
                &sbd_part(form, node.limits.json_bytes).await?,
                Call::Multipart,
            )?);
            continue;
        }
        if disposition.filename.is_none() {
            let text = format!("Part {parts} of the request has no filename, and is not the SBD.");
            return Err(ApiError::new(kind::BAD_MULTIPART, text));
        }
        let head = FileHead::read(disposition, &headers)?;
        if files.iter().any(|(other, _)| other.filename == head.filename) {
            return Err(duplicate(head.filename.as_str()));
        }
        let file = file_part(node, key, form, &head).await?;
        files.push((head, file));
    }
    let sbd = sbd.ok_or_else(|| ApiError::new(kind::MISSING_PART, "The request has no part sbd."))?;
    Ok(Received { sbd, files })
}

async fn sbd_part(form: &mut FormData, limit: usize) -> ApiResult<Vec<u8>> {
    let mut content = Vec::new();
    while let Some(piece) = form.piece().await? {
        content.extend_from_slice(&piece);
        if content.len() > limit {
            return Err(ApiError::new(
                kind::REQUEST_TOO_LARGE,
                format!("The SBD is larger than {limit} bytes."),
            ));
        }
    }
    Ok(content)
}

async fn file_part(node: &Node, key: &MessageKey, form: &mut FormData, head: &FileHead) -> ApiResult<NewFile> {
    let (mut sink, limit) = (FileSink::new(&node.vault, key), node.limits.part_bytes);
    while let Some(piece) = form.piece().await? {
        if sink.size().saturating_add(piece.len() as u64) > limit {
            let text = format!("The file {} is larger than {limit} bytes.", head.filename);
            return Err(ApiError::new(kind::PART_TOO_LARGE, text));
        }
        sink.write(piece).await?;
    }
    sink.finish().await
}

/// Stores the message with all its files, on its way already, in one step.
async fn store(
    node: &Arc<Node>,
    mut draft: Draft,
    key: &MessageKey,
    files: Vec<(FileHead, NewFile)>,
) -> ApiResult<Vec<u8>> {
    let service = &draft.new.facts.service;
    let primary = draft.sbd.primary_document().map(str::to_owned);
    let (mut attachments, mut unclaimed, mut arkivmelding) = (Vec::new(), Vec::new(), None);
    let mut total = 0_u64;
    for (head, file) in files {
        total = total.saturating_add(file.size());
        if total > draft.limit {
            return Err(ApiError::too_large(service, total, draft.limit));
        }
        title_given(draft.title_required, &head, service)?;
        fits(&draft.sbd, &head)?;
        let written = Written {
            vault: &node.vault,
            key,
            file: &file,
        };
        if must_be_xml(&draft.sbd, &head) {
            xml_fits(&written, &head).await?;
        }
        let is_primary = primary.as_deref() == Some(head.filename.as_str());
        let (attachment, read) = head.attachment(&written, is_primary).await?;
        attachments.push(attachment);
        arkivmelding = arkivmelding.or(read);
        unclaimed.push(file);
    }
    let files: Vec<Attachment> = attachments.iter().map(|attachment| attachment.file.clone()).collect();
    // A message that cannot be sent stays as a draft, to be completed; one whose time has passed is told so.
    let in_time = draft.new.facts.expiry >= Node::now();
    draft.new.ready = in_time && !draft.checked && may_leave(&draft.sbd, &files, arkivmelding.as_ref()).is_ok();
    let json = create::written(&draft.sbd)?;
    let node = node.clone();
    // Files and row must not part when the client goes away in between.
    unbroken(async move {
        let (message_id, ready) = (draft.new.facts.message_id.clone(), draft.new.ready);
        let stored = create::commit(&node, draft.new, attachments, draft.limit).await;
        settle(&unclaimed, stored.as_ref().err());
        stored.map_err(|error| ApiError::of_store(&error, &message_id))?;
        if ready {
            send::on_its_way(&node);
        } else {
            // Says why, or lets the adapter have its say.
            send::queue(&node, &message_id).await?;
        }
        Ok(json)
    })
    .await?
}

fn may_leave(sbd: &Sbd, files: &[Attachment], arkivmelding: Option<&Arkivmelding>) -> ApiResult<()> {
    send::has_files(sbd, files)?;
    let needed = send::arkivmelding_among(sbd, files)?;
    send::is_complete(sbd, files, needed.and(arkivmelding))
}
