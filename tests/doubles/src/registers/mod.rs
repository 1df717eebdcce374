//! The outside registers of the address service, each under a path of its own (Spec: service registry, 6).
//!
//! | register | where |
//! |---|---|
//! | Enhetsregisteret | `/brreg/enhetsregisteret/api/{enheter,underenheter}/{number}` |
//! | ELMA | `/smp/{participant}`, `/smp/{participant}/services/{document type}` |
//! | virksert | `/virksert/api/v1/{participant}/{process}` |
//! | SvarUt's mottakersystemer | `/svarut/api/v2/mottakersystem` |
//! | KRR | `POST /krr/rest/v1/personer`, `/krr/rest/v2/printSertifikat` |
//! | Folkeregisteret | `/freg/person/personadresse/{person}` |
//! | Norsk Helsenett | `/nhn/{identifier}` |
//! | Fiks IO's catalogue | `/fiks/fiks-io/katalog/api/v1/kontoer/{id}` |

mod brreg;
mod content;
mod fiks;
mod freg;
mod krr;
mod ks;
mod nhn;
mod signer;
mod smp;
mod svarut;
mod virksert;

pub use content::Content;
pub use ks::{INTEGRATION_ID, INTEGRATION_PASSWORD, KS_SCOPE};
pub use signer::Signature;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::http::Method;
use serde_json::Value;

use self::signer::Signers;
use crate::faults::Route;
use crate::server::House;

/// `X-API-Key` that Folkeregisteret's gateway wants.
pub const FREG_API_KEY: &str = "freg-key";

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new()
        .merge(brreg::router())
        .merge(smp::router())
        .merge(virksert::router())
        .merge(svarut::router())
        .merge(krr::router())
        .merge(freg::router())
        .merge(nhn::router())
        .merge(fiks::router())
}

/// Which call of a register a request is, by method and path.
pub(crate) fn route(method: &Method, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    if method == Method::POST {
        return (parts == ["krr", "rest", "v1", "personer"]).then_some(Route::Contact);
    }
    if method != Method::GET {
        return None;
    }
    match parts.as_slice() {
        ["brreg", "enhetsregisteret", "api", "enheter", _] => Some(Route::Unit),
        ["brreg", "enhetsregisteret", "api", "underenheter", _] => Some(Route::SubUnit),
        ["smp", _] => Some(Route::ServiceGroup),
        ["smp", _, "services", _] => Some(Route::ServiceMetadata),
        ["virksert", "api", "v1", _, _] => Some(Route::Certificates),
        ["svarut", "api", "v2", "mottakersystem"] => Some(Route::ReceiverSystems),
        ["krr", "rest", "v2", "printSertifikat"] => Some(Route::Printer),
        ["freg", "person", "personadresse", _] => Some(Route::Resident),
        ["nhn", _] => Some(Route::HealthUnit),
        ["fiks", "fiks-io", "katalog", "api", "v1", "kontoer", _] => Some(Route::Account),
        [
            "fiks",
            "fiks-io",
            "katalog",
            "api",
            "v1",
            "kontoer",
            _,
            "offentligNokkel",
        ] => Some(Route::AccountKey),
        _ => None,
    }
}

/// What the registers know. Empty at the start; a test puts in what it needs.
#[derive(Debug, Default)]
pub struct Registers {
    known: RwLock<Known>,
    ks_tokens: RwLock<HashSet<String>>,
    signature: Mutex<Signature>,
    signers: OnceLock<Signers>,
}

/// The contents, by register.
#[derive(Debug, Default)]
struct Known {
    units: HashMap<String, Value>,
    sub_units: HashMap<String, Value>,
    /// By organisation, then document type: processes.
    registrations: HashMap<String, BTreeMap<String, Vec<String>>>,
    /// By organisation and process, in PEM.
    certificates: HashMap<(String, String), Vec<String>>,
    receiver_systems: HashMap<String, Vec<Value>>,
    contacts: HashMap<String, Value>,
    printer: Option<Value>,
    residents: HashMap<String, Value>,
    health_units: HashMap<String, Value>,
    accounts: HashMap<String, Value>,
    account_keys: HashMap<String, Value>,
}

impl Registers {
    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in. A document takes the place of the one with the same key; a registration, a certificate and a receiver
    /// system come beside what is there.
    pub fn put(&self, content: Content) {
        let mut known = self.change();
        match content {
            Content::Unit { number, document } => {
                known.units.insert(number, document);
            }
            Content::SubUnit { number, document } => {
                known.sub_units.insert(number, document);
            }
            Content::Registration {
                number,
                document_type,
                processes,
            } => {
                let registrations = known.registrations.entry(number).or_default();
                registrations.entry(document_type).or_default().extend(processes);
            }
            Content::Certificate { number, process, pem } => {
                known.certificates.entry((number, process)).or_default().push(pem);
            }
            Content::ReceiverSystem { number, document } => {
                known.receiver_systems.entry(number).or_default().push(document);
            }
            Content::Contact { person, document } => {
                known.contacts.insert(person, document);
            }
            Content::Printer { document } => known.printer = Some(document),
            Content::Resident { person, document } => {
                known.residents.insert(person, document);
            }
            Content::HealthUnit { identifier, document } => {
                known.health_units.insert(identifier, document);
            }
            Content::Account { id, document } => {
                known.accounts.insert(id, document);
            }
            Content::AccountKey { id, document } => {
                known.account_keys.insert(id, document);
            }
        }
    }

    /// Forgets everything that was put in.
    pub fn forget_all(&self) {
        *self.change() = Known::default();
    }

    /// KS accepts this bearer token, beside those with the scope [`KS_SCOPE`] that the doubles' Maskinporten gives out.
    pub fn accept_ks_token(&self, token: &str) {
        self.ks_tokens
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token.to_owned());
    }

    /// KS refuses this bearer token again.
    pub fn refuse_ks_token(&self, token: &str) {
        self.ks_tokens
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(token);
    }

    fn takes(&self, token: &str) -> bool {
        self.ks_tokens
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(token)
    }

    /// How KRR signs from now on.
    pub fn sign_with(&self, signature: Signature) {
        *self.signature.lock().unwrap_or_else(PoisonError::into_inner) = signature;
    }

    /// The JWS that KRR would make of a payload now. For answers that no content leads to.
    pub fn signed(&self, payload: &Value) -> String {
        let signature = *self.signature.lock().unwrap_or_else(PoisonError::into_inner);
        self.signers().sign(signature, &payload.to_string())
    }

    /// The authority behind KRR's certificate, in PEM.
    pub fn krr_authority(&self) -> &str {
        self.signers().authority()
    }

    /// KRR's certificate, in PEM.
    pub fn krr_certificate(&self) -> &str {
        self.signers().certificate()
    }

    /// Made when they are first needed: few tests need them, and an RSA key takes time.
    fn signers(&self) -> &Signers {
        self.signers.get_or_init(Signers::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_too_much_is_another_call() {
        let path = "/brreg/enhetsregisteret/api/enheter/910076787";
        assert_eq!(route(&Method::GET, path), Some(Route::Unit));
        assert_eq!(route(&Method::POST, path), None);
        assert_eq!(
            route(&Method::GET, "/brreg/enhetsregisteret/api/enheter//910076787"),
            None
        );
    }
}
