//! Packages as recipes: ASiC-E, sealed content, plain zips. Nothing is computed before it is read.

use std::io::{self, Read as _, Write};
use std::sync::Arc;

use budstikke_message::asic::{self, AsicWriter, Compression, PrimaryDocument, ZipWriter};
use budstikke_message::cms::{CmsError, ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::Identity;
use budstikke_message::x509::Certificate;
use budstikke_runtime::services::{DocumentRef, Failure, SealScheme};
use budstikke_store::Vault;
use budstikke_store::files::MessageKey;

use super::documents::{Doc, VaultFile, copy, temporary};

/// How to make bytes out of other documents.
pub enum Recipe {
    /// ASiC-E: manifest, documents, signature.
    Asic {
        /// Signs.
        signer: Arc<Identity>,
        /// `manifest.xml`.
        manifest: String,
        /// First is the hoveddokument.
        documents: Vec<Arc<Doc>>,
    },
    /// CMS EnvelopedData to one receiver.
    Seal {
        /// What is sealed.
        content: Arc<Doc>,
        /// To whom.
        certificate: Box<Certificate>,
        /// How the key travels.
        transport: KeyTransport,
        /// How the content is encrypted.
        cipher: ContentCipher,
    },
    /// A plain zip.
    Zip {
        /// Entry names and contents, in order.
        parts: Vec<(String, Arc<Doc>)>,
    },
}

impl Recipe {
    /// What it is made of.
    pub(super) fn documents(&self) -> Vec<&Doc> {
        match self {
            Self::Asic { documents, .. } => documents.iter().map(AsRef::as_ref).collect(),
            Self::Seal { content, .. } => vec![content.as_ref()],
            Self::Zip { parts } => parts.iter().map(|(_, part)| part.as_ref()).collect(),
        }
    }

    /// Writes the package from its first byte to its last. Blocks.
    pub(super) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Asic {
                signer,
                manifest,
                documents,
            } => {
                let mut writer = AsicWriter::new(out).map_err(io::Error::other)?;
                writer
                    .add("manifest.xml", "application/xml", &mut manifest.as_bytes())
                    .map_err(io::Error::other)?;
                for document in documents {
                    writer
                        .add(&document.name, &document.media_type, &mut document.reader()?)
                        .map_err(io::Error::other)?;
                }
                writer.finish(signer).map_err(io::Error::other)?;
                Ok(())
            }
            Self::Seal {
                content,
                certificate,
                transport,
                cipher,
            } => {
                let mut writer =
                    EnvelopeWriter::new(out, certificate, *transport, *cipher).map_err(io::Error::other)?;
                content.write_to(&mut writer)?;
                writer.finish().map_err(io::Error::other)?;
                Ok(())
            }
            Self::Zip { parts } => {
                let mut writer = ZipWriter::new(out);
                for (name, part) in parts {
                    // The parts are as a rule sealed, and what is sealed does not get smaller.
                    let mut entry = writer.start(name, Compression::None).map_err(io::Error::other)?;
                    part.write_to(&mut entry)?;
                    entry.finish().map_err(io::Error::other)?;
                }
                writer.finish("").map_err(io::Error::other)?;
                Ok(())
            }
        }
    }
}

fn ours(documents: Vec<DocumentRef>) -> Result<Vec<Arc<Doc>>, Failure> {
    documents.into_iter().map(Doc::from_ref).collect()
}

/// `packaging.asic`
pub fn asic(
    signer: &Arc<Identity>,
    name: &str,
    documents: Vec<DocumentRef>,
    sender: &str,
    receiver: &str,
) -> Result<DocumentRef, Failure> {
    let documents = ours(documents)?;
    let first = documents
        .first()
        .ok_or_else(|| Failure::permanent("no-documents", "an ASiC-E needs a document"))?;
    let primary = PrimaryDocument {
        name: &first.name,
        mime: &first.media_type,
    };
    let manifest = asic::manifest_xml(sender, receiver, Some(primary))
        .map_err(|error| Failure::permanent("manifest", error.to_string()))?;
    let recipe = Recipe::Asic {
        signer: signer.clone(),
        manifest,
        documents,
    };
    Ok(Arc::new(Doc::recipe(name, "application/vnd.etsi.asic-e+zip", recipe)?))
}

