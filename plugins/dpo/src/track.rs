//! What became of a transfer after the upload: Altinn scans it for viruses, and then publishes it or lets it fail.
//!
//! Spec: DPO and DPV, 8, sharp edge 4.

use budstikke_sdk::{Failure, Progress, StatusReport};

use crate::broker::Broker;
use crate::host::Host;
use crate::send::wire_sender;
use crate::settings::Settings;
use crate::wire::{Overview, TransferStatus, is_transfer_id};

/// Seconds between the first looks, and the most that there is between later ones.
const SOONEST: u32 = 5;
const LATEST: u32 = 600;

/// Altinn keeps a transfer for 30 days; after that there is nothing to look at.
const KEPT: u64 = 30 * 86_400;

/// A message that left.
pub(crate) struct Left {
    pub(crate) message_id: String,
    /// As in the SBD.
    pub(crate) sender: String,
    /// The transfer.
    pub(crate) reference: String,
}

/// Looks transfers up and says what there is to register.
pub(crate) fn track<H: Host>(
    host: &H,
    settings: Result<Settings, Failure>,
    messages: &[Left],
) -> Vec<Result<Progress, Failure>> {
    let known = settings.and_then(|settings| {
        let subjects = host.subjects(&settings.token_profile)?;
        Ok((settings, subjects))
    });
    match known {
        Ok((settings, subjects)) => messages
            .iter()
            .map(|message| one(host, &settings, &subjects, message))
            .collect(),
        Err(failure) => messages.iter().map(|_| Err(failure.clone())).collect(),
    }
}

fn one<H: Host>(host: &H, settings: &Settings, subjects: &[String], message: &Left) -> Result<Progress, Failure> {
    let id = &message.reference;
    if !is_transfer_id(id) {
        return Err(Failure::permanent(
            "reference",
            format!("`{id}` of {} is not a transfer's id", message.message_id),
        ));
    }
    let sender = wire_sender(&message.sender);
    Ok(match look_up(host, settings, id, subjects, &sender)? {
        Some(overview) => judge(&overview, host.now()),
        None => done(
            "ANNET",
            format!("Altinn Formidling no longer knows transfer {id}"),
            None,
        ),
    })
}

/// None when nobody of us finds it. Only its sender can look a transfer up; one who is no subject of ours any more may have been followed
/// by another, so all are asked then.
fn look_up<H: Host>(
    host: &H,
    settings: &Settings,
    id: &str,
    subjects: &[String],
    sender: &String,
) -> Result<Option<Overview>, Failure> {
    let candidates = if subjects.contains(sender) {
        std::slice::from_ref(sender)
    } else {
        subjects
    };
    let mut failure = None;
    for subject in candidates {
        match Broker::new(host, settings, subject).overview(id) {
            Ok(overview) => return Ok(Some(overview)),
            Err(error) if error.is(404) => {}
            Err(error) => failure = Some(error),
        }
    }
    // A look-up that fails says nothing about the message.
    failure.map_or(Ok(None), |error| Err(Failure::from(error).into_temporary()))
}

fn judge(overview: &Overview, now: u64) -> Progress {
    match &overview.file_transfer_status {
        TransferStatus::Published | TransferStatus::AllConfirmedDownloaded | TransferStatus::Purged => Progress {
            reports: Vec::new(),
            track_after: None,
        },
        TransferStatus::Failed => {
            let why = overview
                .file_transfer_status_text
                .as_deref()
                .filter(|text| !text.is_empty());
            let why = why.unwrap_or("no reason given");
            done(
                "FEIL",
                format!("Altinn Formidling: the transfer failed: {why}"),
                Some(overview.raw.clone()),
            )
        }
        TransferStatus::Cancelled => done(
            "FEIL",
            "Altinn Formidling: the transfer was cancelled".to_owned(),
            Some(overview.raw.clone()),
        ),
        TransferStatus::Initialized
        | TransferStatus::UploadStarted
        | TransferStatus::UploadProcessing
        | TransferStatus::Other(_) => {
            let age = overview.created_at().map_or(0, |created| created.age(now));
            // Half its age: the looks get rarer without anything to remember.
            let next = u32::try_from(age / 2).unwrap_or(LATEST).clamp(SOONEST, LATEST);
            Progress {
                reports: Vec::new(),
                track_after: (age < KEPT).then_some(next),
            }
        }
    }
}

