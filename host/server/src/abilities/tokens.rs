//! Bearer tokens by profile: a signed JWT grant to the issuer, then an optional exchange. Spec: DPO and DPV, 1.
//!
//! A token is kept until shortly before it expires, or until a service refuses it. Two calls that want the same token at
//! the same time cause one request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use budstikke_message::causes::with_causes;
use budstikke_message::keystore::{Identity, Keystore, PrivateKey};
use budstikke_runtime::services::{Failure, Token};
use serde::Deserialize;
use serde_json::json;

use crate::config::TokenProfile;

/// Life of a grant, seconds. The issuer allows no more.
const GRANT_LIFE: i64 = 120;
/// A token is not used in its last seconds: the request must arrive while it holds.
const MARGIN: i64 = 30;
/// Life of a token when nobody says, seconds.
const UNKNOWN_LIFE: i64 = 60;
/// Largest answer of an issuer that is read, bytes.
const ANSWER: usize = 64 * 1024;
/// Largest piece of an issuer's answer that goes into an error, bytes.
const QUOTED: usize = 1024;
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What identifies a token: profile, scopes, subject.
type Wanted = (String, Vec<String>, Option<String>);
type Cell = Arc<tokio::sync::Mutex<Option<Token>>>;

/// All token profiles of the installation.
pub struct Tokens {
    profiles: HashMap<String, Profile>,
    client: reqwest::Client,
    cache: Mutex<HashMap<Wanted, Cell>>,
}

struct Profile {
    settings: TokenProfile,
    signer: Signer,
    /// Own first.
    subjects: Vec<String>,
}

enum Signer {
    Certificate(Arc<Identity>),
    Jwk { key: PrivateKey, kid: String },
}

#[derive(Deserialize)]
struct IssuerAnswer {
    access_token: String,
    expires_in: Option<i64>,
}

