//! HTTPS, with curl and openssl as referees.

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, SerialNumber};
use tokio::process::Command;

use super::*;
use crate::config::{Keystore, Tls};

/// An authority, and a folder for certificates of it.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "Authority");
        parameters.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Certificate and key for 127.0.0.1, as PEM.
    fn issue(&self, serial: u64, end: i32) -> (String, String) {
        self.issue_from(serial, 1975, end)
    }

    fn issue_from(&self, serial: u64, begin: i32, end: i32) -> (String, String) {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        parameters.serial_number = Some(SerialNumber::from(serial));
        parameters.not_before = rcgen::date_time_ymd(begin, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Puts both where the server looks, each renamed over its predecessor.
    fn install(&self, (certificate, key): &(String, String)) {
        for (name, text) in [("server.pem", certificate), ("server.key", key)] {
            fs::write(self.path(".new"), text).unwrap();
            fs::rename(self.path(".new"), self.path(name)).unwrap();
        }
    }

    fn server(&self) -> Server {
        Server {
            tls: Some(Tls {
                certificate: Some(self.path("server.pem")),
                key: Some(self.path("server.key")),
                keystore: None,
            }),
            ..open()
        }
    }

    async fn curl(&self, place: &Place, arguments: &[&str]) -> Output {
        Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "60", "--cacert"])
            .arg(self.path("ca.pem"))
            .args(arguments)
            .arg(format!("https://{}/api/here", place.address))
            .output()
            .await
            .unwrap()
    }

    async fn http_version(&self, place: &Place, arguments: &[&str]) -> String {
        let arguments = [
            &["--output", "/dev/null", "--write-out", "%{http_code} %{http_version}"],
            arguments,
        ]
        .concat();
        let output = self.curl(place, &arguments).await;
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// The serial that openssl sees, hexadecimal.
async fn serial(place: &Place) -> String {
    let command = format!(
        "openssl s_client -connect {} </dev/null 2>/dev/null | openssl x509 -noout -serial",
        place.address
    );
    let output = Command::new("sh").args(["-c", &command]).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().trim_start_matches("serial=").to_owned()
}

async fn until_serial(place: &Place, expected: &str) {
    let seen = timeout(PATIENCE, async {
        while serial(place).await != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    seen.await.expect("the new certificate is in use");
}

#[tokio::test]
async fn curl_is_served_over_http2_and_http1_with_tls_1_2_and_1_3() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x11, 2040));
    let place = Place::new(&authority.server()).await;
    assert_eq!(authority.http_version(&place, &["--http2"]).await, "200 2");
    assert_eq!(authority.http_version(&place, &["--http1.1"]).await, "200 1.1");
    assert_eq!(
        authority.http_version(&place, &["--tls-max", "1.2", "--http2"]).await,
        "200 2"
    );
    assert_eq!(authority.http_version(&place, &["--tlsv1.3"]).await, "200 2");
    let old = authority
        .http_version(
            &place,
            &["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT:@SECLEVEL=0"],
        )
        .await;
    assert!(old.starts_with("000"), "{old}");
    let plain = place.told(b"GET /api/here HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
}

#[tokio::test]
async fn answers_over_https_and_no_others_ask_for_https_ever_after() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x12, 2040));
    let users = vec![user("sak", "hemmelig", &[Role::Fagsystem])];
    let server = Server {
        open: false,
        users: users.clone(),
        ..authority.server()
    };
    let place = Place::new(&server).await;
    for login in [&[][..], &["--user", "sak:hemmelig"]] {
        let output = authority.curl(&place, &[login, &["--include"]].concat()).await;
        let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
        assert!(
            text.contains("strict-transport-security: max-age=31536000; includesubdomains"),
            "{text}"
        );
    }
    let plain = Place::new(&Server {
        users,
        ..Server::default()
    })
    .await;
    let answer = plain
        .get("/api/here")
        .basic_auth("sak", Some("hemmelig"))
        .send()
        .await
        .unwrap();
    assert!(!answer.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x21, 2040));
    let front =
        Front::new(&authority.server(), Site::integrasjonspunkt()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let shown = front.certificate();
    assert_eq!(shown.current().unwrap().serial(), "21");
    let place = Place::new(&authority.server()).await;
    assert_eq!(serial(&place).await, "21");
    authority.install(&authority.issue(0x22, 2040));
    until_serial(&place, "22").await;
    // Whether the server has looked at these or not: the one before stays, and what comes after is taken up.
    let (certificate, _) = authority.issue(0x23, 2040);
    for broken in [
        ("no certificate".into(), "no key".into()),
        (certificate, authority.issue(0x24, 2040).1),
        authority.issue(0x25, 1999),
    ] {
        authority.install(&broken);
        assert_eq!(serial(&place).await, "22");
    }
    authority.install(&authority.issue(0x26, 2040));
    until_serial(&place, "26").await;
}

