//! `GET /filetransfer/{id}`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::access::{Party, TransferId};
use super::problem::Problem;
use super::transfer::Transfer;
use crate::faults::enforce::InnerFault;
use crate::server::House;

pub(crate) async fn overview(
    State(house): State<Arc<House>>,
    Party(caller): Party,
    TransferId(id): TransferId,
    fault: Option<Extension<InnerFault>>,
) -> Result<Json<Value>, Problem> {
    let transfer = house
        .broker
        .get(id)
        .filter(|transfer| transfer.concerns(&caller))
        .ok_or_else(Problem::not_found)?;
    let mut overview = of(&transfer);
    if matches!(fault, Some(Extension(InnerFault::WrongChecksum))) {
        overview["checksum"] = json!("0".repeat(32));
    }
    Ok(Json(overview))
}

/// All members of an overview (Spec: DPO and DPV, 2.4).
pub(crate) fn of(transfer: &Transfer) -> Value {
    let recipients: Vec<Value> = transfer
        .recipients
        .iter()
        .map(|recipient| {
            json!({
                "recipient": recipient.organisation.to_string(),
                "currentRecipientFileTransferStatusCode": recipient.status.to_string(),
                "currentRecipientFileTransferStatusText": recipient.status.text(),
                "currentRecipientFileTransferStatusChanged": recipient.changed,
            })
        })
        .collect();
    json!({
        "fileTransferId": transfer.id,
        "resourceId": transfer.resource,
        "fileName": transfer.file_name,
        "sendersFileTransferReference": transfer.reference,
        "checksum": transfer.checksum,
        "useVirusScan": true,
        "fileTransferSize": transfer.size,
        "fileTransferStatus": transfer.status.to_string(),
        "fileTransferStatusText": transfer.status_detail.unwrap_or_else(|| transfer.status.text()),
        "fileTransferStatusChanged": transfer.status_changed,
        "created": transfer.created,
        "expirationTime": transfer.expires,
        "sender": transfer.sender.to_string(),
        "recipients": recipients,
        "propertyList": transfer.properties,
    })
}
