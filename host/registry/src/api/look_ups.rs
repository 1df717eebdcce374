//! The routes of clients. Spec: service registry, 3.2 to 3.7.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as Parameters, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use budstikke_message::identifier::{Identifier, OrganisationNumber, ProcessId};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::accept::{Form, choose};
use super::clients::Client;
use super::finish::empty;
use super::refusal::Refusal;
use super::{Api, LookupError, Query, lookups};
use crate::model::Lookup;

/// Must be `true` for answers that are on trial.
const BETA: &str = "x-enable-beta-features";
/// The registers that gave no answer, in an answer that is therefore not whole.
const INCOMPLETE: HeaderName = HeaderName::from_static("budstikke-incomplete");

type Answered = Result<Response, Refusal>;
type Given<T> = Result<Path<T>, PathRejection>;
type Asked = Result<Parameters<Vec<(String, String)>>, QueryRejection>;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/identifier/{identifier}", get(identifier))
        .route("/identifier/{identifier}/process/{process}", get(process))
        .route("/info/{identifier}", get(info))
        .route("/explain/{identifier}", get(explain_all))
        .route("/explain/{identifier}/process/{process}", get(explain))
        .route("/virksert/{identifier}", get(certificate))
        .route("/jwk", get(jwk))
        .route("/sastoken", get(sas_token))
}

async fn identifier(State(api): State<Arc<Api>>, headers: HeaderMap, id: Given<String>, asked: Asked) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    let form = form(&headers, &[Form::Json, Form::Jose])?;
    let query = query(&path(id)?, asked, &headers)?;
    let caller = client.caller().ok_or_else(Refusal::no_consumer)?;
    let found = api.lookups.identifier(&query, &caller).await;
    let found = counted(&api, "identifier", found, &query.receiver)?;
    looked_up(&api, form, found)
}

async fn process(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    ids: Given<(String, String)>,
    asked: Asked,
) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    let form = form(&headers, &[Form::Json, Form::Jose])?;
    let (id, process) = path(ids)?;
    let query = query(&id, asked, &headers)?;
    let process = process_id(&process)?;
    let caller = client.caller().ok_or_else(Refusal::no_consumer)?;
    let found = api.lookups.process(&query, &process, &caller).await;
    let found = counted(&api, "process", found, &query.receiver)?;
    looked_up(&api, form, found)
}

async fn info(State(api): State<Arc<Api>>, headers: HeaderMap, id: Given<String>, asked: Asked) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    let form = form(&headers, &[Form::Json, Form::Jose])?;
    let query = query(&path(id)?, asked, &headers)?;
    let found = match api.lookups.info(&query, &client.token).await {
        Err(LookupError::UnknownReceiver { .. }) => {
            api.metrics.looked_up("info", "not-found");
            return Ok(empty(StatusCode::NOT_FOUND));
        }
        found => counted(&api, "info", found, &query.receiver)?,
    };
    let found = Lookup {
        info_record: found,
        service_records: Vec::new(),
    };
    Ok(answer(&api, form, json(&found)?))
}

async fn explain_all(State(api): State<Arc<Api>>, headers: HeaderMap, id: Given<String>, asked: Asked) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    form(&headers, &[Form::Json])?;
    explained(&api, &client, &query(&path(id)?, asked, &headers)?, None).await
}

async fn explain(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    ids: Given<(String, String)>,
    asked: Asked,
) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    form(&headers, &[Form::Json])?;
    let (id, process) = path(ids)?;
    explained(
        &api,
        &client,
        &query(&id, asked, &headers)?,
        Some(&process_id(&process)?),
    )
    .await
}

async fn explained(api: &Api, client: &Client, query: &Query, process: Option<&ProcessId>) -> Answered {
    let caller = client.caller().ok_or_else(Refusal::no_consumer)?;
    let found = api.lookups.explain(query, process, &caller).await;
    Ok(Json(counted(api, "explain", found, &query.receiver)?).into_response())
}

async fn certificate(State(api): State<Arc<Api>>, headers: HeaderMap, id: Given<String>) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    let form = form(&headers, &[Form::Text, Form::Jose])?;
    let number: OrganisationNumber = path(id)?.parse().map_err(|_| Refusal::bare(StatusCode::BAD_REQUEST))?;
    let found = api.lookups.certificate(&number, &client.scopes).await;
    let found = counted(&api, "certificate", found, &Identifier::Iso6523((&number).into()))?;
    Ok(answer(&api, form, found.to_pem().into_bytes()))
}

