//! The first moment that all rules allow.

use budstikke_policy_sdk::time::spoken;
use budstikke_policy_sdk::{Calendar, Cause, Choice, Decision, Situation, version};

use crate::windows::{AHEAD, Standing, standing};
use crate::{Settings, freezes, waves};

/// Puts a proposed update off as far as the rules want, and says which did.
pub(crate) fn judge(about: &Situation, calendar: &dyn Calendar, settings: &Settings, choice: &Choice) -> Decision {
    let proposed = choice.not_before.unwrap_or(0).max(about.now);
    let mut at = proposed;
    let mut reasons = Vec::new();
    let mut remarks = Vec::new();
    match wave(about, settings, choice) {
        Wave::None => {}
        Wave::ReleaseUnknown => remarks.push("nobody knows when it was released, so that waves do not count"),
        Wave::Begins { percent, moment } if moment > at => {
            at = moment;
            reasons.push(format!(
                "the wave of the first {percent} % begins {}",
                spoken(calendar, moment)
            ));
        }
        Wave::Begins { .. } => remarks.push("its wave has begun"),
    }
    let asked = about.cause == Cause::Demand && settings.demand_ignores_window;
    if asked && !settings.windows.is_empty() {
        remarks.push("it was asked for, so that windows do not count");
    }
    loop {
        // Each turn moves on, past the end of a freeze or to the opening of a window in none; so the loop ends.
        if let Some((freeze, end)) = freezes::frozen(&settings.freezes, calendar, at) {
            at = end;
            reasons.push(freeze.to_string());
            continue;
        }
        if asked || settings.windows.is_empty() {
            break;
        }
        match standing(&settings.windows, calendar, at) {
            Standing::Inside => break,
            Standing::Before(opens) => {
                let windows: Vec<String> = settings.windows.iter().map(ToString::to_string).collect();
                let told = format!("updates are made {}", windows.join("; "));
                if !reasons.contains(&told) {
                    reasons.push(told);
                }
                at = opens;
            }
            Standing::Never => {
                return Decision::stay(format!(
                    "{}, but no window opens in the {AHEAD} days after {}",
                    choice.reason,
                    spoken(calendar, at)
                ));
            }
        }
    }
    reasons.extend(remarks.iter().map(ToString::to_string));
    let told = reasons.join("; ");
    if at > proposed {
        let reason = format!("{}; not before {}: {told}", choice.reason, spoken(calendar, at));
        return Decision::update_from(&choice.version, at, reason);
    }
    Decision::pass(match told.as_str() {
        "" => "nothing speaks against that moment".into(),
        told => format!("nothing speaks against that moment; {told}"),
    })
}

enum Wave {
    /// There are none.
    None,
    ReleaseUnknown,
    Begins {
        percent: u8,
        moment: u64,
    },
}

fn wave(about: &Situation, settings: &Settings, choice: &Choice) -> Wave {
    let Some(wave) = waves::wave_of(&settings.waves, &about.organisation, &choice.version) else {
        return Wave::None;
    };
    let released = about
        .candidates
        .iter()
        .filter(|candidate| version::same(&candidate.version, &choice.version))
        .find_map(|candidate| candidate.released);
    match released {
        None => Wave::ReleaseUnknown,
        Some(released) => Wave::Begins {
            percent: wave.percent,
            moment: released.saturating_add(wave.after_hours.saturating_mul(3600)),
        },
    }
}
