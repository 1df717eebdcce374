//! `POST /filetransfer/{id}/confirmdownload` (Spec: DPO and DPV, 2.5).

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::access::{Receiver, TransferId};
use super::problem::Problem;
use super::transfer::{RecipientStatus, TransferStatus};
use crate::server::House;

pub(crate) async fn confirm(
    State(house): State<Arc<House>>,
    Receiver(caller): Receiver,
    TransferId(id): TransferId,
) -> Result<StatusCode, Problem> {
    let limits = &house.broker.limits;
    let confirmed = house.broker.with(id, |transfer| {
        let Some(recipient) = transfer.recipient(&caller) else {
            return Err(Problem::no_access());
        };
        let own = recipient.status;
        match transfer.status {
            TransferStatus::Initialized | TransferStatus::UploadStarted => return Err(Problem::no_file()),
            TransferStatus::Published => {}
            _ => return Err(Problem::not_published()),
        }
        match own {
            RecipientStatus::Initialized => return Err(Problem::confirm_before_download()),
            // Nothing to do, which is a success.
            RecipientStatus::DownloadConfirmed => {}
            RecipientStatus::DownloadStarted => transfer.confirm(&caller, limits),
        }
        Ok(StatusCode::NO_CONTENT)
    });
    confirmed.unwrap_or_else(|| Err(Problem::not_found()))
}
