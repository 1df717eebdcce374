//! Opens EnvelopedData, forward only: DER and BER, pieces of any size.

use std::io::{self, Read};

use super::CmsError;
use super::ber::BerReader;
use super::content::{CipherParameters, Decryptor};
use super::der::{CONTEXT_0, CONTEXT_1, Cursor, INTEGER, OCTET_STRING, OID, SEQUENCE, SET};
use super::key_transport::StatedTransport;
use super::oid;
use crate::keystore::Identity;

/// Largest block of recipients, originator certificates or attributes held, in bytes.
const MAX_BLOCK: usize = 1024 * 1024;
const OCTET_STRING_CONSTRUCTED: u8 = 0x24;
/// Ciphertext bytes decrypted at a time.
const STEP: usize = 64 * 1024;

/// Decrypts a CMS EnvelopedData read from `R`; reading gives the plaintext.
///
/// **What has been read is not yet proven.** Wrong padding, a wrong tag, a cut-off message and trailing data show
/// only at the end, as an error from `read`. Do not hand plaintext on before `read` has returned `Ok(0)`. AES-CBC
/// never proves that the content is unaltered (the signed ASiC-E inside does); AES-GCM does, at the end:
/// [`is_authenticated`](Self::is_authenticated).
///
/// Errors come as `io::Error`; [`CmsError::from_io`] gives the typed one. Memory use is constant.
pub struct EnvelopeReader<R: Read> {
    source: BerReader<R>,
    decryptor: Option<Decryptor>,
    authenticates: bool,
    /// Frames open where the content begins; less means that it has ended.
    base: usize,
    /// Value bytes left in the current piece.
    remaining: u64,
    /// The content is one primitive OCTET STRING.
    primitive: bool,
    cipher: Vec<u8>,
    plain: Vec<u8>,
    position: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Content,
    Complete,
    Failed,
}

impl<R: Read> EnvelopeReader<R> {
    /// Reads the head of the message and decrypts the content key with this identity.
    pub fn open(inner: R, identity: &Identity) -> Result<Self, CmsError> {
        Self::open_with_any(inner, &[identity])
    }

    /// The same with several identities (old and new key during a change): the one that the message names is
    /// used, else the first. Only KeyTransRecipientInfo is looked at; other kinds of recipient are passed over.
    pub fn open_with_any(inner: R, identities: &[&Identity]) -> Result<Self, CmsError> {
        let mut source = BerReader::new(inner);
        let outer = source.expect(SEQUENCE, "ContentInfo")?;
        source.enter(outer)?;
        let kind = read_der(&mut source, OID, "contentType")?;
        if kind.get(2..) != Some(oid::ENVELOPED_DATA) {
            return Err(CmsError::ContentType {
                expected: "envelopedData",
                found: oid::dotted(&kind[2..]),
            });
        }
        let content = source.expect(CONTEXT_0, "the content of ContentInfo")?;
        source.enter(content)?;
        let enveloped = source.expect(SEQUENCE, "EnvelopedData")?;
        source.enter(enveloped)?;
        read_der(&mut source, INTEGER, "the version of EnvelopedData")?;
        let mut next = source.next()?.ok_or(CmsError::Malformed("recipientInfos"))?;
        if next.tag == CONTEXT_0 {
            source.element(next, "originatorInfo", MAX_BLOCK)?;
            next = source.next()?.ok_or(CmsError::Malformed("recipientInfos"))?;
        }
        if next.tag != SET {
            return Err(CmsError::Malformed("recipientInfos"));
        }
        let recipients = source.element(next, "recipientInfos", MAX_BLOCK)?;

        let content_info = source.expect(SEQUENCE, "EncryptedContentInfo")?;
        source.enter(content_info)?;
        read_der(&mut source, OID, "the type of the encrypted content")?;
        let algorithm = read_der(&mut source, SEQUENCE, "contentEncryptionAlgorithm")?;
        let parameters = CipherParameters::parse(&algorithm)?;
        let decryptor = open_content_key(&recipients, &parameters, identities)?;
        let authenticates = decryptor.authenticates();

        let encrypted = source
            .next()?
            .ok_or(CmsError::Malformed("encryptedContent is missing"))?;
        let (primitive, remaining) = match (encrypted.tag, encrypted.length) {
            (0x80, Some(length)) => (true, length),
            (CONTEXT_0, _) => {
                source.enter(encrypted)?;
                (false, 0)
            }
            _ => return Err(CmsError::Malformed("encryptedContent")),
        };
        let base = source.depth();
        Ok(Self {
            source,
            decryptor: Some(decryptor),
            authenticates,
            base,
            remaining,
            primitive,
            cipher: Vec::with_capacity(STEP),
            plain: Vec::with_capacity(STEP + 32),
            position: 0,
            state: State::Content,
        })
    }

