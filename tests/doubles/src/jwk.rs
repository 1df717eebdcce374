//! A private RSA key in the form that Digdir's tools hand out for synthetic organisations: a JWK (RFC 7517, RFC 7518 6.3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_cert::der::asn1::{AnyRef, OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Error, Reader as _, SliceReader};

/// Members of an RSA private key in the order of PKCS#1.
const MEMBERS: [&str; 8] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

/// The JWK of a PKCS#8 key.
pub(crate) fn private_jwk(pkcs8: &[u8], kid: &str) -> Result<Value, Error> {
    let pkcs1 = SliceReader::new(pkcs8)?.sequence(|info| {
        let _version = UintRef::decode(info)?;
        let _algorithm = AnyRef::decode(info)?;
        Ok::<_, Error>(<&OctetStringRef>::decode(info)?.as_bytes().to_vec())
    })?;
    let mut jwk = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid });
    SliceReader::new(&pkcs1)?.sequence(|key| {
        let _version = UintRef::decode(key)?;
        for member in MEMBERS {
            jwk[member] = json!(URL_SAFE_NO_PAD.encode(UintRef::decode(key)?.as_bytes()));
        }
        Ok::<_, Error>(())
    })?;
    Ok(jwk)
}
