//! KS: SvarUt takes forsendelser in, and hands those to an organisation with a mottakersystem out again through SvarInn
//! (Spec: DPF and DPFIO, 6, 7 and 9).
//!
//! | service | where |
//! |---|---|
//! | SvarUt over REST | `/svarut/api/v3/kontoer/{konto}/forsendelser/…`, `/svarut/api/v2/…` |
//! | SvarUt over SOAP | `/svarut/tjenester/forsendelseservice/ForsendelsesServiceV9` |
//! | the certificate that documents are encrypted to | `/svarut/forsendelse/publickey/hent` |
//! | SvarInn | `/svarinn/mottaker/hentNyeForsendelser`, `/svarinn/forsendelse/{id}`, `/svarinn/kvitterMottak/forsendelse/{id}`, `/svarinn/mottakFeilet/forsendelse/{id}` |

mod access;
mod account;
pub(crate) mod door;
mod forsendelse;
mod intake;
mod key;
mod multipart;
mod rest;
mod rest_body;
mod shelf;
mod soap;
mod soap_body;
mod svarinn;
mod xml;

pub use account::{Mottakersystem, SvarUtAccount};
pub use forsendelse::{Address, Document, Forsendelse, Party};
pub use shelf::Ks;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;

use crate::faults::Route;
use crate::server::House;

/// SvarUt, without a slash at the end.
pub(crate) const SVARUT: &str = "/svarut";
/// SvarInn, without a slash at the end.
pub(crate) const SVARINN: &str = "/svarinn";

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new()
        .merge(rest::router())
        .merge(soap::router())
        .merge(svarinn::router())
}

/// Which call of KS a request is, by method and path.
pub(crate) fn route(method: &Method, path: &str) -> Option<Route> {
    let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let get = method == Method::GET;
    let post = method == Method::POST;
    match parts.as_slice() {
        ["svarut", "api", "v3", "kontoer", _, "forsendelser", "organisasjon"] if post => Some(Route::SvarutSend),
        ["svarut", "api", "v3", "kontoer", _, "forsendelser", "status", "sok"] if post => Some(Route::SvarutStatus),
        ["svarut", "api", "v2", "kontoer", _, "forsendelser"] if get => Some(Route::SvarutFind),
        ["svarut", "api", "v2", "forsendelsestyper"] if get => Some(Route::SvarutTypes),
        ["svarut", "tjenester", "forsendelseservice", "ForsendelsesServiceV9"] if post => Some(Route::SvarutSoap),
        ["svarut", "forsendelse", "publickey", "hent"] if get => Some(Route::SvarutKey),
        ["svarinn", "mottaker", "hentNyeForsendelser"] if get => Some(Route::SvarinnList),
        ["svarinn", "forsendelse", _] if get => Some(Route::SvarinnDownload),
        ["svarinn", "kvitterMottak", "forsendelse", _] if post => Some(Route::SvarinnConfirm),
        ["svarinn", "mottakFeilet", "forsendelse", _] if post => Some(Route::SvarinnReject),
        _ => None,
    }
}
