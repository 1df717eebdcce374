//! Content encryption: AES-CBC with PKCS#7 padding, and AES-GCM with its tag at the tail of the ciphertext.
//!
//! Spec: documents and packaging, 8.3.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext, StreamingDecryptingKey,
    StreamingEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::CmsError;
use super::der::{Cursor, INTEGER, OCTET_STRING, OID, SEQUENCE, tlv};
use super::gcm::{GcmStream, NONCE, TAG};
use super::oid;

const BLOCK: usize = 16;

/// How the content is encrypted, always with a fresh 256-bit key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCipher {
    /// AES-256-CBC with a random IV and PKCS#7 padding. Not authenticated; the ASiC-E inside is signed.
    Aes256Cbc,
    /// AES-256-GCM in plain EnvelopedData, at most 64 GiB. Not standard (RFC 5084 wants AuthEnvelopedData),
    /// but what the peers that use it expect.
    Aes256Gcm,
}

pub(super) fn fresh_key(length: usize) -> Result<Zeroizing<Vec<u8>>, CmsError> {
    let mut key = Zeroizing::new(vec![0u8; length]);
    rand::fill(&mut key).map_err(|_| CmsError::Crypto("random numbers"))?;
    Ok(key)
}

pub(super) enum Encryptor {
    Cbc(StreamingEncryptingKey),
    Gcm(Box<GcmStream>),
}

impl Encryptor {
    /// Starts a cipher; gives its AlgorithmIdentifier too.
    pub(super) fn new(cipher: ContentCipher, key: &[u8]) -> Result<(Self, Vec<u8>), CmsError> {
        match cipher {
            ContentCipher::Aes256Cbc => {
                let mut iv = [0u8; BLOCK];
                rand::fill(&mut iv).map_err(|_| CmsError::Crypto("random numbers"))?;
                let key = UnboundCipherKey::new(&AES_256, key).map_err(|_| CmsError::Crypto("AES key"))?;
                let context = EncryptionContext::Iv128(FixedLength::from(iv));
                let key = StreamingEncryptingKey::less_safe_cbc_pkcs7(key, context)
                    .map_err(|_| CmsError::Crypto("AES-CBC"))?;
                let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[oid::AES256_CBC]), &tlv(OCTET_STRING, &[&iv])]);
                Ok((Self::Cbc(key), algorithm))
            }
            ContentCipher::Aes256Gcm => {
                let mut nonce = [0u8; NONCE];
                rand::fill(&mut nonce).map_err(|_| CmsError::Crypto("random numbers"))?;
                let parameters = tlv(SEQUENCE, &[&tlv(OCTET_STRING, &[&nonce]), &[INTEGER, 1, 16]]);
                let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[oid::AES256_GCM]), &parameters]);
                Ok((Self::Gcm(Box::new(GcmStream::new(&AES_256, key, &nonce)?)), algorithm))
            }
        }
    }

    pub(super) fn update(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), CmsError> {
        match self {
            Self::Cbc(key) => append(out, plain.len(), |buffer| {
                key.update(plain, buffer)
                    .map(|u| u.written().len())
                    .map_err(|_| CmsError::Crypto("AES-CBC"))
            }),
            Self::Gcm(stream) => stream.encrypt(plain, out),
        }
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<(), CmsError> {
        match self {
            Self::Cbc(key) => append(out, 0, |buffer| {
                key.finish(buffer)
                    .map(|(_, u)| u.written().len())
                    .map_err(|_| CmsError::Crypto("AES-CBC"))
            }),
            Self::Gcm(stream) => {
                out.extend_from_slice(&stream.tag());
                Ok(())
            }
        }
    }
}

/// What the message says of its content cipher, before the key is known.
pub(super) struct CipherParameters {
    algorithm: &'static Algorithm,
    pub(super) key_length: usize,
    mode: Mode,
}

enum Mode {
    Cbc([u8; BLOCK]),
    Gcm { nonce: [u8; NONCE], tag_length: usize },
}

