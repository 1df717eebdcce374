//! Keys and certificates for tests, and the outside programs that serve as referees.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize};

use super::{Identity, Keystore};

/// An organisation with a certificate from an authority, and the same as PEM for the referees.
pub(crate) struct Organisation {
    pub(crate) identity: Identity,
    pub(crate) key_pem: String,
    pub(crate) certificate_pem: String,
    pub(crate) authority_pem: String,
}

impl Organisation {
    fn new(number: &str, serial: u64) -> Self {
        let authority_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "Prøve-CA");
        authority.serial_number = Some(1u64.into());
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut own = CertificateParams::default();
        own.is_ca = IsCa::ExplicitNoCa;
        own.serial_number = Some(serial.into());
        own.not_before = rcgen::date_time_ymd(2020, 1, 1);
        own.not_after = rcgen::date_time_ymd(2048, 12, 31);
        own.distinguished_name.push(DnType::CommonName, "Prøve kommune");
        own.distinguished_name
            .push(DnType::CustomDnType(vec![2, 5, 4, 97]), format!("NTRNO-{number}"));
        let certificate_pem = own.signed_by(&key, &issuer).unwrap().pem();

        let key_pem = key.serialize_pem();
        let identity = Keystore::from_pem(format!("{key_pem}{authority_pem}{certificate_pem}").as_bytes()).unwrap();
        Self {
            identity,
            key_pem,
            certificate_pem,
            authority_pem,
        }
    }

    /// Writes `key.pem`, `cert.pem` and `ca.pem` for the referees.
    pub(crate) fn write_to(&self, folder: &Path) {
        std::fs::write(folder.join("key.pem"), &self.key_pem).unwrap();
        std::fs::write(folder.join("cert.pem"), &self.certificate_pem).unwrap();
        std::fs::write(folder.join("ca.pem"), &self.authority_pem).unwrap();
    }
}

pub(crate) static KOMMUNE: LazyLock<Organisation> = LazyLock::new(|| Organisation::new("991825827", 0x00AB_CDEF_0123));
pub(crate) static STRANGER: LazyLock<Organisation> = LazyLock::new(|| Organisation::new("974720760", 0x77));

/// Runs a referee in `folder`. A test cannot pass without it.
pub(crate) fn referee(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|e| panic!("this test needs '{program}'; install it (openssl, unzip, python3): {e}"))
}

/// The same, where success is expected; gives what it wrote to its standard output.
pub(crate) fn approved(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = referee(folder, program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?} refused: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Bytes that do not repeat too soon.
pub(crate) fn payload(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| u8::try_from((i * 31 + i / 251) % 256).unwrap())
        .collect()
}

/// The payload sizes that every round trip is tried with.
pub(crate) const SIZES: [usize; 12] = [
    0,
    1,
    15,
    16,
    17,
    999,
    1000,
    1001,
    65_535,
    65_536,
    65_537,
    5 * 1024 * 1024,
];