    /// Whether the whole content was read and its AES-GCM tag found right. Always `false` for AES-CBC.
    pub fn is_authenticated(&self) -> bool {
        self.authenticates && self.is_complete()
    }

    /// Whether the whole message was read to its end without an error.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete && self.position == self.plain.len()
    }

    /// Gives back the stream below. Bytes that were read ahead are lost.
    pub fn into_inner(self) -> R {
        self.source.into_inner()
    }

    /// Decrypts a step of content into `plain`.
    fn advance(&mut self) -> Result<(), CmsError> {
        self.plain.clear();
        self.position = 0;
        self.cipher.clear();
        while self.cipher.len() < STEP {
            if self.remaining == 0 && !self.next_piece()? {
                break;
            }
            let room = STEP - self.cipher.len();
            self.remaining -= self.source.value_bytes(self.remaining, &mut self.cipher, room)?;
        }
        let Some(decryptor) = self.decryptor.as_mut() else {
            return Ok(());
        };
        if !self.cipher.is_empty() {
            return decryptor.update(&self.cipher, &mut self.plain);
        }
        if let Some(decryptor) = self.decryptor.take() {
            decryptor.finish(&mut self.plain)?;
        }
        self.read_tail()?;
        self.state = State::Complete;
        Ok(())
    }

    /// Finds the next piece that has bytes. `false` at the end of the content.
    fn next_piece(&mut self) -> Result<bool, CmsError> {
        if self.primitive || self.source.depth() < self.base {
            return Ok(false);
        }
        loop {
            match self.source.next()? {
                Some(header) if header.tag == OCTET_STRING => {
                    self.remaining = header.length.unwrap_or(0);
                    if self.remaining > 0 {
                        return Ok(true);
                    }
                }
                Some(header) if header.tag == OCTET_STRING_CONSTRUCTED => self.source.enter(header)?,
                Some(_) => return Err(CmsError::Malformed("a piece of encryptedContent")),
                None => {
                    self.source.leave();
                    if self.source.depth() < self.base {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Reads what may follow the content (unprotected attributes, ends) up to the end of the input.
    fn read_tail(&mut self) -> Result<(), CmsError> {
        if self.source.next()?.is_some() {
            return Err(CmsError::Malformed("something behind encryptedContent"));
        }
        self.source.leave();
        while let Some(extra) = self.source.next()? {
            if extra.tag != CONTEXT_1 {
                return Err(CmsError::Malformed("something behind EncryptedContentInfo"));
            }
            self.source.element(extra, "unprotectedAttrs", MAX_BLOCK)?;
        }
        self.source.leave();
        for _ in 0..2 {
            if self.source.next()?.is_some() {
                return Err(CmsError::Malformed("something behind EnvelopedData"));
            }
            self.source.leave();
        }
        self.source.end()
    }
}

impl<R: Read> Read for EnvelopeReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.position == self.plain.len() {
            match self.state {
                State::Complete => return Ok(0),
                // An error must not turn into a quiet end for a caller who reads on.
                State::Failed => return Err(CmsError::Malformed("read on after an error").into()),
                State::Content => {
                    if let Err(error) = self.advance() {
                        self.state = State::Failed;
                        self.plain.clear();
                        self.position = 0;
                        return Err(error.into());
                    }
                }
            }
        }
        let ready = &self.plain[self.position..];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.position += count;
        Ok(count)
    }
}

impl<R: Read> std::fmt::Debug for EnvelopeReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvelopeReader").finish_non_exhaustive()
    }
}