impl Tokens {
    /// Reads the keys of all profiles.
    pub fn new(
        profiles: &std::collections::BTreeMap<String, TokenProfile>,
        organisation: &Arc<Identity>,
        own: &str,
    ) -> anyhow::Result<Self> {
        let profiles = profiles
            .iter()
            .map(|(name, settings)| {
                let profile = Profile::new(settings.clone(), organisation, own)
                    .with_context(|| format!("the token profile [tokens.{name}]"))?;
                Ok((name.clone(), profile))
            })
            .collect::<anyhow::Result<_>>()?;
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            profiles,
            client,
            cache: Mutex::new(HashMap::new()),
        })
    }

    /// The parties that a profile acts for, own first.
    pub fn subjects(&self, profile: &str) -> Result<Vec<String>, Failure> {
        Ok(self.profile(profile)?.subjects.clone())
    }

    fn profile(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles
            .get(name)
            .ok_or_else(|| Failure::permanent("profile", format!("there is no [tokens.{name}]")))
    }

    /// A token that holds for a while yet.
    pub async fn token(
        &self,
        profile: &str,
        mut scopes: Vec<String>,
        subject: Option<String>,
    ) -> Result<Token, Failure> {
        let settings = self.profile(profile)?;
        scopes.sort_unstable();
        scopes.dedup();
        if let Some(scope) = scopes.iter().find(|scope| !settings.settings.scopes.contains(scope)) {
            return Err(Failure::permanent(
                "scope",
                format!("[tokens.{profile}] does not list the scope {scope}"),
            ));
        }
        if let Some(subject) = subject.as_ref().filter(|subject| !settings.subjects.contains(subject)) {
            return Err(Failure::permanent(
                "subject",
                format!("[tokens.{profile}] has no system user and no consumer-org for {subject}"),
            ));
        }
        let cell = {
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache
                .entry((profile.to_owned(), scopes.clone(), subject.clone()))
                .or_default()
                .clone()
        };
        let mut token = cell.lock().await;
        let now = jiff::Timestamp::now().as_second();
        if let Some(token) = token
            .as_ref()
            .filter(|token| i64::try_from(token.expires).unwrap_or(0) > now + MARGIN)
        {
            return Ok(token.clone());
        }
        let fresh = self.fetch(settings, &scopes, subject.as_deref(), now).await?;
        *token = Some(fresh.clone());
        Ok(fresh)
    }

    /// Forgets a token that a service refused.
    pub async fn refused(&self, value: &str) {
        let cells: Vec<Cell> = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        for cell in cells {
            let mut token = cell.lock().await;
            if token.as_ref().is_some_and(|token| token.value == value) {
                *token = None;
            }
        }
    }

    async fn fetch(
        &self,
        profile: &Profile,
        scopes: &[String],
        subject: Option<&str>,
        now: i64,
    ) -> Result<Token, Failure> {
        let grant = profile.grant(scopes, subject, now)?;
        let url = &profile.settings.url;
        let request = self
            .client
            .post(url)
            .form(&[("grant_type", GRANT_TYPE), ("assertion", &grant)]);
        let answer = self.ask(url, request).await?;
        let answer: IssuerAnswer = serde_json::from_slice(&answer).map_err(|error| {
            Failure::temporary(format!("{url} answered 200 with something else than a token: {error}"))
        })?;
        let first = Token {
            expires: at(
                now,
                answer
                    .expires_in
                    .or_else(|| expiry(&answer.access_token).map(|exp| exp - now)),
            ),
            value: answer.access_token,
        };
        let Some(url) = &profile.settings.exchange_url else {
            return Ok(first);
        };
        let request = self.client.get(url).bearer_auth(&first.value);
        let answer = self.ask(url, request).await?;
        let text = String::from_utf8(answer).unwrap_or_default();
        let value = text.trim().trim_matches('"').to_owned();
        if value.is_empty() {
            return Err(Failure::temporary(format!("{url} answered 200 without a token")));
        }
        Ok(Token {
            expires: at(now, expiry(&value).map(|exp| exp - now)),
            value,
        })
    }

    async fn ask(&self, url: &str, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let unreachable = |error: reqwest::Error| {
            Failure::temporary(format!(
                "{url} cannot be reached: {}",
                with_causes(&error.without_url())
            ))
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER {
                return Err(Failure::temporary(format!("{url} answered more than {ANSWER} bytes")));
            }
        }
        if status.is_success() {
            return Ok(body);
        }
        let quoted = String::from_utf8_lossy(body.get(..QUOTED).unwrap_or(&body)).into_owned();
        let detail = format!("{url} answered {}: {quoted}", status.as_u16());
        // Also a refusal says nothing about the message: somebody can mend it, and the message must not be lost by then.
        Err(Failure::temporary(detail))
    }
}

fn at(now: i64, life: Option<i64>) -> u64 {
    now.saturating_add(life.unwrap_or(UNKNOWN_LIFE)).unsigned_abs()
}

/// `exp` of a JWT that we need not trust: we only want to know when to ask for the next one.
fn expiry(jwt: &str) -> Option<i64> {
    #[derive(Deserialize)]
    struct Payload {
        exp: i64,
    }
    let payload = URL_SAFE_NO_PAD
        .decode(jwt.split('.').nth(1)?.trim_end_matches('='))
        .ok()?;
    serde_json::from_slice::<Payload>(&payload)
        .ok()
        .map(|payload| payload.exp)
}

