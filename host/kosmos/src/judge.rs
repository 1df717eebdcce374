//! The policies, one after the other, and the record of what each of them said.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use budstikke_runtime::policy::{Decision, Policy, Situation};
use budstikke_runtime::{Compiler, Engine, Loader};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config;
use crate::journal;

/// Decisions that are kept.
const KEPT: usize = 500;

/// What one policy said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Said {
    /// Its name in the operator's file.
    pub policy: String,
    /// SHA-256 of its component.
    pub component: String,
    /// Its settings.
    pub settings: Map<String, Value>,
    /// What it decided, or why it could not.
    pub decision: Result<Decision, String>,
    /// What it logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
    /// Instructions that it took.
    pub fuel: u64,
}

/// A decision, with all that it was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// Its name: the moment and the target.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// What was known.
    pub situation: Situation,
    /// What each policy said, in their order.
    pub said: Vec<Said>,
    /// What came of it.
    pub decision: Decision,
}

/// See the module.
pub struct Judge {
    policies: Vec<(Policy, Map<String, Value>)>,
}

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JudgeError(pub String);

impl Judge {
    /// Loads the policies and asks each whether it can work with its settings.
    pub async fn new(
        configured: &[config::Policy],
        folder: &Path,
        cache: &Path,
        compiler: Compiler,
    ) -> Result<Self, JudgeError> {
        let failed = |error: String| JudgeError(error);
        let engine = Engine::for_policies().map_err(|error| failed(error.to_string()))?;
        let loader = Loader::new(engine, cache, compiler).map_err(|error| failed(error.to_string()))?;
        let mut policies = Vec::new();
        for configured in configured {
            let path = folder.join(&configured.component);
            let policy = Policy::load(&loader, &configured.name, &path).await;
            let policy = policy.map_err(|error| failed(error.to_string()))?;
            let named = |reason: String| failed(format!("policy {}: settings: {reason}", configured.name));
            let settings = serde_json::to_string(&configured.settings).map_err(|error| named(error.to_string()))?;
            match policy.check(&settings).await {
                Ok(Ok(())) => policies.push((policy, configured.settings.clone())),
                Ok(Err(reason)) => return Err(named(reason)),
                Err(error) => return Err(failed(format!("policy {}: {error}", configured.name))),
            }
        }
        Ok(Self { policies })
    }

    /// Asks all of them.
    pub async fn decide(&self, situation: Situation, at: Timestamp) -> Record {
        let mut said = Vec::new();
        let mut proposal = None;
        for (policy, settings) in &self.policies {
            let asked = Situation {
                proposal: proposal.clone(),
                settings: settings.clone(),
                ..situation.clone()
            };
            let one = ask(policy, asked).await;
            match &one.decision {
                Ok(Decision::Pass(_)) => {}
                Ok(decision) => proposal = Some(decision.clone()),
                // Who cannot judge must not be passed over: nothing is changed.
                Err(reason) => {
                    proposal = Some(Decision::Stay(format!("policy {} cannot decide: {reason}", one.policy)));
                    said.push(one);
                    break;
                }
            }
            said.push(one);
        }
        let decision = proposal.unwrap_or_else(|| Decision::Stay("no policy had anything to say".into()));
        Record {
            id: format!("{}-{}", at.strftime("%Y%m%dT%H%M%S%3fZ"), situation.target).replace('.', ""),
            at,
            situation,
            said,
            decision,
        }
    }

    /// Asks the policies that there are now what they were asked then. Those that are gone say nothing.
    pub async fn again(&self, record: &Record) -> Vec<Option<Said>> {
        let mut all = Vec::new();
        let mut proposal = None;
        for then in &record.said {
            let found = self.policies.iter().find(|(policy, _)| policy.name() == then.policy);
            let now = match found {
                None => None,
                Some((policy, _)) => {
                    let asked = Situation {
                        proposal: proposal.clone(),
                        settings: then.settings.clone(),
                        ..record.situation.clone()
                    };
                    Some(ask(policy, asked).await)
                }
            };
            if let Ok(decision) = &then.decision
                && !matches!(decision, Decision::Pass(_))
            {
                proposal = Some(decision.clone());
            }
            all.push(now);
        }
        all
    }
}

async fn ask(policy: &Policy, situation: Situation) -> Said {
    let settings = situation.settings.clone();
    let (decision, log, fuel) = match policy.decide(&Arc::new(situation)).await {
        Ok(judgement) => (judgement.decision, judgement.log, judgement.fuel),
        Err(error) => (Err(error.to_string()), Vec::new(), 0),
    };
    Said {
        policy: policy.name().to_owned(),
        component: policy.digest().to_string(),
        settings,
        decision,
        log,
        fuel,
    }
}

/// The records of decisions, in a folder.
#[derive(Debug, Clone)]
pub struct Records(PathBuf);

impl Records {
    /// Makes the folder.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// Keeps one, and removes the oldest when there are many.
    pub fn keep(&self, record: &Record) {
        let path = self.0.join(format!("{}.json", record.id));
        let written = serde_json::to_vec_pretty(record)
            .map_err(std::io::Error::other)
            .and_then(|bytes| journal::write(&path, &bytes));
        if let Err(error) = written {
            tracing::error!(path = %path.display(), %error, "a decision cannot be kept");
        }
        let ids = self.ids();
        for old in ids.iter().rev().skip(KEPT) {
            drop(fs::remove_file(self.0.join(format!("{old}.json"))));
        }
    }

    /// Their names, oldest first.
    pub fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).into_iter().flatten();
        let mut ids: Vec<String> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".json")?.to_owned()))
            .collect();
        ids.sort();
        ids
    }

    /// One of them.
    pub fn read(&self, id: &str) -> Result<Record, String> {
        if !config::is_file_name(id) {
            return Err(format!("{id} is no name of a decision"));
        }
        let path = self.0.join(format!("{id}.json"));
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_slice(&bytes).map_err(|error| format!("{} is damaged: {error}", path.display()))
    }
}
