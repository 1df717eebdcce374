//! Writes EnvelopedData for one recipient, forward only.

use std::io::{self, Read, Write};

use super::CmsError;
use super::content::{ContentCipher, Encryptor, fresh_key};
use super::der::{OCTET_STRING, OID, SEQUENCE, SET, push_length, tlv};
use super::key_transport::KeyTransport;
use super::oid;
use crate::x509::Certificate;

/// Ciphertext bytes per OCTET STRING piece. Readers take any size; larger pieces cost less framing.
const PIECE: usize = 64 * 1024;
const CONTENT_KEY: usize = 32;
/// Start of an element of indefinite length: the length octet, and the two octets that end it.
const INDEFINITE: u8 = 0x80;
const END: [u8; 2] = [0, 0];

/// Encrypts what is written to it into a CMS EnvelopedData (BER, indefinite lengths) on `W`.
///
/// Exactly one recipient, by issuer and serial number: Java peers look at the first recipient only. Memory use
/// is constant. Without [`finish`](Self::finish) the message is cut off, and readers say so.
pub struct EnvelopeWriter<W: Write> {
    inner: W,
    encryptor: Option<Encryptor>,
    pending: Vec<u8>,
}

impl<W: Write> EnvelopeWriter<W> {
    /// Writes the head of the message. Fails if the certificate holds no usable RSA key or `inner` fails.
    pub fn new(
        mut inner: W,
        recipient: &Certificate,
        transport: KeyTransport,
        cipher: ContentCipher,
    ) -> Result<Self, CmsError> {
        let content_key = fresh_key(CONTENT_KEY)?;
        let encrypted_key = transport.encrypt(recipient, &content_key)?;
        let (encryptor, cipher_algorithm) = Encryptor::new(cipher, &content_key)?;
        let version_0 = [0x02, 0x01, 0x00];
        let recipient_info = tlv(
            SEQUENCE,
            &[
                &version_0,
                &recipient.issuer_and_serial(),
                transport.algorithm(),
                &tlv(OCTET_STRING, &[&encrypted_key]),
            ],
        );
        let mut head = vec![SEQUENCE, INDEFINITE];
        head.extend(tlv(OID, &[oid::ENVELOPED_DATA]));
        head.extend([0xA0, INDEFINITE, SEQUENCE, INDEFINITE]);
        head.extend(version_0);
        head.extend(tlv(SET, &[&recipient_info]));
        head.extend([SEQUENCE, INDEFINITE]);
        head.extend(tlv(OID, &[oid::DATA]));
        head.extend(cipher_algorithm);
        head.extend([0xA0, INDEFINITE]);
        inner.write_all(&head).map_err(CmsError::from_io)?;
        Ok(Self {
            inner,
            encryptor: Some(encryptor),
            pending: Vec::new(),
        })
    }

    /// Ends the content and the message, flushes, and gives back the stream below.
    pub fn finish(mut self) -> Result<W, CmsError> {
        self.end()?;
        self.inner.flush().map_err(CmsError::from_io)?;
        Ok(self.inner)
    }

    fn end(&mut self) -> Result<(), CmsError> {
        if let Some(encryptor) = self.encryptor.take() {
            encryptor.finish(&mut self.pending)?;
            self.write_pieces(1)?;
            // Ends of: encryptedContent, EncryptedContentInfo, EnvelopedData, [0], ContentInfo.
            self.inner.write_all(&END.repeat(5)).map_err(CmsError::from_io)?;
        }
        Ok(())
    }

    /// Writes pieces as long as at least `least` bytes wait.
    fn write_pieces(&mut self, least: usize) -> Result<(), CmsError> {
        let mut done = 0;
        while self.pending.len() - done >= least {
            let piece = &self.pending[done..(done + PIECE).min(self.pending.len())];
            let mut head = vec![OCTET_STRING];
            push_length(&mut head, piece.len());
            self.inner.write_all(&head).map_err(CmsError::from_io)?;
            self.inner.write_all(piece).map_err(CmsError::from_io)?;
            done += piece.len();
        }
        self.pending.drain(..done);
        Ok(())
    }
}

impl<W: Write> Write for EnvelopeWriter<W> {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        let plain = &plain[..plain.len().min(PIECE)];
        let Some(encryptor) = self.encryptor.as_mut() else {
            return Err(io::Error::other("the CMS message is already finished"));
        };
        encryptor.update(plain, &mut self.pending)?;
        self.write_pieces(PIECE)?;
        Ok(plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> std::fmt::Debug for EnvelopeWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnvelopeWriter").finish_non_exhaustive()
    }
}

/// The same as a source: reading gives the CMS message over the plaintext that `R` gives.
///
/// An error of `R` comes through, and the message stays without its end.
pub struct SealingReader<R: Read> {
    plain: R,
    writer: EnvelopeWriter<Vec<u8>>,
    buffer: Vec<u8>,
    position: usize,
    done: bool,
}

impl<R: Read> SealingReader<R> {
    /// Prepares the head of the message. Fails if the certificate holds no usable RSA key.
    pub fn new(
        plain: R,
        recipient: &Certificate,
        transport: KeyTransport,
        cipher: ContentCipher,
    ) -> Result<Self, CmsError> {
        let writer = EnvelopeWriter::new(Vec::new(), recipient, transport, cipher)?;
        Ok(Self {
            plain,
            writer,
            buffer: vec![0; PIECE],
            position: 0,
            done: false,
        })
    }
}

impl<R: Read> Read for SealingReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.position == self.writer.inner.len() && !self.done {
            self.writer.inner.clear();
            self.position = 0;
            let count = self.plain.read(&mut self.buffer)?;
            if count == 0 {
                self.writer.end()?;
                self.done = true;
            } else {
                self.writer.write_all(&self.buffer[..count])?;
            }
        }
        let ready = &self.writer.inner[self.position..];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.position += count;
        Ok(count)
    }
}

impl<R: Read> std::fmt::Debug for SealingReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealingReader").finish_non_exhaustive()
    }
}