/// `packaging.seal`
pub fn seal(name: &str, content: DocumentRef, certificate: &[u8], scheme: &SealScheme) -> Result<DocumentRef, Failure> {
    let read = if certificate.starts_with(b"-----") {
        Certificate::from_pem
    } else {
        Certificate::from_der
    };
    let certificate = read(certificate)
        .map_err(|error| Failure::permanent("certificate", format!("the receiver's certificate: {error}")))?;
    if !certificate.is_valid_at(jiff::Timestamp::now()) {
        let text = format!(
            "the receiver's certificate is valid from {} to {}",
            certificate.not_before(),
            certificate.not_after()
        );
        return Err(Failure::permanent("certificate", text));
    }
    let (transport, cipher) = match scheme {
        SealScheme::OaepCbc => (KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc),
        SealScheme::Pkcs1Cbc => (KeyTransport::RsaPkcs1v15, ContentCipher::Aes256Cbc),
        SealScheme::OaepGcm => (KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm),
        SealScheme::Other(name) => {
            return Err(Failure::permanent(
                "unknown-scheme",
                format!("no scheme is called {name}"),
            ));
        }
    };
    let recipe = Recipe::Seal {
        content: Doc::from_ref(content)?,
        certificate: Box::new(certificate),
        transport,
        cipher,
    };
    Ok(Arc::new(Doc::recipe(name, "application/pkcs7-mime", recipe)?))
}

/// `packaging.seal-to-us`. Whether our own certificate is still valid does not matter: we are the ones who open it.
pub fn seal_to_us(identity: &Identity, name: &str, content: DocumentRef) -> Result<DocumentRef, Failure> {
    let recipe = Recipe::Seal {
        content: Doc::from_ref(content)?,
        certificate: Box::new(identity.certificate().clone()),
        transport: KeyTransport::RsaOaepSha256,
        cipher: ContentCipher::Aes256Cbc,
    };
    Ok(Arc::new(Doc::recipe(name, "application/pkcs7-mime", recipe)?))
}

/// `packaging.unseal`; at most `limit` bytes come out. Blocks.
pub fn unseal(
    vault: &Vault,
    identity: &Identity,
    name: &str,
    media_type: &str,
    content: DocumentRef,
    limit: u64,
) -> Result<DocumentRef, Failure> {
    let content = Doc::from_ref(content)?;
    let not_for_us = |error: &CmsError| Failure::permanent("not-for-us", format!("it cannot be opened: {error}"));
    let opened = EnvelopeReader::open(content.reader().map_err(|error| temporary(&error))?, identity);
    let opened = match opened {
        Ok(opened) => opened,
        Err(CmsError::Io(error)) => return Err(temporary(&error)),
        Err(error) => return Err(not_for_us(&error)),
    };
    let written = (|| {
        let key = MessageKey::generate()?;
        let mut writer = vault.create(&key)?;
        copy(&mut opened.take(limit.saturating_add(1)), &mut writer)?;
        if writer.size() > limit {
            let text = format!("more than {limit} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let file = writer.finish()?;
        Ok(VaultFile { file, key })
    })();
    match written {
        Ok(file) => Ok(Arc::new(Doc::received(vault, name, media_type, file))),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Err(Failure::permanent("too-large", error.to_string()))
        }
        // What breaks the envelope itself, and not the disk below it or above it.
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<CmsError>()) {
            Some(broken) => Err(not_for_us(broken)),
            None => Err(temporary(&error)),
        },
    }
}

/// `packaging.zip`
pub fn zip(name: &str, parts: Vec<(String, DocumentRef)>) -> Result<DocumentRef, Failure> {
    let parts = parts
        .into_iter()
        .map(|(name, part)| Ok((name, Doc::from_ref(part)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(Arc::new(Doc::recipe(name, "application/zip", Recipe::Zip { parts })?))
}

/// `packaging.unzip`. Blocks.
pub fn unzip(archive: DocumentRef) -> Result<Vec<DocumentRef>, Failure> {
    let archive = Doc::from_ref(archive)?;
    let entries = archive.archive()?;
    Ok(entries
        .into_iter()
        .map(|(name, size)| Arc::new(Doc::zip_entry(archive.clone(), &name, size)) as DocumentRef)
        .collect())
}
