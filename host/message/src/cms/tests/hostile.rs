//! Messages that were cut, altered or made up.

use std::io::Read as _;

use proptest::prelude::*;

use super::envelope::{CIPHERS, open, seal};
use crate::cms::{CmsError, ContentCipher, EnvelopeReader, KeyTransport, verify_detached};
use crate::keystore::testing::{KOMMUNE, payload};

#[test]
fn a_message_cut_anywhere_is_refused() {
    for cipher in CIPHERS {
        let message = seal(&payload(100), KeyTransport::RsaOaepSha256, cipher);
        for length in 0..message.len() {
            let error = open(&message[..length], &KOMMUNE.identity).unwrap_err();
            assert!(matches!(error, CmsError::Truncated), "cut at {length}: {error}");
        }
    }
}

#[test]
fn data_behind_the_end_is_refused() {
    for cipher in CIPHERS {
        let mut message = seal(b"x", KeyTransport::RsaOaepSha256, cipher);
        message.push(0);
        assert!(matches!(open(&message, &KOMMUNE.identity), Err(CmsError::TrailingData)));
    }
}

#[test]
fn a_broken_tag_is_refused() {
    let mut message = seal(&payload(1000), KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    let last_of_tag = message.len() - 11;
    message[last_of_tag] ^= 1;
    assert!(matches!(open(&message, &KOMMUNE.identity), Err(CmsError::BadTag)));
}

#[test]
fn one_altered_bit_of_gcm_content_is_refused() {
    let message = seal(&payload(1000), KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    for at in message.len() - 1000..message.len() - 10 {
        let mut altered = message.clone();
        altered[at] ^= 0x10;
        assert!(
            matches!(open(&altered, &KOMMUNE.identity), Err(CmsError::BadTag)),
            "at {at}"
        );
    }
}

#[test]
fn broken_padding_is_refused() {
    let mut message = seal(&payload(16), KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc);
    // The last block is all padding (16 × 16); its last byte hangs on the block before.
    let before_last_block = message.len() - 10 - 16 - 1;
    message[before_last_block] ^= 0x80;
    assert!(matches!(open(&message, &KOMMUNE.identity), Err(CmsError::BadPadding)));
}

#[test]
fn after_an_error_reading_on_is_an_error_too() {
    let mut message = seal(&payload(10), KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
    let last_of_tag = message.len() - 11;
    message[last_of_tag] ^= 1;
    let mut reader = EnvelopeReader::open(message.as_slice(), &KOMMUNE.identity).unwrap();
    let mut sink = Vec::new();
    assert!(reader.read_to_end(&mut sink).is_err());
    assert!(reader.read_to_end(&mut sink).is_err());
    assert!(!reader.is_complete());
}

#[test]
fn deep_nesting_and_lying_lengths_are_refused() {
    let deep = [0x30, 0x80].repeat(100_000);
    assert!(matches!(open(&deep, &KOMMUNE.identity), Err(CmsError::Malformed(_))));
    assert!(verify_detached(&deep, b"").is_err());
    let long = [
        0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x06, 0x84, 0xFF, 0xFF, 0xFF, 0xFF,
    ];
    assert!(matches!(open(&long, &KOMMUNE.identity), Err(CmsError::TooLarge(_))));
    assert!(verify_detached(&long, b"").is_err());
    let wide = [vec![0x24, 0x80], [0x04, 0x00].repeat(9_000_000)].concat();
    assert!(matches!(verify_detached(&wide, b""), Err(CmsError::TooLarge(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn made_up_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&bytes, &KOMMUNE.identity).is_err());
        prop_assert!(verify_detached(&bytes, b"content").is_err());
    }

    #[test]
    fn altered_bytes_never_open_to_other_gcm_content(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let plain = payload(300);
        let mut message = seal(&plain, KeyTransport::RsaOaepSha256, ContentCipher::Aes256Gcm);
        let at = at.index(message.len());
        message[at] ^= flip;
        // Parts outside the encryption (version numbers, the recipient's name) may change without harm.
        if let Ok(opened) = open(&message, &KOMMUNE.identity) {
            prop_assert_eq!(opened, plain);
        }
    }
}
