//! SvarUt over SOAP, version 9: the envelope, the operations, the faults (Spec: DPF and DPFIO, 7).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use roxmltree::{Document, Node};

use super::account::SvarUtAccount;
use super::multipart::{Part, parameter_of, parts};
use super::xml::{SOAP, V9, children, escaped, text};
use super::{SVARUT, access, intake, rest, soap_body};
use crate::server::House;

/// The largest body that is taken. It is held in memory.
const LARGEST: usize = 1200 << 20;

pub(super) fn router() -> Router<Arc<House>> {
    let path = format!("{SVARUT}/tjenester/forsendelseservice/ForsendelsesServiceV9");
    Router::new().route(&path, post(call).layer(DefaultBodyLimit::max(LARGEST)))
}

/// A fault: whose it is, and its text.
pub(super) enum Fault {
    Sender(String),
    Receiver(String),
}

async fn call(State(house): State<Arc<House>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(account) = access::user(&house, &headers) else {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"SvarUt\"")];
        return (StatusCode::UNAUTHORIZED, challenge, "").into_response();
    };
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let answer = request(content_type, &body)
        .and_then(|(envelope, attachments)| operate(&house, &account, envelope, &attachments));
    match answer {
        Ok(body) => envelope(StatusCode::OK, &body),
        Err(fault) => refuse(&fault),
    }
}

fn envelope(status: StatusCode, body: &str) -> Response {
    let text = format!("<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>{body}</soap:Body></soap:Envelope>");
    (status, [(CONTENT_TYPE, "application/soap+xml;charset=UTF-8")], text).into_response()
}

fn refuse(fault: &Fault) -> Response {
    let (code, reason) = match fault {
        Fault::Sender(reason) => ("Sender", reason),
        Fault::Receiver(reason) => ("Receiver", reason),
    };
    let body = format!(
        "<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code><soap:Reason>\
         <soap:Text xml:lang=\"en\">{}</soap:Text></soap:Reason></soap:Fault>",
        escaped(reason)
    );
    envelope(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

/// The envelope as text, and the attachments of an MTOM message.
fn request<'a>(content_type: &str, body: &'a [u8]) -> Result<(&'a str, Vec<Part<'a>>), Fault> {
    let refused = |reason: &str| Fault::Sender(reason.to_owned());
    let utf8 = |bytes: &'a [u8]| std::str::from_utf8(bytes).map_err(|_| refused("the envelope is not UTF-8"));
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind == "application/soap+xml" {
        return Ok((utf8(body)?, Vec::new()));
    }
    let is = |name: &str, value: &str| parameter_of(content_type, name).is_some_and(|found| found == value);
    let mtom =
        kind == "multipart/related" && is("type", "application/xop+xml") && is("start-info", "application/soap+xml");
    if !mtom {
        return Err(Fault::Sender(format!(
            "Couldn't create SOAP message due to {content_type:.100}"
        )));
    }
    let mut parts = parts(content_type, body).map_err(refused)?;
    let root = parts.remove(0);
    let root_type = root.header("content-type").unwrap_or_default();
    let start = parameter_of(content_type, "start");
    if !root_type.starts_with("application/xop+xml;")
        || parameter_of(root_type, "type").as_deref() != Some("application/soap+xml")
        || start.is_some_and(|start| root.header("content-id") != Some(&start))
    {
        return Err(refused("the root part is not the one that was announced"));
    }
    for part in &parts {
        let binary = part.header("content-transfer-encoding") == Some("binary");
        if !binary || part.header("content-type") != Some("application/octet-stream") {
            return Err(refused("an attachment that is not binary"));
        }
    }
    Ok((utf8(root.content)?, parts))
}

fn operate(house: &House, account: &SvarUtAccount, xml: &str, attachments: &[Part<'_>]) -> Result<String, Fault> {
    let document =
        Document::parse(xml).map_err(|error| Fault::Sender(format!("Error reading XMLStreamReader: {error}")))?;
    let operation = operation(&document).ok_or_else(|| Fault::Sender("no operation of version 9".to_owned()))?;
    let name = operation.tag_name().name();
    let read = |schema: &[&str]| children(operation, schema).map_err(Fault::Sender);
    let mut answer = String::new();
    match name {
        "sendForsendelseMedId" => {
            if let Some(reason) = house.ks.refusal() {
                return Err(Fault::Receiver(reason));
            }
            let id = send(house, account, &read(&["forsendelse", "forsendelsesid"])?, attachments)?;
            put(&mut answer, &format!("<return>{id}</return>"));
        }
        "retreiveForsendelseTyper" => {
            read(&[])?;
            for kind in &account.types {
                put(&mut answer, &format!("<return>{}</return>", escaped(kind)));
            }
        }
        "retrieveForsendelseIdByEksternRef" => {
            let reference = text(&read(&["eksternRef"])?, "eksternRef").unwrap_or_default();
            for id in rest::by_reference(house, &account.number, &reference) {
                put(&mut answer, &format!("<return>{id}</return>"));
            }
        }
        "retrieveForsendelseStatuser" => {
            let wanted: Vec<String> = read(&["forsendelseider*"])?
                .iter()
                .map(|node| node.text().unwrap_or_default().to_owned())
                .collect();
            let found = house
                .ks
                .those(|known| known.sender == account.number && wanted.contains(&known.id.to_string()));
            for known in found {
                put(
                    &mut answer,
                    &format!(
                        "<return><forsendelseStatus>{}</forsendelseStatus><forsendelsesid>{}</forsendelsesid>\
                         <sisteStatusEndring>{}</sisteStatusEndring></return>",
                        escaped(&known.status),
                        known.id,
                        known.changed
                    ),
                );
            }
        }
        other => return Err(Fault::Sender(format!("no operation {other:.100}"))),
    }
    Ok(format!(
        "<ns2:{name}Response xmlns:ns2=\"{V9}\">{answer}</ns2:{name}Response>"
    ))
}

fn put(answer: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(answer, "{text}");
}

/// The one element of the body.
fn operation<'a>(document: &'a Document<'_>) -> Option<Node<'a, 'a>> {
    let root = document.root_element();
    if !root.has_tag_name((SOAP, "Envelope")) {
        return None;
    }
    let body = root.children().find(|node| node.has_tag_name((SOAP, "Body")))?;
    let operation = body.children().find(Node::is_element)?;
    (operation.tag_name().namespace() == Some(V9)).then_some(operation)
}

fn send(
    house: &House,
    account: &SvarUtAccount,
    nodes: &[Node<'_, '_>],
    attachments: &[Part<'_>],
) -> Result<uuid::Uuid, Fault> {
    let (mut forsendelse, encrypted) = soap_body::read(nodes, attachments).map_err(Fault::Sender)?;
    account.number.clone_into(&mut forsendelse.sender);
    intake::take(house, forsendelse, encrypted).map_err(Fault::Receiver)
}
