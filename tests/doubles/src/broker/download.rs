//! `GET /filetransfer/{id}/download`, streamed from disk.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::access::{Receiver, TransferId};
use super::problem::Problem;
use super::transfer::{Transfer, TransferStatus};
use crate::configuration::DownloadMark;
use crate::faults::enforce::InnerFault;
use crate::server::House;

/// Bytes read from disk at a time.
const PIECE: usize = 64 * 1024;

pub(crate) async fn download(
    State(house): State<Arc<House>>,
    Receiver(caller): Receiver,
    TransferId(id): TransferId,
    fault: Option<Extension<InnerFault>>,
) -> Result<Response, Problem> {
    let fault = fault.map(|Extension(fault)| fault);
    let transfer = house.broker.get(id).ok_or_else(Problem::not_found)?;
    if transfer.recipient(&caller).is_none() {
        return Err(Problem::not_found());
    }
    if !matches!(
        transfer.status,
        TransferStatus::Published | TransferStatus::AllConfirmedDownloaded
    ) {
        return Err(Problem::not_available());
    }
    let file = File::open(&transfer.path)
        .await
        .map_err(|error| Problem::Internal(format!("file of {id}: {error}")))?;
    if house.broker.download_mark == DownloadMark::WhenRequested {
        house.broker.with(id, |transfer| transfer.download_started(&caller));
    }

    let size = transfer.size;
    let whole = !matches!(fault, Some(InnerFault::BreaksOff(after)) if after < size);
    let damaged = fault == Some(InnerFault::WrongChecksum);
    let mut sent = 0;
    let mark = move |sent: u64| {
        if sent >= size && whole {
            // Before the last piece leaves: a quick recipient may confirm as soon as it has it.
            house.broker.with(id, |transfer| transfer.download_started(&caller));
        }
    };
    if size == 0 {
        mark(0);
    }
    let pieces = ReaderStream::with_capacity(file, PIECE).map_ok(move |piece| {
        sent += piece.len() as u64;
        mark(sent);
        if damaged && sent >= size {
            flip_last_byte(&piece)
        } else {
            piece
        }
    });
    Ok((headers(&transfer), Body::from_stream(pieces)).into_response())
}

fn flip_last_byte(piece: &Bytes) -> Bytes {
    let mut damaged = BytesMut::from(piece.as_ref());
    if let Some(last) = damaged.last_mut() {
        *last ^= 1;
    }
    damaged.freeze()
}

fn headers(transfer: &Transfer) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(transfer.size));
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = transfer.file_name.chars().filter(plain).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename={name}")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    headers
}
