//! A folder of adapters. Each configured adapter has a file there and a [`Slot`] here; a changed file is loaded beside the
//! running version, and swapped in while messages flow.

mod event;
mod keepsake;
mod quarantine;
mod retry;
mod slot;
mod stillness;
mod trial;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{broadcast, watch};

use crate::load::{Loader, PluginSpec};

pub use event::{PluginEvent, Refused, SlotState, SlotStatus, Unavailable};
pub use slot::Slot;

/// Events that a slow listener can be behind before it misses some.
const EVENTS: usize = 256;

/// How a folder is watched, and when a plugin is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderSettings {
    /// How long a file must be unchanged before it is read.
    pub still: Duration,
    /// How often files are looked at besides what the system reports: network folders report nothing.
    pub poll: Duration,
    /// Calls without fault after which a new version has proved itself.
    pub trial_calls: u32,
    /// Faults among them with which the host goes back to the version before.
    pub trial_faults: u32,
    /// Faults within [`Self::quarantine_window`] with which a plugin is paused.
    pub quarantine_faults: u32,
    /// See [`Self::quarantine_faults`].
    pub quarantine_window: Duration,
    /// The first pause; each further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long a file waits that could not be loaded for a reason that passes; each further wait is twice as long.
    pub first_retry: Duration,
    /// The longest wait.
    pub longest_retry: Duration,
}

impl Default for FolderSettings {
    fn default() -> Self {
        Self {
            still: Duration::from_millis(300),
            poll: Duration::from_secs(3),
            trial_calls: 20,
            trial_faults: 3,
            quarantine_faults: 5,
            quarantine_window: Duration::from_mins(1),
            first_pause: Duration::from_secs(30),
            longest_pause: Duration::from_mins(15),
            first_retry: Duration::from_secs(5),
            longest_retry: Duration::from_mins(5),
        }
    }
}

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the plugin folder {} cannot be used: {error}", path.display())]
pub struct FolderError {
    /// The folder.
    pub path: PathBuf,
    /// What the system says.
    pub error: std::io::Error,
}

/// The plugins of one folder.
pub struct PluginFolder {
    directory: PathBuf,
    loader: Arc<Loader>,
    settings: FolderSettings,
    slots: Mutex<BTreeMap<String, Watched>>,
    events: broadcast::Sender<PluginEvent>,
    changes: watch::Receiver<()>,
    _watcher: Option<RecommendedWatcher>,
}

struct Watched {
    slot: Arc<Slot>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PluginFolder {
    /// Begins to watch a folder, which is made when it is missing. Needs a tokio runtime.
    pub fn open(directory: &Path, loader: Arc<Loader>, settings: FolderSettings) -> Result<Self, FolderError> {
        std::fs::create_dir_all(directory).map_err(|error| FolderError {
            path: directory.to_owned(),
            error,
        })?;
        let (changed, changes) = watch::channel(());
        let watcher = notify::recommended_watcher(move |_: notify::Result<notify::Event>| {
            // What happened is seen on disk; only that something happened is of interest.
            changed.send_replace(());
        })
        .and_then(|mut watcher| watcher.watch(directory, RecursiveMode::NonRecursive).map(|()| watcher));
        let watcher = match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                let folder = directory.display();
                tracing::warn!(%folder, "the system does not report changes, looking every few seconds: {error}");
                None
            }
        };
        Ok(Self {
            directory: directory.to_owned(),
            loader,
            settings,
            slots: Mutex::default(),
            events: broadcast::channel(EVENTS).0,
            changes,
            _watcher: watcher,
        })
    }

    /// Adds an adapter whose component is the file of that name in the folder, looks at the file once, and keeps looking.
    /// A file that is missing or bad is no error: the slot tells it.
    pub async fn add(&self, spec: PluginSpec, file_name: &str) -> Arc<Slot> {
        let name = spec.name.clone();
        let slot = Arc::new_cyclic(|own| {
            let file = self.directory.join(file_name);
            Slot::new(
                own.clone(),
                spec,
                file,
                self.loader.clone(),
                self.settings,
                self.events.clone(),
            )
        });
        slot.look().await;
        let task = tokio::spawn(keep_looking(slot.clone(), self.changes.clone(), self.settings.poll));
        let watched = Watched {
            slot: slot.clone(),
            task,
        };
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, watched);
        slot
    }

    /// Forgets an adapter; calls that run go on.
    pub fn remove(&self, name: &str) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// The slot of an adapter.
    pub fn slot(&self, name: &str) -> Option<Arc<Slot>> {
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .map(|watched| watched.slot.clone())
    }

    /// All slots, by name.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().map(|watched| watched.slot.clone()).collect()
    }

    /// What happens to all plugins of the folder.
    pub fn subscribe(&self) -> broadcast::Receiver<PluginEvent> {
        self.events.subscribe()
    }

    /// Component files in the folder that no adapter of the configuration uses: they do nothing until one does.
    pub fn unclaimed(&self) -> Vec<PathBuf> {
        let claimed: Vec<PathBuf> = self.slots().iter().map(|slot| slot.file().to_owned()).collect();
        let Ok(entries) = std::fs::read_dir(&self.directory) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "wasm") && !claimed.contains(path))
            .collect();
        files.sort();
        files
    }
}

/// Looks when the system reports something, and now and then; sometimes at the content too, for the sake of file systems
/// with coarse clocks.
async fn keep_looking(slot: Arc<Slot>, mut changes: watch::Receiver<()>, poll: Duration) {
    const THOROUGH: u32 = 20;
    let mut rounds = 0_u32;
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                // No watcher: only the clock is left.
                tokio::time::sleep(poll).await;
            },
            () = tokio::time::sleep(poll) => rounds = rounds.wrapping_add(1),
        }
        if rounds.is_multiple_of(THOROUGH) && rounds > 0 {
            rounds = 0;
            slot.look_closely().await;
        } else {
            slot.look().await;
        }
    }
}
