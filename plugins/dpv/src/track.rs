//! What became of letters: published, read, gone, or never delivered.
//!
//! Spec: DPO and DPV, 4.9.

use budstikke_sdk::privacy::without_person_numbers;
use budstikke_sdk::{Failure, Progress, StatusReport};

use crate::correspondence::Api;
use crate::host::Host;
use crate::moment::with_offset;
use crate::receipt;
use crate::settings::Settings;
use crate::wire::{Overview, Status, is_id};

/// Seconds of one call after which no more questions are asked: the host ends a call that takes too long, and all answers with it.
const PATIENCE: u64 = 15;

/// Seconds that are between two looks at least.
const SOONEST: u64 = 30;

const SECONDS_OF_A_DAY: u64 = 86_400;

/// A message that left.
pub(crate) struct Left {
    pub(crate) message_id: String,
    pub(crate) conversation_id: String,
    pub(crate) document_type: String,
    /// As in the SBD.
    pub(crate) sender: String,
    pub(crate) receiver: String,
    /// The letter at Altinn.
    pub(crate) reference: Option<String>,
    /// When it got its latest status, in seconds since 1970.
    pub(crate) last_update: u64,
}

/// Looks letters up and says what there is to register. When the service has no time for us, the rest of them wait too.
pub(crate) fn track<H: Host>(
    host: &H,
    settings: Result<Settings, Failure>,
    messages: &[Left],
) -> Vec<Result<Progress, Failure>> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(failure) => return messages.iter().map(|_| Err(failure.clone())).collect(),
    };
    let began = host.now();
    let mut outage = None;
    let ask = |message: &Left| {
        if let Some(failure) = &outage {
            return Err(Failure::clone(failure));
        }
        if host.now() > began.saturating_add(PATIENCE) {
            return Err(Failure::temporary(
                "the others took too long; it is asked about next time",
            ));
        }
        one(host, &settings, message, &mut outage)
    };
    messages.iter().map(ask).collect()
}

fn one<H: Host>(
    host: &H,
    settings: &Settings,
    message: &Left,
    outage: &mut Option<Failure>,
) -> Result<Progress, Failure> {
    let Some(id) = &message.reference else {
        return Ok(no_more(Vec::new()));
    };
    if !is_id(id) {
        let text = format!("the reference of {} is not a correspondence's id", message.message_id);
        return Err(Failure::permanent("reference", text));
    }
    match Api::new(host, settings).overview(id) {
        Ok(overview) => judge(host, settings, message, &overview),
        Err(error) if error.is_gone() => {
            let report = report("ANNET", "The message was deleted in Altinn".to_owned());
            Ok(no_more(vec![report]))
        }
        // A look-up that fails says nothing about the message.
        Err(error) => {
            let is_outage = error.is_outage();
            let failure = Failure::from(error).into_temporary();
            if is_outage {
                *outage = Some(failure.clone());
            }
            Err(failure)
        }
    }
}

fn judge<H: Host>(host: &H, settings: &Settings, message: &Left, overview: &Overview) -> Result<Progress, Failure> {
    let mut reports = Vec::new();
    if let Some(published) = &overview.published {
        if settings.generate_arkivmelding_receipts {
            receive_receipt(host, message)?;
        }
        reports.push(report(
            "LEVERT",
            format!("Altinn: published {}", with_offset(published)),
        ));
    }
    if let Some(read) = &overview.read {
        reports.push(report("LEST", format!("Altinn: read {}", with_offset(read))));
    }
    let over = match &overview.status {
        Status::Underway => overview.read.is_some(),
        Status::PurgedByRecipient | Status::PurgedByAltinn => {
            let by = if overview.status == Status::PurgedByAltinn {
                "Altinn"
            } else {
                "the receiver"
            };
            reports.push(report("ANNET", format!("Deleted by {by}{}", since(overview))));
            true
        }
        Status::Failed | Status::Reserved => {
            let why = if overview.status == Status::Failed {
                "it failed"
            } else {
                "the receiver has reserved"
            };
            let text = overview
                .status_text
                .as_deref()
                .map(without_person_numbers)
                .unwrap_or_default();
            let text = format!("Altinn did not deliver the message: {why}{} ({text})", since(overview));
            reports.push(report("FEIL", text));
            true
        }
        Status::Other(name) => {
            reports.push(report(
                "ANNET",
                format!("Altinn: {}{}", without_person_numbers(name), since(overview)),
            ));
            overview.read.is_some()
        }
    };
    if over {
        return Ok(no_more(reports));
    }
    let age = host.now().saturating_sub(message.last_update);
    let track_after = next_look(settings, age);
    if track_after.is_none() {
        host.info(&format!(
            "{} has had no new status for {} days; it is not looked at any more",
            message.message_id, settings.days_of_tracking
        ));
    }
    Ok(Progress { reports, track_after })
}

/// A receipt that cannot be made must not keep the status back; one that cannot be made now comes with it later.
fn receive_receipt<H: Host>(host: &H, message: &Left) -> Result<(), Failure> {
    match receipt::generate(host, message) {
        Err(failure) if failure.is_permanent() => {
            let id = &message.message_id;
            host.warn(&format!("there is no receipt for {id}: {}", failure.line()));
            Ok(())
        }
        result => result,
    }
}

fn since(overview: &Overview) -> String {
    let changed = overview.status_changed.as_deref();
    changed
        .map(|changed| format!(" {}", with_offset(changed)))
        .unwrap_or_default()
}

fn no_more(reports: Vec<StatusReport>) -> Progress {
    Progress {
        reports,
        track_after: None,
    }
}

fn report(status: &str, description: String) -> StatusReport {
    StatusReport {
        status: status.to_owned(),
        description: Some(description),
        // What Altinn answers repeats what the letter says, and to whom.
        raw_receipt: None,
        at: None,
    }
}

/// Minutes between two looks at a message whose last status is so many seconds old: one at first, growing evenly to the longest at the
/// threshold.
fn interval(settings: &Settings, age: u64) -> u64 {
    let longest = u64::from(settings.tracking_longest_minutes);
    let threshold = u64::from(settings.tracking_threshold_days) * SECONDS_OF_A_DAY;
    if age >= threshold {
        return longest;
    }
    let minutes = age / 60;
    (1 + minutes * (longest - 1) / (threshold / 60)).clamp(1, longest)
}

/// Seconds until the next look: to the next multiple of the interval since the last status. None when the message is too old.
fn next_look(settings: &Settings, age: u64) -> Option<u32> {
    if age >= u64::from(settings.days_of_tracking) * SECONDS_OF_A_DAY {
        return None;
    }
    let interval = interval(settings, age) * 60;
    let wait = (interval - age % interval).max(SOONEST);
    Some(u32::try_from(wait).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
