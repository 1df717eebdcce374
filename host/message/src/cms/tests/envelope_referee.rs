//! OpenSSL opens what we write, and we open what OpenSSL writes.

use std::fs;

use super::envelope::{TRANSPORTS, open, seal};
use crate::cms::{CmsError, ContentCipher};
use crate::keystore::testing::{KOMMUNE, SIZES, STRANGER, approved, payload};

#[test]
fn openssl_decrypts_what_we_encrypt() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    KOMMUNE.write_to(folder);
    for size in SIZES {
        let plain = payload(size);
        for transport in TRANSPORTS {
            fs::write(
                folder.join("message.der"),
                seal(&plain, transport, ContentCipher::Aes256Cbc),
            )
            .unwrap();
            let arguments =
                "cms -decrypt -binary -inform DER -in message.der -inkey key.pem -recip cert.pem -out plain";
            approved(folder, "openssl", &arguments.split(' ').collect::<Vec<_>>());
            assert!(
                fs::read(folder.join("plain")).unwrap() == plain,
                "{size} bytes with {transport:?}"
            );
        }
    }
}

#[test]
fn openssl_parses_our_gcm_message() {
    let folder = tempfile::tempdir().unwrap();
    let message = seal(&payload(1000), TRANSPORTS[0], ContentCipher::Aes256Gcm);
    fs::write(folder.path().join("message.der"), message).unwrap();
    let shown = approved(
        folder.path(),
        "openssl",
        &["asn1parse", "-inform", "DER", "-in", "message.der"],
    );
    let shown = String::from_utf8(shown).unwrap();
    for part in [
        "pkcs7-envelopedData",
        "rsaesOaep",
        "aes-256-gcm",
        "INTEGER           :10",
    ] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }
}

/// Encrypts with OpenSSL for [`KOMMUNE`]; `options` go before the certificate, `key_options` after it.
fn openssl_encrypts(plain: &[u8], options: &str, key_options: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    KOMMUNE.write_to(folder);
    fs::write(folder.join("other.pem"), &STRANGER.certificate_pem).unwrap();
    fs::write(folder.join("plain"), plain).unwrap();
    let arguments =
        format!("cms -encrypt -binary -in plain -outform DER -out message.der {options} -recip cert.pem {key_options}");
    approved(folder, "openssl", &arguments.split_whitespace().collect::<Vec<_>>());
    fs::read(folder.join("message.der")).unwrap()
}

const OAEP_SHA256: &str = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";

#[test]
fn we_decrypt_what_openssl_streams() {
    for size in SIZES {
        let plain = payload(size);
        let message = openssl_encrypts(&plain, "-stream -aes256", OAEP_SHA256);
        assert_eq!(message[1], 0x80, "openssl wrote indefinite lengths");
        assert!(open(&message, &KOMMUNE.identity).unwrap() == plain, "{size} bytes");
    }
}

#[test]
fn we_decrypt_what_openssl_writes_in_der() {
    for size in SIZES {
        let plain = payload(size);
        let message = openssl_encrypts(&plain, "-noindef -aes256", OAEP_SHA256);
        assert_ne!(message[1], 0x80, "openssl wrote definite lengths");
        assert!(open(&message, &KOMMUNE.identity).unwrap() == plain, "{size} bytes");
    }
}

#[test]
fn we_decrypt_every_variant_that_the_message_can_state() {
    let plain = payload(3000);
    for cipher in ["-aes128", "-aes192", "-aes256"] {
        for key_options in [
            "",
            "-keyopt rsa_padding_mode:oaep",
            OAEP_SHA256,
            "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha384",
            "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha512",
        ] {
            for options in ["-stream", "-noindef", "-keyid"] {
                let message = openssl_encrypts(&plain, &format!("{options} {cipher}"), key_options);
                let opened = open(&message, &KOMMUNE.identity).unwrap();
                assert!(opened == plain, "{cipher} {key_options} {options}");
            }
        }
    }
}

#[test]
fn our_own_recipient_is_found_among_several() {
    let plain = payload(100);
    for key_options in ["other.pem", "other.pem -keyopt rsa_padding_mode:oaep"] {
        let message = openssl_encrypts(&plain, "-aes256", &format!("-recip {key_options}"));
        assert_eq!(open(&message, &KOMMUNE.identity).unwrap(), plain);
        assert_eq!(open(&message, &STRANGER.identity).unwrap(), plain);
    }
}

#[test]
fn a_recipient_of_another_kind_is_passed_over() {
    let plain = payload(100);
    let message = openssl_encrypts(&plain, "-aes256 -pwri_password hemmelig", "");
    assert_eq!(open(&message, &KOMMUNE.identity).unwrap(), plain);
}

#[test]
fn mixed_oaep_hashes_are_refused_by_name() {
    let options = format!("{OAEP_SHA256} -keyopt rsa_mgf1_md:sha1");
    let message = openssl_encrypts(b"x", "-aes256", &options);
    let error = open(&message, &KOMMUNE.identity).unwrap_err();
    assert!(matches!(&error, CmsError::UnsupportedKeyTransport(_)));
    assert!(error.to_string().contains("1.3.14.3.2.26"), "{error}");
}

#[test]
fn other_ciphers_and_content_types_are_refused_by_name() {
    let message = openssl_encrypts(b"x", "-des3", "");
    let error = open(&message, &KOMMUNE.identity).unwrap_err();
    assert!(
        matches!(&error, CmsError::UnsupportedCipher(oid) if oid == "1.2.840.113549.3.7"),
        "{error}"
    );
    let message = openssl_encrypts(b"x", "-aes-256-gcm", "");
    let error = open(&message, &KOMMUNE.identity).unwrap_err();
    assert!(
        matches!(
            &error,
            CmsError::ContentType {
                expected: "envelopedData",
                ..
            }
        ),
        "{error}"
    );
}
