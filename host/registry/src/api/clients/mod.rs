//! Who asks: bearer tokens of the issuers that the operator trusts. Spec: service registry, 2.1.
//!
//! A [`token`] is read and its claims are checked; the keys of its [`issuer`] say whether it is genuine. What was found is
//! remembered until the token ends, so a client with many questions costs one verification.

mod issuer;
mod keys;
mod token;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use budstikke_message::identifier::{Identifier, Iso6523, OrganisationNumber};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;

use super::generations::{Generations, Key};
use crate::caller::{Caller, CallerToken};
use crate::config;
use issuer::{Issuer, Unknown};
use token::{Claims, Token};

pub use issuer::IssuerError;

/// Tokens in one generation of the memory.
const REMEMBERED: usize = 10_000;
/// Longest time that a token is believed without looking at it again, seconds: a key may have been withdrawn.
const BELIEVED: i64 = 600;
/// Longest token, bytes. Those of Maskinporten have one or two thousand.
const LONGEST: usize = 16 << 10;

/// A client that has shown who it is.
#[derive(Debug)]
pub(super) struct Client {
    /// `None`: no claim `consumer`, or one that is no ISO 6523.
    organisation: Option<Iso6523>,
    /// What the token allows.
    pub(super) scopes: BTreeSet<String>,
    /// The token itself.
    pub(super) token: CallerToken,
}

impl Client {
    /// As one that looks up; `None` when the token does not say which organisation it is.
    pub(super) fn caller(&self) -> Option<Caller> {
        Some(Caller {
            organisation: self.organisation.clone()?,
            scopes: self.scopes.clone(),
            token: self.token.clone(),
        })
    }
}

/// Why somebody is no client. Texts never hold the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unauthenticated {
    /// No bearer token.
    #[error("a bearer token is needed")]
    NoToken,
    /// One that does not count.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The issuer's keys could not be had: nobody knows whether it counts.
    #[error("the issuer of the token cannot be asked for its keys now")]
    CannotTell,
}

#[derive(Clone)]
struct Remembered {
    client: Arc<Client>,
    until: i64,
}

/// All who may ask.
pub struct Clients {
    issuers: Vec<Issuer>,
    open: Option<Arc<Client>>,
    remembered: Mutex<Generations<Remembered>>,
}

impl Clients {
    /// What the operator says; `all_scopes` is what a call without a token may. Fails when a file with keys cannot be read.
    pub fn new(settings: &config::Clients, all_scopes: BTreeSet<String>) -> Result<Self, IssuerError> {
        let own: Option<OrganisationNumber> = settings
            .organisation
            .as_ref()
            .filter(|_| settings.open)
            .and_then(|number| number.parse().ok());
        Ok(Self {
            issuers: settings.issuers.iter().map(Issuer::new).collect::<Result<_, _>>()?,
            open: own.map(|number| {
                Arc::new(Client {
                    organisation: Some(Iso6523::from(&number)),
                    scopes: all_scopes,
                    token: CallerToken::new(String::new()),
                })
            }),
            remembered: Mutex::new(Generations::new(REMEMBERED)),
        })
    }

    /// Who sends a request.
    pub(super) async fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Client>, Unauthenticated> {
        let Some(text) = bearer(headers)? else {
            return self.open.clone().ok_or(Unauthenticated::NoToken);
        };
        if text.len() > LONGEST {
            return Err(Unauthenticated::Invalid("it is too long"));
        }
        let now = Timestamp::now().as_second();
        let key = Key::try_from(digest(&SHA256, text.as_bytes()).as_ref())
            .map_err(|_| Unauthenticated::Invalid("it cannot be hashed"))?;
        if let Some(known) = self.remembered().get(&key) {
            if now < known.until {
                return Ok(known.client);
            }
            self.remembered().remove(&key);
        }
        let claims = self.verified(text, now).await?;
        let until = claims.end().min(now + BELIEVED);
        let client = Arc::new(Client {
            organisation: claims.consumer().and_then(organisation),
            scopes: claims.scopes(),
            token: CallerToken::new(text.to_owned()),
        });
        let known = Remembered {
            client: Arc::clone(&client),
            until,
        };
        self.remembered().put(key, known, 1);
        Ok(client)
    }

    async fn verified(&self, text: &str, now: i64) -> Result<Claims, Unauthenticated> {
        let token = Token::read(text)?;
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.name() == token.claims.issuer())
            .ok_or(Unauthenticated::Invalid("its issuer is not trusted here"))?;
        // Before the signature: an old token must not cause questions to the issuer.
        token.claims.check(issuer.audience(), now)?;
        let genuine = issuer
            .verifies(token.jws.key_id(), token.jws.signed(), token.jws.signature())
            .await
            .map_err(|unknown| match unknown {
                Unknown::Key => Unauthenticated::Invalid("its issuer has no such key"),
                Unknown::Issuer => Unauthenticated::CannotTell,
            })?;
        if genuine {
            Ok(token.claims)
        } else {
            Err(Unauthenticated::Invalid("its signature is wrong"))
        }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, Generations<Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The organisation of a claim `consumer`.
fn organisation(id: &str) -> Option<Iso6523> {
    match Identifier::parse_any(id) {
        Ok(Identifier::Iso6523(organisation)) => Some(organisation),
        _ => None,
    }
}

/// The one bearer token of a request. Two are none: nobody knows which one a proxy looked at.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Unauthenticated> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    let unreadable = Unauthenticated::Invalid("the header Authorization cannot be read");
    if all.next().is_some() {
        return Err(unreadable);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .ok_or(unreadable)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim()))
    } else {
        Err(Unauthenticated::NoToken)
    }
}