fn done(status: &str, description: String, raw_receipt: Option<String>) -> Progress {
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
mod tests {
    use super::*;
    use crate::testing::{CUSTOMER, Fake, OWN, settings};

    fn look(host: &Fake, sender: &str, reference: &str) -> Result<Progress, Failure> {
        let left = Left {
            message_id: "m".into(),
            sender: sender.into(),
            reference: reference.into(),
        };
        track(host, Ok(settings("")), &[left]).remove(0)
    }

    fn after(status: u16, body: &str, now: u64) -> Progress {
        let host = Fake::default();
        host.now.set(now);
        host.on("GET /filetransfer/aa", status, body);
        look(&host, OWN, "aa").unwrap()
    }

    fn overview(status: &str) -> String {
        format!(
            r#"{{"fileTransferStatus":"{status}","created":"1970-01-01T00:00:00Z","fileTransferStatusText":"Malware"}}"#
        )
    }

    #[test]
    fn a_published_transfer_is_not_looked_at_again() {
        for status in ["Published", "AllConfirmedDownloaded", "Purged"] {
            let progress = after(200, &overview(status), 10);
            assert_eq!((progress.reports.len(), progress.track_after), (0, None), "{status}");
        }
    }

    #[test]
    fn a_failed_transfer_is_reported_with_altinns_words() {
        let progress = after(200, &overview("Failed"), 10);
        let [report] = progress.reports.as_slice() else {
            panic!("one report")
        };
        assert_eq!(report.status, "FEIL");
        assert_eq!(
            report.description.as_deref(),
            Some("Altinn Formidling: the transfer failed: Malware")
        );
        assert_eq!(report.raw_receipt, Some(overview("Failed")));
        assert_eq!(progress.track_after, None);
        assert_eq!(after(200, &overview("Cancelled"), 10).reports[0].status, "FEIL");
    }

    #[test]
    fn a_transfer_in_the_virus_scan_is_looked_at_ever_less_often_and_not_for_ever() {
        let next = |now| after(200, &overview("UploadProcessing"), now).track_after;
        assert_eq!(
            [2, 30, 100_000, KEPT - 1, KEPT].map(next),
            [Some(5), Some(15), Some(600), Some(600), None]
        );
        assert_eq!(after(200, &overview("Quarantined"), 0).track_after, Some(5));
    }

    #[test]
    fn a_vanished_transfer_is_annet() {
        let progress = after(404, "", 10);
        assert_eq!(
            (progress.reports[0].status.as_str(), progress.track_after),
            ("ANNET", None)
        );
    }

    #[test]
    fn a_look_that_fails_is_tried_again() {
        let host = Fake::default();
        host.on("GET /filetransfer/aa", 403, "")
            .on("GET /filetransfer/aa", 500, "");
        for _ in 0..2 {
            assert!(!look(&host, OWN, "aa").unwrap_err().is_permanent());
        }
        assert_eq!(look(&host, OWN, "../aa").unwrap_err().code(), Some("reference"));
    }

    #[test]
    fn the_sender_of_the_transfer_looks_it_up() {
        let host = Fake::default();
        host.with_subjects(&[OWN, CUSTOMER])
            .on("GET /filetransfer/aa", 200, &overview("Published"))
            .on("GET /filetransfer/aa", 200, &overview("Published"));
        look(&host, CUSTOMER, "aa").unwrap();
        // On behalf of: the part stood alone as the sender.
        look(&host, "0192:991825827:987464291", "aa").unwrap();
        assert_eq!(host.tokens(), ["altinn:broker.read for 0192:987464291 #1"; 2]);
    }

    #[test]
    fn when_the_sender_is_nobody_of_us_any_more_everyone_is_asked() {
        let host = Fake::default();
        host.with_subjects(&[OWN, CUSTOMER]);
        host.on("GET /filetransfer/aa", 403, "")
            .on("GET /filetransfer/aa", 200, &overview("Failed"));
        assert_eq!(look(&host, "0192:910076787", "aa").unwrap().reports[0].status, "FEIL");
    }

    #[test]
    fn each_has_an_answer_of_its_own() {
        let host = Fake::default();
        host.on("GET /filetransfer/aa", 200, &overview("Published"))
            .on("GET /filetransfer/bb", 500, "")
            .on("GET /filetransfer/cc", 200, &overview("Failed"));
        let left: Vec<_> = ["aa", "bb", "cc"]
            .map(|reference| Left {
                message_id: "m".into(),
                sender: OWN.into(),
                reference: reference.into(),
            })
            .into();
        let answers = track(&host, Ok(settings("")), &left);
        assert_eq!(answers[0].as_ref().unwrap().track_after, None);
        assert!(answers[1].is_err());
        assert_eq!(answers[2].as_ref().unwrap().reports[0].status, "FEIL");
        let answers = track(&host, Err(Failure::permanent("settings", "x")), &left);
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 3);
    }
}
