//! Detached OpenPGP signatures. Spec: KOSMOS, 9; sharp edge 15.
//!
//! What the library leaves to others is decided here: which of several keys may have signed, how long it was good for, whether it was
//! taken back, and which digests are strong enough.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, PublicParams, Tag, VerifyingKey};

use super::Untrusted;

/// Bytes of a key file, and of a signature.
pub const SIZE: u64 = 1 << 20;
/// How far clocks of signers may be ahead, seconds.
const AHEAD: i64 = 24 * 60 * 60;
/// The smallest RSA key, bits.
const RSA_BITS: usize = 2048;

/// What is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A new file: its key must be good now.
    New,
    /// A file that was verified before: its key must have been good when it signed. Keys expire, and what runs must still be startable.
    Again,
}

/// Who may sign.
#[derive(Debug)]
pub struct Keys {
    keys: Vec<SignedPublicKey>,
}

impl Keys {
    /// Reads files of public keys, armoured or not, with one key or several. Files that cannot be read are told of; at least one key
    /// must be left.
    pub fn read(files: &[PathBuf]) -> Result<Self, Untrusted> {
        let (mut keys, mut reasons) = (Vec::new(), Vec::new());
        for file in files {
            match read(file) {
                Ok(found) => keys.extend(found),
                Err(reason) => {
                    tracing::warn!(file = %file.display(), reason, "no public key can be read");
                    reasons.push(format!("{}: {reason}", file.display()));
                }
            }
        }
        if keys.is_empty() {
            return Err(Untrusted::new(format!(
                "there is no public key: {}",
                reasons.join("; ")
            )));
        }
        Ok(Self { keys })
    }

    /// Verifies a detached signature over a file. Gives the fingerprint of the key.
    pub fn verify(
        &self,
        signature: &[u8],
        file: &Path,
        now: Timestamp,
        occasion: Occasion,
    ) -> Result<String, Untrusted> {
        let signature = signature_of(signature)?;
        let made = usable(&signature, now)?;
        let reference = match occasion {
            Occasion::New => now.as_second(),
            Occasion::Again => made,
        };
        let mut reasons = Vec::new();
        for key in &self.keys {
            match signer(key, &signature) {
                None => {}
                Some(Signer::Primary) => {
                    match good_primary(key, made, reference).and_then(|()| check(&signature, &key.primary_key, file)) {
                        Ok(()) => return Ok(fingerprint(&key.primary_key)),
                        Err(reason) => reasons.push(reason),
                    }
                }
                Some(Signer::Sub(sub)) => {
                    let good = good_primary(key, made, reference)
                        .and_then(|()| good_sub(key, sub, made, reference))
                        .and_then(|()| check(&signature, &sub.key, file));
                    match good {
                        Ok(()) => return Ok(fingerprint(&sub.key)),
                        Err(reason) => reasons.push(reason),
                    }
                }
            }
        }
        // A file may hold an older export of the same key: one that is good is enough, and the last word is about a key that fits.
        Err(reasons
            .pop()
            .unwrap_or_else(|| Untrusted::new("Signer public key not found in keyring")))
    }
}

/// How an armoured key begins.
const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";

fn read(file: &Path) -> Result<Vec<SignedPublicKey>, String> {
    let length = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if length > SIZE {
        return Err(format!("is longer than {SIZE} bytes"));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let all = |keys: Box<dyn Iterator<Item = pgp::errors::Result<SignedPublicKey>> + '_>| {
        keys.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())
    };
    let starts: Vec<usize> = bytes
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, at)| *at == BEGIN)
        .map(|(at, _)| at)
        .collect();
    let keys = if starts.is_empty() {
        let keys = SignedPublicKey::from_bytes_many(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        all(keys)?
    } else {
        // Several armoured blocks one after the other, as `cat` makes them.
        let mut keys = Vec::new();
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
            let block = SignedPublicKey::from_armor_many(&bytes[*start..end]).map_err(|error| error.to_string())?;
            keys.extend(all(block.0)?);
        }
        keys
    };
    if keys.is_empty() {
        Err("holds no public key".into())
    } else {
        Ok(keys)
    }
}

fn signature_of(bytes: &[u8]) -> Result<Signature, Untrusted> {
    let unreadable = |_| Untrusted::new("the signature cannot be read");
    let armoured = bytes.trim_ascii_start().starts_with(b"-----");
    let signature = if armoured {
        DetachedSignature::from_armor_single(bytes).map_err(unreadable)?.0
    } else {
        DetachedSignature::from_bytes(bytes).map_err(unreadable)?
    };
    Ok(signature.signature)
}

/// Of the right kind, strong enough, and of this time. Gives the moment when it was made.
fn usable(signature: &Signature, now: Timestamp) -> Result<i64, Untrusted> {
    if signature.typ() != Some(SignatureType::Binary) {
        return Err(Untrusted::new("the signature is not one over a file"));
    }
    let strong = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Sha3_256,
        HashAlgorithm::Sha3_512,
    ];
    if !signature.hash_alg().is_some_and(|digest| strong.contains(&digest)) {
        return Err(Untrusted::new("the signature uses a digest that is too weak"));
    }
    let made = signature
        .created()
        .ok_or_else(|| Untrusted::new("the signature does not say when it was made"))?;
    let made = i64::from(made.as_secs());
    if made > now.as_second() + AHEAD {
        return Err(Untrusted::new(
            "the signature was made in the future: is the clock of this machine right?",
        ));
    }
    let life = signature
        .signature_expiration_time()
        .map_or(0, |life| i64::from(life.as_secs()));
    if life != 0 && made + life <= now.as_second() {
        return Err(Untrusted::new("the signature is expired"));
    }
    Ok(made)
}

