//! What the end of each call says about the version in use: it proves itself, goes back, or is paused.

use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use super::super::event::{PluginEvent, Refused};
use super::super::quarantine::Quarantine;
use super::super::trial::Verdict;
use super::{Life, Slot};
use crate::error::CallError;
use crate::load::Digest;
use crate::plugin::Watch;

impl Watch for Slot {
    fn ended(&self, digest: &Digest, generation: u64, fault: Option<&CallError>) {
        if fault.is_none() && !self.attentive.load(Ordering::Acquire) {
            return;
        }
        let mut life = self.life();
        if self.generation() != generation {
            return;
        }
        let now = Instant::now();
        let reason = fault.map(ToString::to_string);
        if let Some(reason) = &reason {
            life.last_fault.clone_from(reason);
        }
        match life.trial.as_mut().map(|trial| trial.count(fault.is_some())) {
            Some(Verdict::Proven) => {
                life.trial = None;
                life.previous = None;
                self.keepsake.confirm(digest);
                self.tell(PluginEvent::Proven {
                    plugin: self.name.clone(),
                    digest: *digest,
                });
            }
            Some(Verdict::Failed) => {
                life.trial = None;
                if life.previous.is_some() {
                    return self.swap_back(&mut life, *digest, reason.unwrap_or_default());
                }
            }
            Some(Verdict::Open) | None => {}
        }
        if let Some(reason) = reason {
            self.attentive.store(true, Ordering::Release);
            if let Some(pause) = life.quarantine.fault(now) {
                tracing::error!(plugin = self.name, seconds = pause.as_secs(), "plugin paused: {reason}");
                self.tell(PluginEvent::Paused {
                    plugin: self.name.clone(),
                    pause,
                    reason,
                });
            }
        } else {
            life.quarantine.went_well(now);
        }
        let attentive = life.trial.is_some() || !life.quarantine.is_calm();
        self.attentive.store(attentive, Ordering::Release);
    }
}

impl Slot {
    fn swap_back(&self, life: &mut Life, from: Digest, reason: String) {
        let Some(previous) = life.previous.take() else { return };
        let to = previous.plugin.digest();
        self.serving.store(Some(previous));
        life.rejected = Some(from);
        life.quarantine = Quarantine::new(&self.settings);
        // The same file with other settings is not at fault.
        if from != to {
            let keepsake = self.keepsake.clone();
            drop(tokio::task::spawn_blocking(move || keepsake.reject(&from)));
        }
        let told = format!("plugin {}: version {from} failed its first calls: {reason}", self.name);
        life.refused = Some(Refused {
            reason: told,
            at: SystemTime::now(),
        });
        tracing::error!(plugin = self.name, %from, %to, "new version is faulty, the one before is in use: {reason}");
        self.tell(PluginEvent::SwapBack {
            plugin: self.name.clone(),
            from,
            to,
            reason,
        });
    }
}
