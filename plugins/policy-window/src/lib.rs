//! When an update may be made: in maintenance windows, outside freezes, and not before the wave of the organisation.
//!
//! It never chooses a version. A proposal to update is put off to the first moment that all rules allow; everything else passes.
//!
//! - `settings`: what the operator can write.
//! - `windows`, `freezes`, `waves`: a rule each.
//! - `judge`: all of them together.

mod freezes;
mod judge;
mod settings;
#[cfg(test)]
mod tests;
mod waves;
mod windows;

use budstikke_policy_sdk::{Calendar, Decision, Policy, Situation};

pub use freezes::Freeze;
pub use settings::Settings;
pub use waves::Wave;
pub use windows::{TimeOfDay, Weekday, Window};

/// The component.
pub struct WindowPolicy;

impl Policy for WindowPolicy {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        settings.check()
    }

    fn decide(about: &Situation, calendar: &dyn Calendar, settings: &Settings) -> Result<Decision, String> {
        Ok(match &about.proposal {
            Some(Decision::Update(choice)) => judge::judge(about, calendar, settings, choice),
            Some(_) => Decision::pass("no update is proposed"),
            None => Decision::pass("nothing is proposed; this policy stands behind one that chooses a version"),
        })
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_policy_sdk::export!(WindowPolicy with_types_in budstikke_policy_sdk::bindings);
