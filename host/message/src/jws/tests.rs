//! A key made here signs; what is not exactly so is refused.

use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, RsaKeySize};
use serde_json::{Value, json};

use super::*;
use crate::keystore::PrivateKey;

#[derive(der::Sequence)]
struct Public<'a> {
    n: der::asn1::UintRef<'a>,
    e: der::asn1::UintRef<'a>,
}

/// A key, and what is published of it.
fn made(name: &str) -> (PrivateKey, Value) {
    use der::Decode as _;
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let public = Public::from_der(pair.der_bytes()).unwrap();
    let base64 = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    // Some write a zero before it.
    let modulus = [&[0], public.n.as_bytes()].concat();
    let jwk = json!({ "kty": "RSA", "kid": name, "n": base64(&modulus), "e": base64(public.e.as_bytes()) });
    (PrivateKey::from_pkcs8(&pair.serialize_der()).unwrap(), jwk)
}

fn signed(key: &PrivateKey, header: &Value, payload: &str) -> String {
    let base64 = |text: &[u8]| URL_SAFE_NO_PAD.encode(text);
    let text = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(payload.as_bytes())
    );
    format!("{text}.{}", base64(&key.sign_rs256(text.as_bytes()).unwrap()))
}

#[test]
fn what_a_key_signed_is_read_and_nothing_else() {
    let (key, jwk) = made("a");
    let (other, _) = made("a");
    let keys = KeySet::read(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    let header = json!({ "alg": "RS256", "kid": "a" });
    let good = signed(&key, &header, "hei");
    let read = |text: &str| {
        let jws = Compact::cut(text.as_bytes())?;
        jws.verified(keys.get(jws.key_id()).unwrap())
    };
    assert_eq!(read(&format!(" {good}\n")).unwrap(), b"hei");
    let (begin, signature) = good.rsplit_once('.').unwrap();
    let changed = begin.replace(&URL_SAFE_NO_PAD.encode("hei"), &URL_SAFE_NO_PAD.encode("nei"));
    let crit = json!({ "alg": "RS256", "kid": "a", "crit": ["b64"] });
    for (text, expected) in [
        (format!("{changed}.{signature}"), JwsError::Signature),
        (signed(&other, &header, "hei"), JwsError::Signature),
        (signed(&key, &json!({ "alg": "HS256" }), "hei"), JwsError::Algorithm),
        (signed(&key, &json!({ "alg": "none" }), "hei"), JwsError::Algorithm),
        (signed(&key, &crit, "hei"), JwsError::Extension),
        ("abc".to_owned(), JwsError::NotSigned),
        ("a.b".to_owned(), JwsError::NotSigned),
        (format!("{good}.{signature}"), JwsError::NotSigned),
        (format!("{begin}.="), JwsError::NotSigned),
    ] {
        assert_eq!(read(&text), Err(expected), "{text}");
    }
}

#[test]
fn keys_of_other_kinds_and_uses_are_passed_over() {
    let set = r#"{"keys":[
        {"kty":"EC","kid":"ec","crv":"P-256"},
        {"kty":"RSA","kid":"enc","use":"enc","n":"AQAB","e":"AQAB"},
        {"kty":"RSA","kid":"ps","alg":"PS256","n":"AQAB","e":"AQAB"},
        {"kty":"RSA","kid":"nothing","n":"AAAA","e":"AQAB"},
        {"kty":"RSA","n":"AQAB","e":"AQAB"},
        {"kty":"RSA","kid":"good","use":"sig","alg":"RS256","n":"AAEAAQ","e":"AQAB"}]}"#;
    let keys = KeySet::read(set.as_bytes()).unwrap();
    assert!(keys.get(Some("good")).is_some());
    assert!(keys.get(None).is_none(), "there are two, and one is not named");
    for other in ["ec", "enc", "ps", "nothing", ""] {
        assert!(keys.get(Some(other)).is_none(), "{other}");
    }
    let named = keys.named();
    assert_eq!(named.get(None), named.get(Some("good")));
    assert!(named.get(None).is_some());
    assert!(KeySet::read(br#"{"keys":[]}"#).unwrap().is_empty());
    assert_eq!(
        KeySet::read(b"[\n1]").unwrap_err().to_string(),
        "is no JWK set (line 2, column 1)"
    );
}
