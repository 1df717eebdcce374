//! `POST /filetransfer/{id}/upload`, streamed to disk.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use futures::StreamExt as _;
use md5::{Digest as _, Md5};
use serde_json::json;
use tempfile::{Builder, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::access::{Sender, TransferId};
use super::problem::{Problem, plain_problem};
use super::transfer::{Transfer, TransferStatus};
use crate::faults::body::drain;
use crate::faults::enforce::InnerFault;
use crate::organisation::Organisation;
use crate::server::House;

pub(crate) async fn upload(
    State(house): State<Arc<House>>,
    Sender(caller): Sender,
    TransferId(id): TransferId,
    fault: Option<Extension<InnerFault>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let fault = fault.map(|Extension(fault)| fault);
    if content_length(&headers).is_none() && !house.broker.limits.chunked_upload {
        drain(body).await;
        return Ok(plain_problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Content-length header is required",
        ));
    }
    let announced = match admit(&house, &caller, id, &headers) {
        Ok(announced) => announced,
        Err(problem) => {
            // A client that is still writing would see a broken connection instead of the answer.
            drain(body).await;
            return Err(problem);
        }
    };
    // Two uploads to one transfer may run at once; each writes its own file, which goes away unless it is taken.
    let part = Builder::new().prefix("part-").tempfile_in(&house.broker.dir);
    let (file, part) = part.map_err(|error| Problem::Internal(error.to_string()))?.into_parts();
    let stored = store(File::from_std(file), body, house.broker.limits.max_upload).await;
    finish(&house, &announced, part, stored, fault)?;
    Ok(Json(json!({ "fileTransferId": id })).into_response())
}

/// Begins the upload if the caller may upload to the transfer now.
fn admit(house: &House, caller: &Organisation, id: Uuid, headers: &HeaderMap) -> Result<Transfer, Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/octet-stream") {
        return Err(Problem::Invalid(vec![(
            "Content-Type",
            "application/octet-stream is needed".to_owned(),
        )]));
    }
    let too_big = content_length(headers).is_some_and(|length| length > house.broker.limits.max_upload);
    let admitted = house.broker.with(id, |transfer| {
        if transfer.sender != *caller {
            return Err(Problem::no_access());
        }
        if !open(transfer) {
            return Err(Problem::already_uploaded());
        }
        if too_big {
            return Err(Problem::too_big());
        }
        transfer.become_status(TransferStatus::UploadStarted, None);
        Ok(transfer.clone())
    });
    admitted.unwrap_or_else(|| Err(Problem::not_found()))
}

/// A broken upload leaves the transfer in `UploadStarted`, and it can be tried again.
fn open(transfer: &Transfer) -> bool {
    matches!(
        transfer.status,
        TransferStatus::Initialized | TransferStatus::UploadStarted
    )
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

enum Stored {
    Whole {
        size: u64,
        checksum: String,
    },
    TooBig,
    /// The client went away.
    Broken,
}

async fn store(mut file: File, body: Body, limit: u64) -> io::Result<Stored> {
    let mut digest = Md5::new();
    let mut size = 0;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else {
            return Ok(Stored::Broken);
        };
        size += piece.len() as u64;
        if size > limit {
            drain(Body::from_stream(pieces)).await;
            return Ok(Stored::TooBig);
        }
        digest.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    let checksum = hex::encode(digest.finalize());
    Ok(Stored::Whole { size, checksum })
}

/// Takes the stored file as the transfer's.
fn finish(
    house: &House,
    announced: &Transfer,
    part: TempPath,
    stored: io::Result<Stored>,
    fault: Option<InnerFault>,
) -> Result<(), Problem> {
    let id = announced.id;
    let fail = |detail, problem| {
        house.broker.with(id, |transfer| {
            transfer.become_status(TransferStatus::Failed, Some(detail));
        });
        Err(problem)
    };
    let (size, mut checksum) = match stored {
        Err(error) => {
            tracing::error!(%error, transfer = %id, "an upload could not be stored");
            return fail("The file could not be stored", Problem::upload_failed());
        }
        Ok(Stored::TooBig) => return fail("The file is too large", Problem::too_big()),
        Ok(Stored::Broken) => return Err(Problem::upload_failed()),
        Ok(Stored::Whole { size, checksum }) => (size, checksum),
    };
    if fault == Some(InnerFault::WrongChecksum) {
        checksum = "f".repeat(checksum.len());
    }
    if announced
        .checksum
        .as_ref()
        .is_some_and(|announced| *announced != checksum)
    {
        return fail("The checksum is wrong", Problem::checksum_mismatch());
    }
    let taken = house.broker.with(id, |transfer| {
        if !open(transfer) {
            return Err(Problem::already_uploaded());
        }
        part.persist(&transfer.path).map_err(|_| Problem::upload_failed())?;
        transfer.size = size;
        transfer.checksum = Some(checksum);
        // Closed to other uploads from here on.
        transfer.become_status(TransferStatus::UploadProcessing, None);
        Ok(())
    });
    taken.unwrap_or_else(|| Err(Problem::not_found()))?;
    house.broker.scan(id, fault == Some(InnerFault::VirusFound));
    Ok(())
}
