//! What became of forsendelser: many messages, one question for each sender.
//!
//! Spec: DPF and DPFIO, 8.1.

use std::collections::BTreeMap;

use budstikke_sdk::{Failure, Progress, StatusReport};
use serde_json::json;

use crate::host::{Host, Left};
use crate::id::{is_uuid, sender_number};
use crate::sbd::Made;
use crate::settings::Settings;
use crate::svarut::{Status, SvarUt, Trouble};

const DAY: u64 = 86_400;

/// Seconds between two looks at a message that has just changed, and at one that has not for [`SLOWEST_AFTER`].
const SOONEST: u64 = 60;
const LATEST: u64 = 3600;
const SLOWEST_AFTER: u64 = 30 * DAY;

/// The document type whose messages get receipts, and what those are.
const RECEIPTED: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding";
const RECEIPT_TYPE: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering";
const RECEIPT_PROCESS: &str = "urn:no:difi:profile:arkivmelding:response:ver1.0";

/// Asks about messages, and says what there is to register.
pub(crate) fn track<H: Host>(host: &H, settings: &Settings, messages: &[Left]) -> Vec<Result<Progress, Failure>> {
    let mut by_sender: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, message) in messages.iter().enumerate() {
        by_sender.entry(message.sender.as_str()).or_default().push(place);
    }
    let mut answers: BTreeMap<usize, Result<Progress, Failure>> = BTreeMap::new();
    for (sender, places) in by_sender {
        let batch = Batch {
            host,
            settings,
            messages,
        };
        if let Some(svarut) = SvarUt::of(host, settings, sender) {
            batch.ask(&svarut, &places, &mut answers);
        } else {
            let text = format!("No SvarUt client configured for orgnr: {}", sender_number(sender));
            answers.extend(
                places
                    .iter()
                    .map(|place| (*place, Err(Failure::temporary(text.clone())))),
            );
        }
    }
    let missing = || Err(Failure::temporary("the message was not asked about"));
    (0..messages.len())
        .map(|place| answers.remove(&place).unwrap_or_else(missing))
        .collect()
}

struct Batch<'a, H> {
    host: &'a H,
    settings: &'a Settings,
    messages: &'a [Left],
}

impl<H: Host> Batch<'_, H> {
    /// Asks about the messages of one sender.
    fn ask(&self, svarut: &SvarUt<'_, H>, places: &[usize], answers: &mut BTreeMap<usize, Result<Progress, Failure>>) {
        // By forsendelse: two messages can name the same one. Spec: DPF and DPFIO, 14, sharp edge 11.
        let mut asked: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for place in places {
            match forsendelse(svarut, &self.messages[*place]) {
                Ok(Some(id)) => asked.entry(id).or_default().push(*place),
                Ok(None) => {
                    let gone = ended("FEIL", "forsendelseId finnes ikke i SvarUt.".to_owned(), None);
                    answers.insert(*place, Ok(gone));
                }
                Err(failure) => {
                    answers.insert(*place, Err(failure));
                }
            }
        }
        let ids: Vec<&str> = asked.keys().map(String::as_str).collect();
        let found = statuses(svarut, &ids);
        for (id, places) in &asked {
            for place in places {
                let answer = match &found {
                    Err(failure) => Err(failure.clone()),
                    Ok(found) => match found.iter().find(|(known, _)| known == id) {
                        Some((_, Ok(status))) => self.judge(svarut, &self.messages[*place], status),
                        Some((_, Err(failure))) => Err(failure.clone()),
                        None => Err(Failure::temporary(format!(
                            "SvarUt says nothing about forsendelse {id}"
                        ))),
                    },
                };
                answers.insert(*place, answer);
            }
        }
    }

    fn judge(&self, svarut: &SvarUt<'_, H>, message: &Left, status: &Status) -> Result<Progress, Failure> {
        let raw = || Some(status.raw.clone());
        match status.name.as_str() {
            "LEST" => {
                if self.settings.receipts && message.document_type == RECEIPTED {
                    self.generate_receipt(message)?;
                }
                Ok(ended("LEST", "SvarUt: LEST".to_owned(), raw()))
            }
            // Spec: DPF and DPFIO, 14, sharp edge 10.
            "AVVIST" | "IKKE_LEVERT" | "FEILET_UNDER_MOTTAK" => {
                Ok(ended("FEIL", format!("SvarUt: {}", status.name), raw()))
            }
            "SLETTET" => Ok(ended("ANNET", "SvarUt: SLETTET".to_owned(), raw())),
            _ => {
                let age = self.host.now().saturating_sub(message.last_update);
                let limit = u64::from(svarut.out.track_days) * DAY;
                Ok(Progress {
                    reports: Vec::new(),
                    track_after: (age < limit).then(|| pause(age)),
                })
            }
        }
    }

    /// What the receiver's system would have sent, had it come over another service. Spec: DPF and DPFIO, 8.1.
    fn generate_receipt(&self, message: &Left) -> Result<(), Failure> {
        let now = i64::try_from(self.host.now()).unwrap_or(i64::MAX);
        let sbd = Made {
            sender: &message.receiver,
            receiver: &message.sender,
            message_id: &self.host.uuid(),
            conversation_id: &message.conversation_id,
            process: RECEIPT_PROCESS,
            document_type: RECEIPT_TYPE,
            message_type: "arkivmelding_kvittering",
            created: now,
            expires: now + i64::from(self.settings.lifetime_hours()) * 3600,
            receiver_reference: None,
            body: json!({ "receiptType": "OK", "relatedToMessageId": message.message_id, "messages": [] }),
        };
        // The same reference again changes nothing, so one receipt comes of it however often this is tried.
        let reference = format!("{}:LEST", message.message_id);
        self.host
            .generate(&reference, &sbd.write())
            .map_err(Failure::into_temporary)
    }
}

