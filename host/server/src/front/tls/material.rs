//! Key and certificate of the server, from PEM files or a keystore.

use std::path::{Path, PathBuf};

use budstikke_message::keystore::{Keystore, KeystoreError};
use budstikke_message::x509::{Certificate, CertificateError};
use jiff::Timestamp;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::config::{Keystore as Written, Tls};

/// Largest file that is read, bytes.
const FILE: u64 = 4 << 20;

/// Why there is no certificate to serve with. Holds no key and no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// A file that is none of ours.
    #[error("{}: it is larger than 4 MiB", .0.display())]
    TooLarge(PathBuf),
    /// No certificate in PEM.
    #[error("{}: it holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate that is none.
    #[error("{}: {why}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: CertificateError,
    },
    /// No private key in PEM.
    #[error("{}: it holds no private key in PEM form without a password: {why}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: pem::Error,
    },
    /// A key of a kind that TLS does not use.
    #[error("{}: the private key cannot be used for TLS; use RSA of at least 2048 bits, ECDSA or Ed25519", .0.display())]
    UnsupportedKey(PathBuf),
    /// Not a keystore, or not with this password or alias.
    #[error("{}: {why}", path.display())]
    Keystore {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: KeystoreError,
    },
    /// The password is not to be had.
    #[error("the password of the keystore {}: {why}", path.display())]
    Password {
        /// The keystore.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Key and certificate are of different pairs.
    #[error("{}: the first certificate does not belong to the private key", .0.display())]
    Strangers(PathBuf),
    /// A new certificate that is of no use any more.
    #[error("the certificate ended on {0}")]
    Expired(Timestamp),
    /// A new certificate that callers do not accept yet.
    #[error("the certificate is valid from {begin} to {end}, which has not begun")]
    NotYet {
        /// When it begins.
        begin: Timestamp,
        /// When it ends.
        end: Timestamp,
    },
    /// Neither files nor a keystore are named.
    #[error("needs certificate and key, or keystore")]
    Unsaid,
    /// The TLS library refuses its settings.
    #[error("TLS cannot be set up: {0}")]
    Library(rustls::Error),
}

/// What a handshake needs, and what is told about it.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) certified: CertifiedKey,
    pub(super) certificate: Certificate,
}

/// The files that the material comes from, that of the keystore's password among them.
pub(super) fn files(settings: &Tls) -> Vec<&Path> {
    let keystore = settings.keystore.as_ref();
    let password = keystore.and_then(|keystore| keystore.password.as_ref()?.path());
    let keystore = keystore.map(|keystore| &keystore.path);
    [settings.certificate.as_ref(), settings.key.as_ref(), keystore]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .chain(password)
        .collect()
}

/// Reads them.
pub(super) fn read(settings: &Tls) -> Result<Material, TlsError> {
    match (&settings.certificate, &settings.key, &settings.keystore) {
        (Some(certificate), Some(key), _) => from_pem(certificate, key),
        (_, _, Some(keystore)) => from_keystore(keystore),
        _ => Err(TlsError::Unsaid),
    }
}

fn bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let failed = |why| TlsError::File {
        path: path.to_owned(),
        why,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE {
        return Err(TlsError::TooLarge(path.to_owned()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(failed)
}

fn from_pem(certificate: &Path, key: &Path) -> Result<Material, TlsError> {
    let text = bytes(certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| TlsError::NoCertificate(certificate.to_owned()))?;
    let first = chain
        .first()
        .ok_or_else(|| TlsError::NoCertificate(certificate.to_owned()))?;
    let shown = parsed(first, certificate)?;
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|why| TlsError::NoKey {
        path: key.to_owned(),
        why,
    })?;
    let certified = certified(chain, &private, key)?;
    belongs(&certified, certificate)?;
    Ok(Material {
        certified,
        certificate: shown,
    })
}

fn from_keystore(keystore: &Written) -> Result<Material, TlsError> {
    let path = &keystore.path;
    let password = keystore.password.as_ref().map_or(Ok(String::new()), |password| {
        password.value().map_err(|why| TlsError::Password {
            path: path.clone(),
            why,
        })
    })?;
    let found = Keystore::material_from_pkcs12(&bytes(path)?, &password, keystore.alias.as_deref());
    let found = found.map_err(|why| TlsError::Keystore {
        path: path.clone(),
        why,
    })?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(found.key.as_slice()));
    // A keystore may hold certificates in any order, and those of others.
    for own in &found.certificates {
        let candidate = certified(chain(own, &found.certificates), &private, path)?;
        if belongs(&candidate, path).is_ok() {
            return Ok(Material {
                certified: candidate,
                certificate: own.clone(),
            });
        }
    }
    Err(TlsError::Keystore {
        path: path.clone(),
        why: KeystoreError::NoCertificate,
    })
}

/// A certificate, then each issuer as far as known. A root is not sent: whoever trusts it has it.
fn chain(own: &Certificate, all: &[Certificate]) -> Vec<CertificateDer<'static>> {
    let mut chain = vec![own];
    while let Some(last) = chain.last().filter(|last| !last.is_self_issued()) {
        let issuer = all
            .iter()
            .find(|issuer| last.names_as_issuer(issuer) && !issuer.is_self_issued() && !chain.contains(issuer));
        let Some(issuer) = issuer else { break };
        chain.push(issuer);
    }
    chain
        .into_iter()
        .map(|certificate| CertificateDer::from(certificate.der().to_vec()))
        .collect()
}

fn parsed(der: &CertificateDer<'_>, path: &Path) -> Result<Certificate, TlsError> {
    Certificate::from_der(der).map_err(|why| TlsError::Certificate {
        path: path.to_owned(),
        why,
    })
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
    path: &Path,
) -> Result<CertifiedKey, TlsError> {
    let key = any_supported_type(key).map_err(|_| TlsError::UnsupportedKey(path.to_owned()))?;
    Ok(CertifiedKey::new(chain, key))
}

fn belongs(certified: &CertifiedKey, path: &Path) -> Result<(), TlsError> {
    certified.keys_match().map_err(|_| TlsError::Strangers(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_password_is_one_of_the_files() {
        let tls = |password: &str| -> Tls {
            toml::from_str(&format!(
                "keystore = {{ path = \"server.p12\", password = {password} }}"
            ))
            .unwrap()
        };
        assert_eq!(
            files(&tls("{ file = \"word\" }")),
            [Path::new("server.p12"), Path::new("word")]
        );
        assert_eq!(files(&tls("\"hush\"")), [Path::new("server.p12")]);
    }
}
