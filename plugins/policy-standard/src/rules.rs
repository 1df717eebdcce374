//! Why an offered version is not taken. The first rule that objects is the answer.

use budstikke_policy_sdk::time::spoken;
use budstikke_policy_sdk::{Calendar, Cause, Outcome, Situation, version};

use crate::Settings;

/// What speaks against a version, to be read after "but".
pub(crate) fn objection(
    about: &Situation,
    calendar: &dyn Calendar,
    settings: &Settings,
    wanted: &str,
) -> Option<String> {
    too_new(settings, wanted)
        .or_else(|| blocked(about, calendar, wanted))
        .or_else(|| refused(about, calendar, settings, wanted))
        .or_else(|| not_allowed(settings, wanted))
        .or_else(|| lower(about, settings, wanted))
        .or_else(|| failed_lately(about, calendar, settings, wanted))
}

/// Without the setting even a version without a number is taken. Spec: KOSMOS, 7.
fn too_new(settings: &Settings, wanted: &str) -> Option<String> {
    let supported = settings.supported_major?;
    match version::major(wanted) {
        Err(error) => Some(format!("supported-major cannot be compared with it: {error}")),
        Ok(major) if major > supported => Some(format!(
            "its major version {major} is higher than the supported {supported}; read its release notes, then raise supported-major"
        )),
        Ok(_) => None,
    }
}

fn blocked(about: &Situation, calendar: &dyn Calendar, wanted: &str) -> Option<String> {
    let until = about.blocked_until(wanted)?;
    Some(format!(
        "it failed here and is blocked until {}",
        spoken(calendar, until)
    ))
}

fn refused(about: &Situation, calendar: &dyn Calendar, settings: &Settings, wanted: &str) -> Option<String> {
    let refused = settings.refused.iter().find(|refused| {
        let over = refused.until.is_some_and(|until| until.0 <= about.now);
        !over && refused.version.matches(wanted)
    })?;
    let until = refused
        .until
        .map(|until| format!(" until {}", spoken(calendar, until.0)));
    let reason = refused.reason.as_ref().map(|reason| format!(": {reason}"));
    Some(format!(
        "`refused` says no to it{}{}",
        until.unwrap_or_default(),
        reason.unwrap_or_default()
    ))
}

fn not_allowed(settings: &Settings, wanted: &str) -> Option<String> {
    let allowed = settings.allowed.as_ref()?;
    if allowed.iter().any(|pattern| pattern.matches(wanted)) {
        return None;
    }
    let listed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    Some(match listed.as_slice() {
        [] => "`allowed` allows none".into(),
        listed => format!("`allowed` has only {}", listed.join(", ")),
    })
}

/// The Java KOSMOS goes down without a word when the list of versions does. What does not answer counts as the version that proved
/// itself last, as its `.allowlisted` does. Spec: KOSMOS, 4 and 11.
fn lower(about: &Situation, settings: &Settings, wanted: &str) -> Option<String> {
    let before = about.current.as_ref().or(about.last_good.as_ref())?;
    if settings.allow_downgrade || version::is_lower(wanted, before) != Some(true) {
        return None;
    }
    let what = if about.current.is_some() { "runs" } else { "ran last" };
    Some(format!(
        "it is lower than {before}, which {what}; allow-downgrade = true takes it"
    ))
}

/// An operator who asks wants it tried.
fn failed_lately(about: &Situation, calendar: &dyn Calendar, settings: &Settings, wanted: &str) -> Option<String> {
    let last = about
        .attempts
        .iter()
        .find(|attempt| version::same(&attempt.version, wanted))?;
    let Outcome::Failed(reason) = &last.outcome else {
        return None;
    };
    let again = last.at.saturating_add(settings.retry_after_hours.saturating_mul(3600));
    if again <= about.now || about.cause == Cause::Demand {
        return None;
    }
    Some(format!(
        "it failed {} ({}) and is tried again from {} on, or at once when you ask",
        spoken(calendar, last.at),
        shortened(reason),
        spoken(calendar, again)
    ))
}

/// Start-up logs are long; the whole one is kept by the host.
fn shortened(reason: &str) -> String {
    const MOST: usize = 300;
    match reason.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}
