use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, SignatureAlgorithm, date_time_ymd,
};
use serde_json::{Value, json};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

struct Made {
    der: Vec<u8>,
    key: KeyPair,
    params: CertificateParams,
}

impl Made {
    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    fn x5c(&self) -> String {
        STANDARD.encode(&self.der)
    }

    fn read(&self) -> Certificate {
        Certificate::from_der(&self.der).unwrap()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

fn authority(name: &str, above: Option<&Made>) -> Made {
    authority_with(name, KeyPair::generate().unwrap(), above)
}

fn authority_with(name: &str, key: KeyPair, above: Option<&Made>) -> Made {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    signed(params, key, above)
}

/// As certificates of organisations are: for e-mail and TLS clients.
fn leaf(above: Option<&Made>) -> Made {
    let mut params = params("KRR");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    signed(params, key, above)
}

fn signed(params: CertificateParams, key: KeyPair, above: Option<&Made>) -> Made {
    let certificate = match above {
        Some(above) => params.signed_by(&key, &above.issuer()).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    Made {
        der: certificate.der().to_vec(),
        key,
        params,
    }
}

fn jws(header: &Value, payload: &str, signer: &Made) -> String {
    let signed = [header.to_string().as_str(), payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let key = RsaKeyPair::from_pkcs8(&signer.key.serialize_der()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn by(chain: &[&Made]) -> String {
    let x5c: Vec<String> = chain.iter().map(|made| made.x5c()).collect();
    jws(&json!({ "alg": "RS256", "x5c": x5c }), "payload", chain[0])
}

fn trusting(anchors: &[&Made]) -> Trust {
    Trust::Known {
        anchors: anchors
            .iter()
            .map(|made| chain::anchor(&made.read()).unwrap())
            .collect(),
        pinned: Vec::new(),
    }
}

fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

#[test]
fn an_authority_stands_behind_a_certificate_directly_or_through_another() {
    let root = authority("root", None);
    let between = authority("between", Some(&root));
    let trust = trusting(&[&root]);
    let direct = leaf(Some(&root));
    assert_eq!(trust.verify(by(&[&direct]).as_bytes(), now()).unwrap(), b"payload");
    let through = leaf(Some(&between));
    assert_eq!(
        trust.verify(by(&[&through, &between]).as_bytes(), now()).unwrap(),
        b"payload"
    );
    let error = trust.verify(by(&[&through]).as_bytes(), now()).unwrap_err();
    assert!(
        error.contains("nobody that is trusted") && error.contains("CN=KRR"),
        "{error}"
    );
}

#[test]
fn an_authority_may_have_a_key_of_any_kind_that_is_known() {
    let kinds: [&'static SignatureAlgorithm; 2] = [&PKCS_ECDSA_P521_SHA512, &PKCS_ED25519];
    for kind in kinds {
        let root = authority_with("root", KeyPair::generate_for(kind).unwrap(), None);
        let jws = by(&[&leaf(Some(&root))]);
        assert_eq!(trusting(&[&root]).verify(jws.as_bytes(), now()).unwrap(), b"payload");
    }
}

#[test]
fn an_authority_of_the_same_name_is_another_one() {
    let (root, impostor) = (authority("root", None), authority("root", None));
    let trust = trusting(&[&root]);
    assert!(
        trust
            .verify(by(&[&leaf(Some(&impostor)), &impostor]).as_bytes(), now())
            .is_err()
    );
    assert!(trust.verify(by(&[&leaf(None)]).as_bytes(), now()).is_err());
}

#[test]
fn nobody_may_stand_behind_a_certificate_who_is_no_authority() {
    let root = authority("root", None);
    let organisation = leaf(Some(&root));
    let made_up = leaf(Some(&organisation));
    assert!(
        trusting(&[&root])
            .verify(by(&[&made_up, &organisation]).as_bytes(), now())
            .is_err()
    );
}

#[test]
fn a_certificate_is_believed_while_it_is_valid() {
    let root = authority("root", None);
    let jws = by(&[&leaf(Some(&root))]);
    for trust in [trusting(&[&root]), Trust::Anybody] {
        assert!(trust.verify(jws.as_bytes(), now()).is_ok());
        for outside in ["2019-12-31T00:00:00Z", "2040-01-02T00:00:00Z"] {
            let error = trust.verify(jws.as_bytes(), outside.parse().unwrap()).unwrap_err();
            assert!(error.contains("not valid now"), "{error}");
        }
    }
}

#[test]
fn a_pinned_certificate_needs_nobody_behind_it() {
    let (pinned, other) = (leaf(None), leaf(None));
    let trust = Trust::Known {
        anchors: Vec::new(),
        pinned: vec![pinned.read()],
    };
    assert!(trust.verify(by(&[&pinned]).as_bytes(), now()).is_ok());
    assert!(trust.verify(by(&[&other]).as_bytes(), now()).is_err());
    // The key must be that of the certificate shown.
    let borrowed = jws(&json!({ "alg": "RS256", "x5c": [pinned.x5c()] }), "payload", &other);
    assert!(
        trust
            .verify(borrowed.as_bytes(), now())
            .unwrap_err()
            .contains("does not hold")
    );
}

#[test]
fn what_is_no_signed_answer_is_refused_by_its_fault() {
    let signer = leaf(None);
    let x5c = signer.x5c();
    let good = by(&[&signer]);
    let with = |header: Value| jws(&header, "payload", &signer);
    let (head, rest) = good.split_once('.').unwrap();
    for (text, named) in [
        (String::new(), "three parts"),
        ("{\"personer\":[]}".to_owned(), "three parts"),
        (format!("{good}.x"), "three parts"),
        (format!("!{head}.{rest}"), "base64url"),
        (with(json!(["RS256"])), "header"),
        (with(json!({ "alg": "HS256", "x5c": [x5c] })), "RS256"),
        (with(json!({ "alg": "none", "x5c": [x5c] })), "RS256"),
        (
            with(json!({ "alg": "RS256", "x5c": [x5c], "crit": ["b64"], "b64": false })),
            "extensions",
        ),
        (with(json!({ "alg": "RS256" })), "x5c"),
        (with(json!({ "alg": "RS256", "x5c": ["bm8="] })), "no certificate"),
        (
            with(json!({ "alg": "RS256", "x5c": vec![x5c.clone(); 9] })),
            "more than 8",
        ),
        (
            good.replacen(
                &URL_SAFE_NO_PAD.encode("payload"),
                &URL_SAFE_NO_PAD.encode("Payload"),
                1,
            ),
            "does not hold",
        ),
    ] {
        let error = Trust::Anybody.verify(text.as_bytes(), now()).unwrap_err();
        assert!(error.contains(named), "{named}: {error}");
    }
    assert!(Trust::Anybody.verify(b"\xff.\xff.\xff", now()).is_err());
    assert_eq!(
        Trust::Anybody.verify(format!("{good}\n").as_bytes(), now()).unwrap(),
        b"payload"
    );
}
