use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::cms::der::{OID, SEQUENCE, tlv};
use crate::cms::sign::{attribute, sign_with};
use crate::cms::{CmsError, oid, sign_detached, verify_detached};
use crate::keystore::testing::{KOMMUNE, STRANGER, approved, payload, referee};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_signature_verifies_and_names_signer_and_time() {
    let time = at("2026-11-25T12:00:01.75Z");
    let signature = sign_detached(b"content", &KOMMUNE.identity, time).unwrap();
    let verified = verify_detached(&signature, b"content").unwrap();
    assert_eq!(verified.len(), 1);
    assert_eq!(verified[0].signer, *KOMMUNE.identity.certificate());
    assert_eq!(verified[0].signing_time, Some(at("2026-11-25T12:00:01Z")));
    assert_eq!(verified[0].digest, "SHA-256");
}

#[test]
fn other_content_is_refused() {
    let signature = sign_detached(b"content", &KOMMUNE.identity, Timestamp::now()).unwrap();
    assert!(matches!(
        verify_detached(&signature, b"Content"),
        Err(CmsError::DigestMismatch)
    ));
}

#[test]
fn one_altered_byte_of_the_rsa_signature_is_refused() {
    let signature = sign_detached(b"content", &KOMMUNE.identity, Timestamp::now()).unwrap();
    for back in [1, 100, 256] {
        let mut altered = signature.clone();
        let at = altered.len() - back;
        altered[at] ^= 4;
        assert!(
            matches!(verify_detached(&altered, b"content"), Err(CmsError::InvalidSignature)),
            "{back}"
        );
    }
}

#[test]
fn no_single_altered_byte_makes_another_signer_or_content_pass() {
    let signature = sign_detached(b"content", &KOMMUNE.identity, at("2026-11-25T12:00:00Z")).unwrap();
    for at in 0..signature.len() {
        let mut altered = signature.clone();
        altered[at] ^= 1;
        if let Ok(verified) = verify_detached(&altered, b"content") {
            // What is not signed (versions, digestAlgorithms, other parts of the certificates) may differ.
            assert!(
                verified[0].signer.holds_key(KOMMUNE.identity.key().public_key()),
                "byte {at}"
            );
        }
        assert!(verify_detached(&altered, b"CONTENT").is_err());
    }
}

#[test]
fn a_signing_time_outside_the_certificate_is_refused() {
    for time in ["2019-12-31T23:59:59Z", "2049-01-01T00:00:01Z", "2055-06-01T00:00:00Z"] {
        let signature = sign_detached(b"content", &KOMMUNE.identity, at(time)).unwrap();
        assert!(
            matches!(
                verify_detached(&signature, b"content"),
                Err(CmsError::SigningTime { .. })
            ),
            "{time}"
        );
    }
}

#[test]
fn algorithm_protection_must_tell_the_truth() {
    let protection = |digest: &[u8], rsa: &[u8]| {
        let rsa = tlv(0xA1, &[&rsa[2..]]);
        attribute(oid::ALGORITHM_PROTECTION, &tlv(SEQUENCE, &[digest, &rsa]))
    };
    let without_null = tlv(SEQUENCE, &[&tlv(OID, &[oid::SHA256])]);
    let sha1 = tlv(SEQUENCE, &[&tlv(OID, &[oid::SHA1]), &[5, 0]]);
    let sign = |extra| sign_with(b"content", &KOMMUNE.identity, Timestamp::now(), vec![extra]).unwrap();
    for digest in [oid::ALG_SHA256, &without_null] {
        verify_detached(&sign(protection(digest, oid::ALG_RSA)), b"content").unwrap();
    }
    let lying = sign(protection(&sha1, oid::ALG_RSA));
    assert!(matches!(
        verify_detached(&lying, b"content"),
        Err(CmsError::Attributes(_))
    ));
    let lying = sign(protection(oid::ALG_SHA256, oid::ALG_OAEP_SHA256));
    assert!(matches!(
        verify_detached(&lying, b"content"),
        Err(CmsError::Attributes(_))
    ));
}

#[test]
fn a_second_message_digest_is_refused() {
    let extra = attribute(oid::MESSAGE_DIGEST, &tlv(0x04, &[&[0; 32]]));
    let signature = sign_with(b"content", &KOMMUNE.identity, Timestamp::now(), vec![extra]).unwrap();
    assert!(matches!(
        verify_detached(&signature, b"content"),
        Err(CmsError::Attributes(_))
    ));
}

