//! How a subscriber knows that an event is ours: a secret that both know, and HMAC-SHA256.

use std::io;

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use budstikke_store::Vault;
use zeroize::Zeroizing;

/// What a sealed secret is.
const CONTEXT: &str = "signing secret";
/// Bytes of chance in a secret that is made here.
const RANDOM: usize = 32;
/// Characters of a secret.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=256;

/// What the events of one subscription are signed with. Never printed.
pub struct SigningSecret(Zeroizing<String>);

/// The text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {} to {} printable ASCII characters", LENGTH.start(), LENGTH.end())]
pub struct NotASecret;

impl SigningSecret {
    /// One that the client chose.
    pub fn given(text: &str) -> Result<Self, NotASecret> {
        let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if printable && LENGTH.contains(&text.len()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(NotASecret)
        }
    }

    /// A new one.
    pub fn made() -> io::Result<Self> {
        let mut random = Zeroizing::new([0; RANDOM]);
        rand::fill(&mut *random).map_err(|_| io::Error::other("the system gives no random numbers"))?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(*random))))
    }

    /// Its text, for the client that is to know it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// For the database.
    pub fn seal(&self, vault: &Vault) -> io::Result<Vec<u8>> {
        vault.seal(CONTEXT, self.0.as_bytes())
    }

    /// From the database.
    pub fn unseal(vault: &Vault, sealed: &[u8]) -> io::Result<Self> {
        let text = String::from_utf8(vault.unseal(CONTEXT, sealed)?.to_vec()).map_err(io::Error::other)?;
        Ok(Self(Zeroizing::new(text)))
    }

    /// The value of `Budstikke-Signature` for a body that is sent at a time, in seconds since 1970.
    pub(super) fn sign(&self, seconds: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{seconds}.").as_bytes());
        context.update(body);
        format!("t={seconds},v1={}", hex::encode(context.sign()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_openssl_makes_of_time_and_body() {
        // printf '1553513903.{"event":"ping"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let secret = SigningSecret::given("0123456789abcdef").unwrap();
        assert_eq!(
            secret.sign(1_553_513_903, br#"{"event":"ping"}"#),
            "t=1553513903,v1=9220eb59c51d83036128ac6073bee70bacdcb965342f1795387e8e5662b63568"
        );
    }

    #[test]
    fn a_secret_has_its_length_and_can_be_printed() {
        for good in ["0123456789abcdef", "med mellomrom og !\"#~", &"x".repeat(256)] {
            assert!(SigningSecret::given(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            "linje\nskift-0123456789",
            "blåbærsyltetøy-0123456789",
            &"x".repeat(257),
        ] {
            assert!(SigningSecret::given(bad).is_err(), "{bad}");
        }
        let (one, other) = (SigningSecret::made().unwrap(), SigningSecret::made().unwrap());
        assert!(SigningSecret::given(one.reveal()).is_ok());
        assert_ne!(one.reveal(), other.reveal());
    }
}