async fn jwk(State(api): State<Arc<Api>>) -> Response {
    Json(api.signer.jwks()).into_response()
}

async fn sas_token(State(api): State<Arc<Api>>, headers: HeaderMap) -> Answered {
    let client = api.clients.authenticate(&headers).await?;
    let form = form(&headers, &[Form::Jose])?;
    let Some(token) = &api.sas_token else {
        return Err(Refusal::described(
            StatusCode::NOT_FOUND,
            "No SAS token is set up here.",
        ));
    };
    if token.scopes.is_disjoint(&client.scopes) {
        let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
        let text = format!("The token has none of the scopes {}", scopes.join(", "));
        return Err(Refusal::no_scope(text));
    }
    Ok(answer(&api, form, token.key.as_bytes().to_vec()))
}

fn form(headers: &HeaderMap, offered: &[Form]) -> Result<Form, Refusal> {
    choose(headers, offered).ok_or_else(|| Refusal::bare(StatusCode::NOT_ACCEPTABLE))
}

fn path<T>(given: Given<T>) -> Result<T, Refusal> {
    given
        .map(|Path(parts)| parts)
        .map_err(|_| Refusal::bare(StatusCode::BAD_REQUEST))
}

fn process_id(text: &str) -> Result<ProcessId, Refusal> {
    text.parse().map_err(|_| Refusal::bare(StatusCode::BAD_REQUEST))
}

/// What is asked; parameters that are not known are passed over.
fn query(identifier: &str, asked: Asked, headers: &HeaderMap) -> Result<Query, Refusal> {
    let bad = || Refusal::bare(StatusCode::BAD_REQUEST);
    let Parameters(parameters) = asked.map_err(|_| bad())?;
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let beta = match headers.get(BETA) {
        None => false,
        Some(value) => value.to_str().ok().and_then(truth).ok_or_else(bad)?,
    };
    Ok(Query {
        receiver: Identifier::parse_any(identifier).map_err(|_| bad())?,
        level: parameter("securityLevel")
            .map(str::parse)
            .transpose()
            .map_err(|_| bad())?,
        print: parameter("print").map_or(Some(true), truth).ok_or_else(bad)?,
        beta,
    })
}

/// As the framework that clients know reads it.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// An answer about a receiver, and whether it is whole.
fn looked_up(api: &Api, form: Form, found: lookups::Answer) -> Answered {
    let unanswered: Vec<&str> = found.unanswered().into_iter().collect();
    let mut response = answer(api, form, json(&found.into_lookup())?);
    if !unanswered.is_empty()
        && let Ok(names) = HeaderValue::try_from(unanswered.join(", "))
    {
        response.headers_mut().insert(INCOMPLETE, names);
    }
    Ok(response)
}

/// The payload, or its signed form.
fn answer(api: &Api, form: Form, payload: Vec<u8>) -> Response {
    let body = match form {
        Form::Json | Form::Text => Bytes::from(payload),
        Form::Jose => match api.signer.sign(&payload) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(%error, "an answer could not be signed");
                return Refusal::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response();
            }
        },
    };
    let mut response = body.into_response();
    let content_type = HeaderValue::from_static(form.content_type());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

fn counted<T>(
    api: &Api,
    kind: &'static str,
    found: Result<T, LookupError>,
    receiver: &Identifier,
) -> Result<T, Refusal> {
    match &found {
        Ok(_) => api.metrics.looked_up(kind, "found"),
        Err(error) => failed(api, kind, error),
    }
    found.map_err(|error| Refusal::of_look_up(&error, receiver))
}

fn failed(api: &Api, kind: &'static str, error: &LookupError) {
    use LookupError as E;
    let outcome = match error {
        E::UnknownReceiver { .. }
        | E::UnknownProcess { .. }
        | E::NotAccepted { .. }
        | E::UnknownSender { .. }
        | E::SenderWithoutAddress { .. }
        | E::CertificateMissing { .. }
        | E::NoRecordForCitizen
        | E::UnknownResident => "not-found",
        E::LevelNotAvailable { .. }
        | E::PatientNotRetrievable
        | E::ScopeMissing { .. }
        | E::CertificatesDiffer { .. } => "refused",
        E::RegisterUnavailable { register, .. }
        | E::RegisterDenied { register, .. }
        | E::RegisterRejected { register, .. }
        | E::RegisterUnusable { register, .. } => {
            tracing::warn!(%error, look_up = kind, "a register gave no answer");
            api.metrics.register_failed(register);
            "register-failed"
        }
        E::NotSetUp { .. } => "failed",
    };
    api.metrics.looked_up(kind, outcome);
}
