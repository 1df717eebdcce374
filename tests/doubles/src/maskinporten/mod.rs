//! Maskinporten: gives an access token for a signed assertion (Spec: DPO and DPV, 1.1).

pub(crate) mod assertion;
pub(crate) mod key;
pub(crate) mod refusal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use self::assertion::{Assertion, AuthorizationDetail, Claims};
use self::refusal::Refusal;
use crate::organisation::Organisation;
use crate::server::House;
use crate::tokens::{ActingSystemUser, Grant};

/// Where tokens are asked for.
pub(crate) const PATH: &str = "/token";
pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Longest life of an assertion, in seconds.
const LONGEST_LIFE: i64 = 120;
/// How far ahead a client's clock may be, in seconds.
const CLOCK_SKEW: i64 = 10;
/// Longest `jti`, in bytes.
const LONGEST_JTI: usize = 255;

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new().route(PATH, post(token))
}

/// `jti` values seen, with the time from which each may be forgotten.
#[derive(Debug, Default)]
pub(crate) struct SeenAssertions(Mutex<HashMap<(String, String), i64>>);

impl SeenAssertions {
    /// Whether the client's `jti` is new.
    fn is_fresh(&self, client: &str, jti: &str, expires: i64, now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, expires| *expires >= now);
        seen.insert((client.to_owned(), jti.to_owned()), expires).is_none()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[derive(Deserialize)]
struct TokenForm {
    grant_type: Option<String>,
    assertion: Option<String>,
}

async fn token(State(house): State<Arc<House>>, form: Result<Form<TokenForm>, FormRejection>) -> Response {
    let form = form.map_err(|rejection| Refusal::request(rejection.body_text()));
    match form.and_then(|Form(form)| grant(&house, &form)) {
        Ok(granted) => granted,
        Err(refusal) => refusal.into_response(),
    }
}

fn grant(house: &House, form: &TokenForm) -> Result<Response, Refusal> {
    if form
        .grant_type
        .as_deref()
        .ok_or_else(|| Refusal::request("grant_type is missing"))?
        != GRANT_TYPE
    {
        return Err(Refusal::grant_type());
    }
    let text = form
        .assertion
        .as_deref()
        .ok_or_else(|| Refusal::request("assertion is missing"))?;
    let assertion = Assertion::parse(text)?;
    let claims = &assertion.claims;
    let client = house
        .register
        .client(&claims.iss)
        .ok_or_else(|| Refusal::client("iss is not the id of a registered client"))?;
    assertion.verify(&client.keys)?;
    check_times(claims)?;
    if claims.aud != house.audience {
        return Err(Refusal::grant(format!("aud must be {}", house.audience)));
    }
    let scopes = check_scopes(claims, &client.scopes)?;
    let acting = match &claims.authorization_details {
        None => None,
        Some(details) => Some(check_system_user(house, details)?),
    };
    check_jti(house, claims)?;
    let scope = scopes.join(" ");
    let grant = Grant {
        client: client.id,
        consumer: consumer(claims, client.organisation)?,
        scopes,
        acting,
    };
    let token = house
        .maskinporten_tokens
        .issue(grant)
        .map_err(|_| Refusal::internal())?;
    let expires_in = house.maskinporten_tokens.life().as_secs();
    let answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in, "scope": scope });
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Any organisation may be named: that it has given the client leave is not asked about here.
fn consumer(claims: &Claims, own: Organisation) -> Result<Organisation, Refusal> {
    match &claims.consumer_org {
        None => Ok(own),
        Some(number) => number
            .parse()
            .map_err(|_| Refusal::grant("consumer_org must be an organisation number")),
    }
}

fn check_times(claims: &Claims) -> Result<(), Refusal> {
    let now = Timestamp::now().as_second();
    let life = claims.exp.checked_sub(claims.iat);
    if !life.is_some_and(|life| (1..=LONGEST_LIFE).contains(&life)) {
        return Err(Refusal::grant(format!(
            "exp must be 1 to {LONGEST_LIFE} seconds after iat"
        )));
    }
    if claims.iat > now + CLOCK_SKEW {
        return Err(Refusal::grant("iat is in the future"));
    }
    if claims.exp < now {
        return Err(Refusal::grant("The assertion has expired"));
    }
    Ok(())
}

fn check_jti(house: &House, claims: &Claims) -> Result<(), Refusal> {
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
        return Err(Refusal::grant(format!("jti must have 1 to {LONGEST_JTI} characters")));
    }
    let now = Timestamp::now().as_second();
    if house.seen.is_fresh(&claims.iss, &claims.jti, claims.exp, now) {
        Ok(())
    } else {
        Err(Refusal::grant("jti was used before"))
    }
}

fn check_scopes(claims: &Claims, granted: &[String]) -> Result<Vec<String>, Refusal> {
    let scopes: Vec<String> = claims
        .scope
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err(Refusal::scope("scope is empty"));
    }
    match scopes.iter().find(|scope| !granted.contains(scope)) {
        Some(scope) => Err(Refusal::scope(format!(
            "The client has not been granted the scope {scope:.100}"
        ))),
        None => Ok(scopes),
    }
}

fn check_system_user(house: &House, details: &[AuthorizationDetail]) -> Result<ActingSystemUser, Refusal> {
    let [detail] = details else {
        return Err(Refusal::authorization_details(
            "authorization_details must have exactly one element",
        ));
    };
    if detail.kind != "urn:altinn:systemuser" {
        return Err(Refusal::authorization_details("type must be urn:altinn:systemuser"));
    }
    if detail.systemuser_org.authority != "iso6523-actorid-upis" {
        return Err(Refusal::authorization_details("authority must be iso6523-actorid-upis"));
    }
    let id = &detail.systemuser_org.id;
    let organisation: Organisation = id
        .starts_with("0192:")
        .then(|| id.parse().ok())
        .flatten()
        .ok_or_else(|| Refusal::authorization_details("systemuser_org.ID must be 0192: and nine digits"))?;
    match house.register.system_user(&organisation, &detail.external_ref) {
        None => Err(Refusal::authorization_details(format!(
            "No such system user for {organisation}"
        ))),
        Some(user) if !user.approved => Err(Refusal::authorization_details(format!(
            "The system user for {organisation} is not approved"
        ))),
        Some(user) => Ok(ActingSystemUser {
            organisation,
            name: user.name,
        }),
    }
}
