//! Whether a certificate was called back: OCSP first, then lists, and what it means when neither can tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use budstikke_message::x509::Certificate;
use jiff::{SignedDuration, Timestamp};

use super::anchors::Anchor;
use super::authority::Authority;
use super::crl::Lists;
use super::extensions::Extensions;
use super::{Fault, ocsp};
use crate::config::Revocation;

/// How long it counts that nobody could tell: not each message must wait for a responder that hangs.
pub(super) const UNTOLD: SignedDuration = SignedDuration::from_mins(1);
/// An answer is not believed for longer, whatever it says.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 7);
/// How long a certificate is asked about, whoever there is to ask and whatever others wait for: somebody waits for the message.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most certificates whose standing is kept.
const MOST: usize = 10_000;

/// What an authority says of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not called back.
    Good,
    /// It was.
    Revoked,
    /// Nobody can tell; why.
    Untold(String),
}

/// A standing, and until when it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) standing: Standing,
    pub(super) until: Timestamp,
}

type Cell = Arc<tokio::sync::Mutex<Option<Told>>>;

/// Asks authorities, and remembers what they say.
pub(super) struct Revocations {
    policy: Revocation,
    authority: Arc<Authority>,
    lists: Lists,
    patience: Duration,
    known: Mutex<HashMap<String, Cell>>,
}

impl Revocations {
    /// `policy`: what it means when nobody can tell.
    pub(super) fn new(policy: Revocation, private_networks: bool) -> anyhow::Result<Self> {
        Ok(Self {
            policy,
            authority: Arc::new(Authority::new(private_networks)?),
            lists: Lists::default(),
            patience: PATIENCE,
            known: Mutex::default(),
        })
    }

    /// For tests: asks for so long.
    #[cfg(test)]
    pub(super) fn patient_for(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Until when nobody needs to ask again. A fault when the certificate was called back, or when nobody can tell and that matters.
    pub(super) async fn check(
        &self,
        certificate: &Certificate,
        extensions: &Extensions,
        issuer: &Anchor,
    ) -> Result<Timestamp, Fault> {
        let now = Timestamp::now();
        let told = tokio::time::timeout(self.patience, self.told(certificate, extensions, issuer, now)).await;
        // Those before this one took all the time.
        let told = told.unwrap_or_else(|_| untold(self.out_of_patience(), now));
        match told.standing {
            Standing::Revoked => Err(Fault::Revoked),
            Standing::Untold(why) if self.policy == Revocation::Require => Err(Fault::CannotTell(why)),
            Standing::Good | Standing::Untold(_) => Ok(told.until),
        }
    }

    /// What is known, or what is found out now.
    async fn told(&self, certificate: &Certificate, extensions: &Extensions, issuer: &Anchor, now: Timestamp) -> Told {
        let began = tokio::time::Instant::now();
        let cell = self.cell(certificate.fingerprint());
        // Many messages to one receiver wait for one answer.
        let mut known = cell.lock().await;
        if let Some(told) = known.as_ref().filter(|told| told.until > now) {
            return told.clone();
        }
        // A little sooner than the caller gives up, so that what was found out is kept: not each message waits for one that hangs.
        let patience = self.patience.mul_f32(0.9);
        let asked = self.asked(certificate, extensions, issuer, now);
        let told = tokio::time::timeout_at(began + patience, asked).await;
        let told = told.unwrap_or_else(|_| untold(self.out_of_patience(), now));
        if let Standing::Untold(why) = &told.standing {
            tracing::warn!(
                why,
                serial_number = certificate.serial(),
                issuer = certificate.issuer(),
                "nobody can say whether a receiver's certificate was called back"
            );
        }
        known.insert(told).clone()
    }

    fn out_of_patience(&self) -> String {
        format!("nobody answered within {} s", self.patience.as_secs_f32())
    }

    fn cell(&self, fingerprint: String) -> Cell {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(fingerprint).or_default().clone()
    }

    async fn asked(&self, certificate: &Certificate, extensions: &Extensions, issuer: &Anchor, now: Timestamp) -> Told {
        let mut why = Vec::new();
        for url in &extensions.responders {
            match self.by_responder(url, certificate, issuer, now).await {
                Ok(told) => return bounded(told, now),
                Err(error) => why.push(error),
            }
        }
        for url in &extensions.lists {
            match self.lists.look(&self.authority, url, certificate, issuer, now).await {
                Ok(told) => return bounded(told, now),
                Err(error) => why.push(error),
            }
        }
        if why.is_empty() {
            why.push("the certificate names nobody to ask".to_owned());
        }
        untold(why.join("; "), now)
    }

    async fn by_responder(
        &self,
        url: &str,
        certificate: &Certificate,
        issuer: &Anchor,
        now: Timestamp,
    ) -> Result<Told, String> {
        let question = ocsp::Question::about(certificate, &issuer.certificate).map_err(|error| error.to_string())?;
        let der = question.to_der().map_err(|error| error.to_string())?;
        let answer = self.authority.ask(url, der).await?;
        question
            .answered(&answer, issuer, now)
            .map_err(|error| format!("{url}: {error}"))
    }
}

fn untold(why: String, now: Timestamp) -> Told {
    Told {
        standing: Standing::Untold(why),
        until: now.saturating_add(UNTOLD).unwrap_or(now),
    }
}

fn bounded(told: Told, now: Timestamp) -> Told {
    let longest = now.saturating_add(LONGEST).unwrap_or(now);
    Told {
        until: told.until.min(longest),
        ..told
    }
}