impl Profile {
    fn new(settings: TokenProfile, organisation: &Arc<Identity>, own: &str) -> anyhow::Result<Self> {
        let signer = match (&settings.jwk, &settings.keystore) {
            (Some(path), _) => {
                let json = std::fs::read(path).with_context(|| path.display().to_string())?;
                let (key, kid) = Keystore::from_jwk(&json).with_context(|| path.display().to_string())?;
                let kid = kid.with_context(|| format!("{}: the JWK has no kid", path.display()))?;
                Signer::Jwk { key, kid }
            }
            (None, Some(keystore)) => Signer::Certificate(Arc::new(crate::config::open_keystore(keystore)?)),
            (None, None) => Signer::Certificate(organisation.clone()),
        };
        let first = settings.own_system_user.clone().unwrap_or_else(|| own.to_owned());
        let mut subjects: Vec<String> = settings.system_users.keys().cloned().collect();
        subjects.extend(settings.consumer_orgs.iter().cloned());
        subjects.sort_by_key(|subject| *subject != first);
        Ok(Self {
            settings,
            signer,
            subjects,
        })
    }

    /// The compact JWS that asks for a token.
    fn grant(&self, scopes: &[String], subject: Option<&str>, now: i64) -> Result<String, Failure> {
        let header = match &self.signer {
            Signer::Certificate(identity) => {
                json!({ "alg": "RS256", "x5c": [STANDARD.encode(identity.certificate().der())] })
            }
            Signer::Jwk { kid, .. } => json!({ "kid": kid, "alg": "RS256" }),
        };
        let mut claims = json!({
            "aud": self.settings.audience,
            "iss": self.settings.client_id,
            "scope": scopes.join(" "),
            "jti": uuid::Uuid::new_v4().to_string(),
            "iat": now,
            "exp": now + GRANT_LIFE,
        });
        match subject.map(|subject| (subject, self.settings.system_users.get(subject))) {
            Some((subject, Some(name))) => {
                claims["authorization_details"] = json!([{
                    "type": "urn:altinn:systemuser",
                    "systemuser_org": { "authority": "iso6523-actorid-upis", "ID": subject },
                    "externalRef": name,
                }]);
            }
            Some((subject, None)) => {
                let number = subject.rsplit(':').next().unwrap_or(subject);
                claims["consumer_org"] = number.into();
            }
            None => {}
        }
        let signed = [&header, &claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let key = match &self.signer {
            Signer::Certificate(identity) => identity.key(),
            Signer::Jwk { key, .. } => key,
        };
        let signature = key
            .sign_rs256(signed.as_bytes())
            .ok_or_else(|| Failure::temporary("the token grant could not be signed"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(profile: &str, subject: Option<&str>) -> serde_json::Value {
        let settings = format!(
            "url = \"https://issuer.test\"\naudience = \"a\"\nclient-id = \"c\"\nscopes = [\"ks:fiks\"]\n{profile}"
        );
        let identity = Arc::new(crate::registry::remote::tests::identity());
        let profile = Profile::new(toml::from_str(&settings).unwrap(), &identity, "0192:991825827").unwrap();
        let subject = subject.map(str::to_owned);
        assert!(
            subject
                .as_ref()
                .is_none_or(|subject| profile.subjects.contains(subject))
        );
        let grant = profile.grant(&["ks:fiks".into()], subject.as_deref(), 1).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(grant.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    #[test]
    fn acting_for_another_organisation_is_told_by_system_user_or_by_consumer_org() {
        let by_name = "consumer-orgs = [\"0192:987464291\"]";
        assert_eq!(claims(by_name, Some("0192:987464291"))["consumer_org"], "987464291");
        assert!(claims(by_name, None).get("consumer_org").is_none());
        let by_user = "[system-users]\n\"0192:987464291\" = \"user\"";
        let claims = claims(by_user, Some("0192:987464291"));
        assert_eq!(claims["authorization_details"][0]["externalRef"], "user");
        assert!(claims.get("consumer_org").is_none());
    }

    #[test]
    fn the_expiry_of_a_token_is_read_and_garbage_has_none() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1760000120}"#);
        assert_eq!(expiry(&format!("h.{payload}.s")), Some(1_760_000_120));
        assert_eq!(expiry("no token"), None);
        assert_eq!(expiry("a.b.c"), None);
    }
}
