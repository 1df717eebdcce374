//! Packages as recipes: ASiC-E, sealed content, plain zips. Nothing is computed before it is read.

use std::io::{self, Write};
use std::sync::Arc;

use budstikke_message::asic::{self, AsicWriter, Compression, PrimaryDocument, ZipWriter};
use budstikke_message::cms::{ContentCipher, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::Identity;
use budstikke_message::x509::Certificate;
use budstikke_runtime::services::{DocumentRef, Failure, SealScheme};

use super::documents::Doc;

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
