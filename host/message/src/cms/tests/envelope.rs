use std::io::{Read as _, Write as _};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::OAEP_SHA256_MGF1SHA256;

use crate::cms::der::Cursor;
use crate::cms::{CmsError, ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport, SealingReader, ber, oid};
use crate::keystore::Identity;
use crate::keystore::testing::{KOMMUNE, SIZES, STRANGER, payload};

pub(super) const TRANSPORTS: [KeyTransport; 2] = [KeyTransport::RsaOaepSha256, KeyTransport::RsaPkcs1v15];
pub(super) const CIPHERS: [ContentCipher; 2] = [ContentCipher::Aes256Cbc, ContentCipher::Aes256Gcm];

pub(super) fn seal(plain: &[u8], transport: KeyTransport, cipher: ContentCipher) -> Vec<u8> {
    let mut writer = EnvelopeWriter::new(Vec::new(), KOMMUNE.identity.certificate(), transport, cipher).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

pub(super) fn open(message: &[u8], identity: &Identity) -> Result<Vec<u8>, CmsError> {
    let mut reader = EnvelopeReader::open(message, identity)?;
    let mut plain = Vec::new();
    reader.read_to_end(&mut plain).map_err(CmsError::from_io)?;
    assert!(reader.is_complete());
    Ok(plain)
}

#[test]
fn every_size_comes_back_with_every_algorithm() {
    for size in SIZES {
        let plain = payload(size);
        for (transport, cipher) in TRANSPORTS.iter().flat_map(|t| CIPHERS.iter().map(|c| (*t, *c))) {
            let message = seal(&plain, transport, cipher);
            let opened = open(&message, &KOMMUNE.identity).unwrap();
            assert!(opened == plain, "{size} bytes with {transport:?} and {cipher:?}");
        }
    }
}

#[test]
fn small_writes_and_small_reads_give_the_same() {
    let plain = payload(200_001);
    let certificate = KOMMUNE.identity.certificate();
    for cipher in CIPHERS {
        let mut writer = EnvelopeWriter::new(Vec::new(), certificate, KeyTransport::RsaOaepSha256, cipher).unwrap();
        for piece in plain.chunks(777) {
            writer.write_all(piece).unwrap();
        }
        let message = writer.finish().unwrap();
        let mut reader = EnvelopeReader::open(message.as_slice(), &KOMMUNE.identity).unwrap();
        let mut opened = Vec::new();
        let mut buffer = [0u8; 333];
        loop {
            let count = reader.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            opened.extend_from_slice(&buffer[..count]);
        }
        assert!(opened == plain);
    }
}

#[test]
fn the_sealing_reader_gives_a_message_that_opens() {
    for size in SIZES {
        let plain = payload(size);
        let mut message = Vec::new();
        SealingReader::new(
            plain.as_slice(),
            KOMMUNE.identity.certificate(),
            KeyTransport::RsaOaepSha256,
            ContentCipher::Aes256Cbc,
        )
        .unwrap()
        .read_to_end(&mut message)
        .unwrap();
        assert!(open(&message, &KOMMUNE.identity).unwrap() == plain);
    }
}

#[test]
fn the_key_transport_identifier_is_exactly_the_one_of_java() {
    let message = seal(b"x", KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc);
    assert_eq!(&message[..2], &[0x30, 0x80]);
    assert!(
        message
            .windows(oid::ALG_OAEP_SHA256.len())
            .any(|w| w == oid::ALG_OAEP_SHA256)
    );
    let issuer_and_serial = KOMMUNE.identity.certificate().issuer_and_serial();
    assert!(message.windows(issuer_and_serial.len()).any(|w| w == issuer_and_serial));
}

#[test]
fn gcm_content_is_what_the_one_shot_cipher_opens() {
    let plain = payload(150_000);
    let message = seal(&plain, KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    let der = ber::to_der(&message, "message", 1 << 20).unwrap();
    // ContentInfo → [0] → EnvelopedData
    let outer = Cursor::new(&der).next().unwrap().unwrap();
    let mut fields = Cursor::new(outer.value);
    fields.next().unwrap();
    let explicit = fields.next().unwrap().unwrap();
    let enveloped = Cursor::new(explicit.value).next().unwrap().unwrap();
    let mut fields = Cursor::new(enveloped.value);
    assert_eq!(
        fields.next().unwrap().unwrap().value,
        [0],
        "plain EnvelopedData of version 0"
    );
    let recipients = fields.next().unwrap().unwrap();
    let content_info = fields.next().unwrap().unwrap();
    let recipient = Cursor::new(recipients.value).next().unwrap().unwrap();
    let encrypted_key = recipient.value.split_at(recipient.value.len() - 256).1;
    let key = KOMMUNE
        .identity
        .key()
        .decrypt_oaep(&OAEP_SHA256_MGF1SHA256, encrypted_key)
        .unwrap();

    let mut fields = Cursor::new(content_info.value);
    fields.next().unwrap();
    let algorithm = fields.next().unwrap().unwrap();
    assert_eq!(&algorithm.value[..11], [&[0x06, 0x09], oid::AES256_GCM].concat());
    assert_eq!(
        &algorithm.value[11..15],
        &[0x30, 0x11, 0x04, 0x0C],
        "a nonce of 12 bytes"
    );
    assert_eq!(&algorithm.value[27..], &[0x02, 0x01, 0x10], "a tag of 16 bytes");
    let nonce: [u8; 12] = algorithm.value[15..27].try_into().unwrap();
    let mut sealed = Vec::new();
    let pieces = fields.next().unwrap().unwrap();
    let mut pieces = Cursor::new(pieces.value);
    while let Some(piece) = pieces.next().unwrap() {
        sealed.extend_from_slice(piece.value);
    }
    let opened = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap())
        .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .unwrap();
    assert!(opened == plain);
}

#[test]
fn only_gcm_read_to_its_end_counts_as_authenticated() {
    let plain = payload(200_000);
    for cipher in CIPHERS {
        let message = seal(&plain, KeyTransport::RsaOaepSha256, cipher);
        let mut reader = EnvelopeReader::open(message.as_slice(), &KOMMUNE.identity).unwrap();
        let mut part = vec![0u8; 1000];
        reader.read_exact(&mut part).unwrap();
        assert!(!reader.is_authenticated() && !reader.is_complete());
        reader.read_to_end(&mut part).unwrap();
        assert!(reader.is_complete());
        assert_eq!(reader.is_authenticated(), cipher == ContentCipher::Aes256Gcm);
    }
}

#[test]
fn a_message_for_somebody_else_is_refused_by_name() {
    let message = seal(b"secret", KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc);
    let error = open(&message, &STRANGER.identity).unwrap_err();
    assert!(matches!(&error, CmsError::WrongRecipient { .. }), "{error}");
    assert!(
        error.to_string().contains("ABCDEF0123") && error.to_string().contains("77"),
        "{error}"
    );
}

#[test]
fn a_wrong_pkcs1_key_looks_like_altered_content_and_nothing_else() {
    let message = seal(&payload(64), KeyTransport::RsaPkcs1v15, ContentCipher::Aes256Gcm);
    assert!(matches!(open(&message, &STRANGER.identity), Err(CmsError::BadTag)));
}

#[test]
fn during_a_key_change_the_identity_that_the_message_names_is_used() {
    let message = seal(b"late", KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    let identities = [&STRANGER.identity, &KOMMUNE.identity];
    let mut reader = EnvelopeReader::open_with_any(message.as_slice(), &identities).unwrap();
    let mut plain = Vec::new();
    reader.read_to_end(&mut plain).unwrap();
    assert_eq!(plain, b"late");
    assert!(matches!(
        EnvelopeReader::open_with_any(message.as_slice(), &[]),
        Err(CmsError::NoIdentity)
    ));
}