impl CipherParameters {
    /// Reads an AlgorithmIdentifier in DER.
    pub(super) fn parse(der: &[u8]) -> Result<Self, CmsError> {
        let whole = Cursor::new(der).expect(SEQUENCE, "contentEncryptionAlgorithm")?;
        let mut fields = Cursor::new(whole.value);
        let identifier = fields.expect(OID, "contentEncryptionAlgorithm")?.value;
        let (algorithm, key_length) = match identifier {
            oid::AES128_CBC | oid::AES128_GCM => (&AES_128, 16),
            oid::AES192_CBC | oid::AES192_GCM => (&AES_192, 24),
            oid::AES256_CBC | oid::AES256_GCM => (&AES_256, 32),
            other => return Err(CmsError::UnsupportedCipher(oid::dotted(other))),
        };
        let mode = if matches!(identifier, oid::AES128_CBC | oid::AES192_CBC | oid::AES256_CBC) {
            let iv = fields.expect(OCTET_STRING, "the IV of AES-CBC")?.value;
            Mode::Cbc(iv.try_into().map_err(|_| CmsError::Malformed("the IV of AES-CBC"))?)
        } else {
            let parameters = fields.expect(SEQUENCE, "the parameters of AES-GCM")?;
            let mut parameters = Cursor::new(parameters.value);
            let nonce = parameters.expect(OCTET_STRING, "the nonce of AES-GCM")?.value;
            let nonce = nonce
                .try_into()
                .map_err(|_| CmsError::UnsupportedCipher(format!("AES-GCM with a nonce of {} bytes", nonce.len())))?;
            let tag_length = match parameters.optional(INTEGER)?.map(|t| t.value) {
                None => 12,
                Some([length @ 12..=16]) => usize::from(*length),
                Some(_) => {
                    return Err(CmsError::UnsupportedCipher(
                        "AES-GCM with an unknown tag length".to_owned(),
                    ));
                }
            };
            parameters.end("the parameters of AES-GCM")?;
            Mode::Gcm { nonce, tag_length }
        };
        fields.end("contentEncryptionAlgorithm")?;
        Ok(Self {
            algorithm,
            key_length,
            mode,
        })
    }

    pub(super) fn decryptor(&self, key: &[u8]) -> Result<Decryptor, CmsError> {
        match &self.mode {
            Mode::Cbc(iv) => {
                let key = UnboundCipherKey::new(self.algorithm, key).map_err(|_| CmsError::Crypto("AES key"))?;
                let context = DecryptionContext::Iv128(FixedLength::from(*iv));
                StreamingDecryptingKey::cbc_pkcs7(key, context)
                    .map(Decryptor::Cbc)
                    .map_err(|_| CmsError::Crypto("AES-CBC"))
            }
            Mode::Gcm { nonce, tag_length } => Ok(Decryptor::Gcm {
                stream: Box::new(GcmStream::new(self.algorithm, key, nonce)?),
                tail: Vec::with_capacity(TAG),
                tag_length: *tag_length,
            }),
        }
    }
}

pub(super) enum Decryptor {
    Cbc(StreamingDecryptingKey),
    Gcm {
        stream: Box<GcmStream>,
        /// The last bytes seen, which may turn out to be the tag.
        tail: Vec<u8>,
        tag_length: usize,
    },
}

impl Decryptor {
    pub(super) fn authenticates(&self) -> bool {
        matches!(self, Self::Gcm { .. })
    }

    pub(super) fn update(&mut self, cipher: &[u8], out: &mut Vec<u8>) -> Result<(), CmsError> {
        match self {
            Self::Cbc(key) => append(out, cipher.len(), |buffer| {
                key.update(cipher, buffer)
                    .map(|u| u.written().len())
                    .map_err(|_| CmsError::Crypto("AES-CBC"))
            }),
            Self::Gcm {
                stream,
                tail,
                tag_length,
            } => {
                let ready = (tail.len() + cipher.len()).saturating_sub(*tag_length);
                let from_tail = ready.min(tail.len());
                stream.decrypt(&tail[..from_tail], out)?;
                tail.drain(..from_tail);
                let (content, rest) = cipher.split_at(ready - from_tail);
                stream.decrypt(content, out)?;
                tail.extend_from_slice(rest);
                Ok(())
            }
        }
    }

    /// Ends the content: removes the padding, or checks the tag in constant time.
    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<(), CmsError> {
        match self {
            Self::Cbc(key) => append(out, 0, |buffer| {
                key.finish(buffer)
                    .map(|u| u.written().len())
                    .map_err(|_| CmsError::BadPadding)
            }),
            Self::Gcm {
                stream,
                tail,
                tag_length,
            } => {
                if tail.len() != tag_length {
                    return Err(CmsError::BadTag);
                }
                verify_slices_are_equal(&stream.tag()[..tag_length], &tail).map_err(|_| CmsError::BadTag)
            }
        }
    }
}

/// Lets `write` append to `out` what a block cipher gives for `input` bytes: at most one block more.
fn append(
    out: &mut Vec<u8>,
    input: usize,
    write: impl FnOnce(&mut [u8]) -> Result<usize, CmsError>,
) -> Result<(), CmsError> {
    let start = out.len();
    out.resize(start + input + BLOCK, 0);
    let result = write(&mut out[start..]);
    out.truncate(start + result.as_ref().copied().unwrap_or(0));
    result.map(|_| ())
}
