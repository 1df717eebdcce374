//! The keys of an issuer. Spec: RFC 7517.

use std::collections::HashMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// An RSA key that verifies RS256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Key {
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents {
            n: &self.modulus,
            e: &self.exponent,
        };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
    }
}

/// Keys by their id.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(HashMap<String, Key>);

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// Reads a set. Keys of other kinds, and for other uses, are passed over; a set without any of ours is an error.
    pub(super) fn read(json: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("is no JWK set (line {line}, column {column})")
        })?;
        let keys: HashMap<String, Key> = set.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err("has no RSA key with a kid for RS256".into());
        }
        Ok(Self(keys))
    }

    /// The key with this id; without an id, the only one.
    pub(super) fn get(&self, id: Option<&str>) -> Option<&Key> {
        match id {
            Some(id) => self.0.get(id),
            None if self.0.len() == 1 => self.0.values().next(),
            None => None,
        }
    }
}

fn usable(value: serde_json::Value) -> Option<(String, Key)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let ours = jwk.kty == "RSA"
        && jwk.usage.is_none_or(|usage| usage == "sig")
        && jwk.alg.is_none_or(|algorithm| algorithm == "RS256");
    let number = |text: Option<String>| {
        let bytes = URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()?;
        let begin = bytes.iter().position(|byte| *byte != 0)?;
        Some(bytes.get(begin..)?.to_vec())
    };
    let key = Key {
        modulus: number(jwk.n)?,
        exponent: number(jwk.e)?,
    };
    Some((jwk.kid?, key)).filter(|_| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_passed_over() {
        let set = r#"{"keys":[
            {"kty":"EC","kid":"ec","crv":"P-256"},
            {"kty":"RSA","kid":"enc","use":"enc","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"ps","alg":"PS256","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"good","use":"sig","alg":"RS256","n":"AAEAAQ","e":"AQAB"}]}"#;
        let keys = Keys::read(set.as_bytes()).unwrap();
        assert!(keys.get(Some("good")).is_some());
        assert_eq!(keys.get(Some("good")), keys.get(None));
        for other in ["ec", "enc", "ps", ""] {
            assert!(keys.get(Some(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn a_set_without_a_key_of_ours_is_an_error() {
        for wrong in [
            "",
            "{}",
            "{\"keys\":[]}",
            "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"AQAB\"}]}",
        ] {
            assert!(Keys::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