#[tokio::test]
async fn a_keystore_serves_as_well_as_two_files() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x31, 2040));
    let made = Command::new("openssl")
        .args([
            "pkcs12",
            "-export",
            "-in",
            "server.pem",
            "-inkey",
            "server.key",
            "-certfile",
            "ca.pem",
        ])
        .args(["-name", "server", "-out", "server.p12", "-passout", "pass:hemmelig"])
        .current_dir(authority.folder.path())
        .status()
        .await
        .unwrap();
    assert!(made.success());
    let keystore = |password: &str, alias: &str| Server {
        tls: Some(Tls {
            certificate: None,
            key: None,
            keystore: Some(Keystore {
                path: authority.path("server.p12"),
                password: Some(Secret::Plain(password.into())),
                alias: Some(alias.into()),
            }),
        }),
        ..open()
    };
    let place = Place::new(&keystore("hemmelig", "server")).await;
    assert_eq!(serial(&place).await, "31");
    assert_eq!(authority.http_version(&place, &[]).await, "200 2");
    for (password, alias, words) in [
        ("feil", "server", "does not open with this password"),
        ("hemmelig", "klient", "no key with alias 'klient'"),
    ] {
        let error = told(&keystore(password, alias));
        assert!(error.contains("server.p12") && error.contains(words), "{error}");
    }
}

/// What is wrong with a server.
fn told(server: &Server) -> String {
    let errors = Front::new(server, Site::integrasjonspunkt()).err().expect("an error");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_certificate_that_cannot_be_served_is_named_by_its_file() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(0x41, 2040);
    let other = authority.issue(0x42, 2040).1;
    for (certificate, key, file, words) in [
        (
            certificate.as_str(),
            other.as_str(),
            "server.pem",
            "does not belong to the private key",
        ),
        (
            certificate.as_str(),
            "",
            "server.key",
            "no private key in PEM form without a password",
        ),
        ("", key.as_str(), "server.pem", "no certificate in PEM form"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            key.as_str(),
            "server.pem",
            "",
        ),
    ] {
        authority.install(&(certificate.into(), key.into()));
        let error = told(&authority.server());
        assert!(
            error.starts_with("[server] tls: ") && error.contains(file) && error.contains(words),
            "{error}"
        );
        assert!(!error.contains("PRIVATE"), "{error}");
    }
    authority.install(&(certificate, key));
    fs::remove_file(authority.path("server.key")).unwrap();
    assert!(told(&authority.server()).contains("server.key: No such file"));
}

#[tokio::test]
async fn a_handshake_that_does_not_come_to_an_end_is_ended() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x51, 2040));
    let mut server = authority.server();
    server.limits.header_time = Duration::from_millis(200);
    let place = Place::new(&server).await;
    // The begin of a ClientHello.
    assert_eq!(place.told(&[22, 3, 1, 2, 0, 1]).await, "");
    assert_eq!(place.told(b"").await, "");
}

#[test]
fn files_that_cannot_be_used_change_nothing_and_are_named() {
    let authority = Authority::new();
    authority.install(&authority.issue(0x61, 2040));
    let tls = super::super::tls::Tls::new(authority.server().tls.unwrap()).unwrap();
    let serial = || tls.shown().current().unwrap().serial();
    let (certificate, _) = authority.issue(0x62, 2040);
    for (broken, words) in [
        (
            ("no certificate".into(), "no key".into()),
            "server.pem: it holds no certificate",
        ),
        (
            (certificate, authority.issue(0x63, 2040).1),
            "does not belong to the private key",
        ),
        (authority.issue(0x64, 1999), "the certificate ended on 1999-01-01"),
        (
            authority.issue_from(0x66, 2090, 2095),
            "valid from 2090-01-01T00:00:00Z to 2095-01-01T00:00:00Z",
        ),
    ] {
        authority.install(&broken);
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(serial(), "61");
    }
    authority.install(&authority.issue(0x65, 2040));
    tls.reload().unwrap();
    assert_eq!(serial(), "65");
}
