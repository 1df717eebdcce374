//! The adapters of this installation, as far as routing and delivery need them.

use std::sync::Arc;

use budstikke_runtime::services::{Description, ServiceRules};
use budstikke_runtime::{Plugin, Slot, SlotStatus};

/// One `[adapters.<name>]`.
pub struct Adapter {
    /// Its name in the TOML.
    pub name: String,
    /// The services that it is used for here.
    pub services: Vec<String>,
    slot: Arc<Slot>,
}

impl Adapter {
    /// An adapter whose component the runtime keeps loaded.
    pub fn new(name: String, services: Vec<String>, slot: Arc<Slot>) -> Self {
        Self { name, services, slot }
    }

    /// The generation that new calls go to; none while none has been loaded or it is in quarantine.
    pub fn plugin(&self) -> Option<Arc<Plugin>> {
        self.slot.current().ok()
    }

    /// What the loaded generation says about itself.
    pub fn description(&self) -> Option<Description> {
        self.slot.loaded().map(|plugin| plugin.description().clone())
    }

    /// What its slot does: generation, trials, quarantine, the file that was refused last.
    pub fn status(&self) -> SlotStatus {
        self.slot.status()
    }

    /// The rules of a service; they hold also while the adapter is paused, and messages for it are taken in and wait.
    pub fn rules(&self, service: &str) -> Option<ServiceRules> {
        self.slot
            .loaded()?
            .description()
            .services
            .iter()
            .find(|rules| rules.id == service)
            .cloned()
    }
}

/// All of them.
#[derive(Default)]
pub struct Adapters {
    adapters: Vec<Arc<Adapter>>,
    /// Services that scenes of the API send over, without a component behind them.
    #[cfg(test)]
    pub(crate) pretended: Vec<ServiceRules>,
}

impl Adapters {
    /// In the order of the TOML.
    pub fn new(adapters: Vec<Arc<Adapter>>) -> Self {
        Self {
            adapters,
            #[cfg(test)]
            pretended: Vec::new(),
        }
    }

    /// Every adapter.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Adapter>> {
        self.adapters.iter()
    }

    /// What holds for messages of a service; none when no adapter that is running serves it.
    pub fn rules(&self, service: &str) -> Option<ServiceRules> {
        #[cfg(test)]
        if let Some(rules) = self.pretended.iter().find(|rules| rules.id == service) {
            return Some(rules.clone());
        }
        self.serving(service)?.rules(service)
    }

    /// The adapter that serves a service here.
    pub fn serving(&self, service: &str) -> Option<&Arc<Adapter>> {
        self.adapters
            .iter()
            .find(|adapter| adapter.services.iter().any(|served| served == service))
    }
}
