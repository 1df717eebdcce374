//! Tokens that were given out and what they are good for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::organisation::Organisation;

/// What a token says about its holder.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) consumer: Organisation,
    pub(crate) scopes: Vec<String>,
    pub(crate) acting: Option<ActingSystemUser>,
}

/// The system user that the holder acts as.
#[derive(Clone, Debug)]
pub(crate) struct ActingSystemUser {
    pub(crate) organisation: Organisation,
    pub(crate) name: String,
}

/// No randomness from the system.
#[derive(Debug)]
pub(crate) struct NoRandomness;

/// One kind of token, by the text of the token.
#[derive(Debug)]
pub(crate) struct Tokens {
    issuer: &'static str,
    life: Duration,
    live: Mutex<HashMap<String, (Grant, Timestamp)>>,
}

impl Tokens {
    pub(crate) fn new(issuer: &'static str, life: Duration) -> Self {
        Self {
            issuer,
            life,
            live: Mutex::default(),
        }
    }

    pub(crate) fn life(&self) -> Duration {
        self.life
    }

    /// Gives out a token shaped as a JWT. The signature is random: only this process can tell a real one.
    pub(crate) fn issue(&self, grant: Grant) -> Result<String, NoRandomness> {
        let now = Timestamp::now();
        let expiry = now.checked_add(self.life).unwrap_or(Timestamp::MAX);
        let mut signature = [0; 256];
        SystemRandom::new().fill(&mut signature).map_err(|_| NoRandomness)?;
        let header = json!({ "alg": "RS256", "typ": "JWT" }).to_string();
        let payload = payload(self.issuer, &grant, now, expiry).to_string();
        let token = [header.as_bytes(), payload.as_bytes(), &signature]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|_, (_, expiry)| *expiry > now);
        live.insert(token.clone(), (grant, expiry));
        Ok(token)
    }

    /// The grant of a token that was given out, has not expired and was not revoked.
    pub(crate) fn grant(&self, token: &str) -> Option<Grant> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let (grant, expiry) = live.get(token)?;
        (*expiry > Timestamp::now()).then(|| grant.clone())
    }

    pub(crate) fn revoke(&self, token: &str) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    pub(crate) fn revoke_all(&self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Spec: DPO and DPV, 1.2.
fn payload(issuer: &str, grant: &Grant, now: Timestamp, expiry: Timestamp) -> Value {
    let authority = "iso6523-actorid-upis";
    let mut payload = json!({
        "iss": issuer,
        "client_id": grant.client,
        "consumer": { "authority": authority, "ID": grant.consumer.to_string() },
        "urn:altinn:orgNumber": grant.consumer.number(),
        "scope": grant.scopes.join(" "),
        "iat": now.as_second(),
        "exp": expiry.as_second(),
        "jti": uuid::Uuid::new_v4().to_string(),
    });
    if let Some(acting) = &grant.acting {
        payload["authorization_details"] = json!([{
            "type": "urn:altinn:systemuser",
            "systemuser_org": { "authority": authority, "ID": acting.organisation.to_string() },
            "externalRef": acting.name,
        }]);
    }
    payload
}
