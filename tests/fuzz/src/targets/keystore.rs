//! Keystores and certificates: PEM, PKCS#12, JWK, DER.

use budstikke_message::keystore::{Identity, Keystore};
use budstikke_message::x509::Certificate;

/// The password of the seeds.
const PASSWORD: &str = "changeit";
/// What stands before the numbers of a public RSA key of 2048 bits and more, bytes.
const ALGORITHM: usize = 24;

pub(super) fn check(input: &[u8]) {
    if let Ok(all) = Certificate::all_from_pem(input) {
        all.iter().for_each(certificate);
    }
    if let Ok(read) = Certificate::from_der(input) {
        assert_eq!(read.der(), input);
        certificate(&read);
    }
    if let Ok(read) = Keystore::from_pem(input) {
        identity(&read);
    }
    if let Ok(read) = Keystore::from_pkcs12(input, PASSWORD, None) {
        identity(&read);
    }
    if let Ok((key, _)) = Keystore::from_jwk(input) {
        assert!((2048..=8192).contains(&key.bits()));
    }
}

fn identity(read: &Identity) {
    assert!((2048..=8192).contains(&read.key().bits()));
    assert_eq!(read.certificate(), &read.chain()[0]);
    // The numbers of the key: a certificate can name the algorithm before them in more than one way.
    let written = read.key().public_key_der().unwrap_or_default();
    let numbers = written.get(ALGORITHM..).filter(|numbers| !numbers.is_empty());
    assert!(numbers.is_some_and(|numbers| read.certificate().public_key_der().ends_with(numbers)));
    assert!(read.chain().windows(2).all(|pair| pair[0].names_as_issuer(&pair[1])));
}

fn certificate(read: &Certificate) {
    assert_eq!(
        Certificate::from_pem(read.to_pem().as_bytes()).as_ref().ok(),
        Some(read)
    );
    assert!(read.organisation_number().is_none_or(|number| number.len() == 9));
    assert!(!read.serial().is_empty());
    assert_eq!(read.fingerprint().len(), 64);
    assert!(read.issuer_and_serial().len() < read.der().len());
}
