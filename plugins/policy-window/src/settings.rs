//! What the operator can write.

use serde::Deserialize;

use crate::{Freeze, Wave, Window, waves};

/// `[policies.settings]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// When updates may be made; none: always.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// Days on which nothing is changed.
    #[serde(default)]
    pub freezes: Vec<Freeze>,
    /// Who goes first.
    #[serde(default)]
    pub waves: Vec<Wave>,
    /// Whether an operator who asks need not wait for a window. Freezes and waves hold all the same.
    #[serde(default = "yes")]
    pub demand_ignores_window: bool,
}

fn yes() -> bool {
    true
}

impl Settings {
    /// What types cannot say.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (number, window) in self.windows.iter().enumerate() {
            if window.days.as_ref().is_some_and(Vec::is_empty) {
                return Err(format!(
                    "setting `windows[{number}].days`: name a day, or leave it out for every day"
                ));
            }
        }
        for (number, freeze) in self.freezes.iter().enumerate() {
            if freeze.to < freeze.from {
                return Err(format!(
                    "setting `freezes[{number}].to`: {} is before {}",
                    freeze.to, freeze.from
                ));
            }
        }
        waves::check(&self.waves)
    }
}
