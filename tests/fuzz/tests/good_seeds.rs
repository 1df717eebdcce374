//! Seeds that are right are taken. Without them a fuzzer would hardly get past the first check of a signature or a key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use budstikke_message::arkivmelding::Arkivmelding;
use budstikke_message::asic::{AsicLimits, verify};
use budstikke_message::cms::{EnvelopeReader, verify_detached};
use budstikke_message::document_type::MessageTypes;
use budstikke_message::keystore::Keystore;
use budstikke_message::sbd::Sbd;
use budstikke_message::x509::Certificate;

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Every seed of a target.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn messages_are_read() {
    for name in [
        "arkivmelding",
        "avtalt",
        "digital",
        "kvittering",
        "print",
        "raw-line-break",
        "status",
    ] {
        let read = Sbd::parse(&file(&format!("seeds/sbd/{name}.json")), &MessageTypes::standard());
        assert!(read.is_ok(), "{name}: {:?}", read.err());
    }
    for name in ["example", "two-documents"] {
        assert!(
            Arkivmelding::read(&file(&format!("seeds/arkivmelding/{name}.xml"))).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn containers_are_verified() {
    for name in ["signed", "stored", "xades"] {
        let report = verify(&*file(&format!("seeds/asic/{name}.zip")), AsicLimits::of_total(1 << 20)).unwrap();
        assert_eq!(report.documents.len(), 2, "{name}");
    }
    for name in ["cades", "no-attributes", "ber"] {
        let signature = file(&format!("seeds/signature/{name}.p7s"));
        assert!(verify_detached(&signature, b"<ASiCManifest/>").is_ok(), "{name}");
    }
}

#[test]
fn envelopes_are_opened() {
    let identity = Keystore::from_pem(&file("identity.pem")).unwrap();
    for name in ["keyid", "oaep-ber", "pkcs1-cbc"] {
        let sealed = file(&format!("seeds/envelope/{name}.p7m"));
        let mut opened = EnvelopeReader::open(&*sealed, &identity).unwrap();
        assert_eq!(
            std::io::read_to_string(&mut opened).unwrap(),
            "hemmelig innhold",
            "{name}"
        );
    }
}

#[test]
fn keystores_are_opened() {
    for (path, seed) in seeds("keystore") {
        let pem = Keystore::from_pem(&seed).is_ok();
        let pkcs12 = Keystore::from_pkcs12(&seed, "changeit", None).is_ok();
        let jwk = Keystore::from_jwk(&seed).is_ok();
        let certificate = Certificate::from_der(&seed).is_ok();
        assert!(pem || pkcs12 || jwk || certificate, "{}", path.display());
    }
}
