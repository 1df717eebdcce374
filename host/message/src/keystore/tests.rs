use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use proptest::prelude::*;

use super::testing::{KOMMUNE, STRANGER, approved};
use super::{Identity, Keystore, KeystoreError};
use crate::x509::Certificate;

const LEGACY: &str = "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1";
const MODERN: &str = "-certpbe AES-256-CBC -keypbe AES-256-CBC -macalg sha256";

fn pkcs12(folder: &Path, options: &str) -> Vec<u8> {
    KOMMUNE.write_to(folder);
    let line = format!(
        "pkcs12 -export -inkey key.pem -in cert.pem -certfile ca.pem -passout pass:æ-hemmelig -out store.p12 {options}"
    );
    approved(folder, "openssl", &line.split(' ').collect::<Vec<_>>());
    fs::read(folder.join("store.p12")).unwrap()
}

#[test]
fn legacy_and_modern_keystores_give_key_and_chain() {
    let folder = tempfile::tempdir().unwrap();
    for encryption in [LEGACY, MODERN] {
        let store = pkcs12(folder.path(), &format!("-name Prøve {encryption}"));
        for alias in [None, Some("Prøve"), Some("prøve")] {
            let identity = Keystore::from_pkcs12(&store, "æ-hemmelig", alias).unwrap();
            assert_eq!(identity.chain().len(), 2);
            assert_eq!(identity.certificate(), KOMMUNE.identity.certificate());
            assert_eq!(identity.key().public_key_der(), KOMMUNE.identity.key().public_key_der());
        }
    }
}

#[test]
fn of_several_keys_the_alias_chooses() {
    let mut store = p12_keystore::KeyStore::new();
    for (alias, organisation) in [("ny", &*KOMMUNE), ("gammel", &*STRANGER)] {
        let key = crate::x509::pem::blocks(organisation.key_pem.as_bytes())
            .unwrap()
            .remove(0);
        let key = p12_keystore::PrivateKey::from_der(&key.der).unwrap();
        let certificate = p12_keystore::Certificate::from_der(organisation.identity.certificate().der()).unwrap();
        let chain = p12_keystore::PrivateKeyChain::new(alias, key, [certificate]);
        store.add_entry(alias, p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
    }
    let store = store.writer("x").write().unwrap();
    for (alias, number) in [("ny", "991825827"), ("GAMMEL", "974720760")] {
        let identity = Keystore::from_pkcs12(&store, "x", Some(alias)).unwrap();
        assert_eq!(identity.certificate().organisation_number(), Some(number));
    }
    let error = Keystore::from_pkcs12(&store, "x", None).unwrap_err();
    assert!(
        matches!(&error, KeystoreError::AliasNeeded(names) if names.len() == 2),
        "{error}"
    );
}

#[test]
#[ignore = "needs keytool of a Java installation"]
fn a_keystore_by_keytool_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let line = "-genkeypair -keyalg RSA -keysize 2048 -alias Virksomhet -dname CN=Test,SERIALNUMBER=991825827 \
                -storetype PKCS12 -keystore store.p12 -storepass hemmelig";
    approved(folder.path(), "keytool", &line.split_whitespace().collect::<Vec<_>>());
    let store = fs::read(folder.path().join("store.p12")).unwrap();
    let identity = Keystore::from_pkcs12(&store, "hemmelig", Some("Virksomhet")).unwrap();
    assert_eq!(identity.certificate().organisation_number(), Some("991825827"));
}

#[test]
fn a_wrong_password_and_an_unknown_alias_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for encryption in [LEGACY, MODERN] {
        let store = pkcs12(folder.path(), &format!("-name virksomhet {encryption}"));
        for password in ["feil", ""] {
            let refused = Keystore::from_pkcs12(&store, password, None);
            assert!(
                matches!(refused, Err(KeystoreError::WrongPassword)),
                "{encryption}: {refused:?}"
            );
        }
        let error = Keystore::from_pkcs12(&store, "æ-hemmelig", Some("annen")).unwrap_err();
        assert!(matches!(&error, KeystoreError::UnknownAlias { .. }));
        assert!(
            error.to_string().contains("'annen'") && error.to_string().contains("virksomhet"),
            "{error}"
        );
    }
}

#[test]
fn a_keystore_without_a_key_or_that_is_none_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    KOMMUNE.write_to(folder.path());
    let line = "pkcs12 -export -nokeys -in cert.pem -passout pass:x -out store.p12";
    approved(folder.path(), "openssl", &line.split(' ').collect::<Vec<_>>());
    let store = fs::read(folder.path().join("store.p12")).unwrap();
    assert!(matches!(
        Keystore::from_pkcs12(&store, "x", None),
        Err(KeystoreError::NoKey)
    ));
    let text = KOMMUNE.certificate_pem.as_bytes();
    assert!(matches!(
        Keystore::from_pkcs12(text, "x", None),
        Err(KeystoreError::MalformedPkcs12(_))
    ));
    assert!(matches!(Keystore::from_pem(text), Err(KeystoreError::NoKey)));
}