/// The forsendelse of a message; looked up where its id was not kept.
fn forsendelse<H: Host>(svarut: &SvarUt<'_, H>, message: &Left) -> Result<Option<String>, Failure> {
    if is_uuid(&message.reference) {
        return Ok(Some(message.reference.to_ascii_lowercase()));
    }
    let found = svarut.find(&message.message_id);
    let found = found.map_err(|trouble| trouble.failure.into_temporary())?;
    Ok(found.map(|id| id.to_ascii_lowercase()))
}

type Known = Vec<(String, Result<Status, Failure>)>;

/// One question for all of them. When SvarUt refuses it, each is asked about by itself: one that is wrong must not hide the others.
fn statuses<H: Host>(svarut: &SvarUt<'_, H>, ids: &[&str]) -> Result<Known, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let known = |found: Vec<Status>| {
        found
            .into_iter()
            .map(|status| (status.id.to_ascii_lowercase(), Ok(status)))
    };
    match svarut.statuses(ids) {
        Ok(found) => Ok(known(found).collect()),
        Err(Trouble {
            status: Some(400 | 404 | 409 | 422 | 500),
            ..
        }) if ids.len() > 1 => {
            let mut all = Vec::new();
            for id in ids {
                match svarut.statuses(&[id]) {
                    Ok(found) => all.extend(known(found)),
                    Err(trouble) => all.push(((*id).to_owned(), Err(trouble.failure.into_temporary()))),
                }
            }
            Ok(all)
        }
        Err(trouble) => Err(trouble.failure.into_temporary()),
    }
}

/// Grows from [`SOONEST`] to [`LATEST`] within [`SLOWEST_AFTER`] since its latest status. Spec: DPF and DPFIO, 8.1.
fn pause(age: u64) -> u32 {
    let seconds = SOONEST + (LATEST - SOONEST) * age.min(SLOWEST_AFTER) / SLOWEST_AFTER;
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn ended(status: &str, description: String, raw_receipt: Option<String>) -> Progress {
    let report = StatusReport {
        status: status.to_owned(),
        description: Some(description),
        raw_receipt,
        at: None,
    };
    Progress {
        reports: vec![report],
        track_after: None,
    }
}

#[cfg(test)]
mod tests;
