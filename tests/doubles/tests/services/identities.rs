//! Test organisations as other programs see them.

use std::process::Command;

use budstikke_doubles::TestOrganisation;

use crate::caller::{OTHER, OWN};

fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[test]
fn openssl_reads_what_was_made_and_the_chain_holds() {
    let dir = tempfile::tempdir().unwrap();
    let own = TestOrganisation::create_with_password(dir.path(), OWN, "hemmelig").unwrap();
    let other = TestOrganisation::create(dir.path(), OTHER).unwrap();
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();

    let subject = openssl(&[
        "x509",
        "-in",
        &path(own.certificate_path()),
        "-noout",
        "-subject",
        "-text",
    ]);
    assert!(subject.contains(&format!("serialNumber = {OWN}")), "{subject}");
    assert!(subject.contains(&format!("NTRNO-{OWN}")), "{subject}");
    assert!(subject.contains("(2048 bit)"), "{subject}");
    for organisation in [&own, &other] {
        openssl(&[
            "verify",
            "-CAfile",
            &path(own.authority_path()),
            &path(organisation.certificate_path()),
        ]);
    }
    let stored = openssl(&[
        "pkcs12",
        "-in",
        &path(own.p12_path()),
        "-passin",
        "pass:hemmelig",
        "-nodes",
    ]);
    assert!(stored.contains("PRIVATE KEY"));
    assert_eq!(stored.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(TestOrganisation::create(dir.path(), "12345").is_err());
}
