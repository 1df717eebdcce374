//! What the Java KOSMOS decides: the version that the vendor offers, within the major version that the operator supports.
//!
//! Besides, versions can be refused, or only some allowed, a lower version is not taken in silence, and one that failed is left
//! alone for a day.
//!
//! - `settings`: what the operator can write.
//! - `choice`: which of the offered versions is meant. Spec: KOSMOS, 6.3.
//! - `rules`: why it is not taken. Spec: KOSMOS, 7 and 11.

mod choice;
mod rules;
mod settings;
#[cfg(test)]
mod tests;

use budstikke_policy_sdk::{Calendar, Decision, Policy, Situation, version};

pub use settings::Settings;

/// The component.
pub struct Standard;

impl Policy for Standard {
    type Settings = Settings;

    fn decide(about: &Situation, calendar: &dyn Calendar, settings: &Settings) -> Result<Decision, String> {
        let Some(choice) = choice::choose(about) else {
            let reason = format!("the vendor offers no version for `{}`", about.environment);
            return Ok(Decision::stay(reason));
        };
        let wanted = &choice.version;
        if let Some(current) = &about.current
            && version::same(current, wanted)
        {
            // Also when it does not answer: what should run and does not is started again whatever is said here.
            return Ok(Decision::stay(format!("{current} already runs; it is {}", choice.what)));
        }
        if let Some(objection) = rules::objection(about, calendar, settings, wanted) {
            return Ok(Decision::stay(format!("{wanted} is {}, but {objection}", choice.what)));
        }
        let before = match &about.current {
            Some(current) => format!("{current} runs"),
            None => "nothing is known to run".into(),
        };
        Ok(Decision::update(
            wanted,
            format!("{wanted} is {}; {before}", choice.what),
        ))
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_policy_sdk::export!(Standard with_types_in budstikke_policy_sdk::bindings);
