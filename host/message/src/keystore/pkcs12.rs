//! PKCS#12 keystores as Java's keytool and OpenSSL write them.

use p12_keystore::error::Error as P12Error;
use p12_keystore::{CertificateBag, Pkcs12Archive, PrivateKeyBag};

use zeroize::Zeroizing;

use super::{Identity, KeyMaterial, KeystoreError, PrivateKey};
use crate::x509::Certificate;

/// Largest keystore accepted, in bytes.
const MAX_KEYSTORE: usize = 4 * 1024 * 1024;

pub(super) fn read(bytes: &[u8], password: &str, alias: Option<&str>) -> Result<Identity, KeystoreError> {
    let KeyMaterial { key, certificates } = material(bytes, password, alias)?;
    let key = PrivateKey::from_pkcs8(&key)?;
    // Key and certificate are matched by the key itself: not every tool writes the local key id that links them.
    Identity::new(key, &certificates)
}

pub(super) fn material(bytes: &[u8], password: &str, alias: Option<&str>) -> Result<KeyMaterial, KeystoreError> {
    if bytes.len() > MAX_KEYSTORE {
        return Err(KeystoreError::MalformedPkcs12("larger than 4 MiB".to_owned()));
    }
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).map_err(explain)?;
    let aliases: Vec<String> = archive.keys.iter().map(|key| alias_of(key, &archive.certs)).collect();
    let chosen = match (alias, archive.keys.as_slice()) {
        (_, []) => return Err(KeystoreError::NoKey),
        (None, [only]) => only,
        (None, _) => return Err(KeystoreError::AliasNeeded(aliases)),
        (Some(wanted), keys) => {
            let exact = aliases.iter().position(|name| name == wanted);
            let alike = || {
                aliases
                    .iter()
                    .position(|name| name.to_lowercase() == wanted.to_lowercase())
            };
            exact
                .or_else(alike)
                .and_then(|at| keys.get(at))
                .ok_or_else(|| KeystoreError::UnknownAlias {
                    wanted: wanted.to_owned(),
                    found: aliases.clone(),
                })?
        }
    };
    let certificates = archive
        .certs
        .iter()
        .map(|c| Certificate::from_der(c.cert.as_der()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(KeyMaterial {
        key: Zeroizing::new(chosen.key.as_der().to_vec()),
        certificates,
    })
}

/// The friendly name of the key or of the certificate linked with it, else the id that links them in hexadecimal.
fn alias_of(key: &PrivateKeyBag, certificates: &[CertificateBag]) -> String {
    let id = key.local_key_id.as_ref().map(AsRef::as_ref);
    let linked = || {
        certificates
            .iter()
            .find(|c| id.is_some() && c.local_key_id.as_deref() == id)
            .and_then(|c| c.friendly_name.clone())
    };
    key.friendly_name
        .clone()
        .or_else(linked)
        .unwrap_or_else(|| id.map(hex::encode).unwrap_or_default())
}

fn explain(error: P12Error) -> KeystoreError {
    match error {
        // With a wrong password the integrity check fails; a keystore without one fails in the padding.
        P12Error::MacError(_) | P12Error::UnpadError => KeystoreError::WrongPassword,
        P12Error::UnsupportedEncryptionScheme | P12Error::UnsupportedMacAlgorithm => {
            KeystoreError::Unsupported(error.to_string())
        }
        other => KeystoreError::MalformedPkcs12(other.to_string()),
    }
}
