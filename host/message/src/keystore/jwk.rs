//! Private RSA keys in JWK form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::{KeystoreError, PrivateKey};
use crate::cms::der::{INTEGER, SEQUENCE, tlv};

/// Largest JWK accepted, in bytes.
const MAX_JWK: usize = 64 * 1024;

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl Drop for Jwk {
    fn drop(&mut self) {
        for secret in [
            &mut self.d,
            &mut self.p,
            &mut self.q,
            &mut self.dp,
            &mut self.dq,
            &mut self.qi,
        ] {
            secret.zeroize();
        }
    }
}

pub(super) fn read(json: &[u8]) -> Result<(PrivateKey, Option<String>), KeystoreError> {
    if json.len() > MAX_JWK {
        return Err(KeystoreError::MalformedJwk("larger than 64 KiB".to_owned()));
    }
    let jwk: Jwk = serde_json::from_slice(json).map_err(|e| {
        // serde's own text may quote a value, which here may be a secret.
        KeystoreError::MalformedJwk(format!(
            "not the JSON of a key (line {}, column {})",
            e.line(),
            e.column()
        ))
    })?;
    if jwk.kty != "RSA" {
        return Err(KeystoreError::MalformedJwk("kty is not RSA".to_owned()));
    }
    let members = [
        ("n", &jwk.n),
        ("e", &jwk.e),
        ("d", &jwk.d),
        ("p", &jwk.p),
        ("q", &jwk.q),
        ("dp", &jwk.dp),
        ("dq", &jwk.dq),
        ("qi", &jwk.qi),
    ];
    // RSAPrivateKey (RFC 8017, A.1.2) has the numbers in the same order, behind its version.
    let mut numbers = Zeroizing::new(vec![INTEGER, 1, 0]);
    for (name, value) in members {
        let value = value
            .as_deref()
            .ok_or_else(|| KeystoreError::MalformedJwk(format!("{name} is missing")))?;
        let bytes = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(value.trim_end_matches('='))
                .map_err(|_| KeystoreError::MalformedJwk(format!("{name} is not base64url")))?,
        );
        let significant = bytes.iter().position(|b| *b != 0).map_or(&[0][..], |at| &bytes[at..]);
        let sign: &[u8] = if significant[0] & 0x80 == 0 { &[] } else { &[0] };
        let number = Zeroizing::new(tlv(INTEGER, &[sign, significant]));
        numbers.extend_from_slice(&number);
    }
    let der = Zeroizing::new(tlv(SEQUENCE, &[&numbers]));
    Ok((PrivateKey::from_pkcs1(&der)?, jwk.kid.clone()))
}
