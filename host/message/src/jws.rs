//! Signed texts: the compact form of JWS with RS256, and the RSA keys of a JWK set. Spec: service registry, 3.6; RFC 7515 and 7517.
//!
//! Only RS256 is believed: neither `none`, nor a MAC whose key everybody knows.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

const RS256: &str = "RS256";

/// Why a signed text or a set of keys is not taken. Never holds what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts of base64url, or a header that is none.
    #[error("it is no compact JWS: three parts of base64url, the first of them a header")]
    NotSigned,
    /// Another algorithm.
    #[error("it is not signed with RS256")]
    Algorithm,
    /// Extensions that a reader must understand; none are known here.
    #[error("it has extensions that are not known here")]
    Extension,
    /// The payload is not base64url.
    #[error("what is signed is not base64url")]
    Payload,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
    /// No JWK set.
    #[error("is no JWK set (line {line}, column {column})")]
    NoKeySet {
        /// Where the JSON is not as it should be, from 1.
        line: usize,
        /// Where in the line.
        column: usize,
    },
}

/// A text in the compact form, cut up. Nothing in it is believed yet.
#[derive(Debug)]
pub struct Compact<'a> {
    header: Header,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default)]
    x5c: Vec<String>,
    crit: Option<serde::de::IgnoredAny>,
}

impl<'a> Compact<'a> {
    /// Cuts up a text; blanks around it do not count.
    pub fn cut(text: &'a [u8]) -> Result<Self, JwsError> {
        let text = std::str::from_utf8(text).map_err(|_| JwsError::NotSigned)?.trim();
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::NotSigned)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::NotSigned)?;
        if payload.contains('.') {
            return Err(JwsError::NotSigned);
        }
        let header = decoded(header).ok_or(JwsError::NotSigned)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| JwsError::NotSigned)?;
        if header.alg != RS256 {
            return Err(JwsError::Algorithm);
        }
        if header.crit.is_some() {
            return Err(JwsError::Extension);
        }
        Ok(Self {
            header,
            signed,
            payload,
            signature: decoded(signature).ok_or(JwsError::NotSigned)?,
        })
    }

    /// The key that it names.
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The certificates that it brings along, base64 of DER, that of the signature first.
    pub fn certificates(&self) -> &[String] {
        &self.header.x5c
    }

    /// What the signature is over: header and payload as they came.
    pub fn signed(&self) -> &'a [u8] {
        self.signed.as_bytes()
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What is signed, without a look at the signature.
    pub fn unverified(&self) -> Result<Vec<u8>, JwsError> {
        decoded(self.payload).ok_or(JwsError::Payload)
    }

    /// What is signed, when the signature is one of this key.
    pub fn verified(&self, key: &RsaKey) -> Result<Vec<u8>, JwsError> {
        if key.verifies(self.signed(), &self.signature) {
            self.unverified()
        } else {
            Err(JwsError::Signature)
        }
    }
}

/// An RSA key that verifies RS256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// Whether a signature is one of this key.
    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents {
            n: &self.modulus,
            e: &self.exponent,
        };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
    }
}

/// The keys of a JWK set that verify RS256, with their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet(Vec<(Option<String>, RsaKey)>);

#[derive(Deserialize)]
struct WrittenSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Reads a set. Keys of other kinds, and for other uses, are passed over; there can be none left.
    pub fn read(json: &[u8]) -> Result<Self, JwsError> {
        let set: WrittenSet = serde_json::from_slice(json).map_err(|error| JwsError::NoKeySet {
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Self(set.keys.into_iter().filter_map(usable).collect()))
    }

    /// Those that have a name.
    #[must_use]
    pub fn named(self) -> Self {
        Self(self.0.into_iter().filter(|(name, _)| name.is_some()).collect())
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key with this name. Without a name there is no choice to be made: it is the only one.
    pub fn get(&self, name: Option<&str>) -> Option<&RsaKey> {
        let found = match (name, self.0.as_slice()) {
            (Some(name), keys) => keys.iter().find(|(known, _)| known.as_deref() == Some(name)),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        found.map(|(_, key)| key)
    }
}

fn usable(value: serde_json::Value) -> Option<(Option<String>, RsaKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let ours = jwk.kty == "RSA"
        && jwk.r#use.is_none_or(|purpose| purpose == "sig")
        && jwk.alg.is_none_or(|algorithm| algorithm == RS256);
    let key = RsaKey {
        modulus: number(&jwk.n)?,
        exponent: number(&jwk.e)?,
    };
    ours.then_some((jwk.kid, key))
}

/// A number as bytes. Some write zeros before it, which the verification does not take.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = decoded(text.trim_end_matches('='))?;
    let begin = bytes.iter().position(|byte| *byte != 0)?;
    bytes.get(begin..).map(<[u8]>::to_vec)
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

#[cfg(test)]
mod tests;
