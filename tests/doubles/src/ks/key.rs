//! KS's own key, and what is encrypted on the way through.

use std::io::{Cursor, Read as _, Write as _};
use std::sync::OnceLock;

use budstikke_message::asic::{Compression, ZipWriter};
use budstikke_message::cms::{ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::{Identity, Keystore};
use budstikke_message::x509::Certificate;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};

use super::forsendelse::Document;

/// Made when it is first needed: few tests need it, and an RSA key takes time. Empty when the machine cannot make keys.
#[derive(Default)]
pub(super) struct KsKey(OnceLock<Option<Made>>);

struct Made {
    identity: Identity,
    pem: String,
}

impl KsKey {
    fn made(&self) -> Option<&Made> {
        self.0.get_or_init(make).as_ref()
    }

    /// KS's certificate in PEM.
    pub(super) fn certificate(&self) -> &str {
        self.made().map_or("", |made| &made.pem)
    }

    /// A document as it was before it was encrypted to KS.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut reader = EnvelopeReader::open(Cursor::new(sealed), &self.made()?.identity).ok()?;
        reader.read_to_end(&mut content).ok()?;
        reader.is_complete().then_some(content)
    }
}

/// Self-signed and valid for very long, as KS's own is. Spec: DPF and DPFIO, 3.
fn make() -> Option<Made> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).ok()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "KS");
    params.distinguished_name.push(DnType::CommonName, "SvarUt test");
    params.not_before = date_time_ymd(2015, 1, 1);
    params.not_after = date_time_ymd(2288, 1, 1);
    let pem = params.self_signed(&key).ok()?.pem();
    let identity = Keystore::from_pem(format!("{}{pem}", key.serialize_pem()).as_bytes()).ok()?;
    Some(Made { identity, pem })
}

/// A zip of the documents, encrypted to the holder of a certificate. None when the certificate is none, or a name stands twice.
pub(super) fn sealed_zip(documents: &[Document], certificate: &str) -> Option<Vec<u8>> {
    let certificate = Certificate::from_pem(certificate.as_bytes()).ok()?;
    let mut zip = ZipWriter::new(Vec::new());
    for document in documents {
        let mut entry = zip.start(&document.name, Compression::Deflate).ok()?;
        entry.write_all(&document.content).ok()?;
        entry.finish().ok()?;
    }
    let zip = zip.finish("").ok()?;
    let transport = KeyTransport::RsaOaepSha256;
    let mut sealed = EnvelopeWriter::new(Vec::new(), &certificate, transport, ContentCipher::Aes256Cbc).ok()?;
    sealed.write_all(&zip).ok()?;
    sealed.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_encrypted_to_ks_is_opened() {
        let (ks, other) = (KsKey::default(), KsKey::default());
        let certificate = Certificate::from_pem(ks.certificate().as_bytes()).unwrap();
        let transport = KeyTransport::RsaOaepSha256;
        let mut writer = EnvelopeWriter::new(Vec::new(), &certificate, transport, ContentCipher::Aes256Cbc).unwrap();
        writer.write_all(b"Testing 1 2 3").unwrap();
        let sealed = writer.finish().unwrap();
        assert_eq!(ks.open(&sealed).as_deref(), Some(b"Testing 1 2 3".as_slice()));
        assert_eq!(other.open(&sealed), None);
        assert_eq!(ks.open(&sealed[..sealed.len() - 20]), None);
        assert_eq!(ks.open(b"Testing 1 2 3"), None);
    }
}
