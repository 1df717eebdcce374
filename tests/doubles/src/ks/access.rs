//! Who asks (Spec: DPF and DPFIO, 6.1, 7 and 9.1).

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::account::{Mottakersystem, SvarUtAccount};
use super::rest::fiks_error;
use crate::faults::enforce::bearer;
use crate::registers::KS_SCOPE;
use crate::server::House;

/// The konto of an integrasjon whose id, password and token fit together. The answer does not say what is wrong, as at KS.
pub(super) fn integration(house: &House, headers: &HeaderMap, path: &str) -> Result<SvarUtAccount, Box<Response>> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let id: Option<Uuid> = text("IntegrasjonId").parse().ok();
    let account = id.and_then(|id| house.ks.account(|account| account.integration_id == id));
    let known = account.filter(|account| account.integration_password == text("IntegrasjonPassord"));
    let granted = bearer(headers).and_then(|token| house.maskinporten_tokens.grant(token));
    match (known, granted) {
        (Some(account), Some(grant))
            if grant.scopes.iter().any(|scope| scope == KS_SCOPE) && grant.consumer.number() == account.authorised =>
        {
            Ok(account)
        }
        _ => Err(Box::new(fiks_error(StatusCode::UNAUTHORIZED, path, "Unauthorized"))),
    }
}

/// User name and password of `Authorization: Basic`, which are UTF-8.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (user, password) = credentials.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The konto of a SOAP user.
pub(super) fn user(house: &House, headers: &HeaderMap) -> Option<SvarUtAccount> {
    let (user, password) = basic(headers)?;
    house
        .ks
        .account(|account| account.user == user && account.password == password)
}

/// The mottakersystem of a user of SvarInn.
pub(super) fn receiver(house: &House, headers: &HeaderMap) -> Option<Mottakersystem> {
    let (user, password) = basic(headers)?;
    house
        .ks
        .receiver(|receiver| receiver.user == user && receiver.password == password)
}
