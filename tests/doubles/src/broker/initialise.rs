//! `POST /filetransfer/`: announces a file (Spec: DPO and DPV, 2.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::Sender;
use super::problem::Problem;
use super::shelf::Shelf;
use super::transfer::{Recipient, RecipientStatus, Transfer, TransferStatus};
use crate::organisation::Organisation;
use crate::server::House;

const LONGEST_NAME: usize = 255;
const LONGEST_REFERENCE: usize = 4096;
const MOST_PROPERTIES: usize = 10;
const LONGEST_PROPERTY_KEY: usize = 50;
const LONGEST_PROPERTY_VALUE: usize = 300;
/// Length of an MD5 checksum in hexadecimal.
const CHECKSUM_LENGTH: usize = 32;

/// The announcement. A member of the wrong type refuses the whole; unknown members are ignored, as at Altinn.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    file_name: Option<String>,
    resource_id: Option<String>,
    senders_file_transfer_reference: Option<String>,
    sender: Option<String>,
    recipients: Option<Vec<String>>,
    property_list: Option<BTreeMap<String, String>>,
    checksum: Option<String>,
    disable_virus_scan: Option<bool>,
}

pub(crate) async fn initialise(
    State(house): State<Arc<House>>,
    Sender(caller): Sender,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(Problem::Invalid(vec![(
            "Content-Type",
            "application/json is needed".to_owned(),
        )]));
    }
    let announcement: Announcement = serde_json::from_slice(&body)
        .map_err(|error| Problem::Invalid(vec![("body", format!("The JSON cannot be read: {error}"))]))?;
    let transfer = validate(announcement, &house.broker)?;
    if transfer.sender != caller {
        return Err(Problem::no_access());
    }
    let id = transfer.id;
    house.broker.add(transfer);
    Ok(Json(json!({ "fileTransferId": id })))
}

type Faults = Vec<(&'static str, String)>;

fn text(faults: &mut Faults, field: &'static str, value: Option<String>, longest: usize) -> String {
    let value = value.unwrap_or_default();
    if !(1..=longest).contains(&value.chars().count()) {
        faults.push((field, format!("The field must have 1 to {longest} characters")));
    }
    value
}

fn organisation(faults: &mut Faults, field: &'static str, value: &str) -> Option<Organisation> {
    // Nine digits alone are no form that the broker knows.
    let organisation = value.contains(':').then(|| value.parse().ok()).flatten();
    if organisation.is_none() {
        faults.push((field, "An organisation is written 0192: and nine digits".to_owned()));
    }
    organisation
}

fn validate(announcement: Announcement, shelf: &Shelf) -> Result<Transfer, Problem> {
    let mut faults = Faults::new();
    let file_name = text(&mut faults, "fileName", announcement.file_name, LONGEST_NAME);
    let resource = text(&mut faults, "resourceId", announcement.resource_id, LONGEST_NAME);
    let reference = announcement.senders_file_transfer_reference.map(|reference| {
        text(
            &mut faults,
            "sendersFileTransferReference",
            Some(reference),
            LONGEST_REFERENCE,
        )
    });
    let sender = organisation(&mut faults, "sender", &announcement.sender.unwrap_or_default());
    let named = announcement.recipients.unwrap_or_default();
    if named.is_empty() {
        faults.push(("recipients", "At least one recipient is needed".to_owned()));
    }
    let recipients: Vec<_> = named
        .iter()
        .filter_map(|recipient| organisation(&mut faults, "recipients", recipient))
        .collect();
    let properties = announcement.property_list.unwrap_or_default();
    check_properties(&mut faults, &properties);
    let checksum = announcement.checksum.filter(|checksum| !checksum.trim().is_empty());
    if let Some(checksum) = &checksum {
        let hexadecimal = checksum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if checksum.len() != CHECKSUM_LENGTH || !hexadecimal {
            faults.push((
                "checksum",
                "A checksum is an MD5 sum as 32 lower-case hexadecimal digits".to_owned(),
            ));
        }
    }
    let (Some(sender), true) = (sender, faults.is_empty()) else {
        return Err(Problem::Invalid(faults));
    };
    if announcement.disable_virus_scan == Some(true) {
        return Err(Problem::virus_scan_needed());
    }
    if !shelf.resources.contains(&resource) {
        return Err(Problem::unknown_resource());
    }
    Ok(announced(
        shelf, file_name, resource, reference, sender, recipients, properties, checksum,
    ))
}

fn check_properties(faults: &mut Faults, properties: &BTreeMap<String, String>) {
    if properties.len() > MOST_PROPERTIES {
        faults.push((
            "propertyList",
            format!("There can be at most {MOST_PROPERTIES} properties"),
        ));
    }
    for (key, value) in properties {
        if key.chars().count() > LONGEST_PROPERTY_KEY {
            faults.push((
                "propertyList",
                format!("A key has more than {LONGEST_PROPERTY_KEY} characters"),
            ));
        }
        if value.chars().count() > LONGEST_PROPERTY_VALUE {
            faults.push((
                "propertyList",
                format!("A value has more than {LONGEST_PROPERTY_VALUE} characters"),
            ));
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "each is a member of the announcement")]
pub(crate) fn announced(
    shelf: &Shelf,
    file_name: String,
    resource: String,
    reference: Option<String>,
    sender: Organisation,
    recipients: Vec<Organisation>,
    properties: BTreeMap<String, String>,
    checksum: Option<String>,
) -> Transfer {
    let id = Uuid::new_v4();
    let now = Timestamp::now();
    Transfer {
        id,
        resource,
        file_name,
        reference,
        sender,
        recipients: recipients
            .into_iter()
            .map(|organisation| Recipient {
                organisation,
                status: RecipientStatus::Initialized,
                changed: now,
            })
            .collect(),
        properties,
        checksum,
        size: 0,
        status: TransferStatus::Initialized,
        status_detail: None,
        status_changed: now,
        created: now,
        expires: now.checked_add(shelf.limits.time_to_live).unwrap_or(Timestamp::MAX),
        path: shelf.dir.join(format!("{id}.upload")),
    }
}
