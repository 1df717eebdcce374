//! AES-GCM over a stream (NIST SP 800-38D), 96-bit nonce, no additional data.
//!
//! aws-lc-rs seals and opens only whole buffers, so the mode is put together from its AES-CTR and GHASH.
//! The tests hold it against the one-shot cipher of aws-lc-rs.

use aws_lc_rs::cipher::{Algorithm, EncryptionContext, StreamingEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use zeroize::Zeroizing;

use super::CmsError;

pub(super) const TAG: usize = 16;
pub(super) const NONCE: usize = 12;
/// 2^36 − 32 bytes: beyond that the 32-bit block counter would repeat.
const MAX_CONTENT: u64 = (1 << 36) - 32;
const BLOCK: usize = 16;

/// Keystream and running hash. CTR is its own inverse, so one type serves both directions.
pub(super) struct GcmStream {
    keystream: StreamingEncryptingKey,
    hash: GHash,
    partial: [u8; BLOCK],
    partial_length: usize,
    length: u64,
    tag_mask: Zeroizing<[u8; BLOCK]>,
}

impl GcmStream {
    pub(super) fn new(algorithm: &'static Algorithm, key: &[u8], nonce: &[u8; NONCE]) -> Result<Self, CmsError> {
        let mut hash_key = Zeroizing::new([0u8; BLOCK]);
        counter_mode(algorithm, key, [0; BLOCK])?
            .less_safe_update(&[0; BLOCK], hash_key.as_mut_slice())
            .map_err(|_| CmsError::Crypto("AES-CTR"))?;
        let mut first_counter = [0u8; BLOCK];
        first_counter[..NONCE].copy_from_slice(nonce);
        first_counter[BLOCK - 1] = 1;
        let mut keystream = counter_mode(algorithm, key, first_counter)?;
        let mut tag_mask = Zeroizing::new([0u8; BLOCK]);
        keystream
            .less_safe_update(&[0; BLOCK], tag_mask.as_mut_slice())
            .map_err(|_| CmsError::Crypto("AES-CTR"))?;
        Ok(Self {
            keystream,
            hash: GHash::new(&(*hash_key).into()),
            partial: [0; BLOCK],
            partial_length: 0,
            length: 0,
            tag_mask,
        })
    }

    /// Encrypts, appending as many bytes to `out` as there are in `plain`.
    pub(super) fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), CmsError> {
        let start = out.len();
        self.count(plain.len())?;
        self.apply_keystream(plain, out)?;
        self.absorb(&out[start..]);
        Ok(())
    }

    /// Decrypts, appending as many bytes to `out` as there are in `cipher`. Nothing is proven until the tag is.
    pub(super) fn decrypt(&mut self, cipher: &[u8], out: &mut Vec<u8>) -> Result<(), CmsError> {
        self.count(cipher.len())?;
        self.absorb(cipher);
        self.apply_keystream(cipher, out)
    }

    pub(super) fn tag(mut self) -> [u8; TAG] {
        if self.partial_length > 0 {
            let rest = self.partial;
            self.hash.update_padded(&rest[..self.partial_length]);
        }
        let mut lengths = [0u8; BLOCK];
        lengths[8..].copy_from_slice(&(self.length * 8).to_be_bytes());
        self.hash.update_padded(&lengths);
        let mut tag: [u8; TAG] = self.hash.finalize().into();
        for (byte, mask) in tag.iter_mut().zip(self.tag_mask.iter()) {
            *byte ^= mask;
        }
        tag
    }

    fn count(&mut self, more: usize) -> Result<(), CmsError> {
        self.length = self.length.saturating_add(more as u64);
        if self.length > MAX_CONTENT {
            Err(CmsError::ContentTooLong)
        } else {
            Ok(())
        }
    }

    fn apply_keystream(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CmsError> {
        let start = out.len();
        out.resize(start + input.len() + BLOCK, 0);
        let written = self
            .keystream
            .update(input, &mut out[start..])
            .map_err(|_| CmsError::Crypto("AES-CTR"))?
            .written()
            .len();
        out.truncate(start + written);
        Ok(())
    }

    fn absorb(&mut self, mut data: &[u8]) {
        if self.partial_length > 0 {
            let take = (BLOCK - self.partial_length).min(data.len());
            self.partial[self.partial_length..self.partial_length + take].copy_from_slice(&data[..take]);
            self.partial_length += take;
            data = &data[take..];
            if self.partial_length < BLOCK {
                return;
            }
            let block = self.partial;
            self.hash.update_padded(&block);
            self.partial_length = 0;
        }
        let whole = data.len() - data.len() % BLOCK;
        self.hash.update_padded(&data[..whole]);
        let rest = &data[whole..];
        self.partial[..rest.len()].copy_from_slice(rest);
        self.partial_length = rest.len();
    }
}

fn counter_mode(
    algorithm: &'static Algorithm,
    key: &[u8],
    counter: [u8; BLOCK],
) -> Result<StreamingEncryptingKey, CmsError> {
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| CmsError::Crypto("AES key"))?;
    StreamingEncryptingKey::less_safe_ctr(key, EncryptionContext::Iv128(FixedLength::from(counter)))
        .map_err(|_| CmsError::Crypto("AES-CTR"))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use aws_lc_rs::cipher::AES_256;

    use super::*;

    #[test]
    fn the_stream_gives_what_the_one_shot_cipher_gives() {
        let key = [7u8; 32];
        let nonce = [9u8; NONCE];
        for length in [0usize, 1, 15, 16, 17, 31, 32, 33, 999, 65_537] {
            let plain: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut expected = plain.clone();
            LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap())
                .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut expected)
                .unwrap();
            for step in [1usize, 5, 16, 17, 4096, 100_000] {
                if step == 1 && length > 2000 {
                    continue;
                }
                let mut stream = GcmStream::new(&AES_256, &key, &nonce).unwrap();
                let mut sealed = Vec::new();
                for piece in plain.chunks(step) {
                    stream.encrypt(piece, &mut sealed).unwrap();
                }
                sealed.extend_from_slice(&stream.tag());
                assert_eq!(sealed, expected, "length {length}, step {step}");

                let mut stream = GcmStream::new(&AES_256, &key, &nonce).unwrap();
                let mut opened = Vec::new();
                for piece in sealed[..length].chunks(step) {
                    stream.decrypt(piece, &mut opened).unwrap();
                }
                assert_eq!(opened, plain);
                assert_eq!(stream.tag(), sealed[length..]);
            }
        }
    }
}
