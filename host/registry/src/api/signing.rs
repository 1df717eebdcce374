//! Signed answers: JWS in compact form, RS256. Spec: service registry, 3.6.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use budstikke_message::keystore::Identity;
use budstikke_message::x509::Certificate;
use bytes::Bytes;
use der::asn1::UintRef;
use der::{Decode as _, Sequence};
use serde_json::{Value, json};

use super::generations::{Generations, Key};

/// Bytes of signed answers in one generation of the memory. An answer is some kilobytes; a signature takes about half a
/// millisecond.
const REMEMBERED: usize = 16 << 20;

/// Why a key cannot sign answers.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// Its certificate has another kind of key.
    #[error("the certificate has no RSA key")]
    NotRsa,
}

/// Why an answer was not signed.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic library did not sign")]
pub struct NotSigned;

/// RSAPublicKey. Spec: RFC 8017, A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// Modulus and exponent of an RSA certificate, without leading zeros.
fn numbers(certificate: &Certificate) -> Option<(Vec<u8>, Vec<u8>)> {
    let info = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(certificate.public_key_der()).ok()?;
    let key = RsaPublicKey::from_der(info.subject_public_key.as_bytes()?).ok()?;
    Some((key.modulus.as_bytes().to_vec(), key.exponent.as_bytes().to_vec()))
}

/// Signs answers with one key, and tells the world which.
pub struct Signer {
    identity: Arc<Identity>,
    /// The header of every answer, encoded, with its dot.
    header: String,
    jwks: Value,
    remembered: Mutex<Generations<Bytes>>,
}

impl Signer {
    /// Signs with the key of an identity.
    pub fn new(identity: Arc<Identity>) -> Result<Self, SignerError> {
        let (modulus, exponent) = numbers(identity.certificate()).ok_or(SignerError::NotRsa)?;
        let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        // RFC 7638, 3: the required members, in alphabetical order, without white space.
        let kid = URL_SAFE_NO_PAD.encode(digest(
            &SHA256,
            json!({ "e": e, "kty": "RSA", "n": n }).to_string().as_bytes(),
        ));
        let x5c = STANDARD.encode(identity.certificate().der());
        let header = json!({ "x5c": [x5c], "kid": kid, "alg": "RS256" }).to_string();
        let key = json!({ "kty": "RSA", "n": n, "e": e, "use": "sig", "alg": "RS256", "kid": kid, "x5c": [x5c] });
        Ok(Self {
            identity,
            header: format!("{}.", URL_SAFE_NO_PAD.encode(header)),
            jwks: json!({ "keys": [key] }),
            remembered: Mutex::new(Generations::new(REMEMBERED)),
        })
    }

    /// The set that `/jwk` answers.
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// A payload as a compact JWS. The same payload gives the same bytes, as RS256 does, and is signed once as long as it is
    /// remembered.
    pub fn sign(&self, payload: &[u8]) -> Result<Bytes, NotSigned> {
        let key = Key::try_from(digest(&SHA256, payload).as_ref()).map_err(|_| NotSigned)?;
        if let Some(signed) = self.remembered().get(&key) {
            return Ok(signed);
        }
        let mut compact = self.header.clone();
        URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
        let signature = self.identity.key().sign_rs256(compact.as_bytes()).ok_or(NotSigned)?;
        compact.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
        let signed = Bytes::from(compact);
        self.remembered().put(key, signed.clone(), signed.len());
        Ok(signed)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Generations<Bytes>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::api::tests::keys;

    fn parts(jws: &[u8]) -> Vec<Vec<u8>> {
        let text = std::str::from_utf8(jws).unwrap();
        text.split('.')
            .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
            .collect()
    }

    #[test]
    fn openssl_verifies_what_is_signed() {
        let signer = Signer::new(keys::identity()).unwrap();
        let payload = "{\"name\":\"Prøve kommune\",\"none\":null}";
        let jws = signer.sign(payload.as_bytes()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = std::str::from_utf8(&jws).unwrap();
        let signed = text.rsplit_once('.').unwrap().0;
        let found = parts(&jws);
        assert_eq!(found[1], payload.as_bytes());
        let header: Value = serde_json::from_slice(&found[0]).unwrap();
        let certificate = STANDARD.decode(header["x5c"][0].as_str().unwrap()).unwrap();
        for (name, content) in [
            ("signed", signed.as_bytes()),
            ("signature", &found[2]),
            ("certificate", &certificate),
        ] {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let script = "openssl x509 -inform DER -in certificate -pubkey -noout > key && \
                      openssl dgst -sha256 -verify key -signature signature signed";
        let verified = Command::new("sh")
            .args(["-c", script])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(
            verified.status.success(),
            "{}",
            String::from_utf8_lossy(&verified.stderr)
        );
        // The referee says no when it should.
        std::fs::write(folder.path().join("signed"), "other").unwrap();
        let refused = Command::new("sh")
            .args(["-c", script])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert!(!refused.status.success());
    }

    #[test]
    fn the_header_has_three_members_and_the_key_of_the_set() {
        let signer = Signer::new(keys::identity()).unwrap();
        let jws = signer.sign(b"x").unwrap();
        let header: Value = serde_json::from_slice(&parts(&jws)[0]).unwrap();
        let members: Vec<&String> = header.as_object().unwrap().keys().collect();
        assert_eq!(members, ["x5c", "kid", "alg"]);
        let key = &signer.jwks()["keys"][0];
        assert_eq!((&key["kid"], &key["x5c"]), (&header["kid"], &header["x5c"]));
        assert_eq!(key["use"], "sig");
        assert_eq!(header["kid"].as_str().unwrap().len(), 43);
    }

    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        // RFC 7638, 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let text = json!({ "e": "AQAB", "kty": "RSA", "n": n }).to_string();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn the_same_payload_is_signed_once() {
        let signer = Signer::new(keys::identity()).unwrap();
        let first = signer.sign(b"payload").unwrap();
        let second = signer.sign(b"payload").unwrap();
        assert_eq!(first.as_ptr(), second.as_ptr(), "remembered");
        assert_ne!(signer.sign(b"another").unwrap(), first);
    }
}
