//! KRR's signatures: compact JWS, RS256, with the signer's certificate in `x5c` (Spec: service registry, 6.5).

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use serde_json::json;

/// How an answer is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// By KRR.
    #[default]
    Good,
    /// By somebody else, with a certificate of another authority of the same name.
    Stranger,
    /// By KRR, and then the payload was changed.
    Changed,
    /// Not at all: `alg` is `none`.
    None,
}

/// Empty when the machine cannot make keys.
#[derive(Debug, Default)]
pub(super) struct Signers {
    own: OnceLock<Option<Signer>>,
    stranger: OnceLock<Option<Signer>>,
}

#[derive(Debug)]
struct Signer {
    key: RsaKeyPair,
    der: Vec<u8>,
    pem: String,
    authority: String,
}

impl Signers {
    pub(super) fn authority(&self) -> &str {
        self.own().map_or("", |signer| &signer.authority)
    }

    pub(super) fn certificate(&self) -> &str {
        self.own().map_or("", |signer| &signer.pem)
    }

    fn own(&self) -> Option<&Signer> {
        self.own.get_or_init(Signer::new).as_ref()
    }

    fn stranger(&self) -> Option<&Signer> {
        self.stranger.get_or_init(Signer::new).as_ref()
    }

    pub(super) fn sign(&self, signature: Signature, payload: &str) -> String {
        let by = |signer: Option<&Signer>, algorithm| signer.map_or_else(String::new, |by| by.sign(algorithm, payload));
        match signature {
            Signature::Good => by(self.own(), "RS256"),
            Signature::Stranger => by(self.stranger(), "RS256"),
            Signature::None => {
                let signed = by(self.own(), "none");
                let unsigned = signed.rsplit_once('.').map_or("", |(unsigned, _)| unsigned);
                format!("{unsigned}.")
            }
            Signature::Changed => {
                let signed = by(self.own(), "RS256");
                let changed = URL_SAFE_NO_PAD.encode(format!("{payload} "));
                let mut parts: Vec<&str> = signed.split('.').collect();
                if let Some(part) = parts.get_mut(1) {
                    *part = &changed;
                }
                parts.join(".")
            }
        }
    }
}

impl Signer {
    fn new() -> Option<Self> {
        Self::made()
            .inspect_err(|error| tracing::error!(%error, "a double cannot make a key"))
            .ok()
    }

    fn made() -> Result<Self, rcgen::Error> {
        let authority_key = KeyPair::generate()?;
        let mut authority = params("Budstikke Test KRR CA");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let certificate = params("Budstikke Test KRR").signed_by(&key, &issuer)?;
        Ok(Self {
            key: RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?,
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            authority: authority_pem,
        })
    }

    fn sign(&self, algorithm: &str, payload: &str) -> String {
        let header = json!({ "alg": algorithm, "x5c": [STANDARD.encode(&self.der)] });
        let signed = [header.to_string().as_str(), payload]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let mut signature = vec![0; self.key.public_modulus_len()];
        // Without randomness there is no signature, and nobody believes the zeros.
        if let Err(error) = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            signed.as_bytes(),
            &mut signature,
        ) {
            tracing::error!(%error, "a double failed");
        }
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params
}