enum Signer<'a> {
    Primary,
    Sub(&'a SignedPublicSubKey),
}

/// The part of a key that a signature names.
fn signer<'a>(key: &'a SignedPublicKey, signature: &Signature) -> Option<Signer<'a>> {
    let prints = signature.issuer_fingerprint();
    let ids = signature.issuer_key_id();
    let is = |part: &dyn KeyDetails| {
        if prints.is_empty() {
            ids.iter().any(|id| **id == part.legacy_key_id())
        } else {
            prints.iter().any(|print| **print == part.fingerprint())
        }
    };
    if is(&key.primary_key) {
        return Some(Signer::Primary);
    }
    key.public_subkeys.iter().find(|sub| is(&sub.key)).map(Signer::Sub)
}

fn fingerprint(key: &impl KeyDetails) -> String {
    key.fingerprint().to_string().to_uppercase()
}

/// Whether a key that was made at `created`, and is good for `life` seconds, was good at `reference`.
fn in_time(created: i64, life: Option<u32>, made: i64, reference: i64) -> Result<(), Untrusted> {
    if made < created {
        return Err(Untrusted::new("the signature is older than its key"));
    }
    match life {
        Some(life) if life != 0 && created + i64::from(life) <= reference => Err(Untrusted::new(
            "Signer public key is expired; get the vendor's newest export of it",
        )),
        _ => Ok(()),
    }
}

fn strong_key(key: &impl KeyDetails) -> Result<(), Untrusted> {
    if let PublicParams::RSA(parameters) = key.public_params() {
        // Modulus and exponent with two bytes of length each; the exponent has three bytes as a rule.
        let bits = parameters.write_len().saturating_sub(2 + 2 + 3) * 8;
        if bits < RSA_BITS {
            return Err(Untrusted::new(format!("the signer's key has {bits} bits only")));
        }
    }
    Ok(())
}

/// Revocations: a key that was lost is never good again; one that was replaced or retired is good for what it signed before.
fn revoked<'a>(revocations: impl Iterator<Item = &'a Signature>, made: i64) -> Result<(), Untrusted> {
    for revocation in revocations {
        let soft = matches!(
            revocation.revocation_reason_code(),
            Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired)
        );
        let at = revocation.created().map_or(0, |at| i64::from(at.as_secs()));
        if !soft || at <= made {
            return Err(Untrusted::new("Signer public key is revoked"));
        }
    }
    Ok(())
}

fn good_primary(key: &SignedPublicKey, made: i64, reference: i64) -> Result<(), Untrusted> {
    let primary = &key.primary_key;
    strong_key(primary)?;
    let revocations = key.details.revocation_signatures.iter();
    revoked(
        revocations.filter(|revocation| revocation.verify_key(primary).is_ok()),
        made,
    )?;
    let direct = key
        .details
        .direct_signatures
        .iter()
        .filter(|own| own.verify_key(primary).is_ok());
    let users = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|own| {
            own.typ() != Some(SignatureType::CertRevocation)
                && own.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        })
    });
    let newest = direct
        .chain(users)
        .max_by_key(|own| own.created().map_or(0, pgp::types::Timestamp::as_secs));
    let newest = newest.ok_or_else(|| Untrusted::new("the signer's key does not vouch for itself"))?;
    let life = newest.key_expiration_time().map(pgp::types::Duration::as_secs);
    in_time(i64::from(primary.created_at().as_secs()), life, made, reference)
}

fn good_sub(key: &SignedPublicKey, sub: &SignedPublicSubKey, made: i64, reference: i64) -> Result<(), Untrusted> {
    let primary = &key.primary_key;
    strong_key(&sub.key)?;
    let (revocations, bindings): (Vec<_>, Vec<_>) = sub
        .signatures
        .iter()
        .filter(|own| own.verify_subkey_binding(primary, &sub.key).is_ok())
        .partition(|own| own.typ() == Some(SignatureType::SubkeyRevocation));
    revoked(revocations.into_iter(), made)?;
    let newest = bindings
        .into_iter()
        .max_by_key(|own| own.created().map_or(0, pgp::types::Timestamp::as_secs));
    let newest = newest.ok_or_else(|| Untrusted::new("the signer's subkey does not belong to its key"))?;
    // A subkey that signs has agreed to belong to this key.
    let agreed = newest
        .embedded_signature()
        .is_some_and(|back| back.verify_primary_key_binding(&sub.key, primary).is_ok());
    if !newest.key_flags().sign() || !agreed {
        return Err(Untrusted::new("the signer's subkey may not sign"));
    }
    let life = newest.key_expiration_time().map(pgp::types::Duration::as_secs);
    in_time(i64::from(sub.key.created_at().as_secs()), life, made, reference)
}

fn check(signature: &Signature, key: &impl VerifyingKey, file: &Path) -> Result<(), Untrusted> {
    let content =
        File::open(file).map_err(|error| Untrusted::new(format!("{} cannot be read: {error}", file.display())))?;
    signature
        .verify(key, BufReader::with_capacity(128 << 10, content))
        .map_err(|_| Untrusted::forged("Invalid artifact signature"))
}
