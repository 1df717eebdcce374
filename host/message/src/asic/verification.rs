//! The rules by which a container that has been read through is accepted or refused.
//!
//! Spec: documents and packaging, 7.5. Signers are reported, not trusted: no chain is checked.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{AsicManifest, Listed, parse_xml, read_asic_manifest};
use super::xades::read_signatures;
use super::{AsicError, META_INF};
use crate::cms::{VerifiedSignature, verify_detached};
use crate::x509::Certificate;

/// A document whose bytes are those that were signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDocument {
    /// Name of the entry.
    pub name: String,
    /// Media type, where a manifest states one.
    pub mime: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
}

/// One signature of the container.
#[derive(Clone, Debug)]
pub enum AsicSignature {
    /// A CMS signature over a manifest, verified.
    Cades {
        /// Name of the signature's entry.
        file: String,
        /// Who signed, when, how.
        signature: Box<VerifiedSignature>,
    },
    /// An XML signature. Only its digests were compared; its value was **not** verified.
    XadesDigestsOnly {
        /// Name of the signature's entry.
        file: String,
    },
}

/// What is known of a container that was accepted: every document is there, unaltered, and listed by a manifest
/// whose signature verifies.
#[derive(Clone, Debug)]
pub struct AsicReport {
    /// Documents in the order of the zip, eFormidling's `manifest.xml` among them.
    pub documents: Vec<VerifiedDocument>,
    /// Every signature.
    pub signatures: Vec<AsicSignature>,
    /// The document marked as root file, if one is.
    pub root_file: Option<String>,
}

impl AsicReport {
    /// Certificates of the signers whose signatures were verified.
    pub fn signers(&self) -> impl Iterator<Item = &Certificate> {
        self.signatures.iter().filter_map(|s| match s {
            AsicSignature::Cades { signature, .. } => Some(&signature.signer),
            AsicSignature::XadesDigestsOnly { .. } => None,
        })
    }
}

/// What an entry below META-INF is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetadataKind {
    AsicManifest,
    CadesSignature,
    XadesSignatures,
    OasisManifest,
}

impl MetadataKind {
    /// `None` for documents. An error for anything below META-INF that is not known.
    pub(super) fn of(name: &str) -> Result<Option<Self>, AsicError> {
        let lower = name.to_lowercase();
        let Some(rest) = lower.strip_prefix(&META_INF.to_lowercase()) else {
            return Ok(None);
        };
        let is = |start: &str, end: &str| {
            rest.len() >= start.len() + end.len() && rest.starts_with(start) && rest.ends_with(end)
        };
        if is("asicmanifest", ".xml") {
            Ok(Some(Self::AsicManifest))
        } else if is("signatures", ".xml") {
            Ok(Some(Self::XadesSignatures))
        } else if is("signature", ".p7s") {
            Ok(Some(Self::CadesSignature))
        } else if name == "META-INF/manifest.xml" {
            Ok(Some(Self::OasisManifest))
        } else {
            Err(AsicError::UnknownMetadata(name.to_owned()))
        }
    }
}

/// An entry below META-INF.
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) kind: MetadataKind,
    pub(super) content: Vec<u8>,
}

/// A document that was read, with the digest of what was read.
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
}

pub(super) fn judge(documents: Vec<Seen>, metadata: &[Metadata]) -> Result<AsicReport, AsicError> {
    let of_kind = |kind| metadata.iter().filter(move |m| m.kind == kind);
    for oasis in of_kind(MetadataKind::OasisManifest) {
        parse_xml(&oasis.name, &oasis.content)?;
    }
    let manifests = of_kind(MetadataKind::AsicManifest)
        .map(|m| Ok((m, read_asic_manifest(&m.name, &m.content)?)))
        .collect::<Result<Vec<_>, AsicError>>()?;
    let mut xades = Vec::new();
    for file in of_kind(MetadataKind::XadesSignatures) {
        let known: BTreeSet<&str> = documents.iter().map(|d| d.name.as_str()).collect();
        xades.push((
            file,
            read_signatures(&file.name, &file.content, |name| known.contains(name))?,
        ));
    }
    let listed = manifests
        .iter()
        .flat_map(|(_, m)| &m.documents)
        .chain(xades.iter().flat_map(|(_, l)| l));
    let mimes = compare_digests(&documents, listed)?;

    let mut signatures = verify_signatures(&manifests, metadata)?;
    signatures.extend(
        xades
            .iter()
            .map(|(m, _)| AsicSignature::XadesDigestsOnly { file: m.name.clone() }),
    );
    if signatures.is_empty() {
        return Err(AsicError::NotSigned);
    }
    let documents = documents
        .into_iter()
        .map(|d| VerifiedDocument {
            mime: mimes.get(&d.name).cloned(),
            name: d.name,
            size: d.size,
            sha256: d.sha256,
        })
        .collect();
    let root_file = manifests.into_iter().find_map(|(_, m)| m.root_file);
    Ok(AsicReport {
        documents,
        signatures,
        root_file,
    })
}

/// Every document is listed, every listed one is there, every digest fits. Gives the media types by name.
fn compare_digests<'a>(
    documents: &[Seen],
    listed: impl Iterator<Item = &'a Listed>,
) -> Result<BTreeMap<String, String>, AsicError> {
    let present: BTreeMap<&str, &[u8; 32]> = documents.iter().map(|d| (d.name.as_str(), &d.sha256)).collect();
    let mut covered = BTreeSet::new();
    let mut mimes = BTreeMap::new();
    for entry in listed {
        let actual = present
            .get(entry.name.as_str())
            .ok_or_else(|| AsicError::FileNotVerified(entry.name.clone()))?;
        if entry.digest != actual.as_slice() {
            return Err(AsicError::DigestMismatch(entry.name.clone()));
        }
        covered.insert(entry.name.as_str());
        if let Some(mime) = &entry.mime {
            mimes.entry(entry.name.clone()).or_insert_with(|| mime.clone());
        }
    }
    match documents.iter().find(|d| !covered.contains(d.name.as_str())) {
        Some(stray) => Err(AsicError::FileNotVerified(stray.name.clone())),
        None => Ok(mimes),
    }
}

fn verify_signatures(
    manifests: &[(&Metadata, AsicManifest)],
    metadata: &[Metadata],
) -> Result<Vec<AsicSignature>, AsicError> {
    let mut verified = Vec::new();
    let mut used = BTreeSet::new();
    for (file, manifest) in manifests {
        let signature = metadata
            .iter()
            .find(|m| m.kind == MetadataKind::CadesSignature && m.name == manifest.signature)
            .ok_or_else(|| AsicError::SignatureNotVerified(manifest.signature.clone()))?;
        let found =
            verify_detached(&signature.content, &file.content).map_err(|reason| AsicError::InvalidSignature {
                file: signature.name.clone(),
                reason,
            })?;
        used.insert(signature.name.as_str());
        verified.extend(found.into_iter().map(|s| AsicSignature::Cades {
            file: signature.name.clone(),
            signature: Box::new(s),
        }));
    }
    let stray = metadata
        .iter()
        .find(|m| m.kind == MetadataKind::CadesSignature && !used.contains(m.name.as_str()));
    match stray {
        Some(stray) => Err(AsicError::SignatureNotVerified(stray.name.clone())),
        None => Ok(verified),
    }
}