#[test]
fn openssl_verifies_what_we_sign() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    KOMMUNE.write_to(folder);
    let content = payload(5000);
    fs::write(folder.join("content"), &content).unwrap();
    fs::write(
        folder.join("p7s"),
        sign_detached(&content, &KOMMUNE.identity, Timestamp::now()).unwrap(),
    )
    .unwrap();
    let verify = "cms -verify -binary -inform DER -in p7s -content content -out copy";
    let run = |rest: &str| {
        let line = format!("{verify} {rest}");
        referee(folder, "openssl", &line.split(' ').collect::<Vec<_>>())
            .status
            .success()
    };
    assert!(run("-noverify"));
    assert!(run("-CAfile ca.pem -purpose any"), "with the chain that we sent along");
    fs::write(folder.join("content"), payload(5001)).unwrap();
    assert!(!run("-noverify"), "the referee refuses other content");
}

fn openssl_signs(folder: &Path, content: &[u8], options: &str) -> Vec<u8> {
    KOMMUNE.write_to(folder);
    fs::write(folder.join("content"), content).unwrap();
    let line = format!(
        "cms -sign -binary -in content -signer cert.pem -inkey key.pem -certfile ca.pem -outform DER -out p7s {options}"
    );
    approved(folder, "openssl", &line.split_whitespace().collect::<Vec<_>>());
    fs::read(folder.join("p7s")).unwrap()
}

#[test]
fn we_verify_what_openssl_signs_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let content = payload(3000);
    for digest in ["sha1", "sha256", "sha384", "sha512"] {
        for form in ["", "-stream", "-noindef", "-noattr", "-keyid", "-nodetach -stream"] {
            let signature = openssl_signs(folder.path(), &content, &format!("-md {digest} {form}"));
            let verified = verify_detached(&signature, &content).unwrap_or_else(|e| panic!("{digest} {form}: {e}"));
            assert_eq!(verified[0].digest.replace('-', "").to_lowercase(), digest);
            assert_eq!(verified[0].signer.organisation_number(), Some("991825827"));
            assert!(verify_detached(&signature, &content[1..]).is_err(), "{digest} {form}");
        }
    }
}

#[test]
fn every_signer_must_verify() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("other-key.pem"), &STRANGER.key_pem).unwrap();
    fs::write(folder.join("other-cert.pem"), &STRANGER.certificate_pem).unwrap();
    let signature = openssl_signs(folder, b"content", "-signer other-cert.pem -inkey other-key.pem");
    assert_eq!(verify_detached(&signature, b"content").unwrap().len(), 2);
    let mut altered = signature;
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert!(matches!(
        verify_detached(&altered, b"content"),
        Err(CmsError::InvalidSignature)
    ));
}

#[test]
fn a_signature_without_its_certificate_or_with_another_algorithm_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bare = openssl_signs(folder, b"content", "-nocerts");
    // -certfile still adds the authority, so the set is there but the signer is not in it.
    assert!(matches!(
        verify_detached(&bare, b"content"),
        Err(CmsError::NoSignerCertificate)
    ));
    let pss = openssl_signs(folder, b"content", "-keyopt rsa_padding_mode:pss");
    let error = verify_detached(&pss, b"content").unwrap_err();
    assert!(error.to_string().contains("1.2.840.113549.1.1.10"), "{error}");
    let md5 = openssl_signs(folder, b"content", "-md md5");
    assert!(matches!(
        verify_detached(&md5, b"content"),
        Err(CmsError::UnsupportedSignature(_))
    ));
}

#[test]
fn an_unreadable_certificate_matters_only_if_it_is_the_signers() {
    let signature = sign_detached(b"content", &KOMMUNE.identity, at("2026-11-25T12:00:00Z")).unwrap();
    let damage = |certificate: &[u8]| {
        let start = signature
            .windows(certificate.len())
            .position(|w| w == certificate)
            .unwrap();
        let mut damaged = signature.clone();
        // The version of the certificate, [0] { INTEGER 2 }, becomes an impossible one.
        damaged[start + 12] = 9;
        damaged
    };
    let [own, authority] = KOMMUNE.identity.chain() else {
        panic!("a chain of two")
    };
    verify_detached(&damage(authority.der()), b"content").unwrap();
    let error = verify_detached(&damage(own.der()), b"content").unwrap_err();
    assert!(matches!(error, CmsError::Certificate(_)), "{error}");
}
