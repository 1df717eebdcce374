//! `POST /correspondence/upload` (Spec: DPO and DPV, 4.6).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::Consumer;
use super::configuration::Publishing;
use super::form::Form;
use super::letter::{Correspondence, CorrespondenceStatus, ReceivedFile};
use super::problem::{KEY_USED, Problem, UPLOAD_FAILED};
use super::rules;
use crate::faults::body::drain;
use crate::faults::enforce::InnerFault;
use crate::organisation::Organisation;
use crate::server::House;

/// Publish times that are so far ahead are waited for.
const SOON: SignedDuration = SignedDuration::from_mins(5);

pub(crate) async fn upload(
    State(house): State<Arc<House>>,
    consumer: Result<Consumer, Problem>,
    fault: Option<Extension<InnerFault>>,
    request: Request,
) -> Response {
    let consumer = match consumer {
        Ok(Consumer(consumer)) => consumer,
        Err(problem) => {
            // A client that is still writing would see a broken connection instead of the answer.
            drain(request.into_body()).await;
            return problem.into_response();
        }
    };
    let virus = matches!(fault, Some(Extension(InnerFault::VirusFound)));
    match take(&house, consumer, virus, request).await {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn take(house: &House, consumer: Organisation, virus: bool, request: Request<Body>) -> Result<Value, Problem> {
    let parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| Problem::Invalid(vec![("Content-Type".to_owned(), error.body_text())]))?;
    let shelf = &house.correspondences;
    let form = Form::read(parts, &shelf.dir).await?;
    let accepted = rules::check(&form, shelf)?;

    let mut files = Vec::with_capacity(form.files.len());
    for part in form.files {
        let id = Uuid::new_v4();
        let path = shelf.dir.join(format!("{id}.attachment"));
        part.stored.persist(&path).map_err(|_| UPLOAD_FAILED)?;
        files.push(ReceivedFile {
            id,
            field: part.field,
            name: part.name,
            media_type: part.media_type,
            size: part.size,
            path,
        });
    }
    let ordered: Vec<ReceivedFile> = accepted
        .files
        .iter()
        .filter_map(|place| files.get(*place).cloned())
        .collect();
    let now = Timestamp::now();
    let later = accepted
        .publish
        .is_some_and(|publish| publish.duration_since(now) > SOON);
    let letter = |recipient: &String| {
        let mut letter = Correspondence {
            id: Uuid::new_v4(),
            consumer: consumer.clone(),
            resource: accepted.resource.clone(),
            senders_reference: accepted.senders_reference.clone(),
            idempotent_key: accepted.key,
            recipient: recipient.clone(),
            status: CorrespondenceStatus::Initialized,
            status_changed: now,
            history: vec![(CorrespondenceStatus::Initialized, now)],
            created: now,
            published: None,
            read: None,
            fields: form.fields.clone(),
            files: ordered.clone(),
        };
        if virus {
            letter.become_status(CorrespondenceStatus::Failed);
        } else if later {
            letter.become_status(CorrespondenceStatus::ReadyForPublish);
        } else if shelf.config.publishing == Publishing::AtOnce {
            letter.become_status(CorrespondenceStatus::Published);
        }
        letter
    };
    let letters: Vec<_> = accepted.recipients.iter().map(letter).collect();
    // The status is that of the moment in which the letter came in, before any scan.
    let told: Vec<Value> = letters
        .iter()
        .map(|letter| {
            json!({
                "correspondenceId": letter.id,
                "status": CorrespondenceStatus::Initialized,
                "recipient": letter.recipient,
                "notifications": null,
            })
        })
        .collect();
    if !shelf.add(letters) {
        return Err(KEY_USED.into());
    }
    let ids: Vec<Uuid> = ordered.iter().map(|file| file.id).collect();
    Ok(json!({ "correspondences": told, "attachmentIds": ids }))
}
