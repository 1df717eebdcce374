use jiff::Timestamp;
use proptest::prelude::*;

use super::{Certificate, CertificateError};
use crate::keystore::testing::{KOMMUNE, approved};

#[test]
fn a_certificate_tells_who_it_is() {
    let certificate = KOMMUNE.identity.certificate();
    assert_eq!(certificate.organisation_number(), Some("991825827"));
    assert!(
        certificate.subject().contains("Prøve kommune"),
        "{}",
        certificate.subject()
    );
    assert!(certificate.issuer().contains("Prøve-CA"));
    assert_eq!(
        certificate.not_before(),
        "2020-01-01T00:00:00Z".parse::<Timestamp>().unwrap()
    );
    assert_eq!(
        certificate.not_after(),
        "2048-12-31T00:00:00Z".parse::<Timestamp>().unwrap()
    );
    assert!(certificate.is_valid_at(certificate.not_after()));
    assert!(!certificate.is_valid_at("2049-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(
        Certificate::from_pem(certificate.to_pem().as_bytes()).unwrap(),
        *certificate
    );
}

#[test]
fn serial_and_fingerprint_are_those_that_openssl_shows() {
    let folder = tempfile::tempdir().unwrap();
    KOMMUNE.write_to(folder.path());
    let arguments = [
        "x509",
        "-in",
        "cert.pem",
        "-noout",
        "-serial",
        "-fingerprint",
        "-sha256",
    ];
    let shown = String::from_utf8(approved(folder.path(), "openssl", &arguments)).unwrap();
    let certificate = KOMMUNE.identity.certificate();
    assert!(shown.contains(&format!("serial={}\n", certificate.serial())), "{shown}");
    assert!(
        shown
            .replace(':', "")
            .to_lowercase()
            .contains(&certificate.fingerprint()),
        "{shown}"
    );
}

#[test]
fn the_organisation_number_is_found_in_old_and_new_certificates_only() {
    for (subject, expected) in [
        ("/CN=Ny/organizationIdentifier=NTRNO-991825827", Some("991825827")),
        ("/CN=Gammel/serialNumber=974720760", Some("974720760")),
        (
            "/CN=Begge/serialNumber=974720760/organizationIdentifier=NTRNO-991825827",
            Some("991825827"),
        ),
        ("/CN=Svensk/organizationIdentifier=NTRSE-9918258279", None),
        ("/CN=Person/serialNumber=17912099997", None),
        ("/CN=Ingen", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-utf8", "-subj", subject,
        ];
        let pem = approved(folder.path(), "openssl", &arguments);
        assert_eq!(
            Certificate::from_pem(&pem).unwrap().organisation_number(),
            expected,
            "{subject}"
        );
    }
}

#[test]
fn pem_without_a_certificate_is_refused_by_name() {
    assert!(matches!(
        Certificate::from_pem(b"hei"),
        Err(CertificateError::NoCertificate)
    ));
    let key_only = Certificate::from_pem(KOMMUNE.key_pem.as_bytes());
    assert!(matches!(key_only, Err(CertificateError::NoCertificate)));
    let cut = &KOMMUNE.certificate_pem[..KOMMUNE.certificate_pem.len() - 10];
    assert!(matches!(
        Certificate::from_pem(cut.as_bytes()),
        Err(CertificateError::Pem(_))
    ));
}

#[test]
fn windows_line_ends_and_text_around_are_accepted() {
    let text = format!("subject=Prøve\r\n{}\r\n", KOMMUNE.certificate_pem.replace('\n', "\r\n"));
    assert_eq!(
        Certificate::from_pem(text.as_bytes()).unwrap(),
        *KOMMUNE.identity.certificate()
    );
}

proptest! {
    #[test]
    fn made_up_bytes_are_never_a_certificate(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Certificate::from_der(&bytes).is_err());
        prop_assert!(Certificate::from_pem(&bytes).is_err());
    }

    #[test]
    fn altered_certificates_never_panic(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut der = KOMMUNE.identity.certificate().der().to_vec();
        let at = at.index(der.len());
        der[at] ^= flip;
        let _ = Certificate::from_der(&der).map(|c| (c.rsa_public_key(), c.serial()));
    }
}
