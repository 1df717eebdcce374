//! A token and its claims. Spec: RFC 7515, 7519; service registry, 2.1.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Unauthenticated;

/// What the clocks of two machines may differ by, seconds.
const LEEWAY: i64 = 60;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that a reader must understand; we know none.
    crit: Option<serde_json::Value>,
}

/// A token that has the shape of one. Nothing in it is believed yet.
pub(super) struct Token<'a> {
    pub(super) key_id: Option<String>,
    pub(super) claims: Claims,
    /// What the signature is over.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Reads a compact JWS. Only RS256: neither none, nor a MAC whose key everybody knows.
    pub(super) fn read(text: &'a str) -> Result<Self, Unauthenticated> {
        let shape = Unauthenticated::Invalid("it is no signed JWT");
        let (signed, signature) = text.rsplit_once('.').ok_or(shape.clone())?;
        let (header, payload) = signed.split_once('.').ok_or(shape.clone())?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| shape.clone());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| shape.clone())?;
        if header.alg != "RS256" {
            return Err(Unauthenticated::Invalid("it is not signed with RS256"));
        }
        if header.crit.is_some() {
            return Err(Unauthenticated::Invalid("it has an extension that is not known here"));
        }
        let claims = serde_json::from_slice(&decode(payload)?)
            .map_err(|_| Unauthenticated::Invalid("its claims cannot be read"))?;
        Ok(Self {
            key_id: header.kid,
            claims,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
    }
}

/// The claims that matter here.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    exp: f64,
    nbf: Option<f64>,
    aud: Option<Audience>,
    scope: Option<String>,
    consumer: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Seconds since 1970; a token may give parts of one.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` stops at the ends of i64, which is what is meant"
)]
fn seconds(date: f64) -> i64 {
    date as i64
}

impl Claims {
    pub(super) fn issuer(&self) -> &str {
        &self.iss
    }

    /// The last second in which it is believed.
    pub(super) fn end(&self) -> i64 {
        seconds(self.exp).saturating_add(LEEWAY)
    }

    /// Times and audience.
    pub(super) fn check(&self, audience: Option<&str>, now: i64) -> Result<(), Unauthenticated> {
        if !self.exp.is_finite() || now >= self.end() {
            return Err(Unauthenticated::Invalid("it has expired"));
        }
        if self
            .nbf
            .is_some_and(|begin| seconds(begin).saturating_sub(LEEWAY) > now)
        {
            return Err(Unauthenticated::Invalid("it is not valid yet"));
        }
        let meant = match (audience, &self.aud) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(wanted), Some(Audience::One(found))) => found == wanted,
            (Some(wanted), Some(Audience::Many(found))) => found.iter().any(|found| found == wanted),
        };
        if meant {
            Ok(())
        } else {
            Err(Unauthenticated::Invalid("it is meant for somebody else"))
        }
    }

    pub(super) fn consumer(&self) -> Option<&str> {
        self.consumer.as_ref()?.get("ID")?.as_str()
    }

    /// Without the claim, none.
    pub(super) fn scopes(&self) -> BTreeSet<String> {
        let scope = self.scope.as_deref().unwrap_or_default();
        scope.split_ascii_whitespace().map(str::to_owned).collect()
    }
}
