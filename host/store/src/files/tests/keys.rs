//! The store's key, the messages' keys, and openssl as the referee.

use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use budstikke_message::keystore::{Identity, Keystore};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use crate::files::{KeyError, MessageKey, StoreKey};

struct Owner {
    pem: String,
    identity: Identity,
}

/// Making a key takes a while.
static OURS: LazyLock<Owner> = LazyLock::new(owner);
static THEIRS: LazyLock<Owner> = LazyLock::new(owner);

fn owner() -> Owner {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    let pem = format!("{}{certificate}", key.serialize_pem());
    Owner {
        identity: Keystore::from_pem(pem.as_bytes()).unwrap(),
        pem,
    }
}

/// Whether both hold the same secret.
fn are_same(one: &StoreKey, other: &StoreKey) -> bool {
    let sealed = one.seal("test", b"value").unwrap();
    other.unseal("test", &sealed).is_ok_and(|value| *value == b"value")
}

#[test]
fn the_store_key_opens_with_the_keystore_that_it_was_sealed_to() {
    let key = StoreKey::generate().unwrap();
    let sealed = key.seal_to(&OURS.identity).unwrap();
    assert!(are_same(&key, &StoreKey::open(&sealed, &OURS.identity).unwrap()));
    assert!(!are_same(&key, &StoreKey::generate().unwrap()));
}

#[test]
fn the_store_key_moves_to_a_new_keystore_and_stays_the_same() {
    let key = StoreKey::generate().unwrap();
    let sealed = key.seal_to(&OURS.identity).unwrap();
    let opened = StoreKey::open(&sealed, &OURS.identity).unwrap();
    let sealed = opened.seal_to(&THEIRS.identity).unwrap();
    assert!(are_same(&key, &StoreKey::open(&sealed, &THEIRS.identity).unwrap()));
}

#[test]
fn openssl_opens_the_sealed_store_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = StoreKey::generate().unwrap();
    fs::write(folder.path().join("sealed"), key.seal_to(&OURS.identity).unwrap()).unwrap();
    fs::write(folder.path().join("ours.pem"), &OURS.pem).unwrap();
    let arguments = "cms -decrypt -binary -inform DER -in sealed -inkey ours.pem -recip ours.pem";
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.len(), 32);
    // What openssl found is what the key is: sealed by openssl again, it opens to the same.
    fs::write(folder.path().join("plain"), output.stdout).unwrap();
    let arguments = "cms -encrypt -binary -in plain -outform DER -out again -aes256 -recip ours.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = fs::read(folder.path().join("again")).unwrap();
    assert!(are_same(&key, &StoreKey::open(&again, &OURS.identity).unwrap()));
}

#[test]
fn another_keystore_is_refused_and_the_error_says_what_to_do() {
    let sealed = StoreKey::generate().unwrap().seal_to(&OURS.identity).unwrap();
    let error = StoreKey::open(&sealed, &THEIRS.identity).unwrap_err();
    assert!(matches!(error, KeyError::NotOurs { .. }));
    assert!(error.to_string().contains("put the old keystore back"), "{error}");
    for cut in [0, 1, sealed.len() / 2, sealed.len() - 1] {
        assert!(StoreKey::open(&sealed[..cut], &OURS.identity).is_err(), "{cut} bytes");
    }
}

#[test]
fn a_message_key_opens_for_its_own_message_only() {
    let store = StoreKey::generate().unwrap();
    let key = MessageKey::generate().unwrap();
    let wrapped = store.wrap(&key, "one").unwrap();
    let sealed = key.seal("sbd", b"value").unwrap();

    let opened = store.unwrap(&wrapped, "one").unwrap();
    assert_eq!(*opened.unseal("sbd", &sealed).unwrap(), b"value");
    assert!(opened.unseal("body", &sealed).is_err(), "another context");
    assert!(store.unwrap(&wrapped, "other").is_err(), "another message");
    assert!(StoreKey::generate().unwrap().unwrap(&wrapped, "one").is_err());
    // The bytes of a wrapped key cannot be had as a value.
    assert!(store.unseal("one", &wrapped).is_err());
    for index in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[index] ^= 1;
        assert!(store.unwrap(&changed, "one").is_err(), "byte {index}");
    }
}

#[test]
fn keys_are_not_shown() {
    let shown = format!(
        "{:?} {:?}",
        StoreKey::generate().unwrap(),
        MessageKey::generate().unwrap()
    );
    assert_eq!(shown, "StoreKey(..) MessageKey(..)");
}
