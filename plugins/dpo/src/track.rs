//! What became of a transfer after the upload: Altinn scans it for viruses, and then publishes it or lets it fail.
//!
//! Spec: DPO and DPV, 8, sharp edge 4.

use budstikke_sdk::{Failure, Progress, StatusReport};

use crate::broker::Broker;
use crate::host::Host;
use crate::settings::Settings;
use crate::wire::{Overview, TransferStatus, is_transfer_id};

/// Seconds between the first looks, and the most that there is between later ones.
const SOONEST: u32 = 5;
const LATEST: u32 = 600;

/// Altinn keeps a transfer for 30 days; after that there is nothing to look at.
const KEPT: u64 = 30 * 86_400;

/// Seconds that the sender of a transfer is remembered for its tracking. It is settled within minutes.
const SUBJECT_LIFETIME: u64 = 3 * 86_400;

fn subject_key(id: &str) -> String {
    format!("sender:{id}")
}

/// Only its sender can look a transfer up, and `track` is not told who that was.
pub(crate) fn remember_subject<H: Host>(host: &H, id: &str, subject: &str) {
    host.remember(&subject_key(id), subject.as_bytes(), SUBJECT_LIFETIME);
}

/// Looks the transfer up and says what there is to register.
pub(crate) fn track<H: Host>(
    host: &H,
    settings: &Settings,
    message_id: &str,
    reference: &str,
) -> Result<Progress, Failure> {
    if !is_transfer_id(reference) {
        return Err(Failure::permanent(
            "reference",
            format!("`{reference}` of {message_id} is not a transfer's id"),
        ));
    }
    let subjects = host.subjects(&settings.token_profile)?;
    let one_of_many = subjects.len() > 1;
    let progress = match look_up(host, settings, reference, subjects)? {
        Some(overview) => judge(&overview, host.now()),
        None => done(
            "ANNET",
            format!("Altinn Formidling no longer knows transfer {reference}"),
            None,
        ),
    };
    if one_of_many && progress.track_after.is_none() {
        host.forget(&subject_key(reference));
    }
    Ok(progress)
}

/// None when nobody of us finds it. Without a remembered sender all subjects are asked, and the one that may see it
/// answers.
fn look_up<H: Host>(
    host: &H,
    settings: &Settings,
    id: &str,
    subjects: Vec<String>,
) -> Result<Option<Overview>, Failure> {
    let remembered = || {
        host.recall(&subject_key(id))
            .and_then(|value| String::from_utf8(value).ok())
    };
    let candidates = match subjects.len() {
        0 | 1 => subjects,
        _ => match remembered().filter(|subject| subjects.contains(subject)) {
            Some(subject) => vec![subject],
            None => subjects,
        },
    };
    let mut failure = None;
    for subject in &candidates {
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

    fn after(status: u16, body: &str, now: u64) -> Progress {
        let host = Fake::default();
        host.now.set(now);
        host.on("GET /filetransfer/aa", status, body);
        track(&host, &settings(""), "m", "aa").unwrap()
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
            assert!(!track(&host, &settings(""), "m", "aa").unwrap_err().is_permanent());
        }
        assert_eq!(
            track(&host, &settings(""), "m", "../aa").unwrap_err().code(),
            Some("reference")
        );
    }

    #[test]
    fn the_sender_of_the_transfer_looks_it_up() {
        let host = Fake::default();
        host.with_subjects(&[OWN, CUSTOMER])
            .on("GET /filetransfer/aa", 200, &overview("Published"));
        remember_subject(&host, "aa", CUSTOMER);
        track(&host, &settings(""), "m", "aa").unwrap();
        assert_eq!(host.tokens(), ["altinn:broker.read for 0192:987464291 #1"]);
        assert!(host.state_keys().is_empty());
    }

    #[test]
    fn without_a_remembered_sender_everyone_is_asked() {
        let host = Fake::default();
        host.with_subjects(&[OWN, CUSTOMER]);
        host.on("GET /filetransfer/aa", 403, "")
            .on("GET /filetransfer/aa", 200, &overview("Failed"));
        assert_eq!(
            track(&host, &settings(""), "m", "aa").unwrap().reports[0].status,
            "FEIL"
        );
    }
}
