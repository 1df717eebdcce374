//! Signed answers (compact JWS, RS256), and whose signature is believed.
//!
//! An answer brings its certificate along. On its own that proves nothing, so the settings say which certificates count: those
//! of certain authorities, or certain ones (sharp edge 12). Spec: service registry, 6.5.

use std::path::Path;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use serde::Deserialize;

use super::chain;
use super::open::OpenError;
use super::settings::Krr as Settings;

/// Most certificates that an answer may bring along.
const CHAIN: usize = 8;

/// Whose signature is believed.
pub(super) enum Trust {
    /// Anybody's: the signature shows damage only.
    Anybody,
    /// That of these certificates, and of those that one of these authorities stands behind.
    Known {
        anchors: Vec<TrustAnchor<'static>>,
        pinned: Vec<Certificate>,
    },
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    x5c: Vec<String>,
    /// Extensions that must be understood. We understand none.
    crit: Option<serde_json::Value>,
}

impl Trust {
    /// As the settings say. They must say something.
    pub(super) fn of(settings: &Settings) -> Result<Self, OpenError> {
        let named = !settings.trust_anchors.is_empty() || !settings.pinned_certificates.is_empty();
        if settings.trust_any_certificate {
            if named {
                return Err(OpenError::Trust(
                    "trust-any-certificate stands beside trust-anchors or pinned-certificates",
                ));
            }
            tracing::warn!(register = super::krr::NAME, "answers are believed whoever signed them");
            return Ok(Self::Anybody);
        }
        if !named {
            return Err(OpenError::Trust(
                "give trust-anchors or pinned-certificates, or trust-any-certificate = true for tests",
            ));
        }
        let mut anchors = Vec::new();
        for path in &settings.trust_anchors {
            for certificate in certificates(path)? {
                anchors.push(chain::anchor(&certificate).map_err(|error| OpenError::File {
                    path: path.clone(),
                    detail: format!("{} cannot be a trust anchor: {error}", certificate.subject()),
                })?);
            }
        }
        let mut pinned = Vec::new();
        for path in &settings.pinned_certificates {
            pinned.extend(certificates(path)?);
        }
        Ok(Self::Known { anchors, pinned })
    }

    /// The payload of a JWS that holds and is believed. The error says why it is not.
    pub(super) fn verify(&self, jws: &[u8], now: Timestamp) -> Result<Vec<u8>, String> {
        let text = std::str::from_utf8(jws).map_err(|_| "it is no JWS: not text")?.trim();
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err("it is no compact JWS of three parts".to_owned());
        };
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| "a part of the JWS is not base64url")
        };
        let read: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| "the header of the JWS cannot be read")?;
        if read.alg != "RS256" || read.crit.is_some() {
            return Err("the JWS must be signed with RS256, without extensions that must be understood".to_owned());
        }
        let brought = brought(&read.x5c)?;
        let Some((signer, rest)) = brought.split_first() else {
            return Err("the header of the JWS has no certificate (x5c)".to_owned());
        };
        let signed = text.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, signer.public_key_der())
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| "the signature does not hold")?;
        if !signer.is_valid_at(now) {
            return Err(format!(
                "the certificate of the signature ({}) is not valid now",
                signer.subject()
            ));
        }
        if !self.believes(signer, rest, now) {
            return Err(format!(
                "nobody that is trusted stands behind {} (serial {})",
                signer.subject(),
                signer.serial()
            ));
        }
        Ok(decode(payload)?)
    }

    fn believes(&self, signer: &Certificate, rest: &[Certificate], now: Timestamp) -> bool {
        let Self::Known { anchors, pinned } = self else {
            return true;
        };
        if pinned.contains(signer) {
            return true;
        }
        let along: Vec<_> = rest.iter().map(|known| CertificateDer::from(known.der())).collect();
        chain::path(&CertificateDer::from(signer.der()), &along, anchors, now, None).is_ok()
    }
}

/// The certificates of `x5c`.
fn brought(x5c: &[String]) -> Result<Vec<Certificate>, String> {
    if x5c.len() > CHAIN {
        return Err(format!("the JWS brings more than {CHAIN} certificates along"));
    }
    let read = x5c
        .iter()
        .map(|text| Certificate::from_der(&STANDARD.decode(text).ok()?).ok());
    read.collect::<Option<_>>()
        .ok_or_else(|| "x5c holds something that is no certificate".to_owned())
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, OpenError> {
    let wrong = |detail: String| OpenError::File {
        path: path.to_owned(),
        detail,
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let read = Certificate::all_from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
    if read.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