#[test]
fn pem_takes_pkcs8_and_pkcs1_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    KOMMUNE.write_to(folder.path());
    let pkcs1 = approved(folder.path(), "openssl", &["rsa", "-in", "key.pem", "-traditional"]);
    let pkcs1 = String::from_utf8(pkcs1).unwrap();
    assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
    for key in [&pkcs1, &KOMMUNE.key_pem] {
        let text = format!(
            "{}{}{}{key}",
            STRANGER.certificate_pem, KOMMUNE.authority_pem, KOMMUNE.certificate_pem
        );
        let identity = Keystore::from_pem(text.as_bytes()).unwrap();
        let subjects: Vec<_> = identity.chain().iter().map(Certificate::subject).collect();
        assert_eq!(
            subjects.len(),
            2,
            "the stranger's certificate is left out: {subjects:?}"
        );
        assert_eq!(identity.certificate(), KOMMUNE.identity.certificate());
    }
}

#[test]
fn an_encrypted_pem_key_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    KOMMUNE.write_to(folder.path());
    for form in [
        "pkey -in key.pem -aes256 -passout pass:x",
        "rsa -in key.pem -traditional -aes256 -passout pass:x",
    ] {
        let pem = approved(folder.path(), "openssl", &form.split(' ').collect::<Vec<_>>());
        assert!(
            matches!(Keystore::from_pem(&pem), Err(KeystoreError::EncryptedPem)),
            "{form}"
        );
    }
}

#[test]
fn a_key_and_a_foreign_certificate_make_no_identity() {
    let key = KOMMUNE.identity.key().clone();
    let foreign = STRANGER.identity.chain();
    assert!(matches!(Identity::new(key, foreign), Err(KeystoreError::NoCertificate)));
}

#[test]
fn keys_that_are_not_rsa_or_too_short_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for line in ["genpkey -algorithm ed25519", "genrsa 1024"] {
        let pem = approved(folder.path(), "openssl", &line.split(' ').collect::<Vec<_>>());
        assert!(
            matches!(Keystore::from_pem(&pem), Err(KeystoreError::UnsupportedKey)),
            "{line}"
        );
    }
}

/// The key of [`KOMMUNE`] as JWK, by way of OpenSSL's listing of its numbers.
fn jwk() -> serde_json::Value {
    use base64::Engine as _;
    let folder = tempfile::tempdir().unwrap();
    KOMMUNE.write_to(folder.path());
    approved(
        folder.path(),
        "openssl",
        &["rsa", "-in", "key.pem", "-traditional", "-outform", "DER", "-out", "k"],
    );
    let der = fs::read(folder.path().join("k")).unwrap();
    let whole = crate::cms::der::Cursor::new(&der).next().unwrap().unwrap();
    let mut numbers = crate::cms::der::Cursor::new(whole.value);
    numbers.next().unwrap();
    let mut jwk = serde_json::json!({"kty": "RSA", "kid": "nøkkel-1", "alg": "RS256"});
    for member in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let number = numbers.next().unwrap().unwrap().value;
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        jwk[member] = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(number).into();
    }
    jwk
}

#[test]
fn a_jwk_gives_the_key_and_its_id() {
    let (key, kid) = Keystore::from_jwk(jwk().to_string().as_bytes()).unwrap();
    assert_eq!(kid.as_deref(), Some("nøkkel-1"));
    assert_eq!(key.public_key_der(), KOMMUNE.identity.key().public_key_der());
    let signature = key.sign_rs256(b"header.claims").unwrap();
    UnparsedPublicKey::new(
        &RSA_PKCS1_2048_8192_SHA256,
        KOMMUNE.identity.certificate().public_key_der(),
    )
    .verify(b"header.claims", &signature)
    .unwrap();
}

#[test]
fn a_jwk_that_lacks_something_is_refused_by_the_member_and_without_its_values() {
    for member in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let mut lacking = jwk();
        lacking.as_object_mut().unwrap().remove(member);
        let error = Keystore::from_jwk(lacking.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("{member} is missing")), "{error}");
    }
    let mut wrong = jwk();
    wrong["d"] = 17.into();
    let error = Keystore::from_jwk(wrong.to_string().as_bytes()).unwrap_err();
    assert!(!error.to_string().contains("17,"), "{error}");
    let mut mixed = jwk();
    mixed["p"] = mixed["q"].clone();
    assert!(matches!(
        Keystore::from_jwk(mixed.to_string().as_bytes()),
        Err(KeystoreError::UnsupportedKey)
    ));
    assert!(Keystore::from_jwk(br#"{"kty":"EC"}"#).is_err());
}

#[test]
fn a_key_never_shows_itself() {
    let shown = format!("{:?} {:?}", KOMMUNE.identity, KOMMUNE.identity.key());
    assert!(shown.contains("PrivateKey(RSA 2048)"), "{shown}");
    assert!(shown.len() < 400, "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn made_up_bytes_are_never_a_keystore(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Keystore::from_pkcs12(&bytes, "x", None).is_err());
        prop_assert!(Keystore::from_pem(&bytes).is_err());
        prop_assert!(Keystore::from_jwk(&bytes).is_err());
    }
}
