//! A look at the file, and what follows: it is taken, refused, or tried again later.

use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use super::super::event::{PluginEvent, Refused};
use super::super::quarantine::Quarantine;
use super::super::retry::Retry;
use super::super::stillness::{Stamp, settled};
use super::super::trial::Trial;
use super::{Life, Serving, Slot};
use crate::load::{Digest, Loader, PluginSpec};
use crate::plugin::{Plugin, Watch};

impl Slot {
    pub(super) async fn look_at_file(&self, closely: bool) {
        let _one_at_a_time = self.looking.lock().await;
        let Some(stamp) = Stamp::of(&self.file).await else {
            return self.file_is_missing().await;
        };
        {
            let mut life = self.life();
            let looks_the_same = life.seen == Some(stamp);
            let nothing_to_do = life.retry.map_or(!closely, |retry| !retry.is_due(Instant::now()));
            if looks_the_same && nothing_to_do {
                return;
            }
            if !looks_the_same {
                life.retry = None;
            }
        }
        // While nothing runs, a file that has lain there for long need not be watched: a start does not wait for it. Later
        // the clock of a network folder is not trusted with that.
        let rested = self.serving.load().is_none() && stamp.has_rested(self.settings.still);
        let still = if rested { Duration::ZERO } else { self.settings.still };
        let Some(stamp) = settled(&self.file, still).await else {
            return;
        };
        self.life().missing = false;
        let read = Loader::read(&self.file).await;
        if Stamp::of(&self.file).await != Some(stamp) {
            // It moved again while it was read: the next round sees it.
            return;
        }
        self.life().seen = Some(stamp);
        match read {
            Ok((digest, component)) => self.consider(digest, component).await,
            Err(reason) => {
                if reason.is_passing() {
                    self.try_again_later();
                } else {
                    self.life().retry = None;
                }
                self.refuse(format!("plugin {}: {reason}", self.name)).await;
            }
        }
    }

    async fn consider(&self, digest: Digest, component: Vec<u8>) {
        let reconfigured = std::mem::take(&mut self.life().reconfigured);
        let in_use = self.loaded().map(|plugin| plugin.digest());
        if !reconfigured && in_use == Some(digest) {
            let mut life = self.life();
            if life.retry.take().is_some() {
                life.refused = None;
            }
            return;
        }
        if !reconfigured && self.life().rejected == Some(digest) {
            self.life().retry = None;
            if in_use.is_none() {
                self.stay_with_last_good(digest).await;
            }
            return;
        }
        let spec = self.spec();
        match self.loader.load_bytes(&spec, component.clone()).await {
            Ok(plugin) => {
                let keepsake = self.keepsake.clone();
                let kept = tokio::task::spawn_blocking(move || keepsake.propose(&digest, &component));
                drop(kept.await);
                let last_good = match in_use {
                    None => self.last_good_beside(digest, &spec).await,
                    Some(_) => None,
                };
                {
                    let mut life = self.life();
                    life.rejected = None;
                    life.retry = None;
                    life.refused = None;
                }
                self.publish(plugin, last_good);
            }
            Err(error) if error.reason.is_passing() => {
                self.life().reconfigured |= reconfigured;
                self.try_again_later();
                self.refuse(error.to_string()).await;
            }
            Err(error) => {
                {
                    let mut life = self.life();
                    life.rejected = Some(digest);
                    life.retry = None;
                }
                self.refuse(error.to_string()).await;
            }
        }
    }

    /// `last_good`: what a first version goes back to when it fails.
    fn publish(&self, plugin: Plugin, last_good: Option<Plugin>) {
        let (version, digest) = (plugin.version().to_owned(), plugin.digest());
        let mut life = self.life();
        let last_good = last_good.map(|plugin| self.numbered(&mut life, plugin));
        let serving = self.numbered(&mut life, plugin);
        let generation = serving.generation;
        let before = self.serving.swap(Some(serving)).or(last_good);
        // While a trial runs, the one to go back to is the last that proved itself, not the one on trial.
        if life.trial.is_none() || life.previous.is_none() {
            life.previous = before;
        }
        life.trial = Some(Trial::new(self.settings.trial_calls, self.settings.trial_faults));
        life.quarantine = Quarantine::new(&self.settings);
        self.attentive.store(true, std::sync::atomic::Ordering::Release);
        drop(life);
        tracing::info!(plugin = self.name, version, %digest, generation, "plugin loaded");
        self.tell(PluginEvent::Loaded {
            plugin: self.name.clone(),
            version,
            digest,
            generation,
        });
    }

    fn numbered(&self, life: &mut Life, plugin: Plugin) -> Arc<Serving> {
        life.generations += 1;
        let generation = life.generations;
        let watch: Weak<dyn Watch> = self.own.clone();
        plugin.watched_by(watch, generation);
        Arc::new(Serving {
            plugin: Arc::new(plugin),
            generation,
        })
    }

    fn try_again_later(&self) {
        let mut life = self.life();
        life.retry = Some(Retry::after(life.retry, &self.settings, Instant::now()));
    }

    async fn refuse(&self, reason: String) {
        self.life().refused = Some(Refused {
            reason: reason.clone(),
            at: SystemTime::now(),
        });
        tracing::error!(
            plugin = self.name,
            "plugin file refused, what ran before goes on: {reason}"
        );
        self.tell(PluginEvent::Refused {
            plugin: self.name.clone(),
            reason,
        });
        self.fall_back_on_last_good().await;
    }

    /// The file was rejected and nothing runs: at start, and again until the last good version loads.
    async fn stay_with_last_good(&self, digest: Digest) {
        if self.life().refused.is_some() {
            return self.fall_back_on_last_good().await;
        }
        let name = &self.name;
        self.refuse(format!(
            "plugin {name}: version {digest} failed its first calls before the restart; put another version in its place"
        ))
        .await;
    }

    async fn file_is_missing(&self) {
        {
            let mut life = self.life();
            life.seen = None;
            if std::mem::replace(&mut life.missing, true) {
                return;
            }
        }
        tracing::warn!(plugin = self.name, file = %self.file.display(), "plugin file is missing");
        self.tell(PluginEvent::Missing {
            plugin: self.name.clone(),
            file: self.file.clone(),
        });
        self.fall_back_on_last_good().await;
    }

    /// Only when nothing runs: at start.
    async fn fall_back_on_last_good(&self) {
        if self.serving.load().is_some() {
            return;
        }
        let Some(good) = self.keepsake.good() else { return };
        match self.loader.load(&self.spec(), good).await {
            Ok(plugin) => {
                let digest = plugin.digest();
                self.publish(plugin, None);
                tracing::warn!(plugin = self.name, %digest, "the last good version of the plugin is in use");
                self.tell(PluginEvent::LastGood {
                    plugin: self.name.clone(),
                    digest,
                });
            }
            Err(error) => tracing::error!(
                plugin = self.name,
                "the last good version does not load either: {error}"
            ),
        }
    }

    /// The last good version, unless it is the one that is about to be used.
    async fn last_good_beside(&self, digest: Digest, spec: &PluginSpec) -> Option<Plugin> {
        let (good, component) = Loader::read(self.keepsake.good()?).await.ok()?;
        if good == digest {
            return None;
        }
        match self.loader.load_bytes(spec, component).await {
            Ok(plugin) => Some(plugin),
            Err(error) => {
                let name = &self.name;
                tracing::warn!(plugin = name, "the last good version does not load any more: {error}");
                None
            }
        }
    }

    fn spec(&self) -> PluginSpec {
        self.spec.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
