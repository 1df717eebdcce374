//! The signed grant that a client sends (Spec: DPO and DPV, 1.1).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::key::PublicKey;
use super::refusal::Refusal;

/// Longest assertion that is looked at, in bytes.
const LONGEST: usize = 32 * 1024;

/// An assertion that has the right shape; nothing in it is verified yet.
#[derive(Debug)]
pub(crate) struct Assertion<'a> {
    pub(crate) claims: Claims,
    signer: Signer,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Debug)]
enum Signer {
    Certificate(Vec<u8>),
    Kid(String),
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    x5c: Option<Vec<String>>,
    kid: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: String,
    pub(crate) iss: String,
    pub(crate) scope: String,
    pub(crate) jti: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    #[serde(default)]
    pub(crate) authorization_details: Option<Vec<AuthorizationDetail>>,
    /// For whom the token is to be, beside the client's own organisation.
    #[serde(default)]
    pub(crate) consumer_org: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct AuthorizationDetail {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) systemuser_org: SystemUserOrganisation,
    #[serde(rename = "externalRef")]
    pub(crate) external_ref: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SystemUserOrganisation {
    pub(crate) authority: String,
    #[serde(rename = "ID")]
    pub(crate) id: String,
}

impl<'a> Assertion<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::grant(format!("The assertion is longer than {LONGEST} bytes")));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(not_a_jws)?;
        let (header, claims) = signed.split_once('.').ok_or_else(not_a_jws)?;
        let header: Header = part("header", header)?;
        if header.alg != "RS256" {
            return Err(Refusal::grant(format!(
                "The assertion must be signed with RS256, not {:.20}",
                header.alg
            )));
        }
        let signer = match (header.x5c, header.kid) {
            (Some(chain), None) => {
                let leaf = chain.first().ok_or_else(|| Refusal::grant("x5c is empty"))?;
                Signer::Certificate(
                    STANDARD
                        .decode(leaf)
                        .map_err(|_| Refusal::grant("x5c does not hold standard Base64"))?,
                )
            }
            (None, Some(kid)) => Signer::Kid(kid),
            (Some(_), Some(_)) => return Err(Refusal::grant("The header has both x5c and kid")),
            (None, None) => return Err(Refusal::grant("The header has neither x5c nor kid")),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| not_a_jws())?;
        Ok(Self {
            claims: part("claims", claims)?,
            signer,
            signed,
            signature,
        })
    }

    /// Whether one of the client's registered keys signed this.
    pub(crate) fn verify(&self, keys: &[PublicKey]) -> Result<(), Refusal> {
        let named = keys.iter().find(|key| match (key, &self.signer) {
            (PublicKey::Certificate { der, .. }, Signer::Certificate(leaf)) => der == leaf,
            (PublicKey::Jwk { kid, .. }, Signer::Kid(wanted)) => kid == wanted,
            _ => false,
        });
        let key = named.ok_or_else(|| {
            Refusal::client(match self.signer {
                Signer::Certificate(_) => "The certificate in x5c is not registered for the client",
                Signer::Kid(_) => "The kid is not registered for the client",
            })
        })?;
        if key.verifies(self.signed.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(Refusal::grant("The signature of the assertion is wrong"))
        }
    }
}

fn not_a_jws() -> Refusal {
    Refusal::grant("The assertion is not a compact JWS")
}

fn part<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| not_a_jws())?;
    serde_json::from_slice(&json).map_err(|error| Refusal::grant(format!("The {name} of the assertion: {error}")))
}
