//! From what the host calls to what a policy implements.

use serde::de::DeserializeOwned;

use crate::bindings::budstikke::plugin::situation::Update;
use crate::bindings::exports::budstikke::plugin::policy::Guest;
use crate::{Calendar, Civil, Decision, Situation, settings};

/// Judges which version is to run. A pure function: the same question always gets the same answer.
pub trait Policy {
    /// What the operator can write. With `#[serde(deny_unknown_fields)]`, so that slips of the pen are refused.
    type Settings: DeserializeOwned;

    /// What is wrong with settings that can be read; the error names the key. Called before every [`Policy::decide`] too.
    fn check(settings: &Self::Settings) -> Result<(), String> {
        let _ = settings;
        Ok(())
    }

    /// Decides. An error means that the policy cannot: then nothing is changed.
    fn decide(about: &Situation, calendar: &dyn Calendar, settings: &Self::Settings) -> Result<Decision, String>;
}

fn checked<P: Policy>(json: &str) -> Result<P::Settings, String> {
    let settings = settings(json)?;
    P::check(&settings)?;
    Ok(settings)
}

impl<P: Policy> Guest for P {
    fn check(settings: String) -> Result<(), String> {
        checked::<P>(&settings).map(|_| ())
    }

    fn decide(about: &Update) -> Result<Decision, String> {
        P::decide(&Situation::read(about), about, &checked::<P>(&about.settings())?)
    }
}

impl Calendar for Update {
    fn civil(&self, moment: u64) -> Civil {
        self.civil_time(moment)
    }

    fn moment(&self, civil: Civil) -> Option<u64> {
        Update::moment(self, civil)
    }
}
