//! The place of one adapter: which version is in use, which one is on trial, and what is wrong.

mod looking;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use arc_swap::ArcSwapOption;
use tokio::sync::broadcast;

use super::FolderSettings;
use super::event::{PluginEvent, Refused, SlotState, SlotStatus, Unavailable};
use super::keepsake::Keepsake;
use super::quarantine::Quarantine;
use super::retry::Retry;
use super::stillness::Stamp;
use super::trial::Trial;
use crate::load::{Digest, Loader, PluginSpec};
use crate::plugin::Plugin;

/// The place of one adapter.
pub struct Slot {
    own: Weak<Self>,
    name: String,
    file: PathBuf,
    loader: Arc<Loader>,
    settings: FolderSettings,
    spec: Mutex<PluginSpec>,
    serving: ArcSwapOption<Serving>,
    /// Whether the end of a good call is of interest; spares the lock when all is well.
    attentive: AtomicBool,
    life: Mutex<Life>,
    looking: tokio::sync::Mutex<()>,
    keepsake: Arc<Keepsake>,
    events: broadcast::Sender<PluginEvent>,
}

struct Serving {
    plugin: Arc<Plugin>,
    generation: u64,
}

struct Life {
    generations: u64,
    trial: Option<Trial>,
    previous: Option<Arc<Serving>>,
    quarantine: Quarantine,
    last_fault: String,
    /// The file as it was when it was last read.
    seen: Option<Stamp>,
    /// The content that was last refused or swapped back; not tried again until another one came.
    rejected: Option<Digest>,
    /// The file could not be taken for a reason that passes.
    retry: Option<Retry>,
    refused: Option<Refused>,
    missing: bool,
    /// The operator's settings have changed since the last load.
    reconfigured: bool,
}

impl Slot {
    pub(super) fn new(
        own: Weak<Self>,
        spec: PluginSpec,
        file: PathBuf,
        loader: Arc<Loader>,
        settings: FolderSettings,
        events: broadcast::Sender<PluginEvent>,
    ) -> Self {
        let keepsake = Keepsake::new(loader.directory(), &spec.name);
        let life = Life {
            generations: 0,
            trial: None,
            previous: None,
            quarantine: Quarantine::new(&settings),
            last_fault: String::new(),
            seen: None,
            rejected: keepsake.rejected(),
            retry: None,
            refused: None,
            missing: false,
            reconfigured: false,
        };
        Self {
            own,
            keepsake: Arc::new(keepsake),
            name: spec.name.clone(),
            file,
            loader,
            settings,
            spec: Mutex::new(spec),
            serving: ArcSwapOption::empty(),
            attentive: AtomicBool::new(false),
            life: Mutex::new(life),
            looking: tokio::sync::Mutex::new(()),
            events,
        }
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The plugin to call now. Hold it for one call only, or a swap is not noticed.
    pub fn current(&self) -> Result<Arc<Plugin>, Unavailable> {
        let Some(serving) = self.serving.load_full() else {
            let life = self.life();
            let reason = match &life.refused {
                Some(refused) => refused.reason.clone(),
                None => format!("{} is missing", self.file.display()),
            };
            return Err(Unavailable::NotLoaded {
                plugin: self.name.clone(),
                reason,
            });
        };
        if self.attentive.load(Ordering::Acquire) {
            let life = self.life();
            if let Some(left) = life.quarantine.left(Instant::now()) {
                let reason = life.last_fault.clone();
                return Err(Unavailable::Paused {
                    plugin: self.name.clone(),
                    left,
                    reason,
                });
            }
        }
        Ok(serving.plugin.clone())
    }

    /// The plugin that is loaded, also while it is paused: what it said of itself holds all the same.
    pub fn loaded(&self) -> Option<Arc<Plugin>> {
        self.serving.load().as_ref().map(|serving| serving.plugin.clone())
    }

    /// Which version is in use, counted from 1; 0: none.
    pub fn generation(&self) -> u64 {
        self.serving.load().as_ref().map_or(0, |serving| serving.generation)
    }

    /// A look at everything.
    pub fn status(&self) -> SlotStatus {
        let serving = self.serving.load_full();
        let life = self.life();
        let state = match (&serving, life.quarantine.left(Instant::now())) {
            (None, _) => SlotState::Empty,
            (Some(_), Some(left)) => SlotState::Paused(left),
            (Some(_), None) if life.trial.is_some() => SlotState::OnTrial,
            (Some(_), None) => SlotState::Active,
        };
        SlotStatus {
            plugin: self.name.clone(),
            file: self.file.clone(),
            state,
            generation: serving.as_ref().map_or(0, |serving| serving.generation),
            digest: serving.as_ref().map(|serving| serving.plugin.digest()),
            version: serving.as_ref().map(|serving| serving.plugin.version().to_owned()),
            refused: life.refused.clone(),
            missing: life.missing,
        }
    }

    /// What happens to this and the other plugins of its folder.
    pub fn subscribe(&self) -> broadcast::Receiver<PluginEvent> {
        self.events.subscribe()
    }

    /// Takes changed grants, limits or settings into use: the file is loaded again with them, beside the running version.
    pub async fn reconfigure(&self, spec: PluginSpec) {
        *self.spec.lock().unwrap_or_else(PoisonError::into_inner) = spec;
        {
            let mut life = self.life();
            life.reconfigured = true;
            life.retry = None;
        }
        self.look_at_file(true).await;
    }

    /// Looks at the file, and loads it when it has changed.
    pub async fn look(&self) {
        self.look_at_file(false).await;
    }

    /// The same, but looks at the content even when nothing seems to have changed.
    pub async fn look_closely(&self) {
        self.look_at_file(true).await;
    }

    fn tell(&self, event: PluginEvent) {
        // Nobody has to listen.
        drop(self.events.send(event));
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