fn read_der<R: Read>(source: &mut BerReader<R>, tag: u8, what: &'static str) -> Result<Vec<u8>, CmsError> {
    let header = source.expect(tag, what)?;
    // Object identifiers and algorithm parameters are short; anything longer is an attack.
    source.element(header, what, 4096)
}

/// One KeyTransRecipientInfo.
struct Recipient<'a> {
    issuer_and_serial: Option<&'a [u8]>,
    key_identifier: Option<&'a [u8]>,
    algorithm: &'a [u8],
    encrypted_key: &'a [u8],
}

impl<'a> Recipient<'a> {
    fn parse(value: &'a [u8]) -> Result<Self, CmsError> {
        let mut fields = Cursor::new(value);
        fields.expect(INTEGER, "the version of a recipient")?;
        let issuer_and_serial = fields.optional(SEQUENCE)?.map(|t| t.whole);
        let key_identifier = if issuer_and_serial.is_none() {
            Some(fields.expect(0x80, "the identifier of a recipient")?.value)
        } else {
            None
        };
        let algorithm = fields.expect(SEQUENCE, "keyEncryptionAlgorithm")?.whole;
        let encrypted_key = fields.expect(OCTET_STRING, "encryptedKey")?.value;
        fields.end("a recipient")?;
        Ok(Self {
            issuer_and_serial,
            key_identifier,
            algorithm,
            encrypted_key,
        })
    }

    fn names(&self, identity: &Identity) -> bool {
        let certificate = identity.certificate();
        match (self.issuer_and_serial, self.key_identifier) {
            (Some(stated), _) => stated == certificate.issuer_and_serial(),
            (None, Some(stated)) => certificate.subject_key_identifier() == Some(stated),
            (None, None) => false,
        }
    }

    /// Serial number or key identifier, for error texts.
    fn name(&self) -> String {
        let hex = |bytes: &[u8]| hex::encode_upper(&bytes[..bytes.len().min(32)]);
        if let Some(identifier) = self.key_identifier {
            return format!("key identifier {}", hex(identifier));
        }
        let serial = self.issuer_and_serial.and_then(|whole| {
            let whole = Cursor::new(whole).expect(SEQUENCE, "issuerAndSerialNumber").ok()?;
            let mut fields = Cursor::new(whole.value);
            fields.expect(SEQUENCE, "issuer").ok()?;
            Some(hex(fields.expect(INTEGER, "serialNumber").ok()?.value))
        });
        format!("serial number {}", serial.as_deref().unwrap_or("unknown"))
    }
}

fn open_content_key(
    recipients: &[u8],
    parameters: &CipherParameters,
    identities: &[&Identity],
) -> Result<Decryptor, CmsError> {
    let set = Cursor::new(recipients).expect(SET, "recipientInfos")?;
    let mut elements = Cursor::new(set.value);
    let mut known = Vec::new();
    while let Some(element) = elements.next()? {
        // Other kinds (key agreement, password, …) are context-tagged.
        if element.tag == SEQUENCE {
            known.push(Recipient::parse(element.value)?);
        }
    }
    let first = known.first().ok_or(CmsError::NoRecipient)?;
    let default = *identities.first().ok_or(CmsError::NoIdentity)?;
    let named = known
        .iter()
        .find_map(|r| identities.iter().find(|i| r.names(i)).map(|i| (r, *i)));
    // As Java: without a match the own key is tried on the first recipient. Certificates are renewed with the
    // same key, and then the name is another while the key still fits.
    let (recipient, identity) = named.unwrap_or((first, default));
    let key = StatedTransport::parse(recipient.algorithm)?
        .decrypt(identity.key(), recipient.encrypted_key, parameters.key_length)?
        .ok_or_else(|| CmsError::WrongRecipient {
            recipient: recipient.name(),
            tried: identity.certificate().serial(),
        })?;
    parameters.decryptor(&key)
}
