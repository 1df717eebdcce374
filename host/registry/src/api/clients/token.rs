//! A token and its claims. Spec: RFC 7515, 7519; service registry, 2.1.

use std::collections::BTreeSet;

use budstikke_message::jws::{Compact, JwsError};
use serde::Deserialize;

use super::Unauthenticated;

/// What the clocks of two machines may differ by, seconds.
const LEEWAY: i64 = 60;

/// A token that has the shape of one. Nothing in it is believed yet.
pub(super) struct Token<'a> {
    pub(super) claims: Claims,
    pub(super) jws: Compact<'a>,
}

impl<'a> Token<'a> {
    /// Reads a compact JWS.
    pub(super) fn read(text: &'a str) -> Result<Self, Unauthenticated> {
        let no_token = |error| {
            Unauthenticated::Invalid(match error {
                JwsError::Algorithm => "it is not signed with RS256",
                JwsError::Extension => "it has an extension that is not known here",
                _ => "it is no signed JWT",
            })
        };
        let jws = Compact::cut(text.as_bytes()).map_err(no_token)?;
        let claims = serde_json::from_slice(&jws.unverified().map_err(no_token)?)
            .map_err(|_| Unauthenticated::Invalid("its claims cannot be read"))?;
        Ok(Self { claims, jws })
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
