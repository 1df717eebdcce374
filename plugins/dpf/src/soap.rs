//! The operations of SvarUt's SOAP service, version 9: SOAP 1.2, documents as MTOM attachments.
//!
//! Spec: DPF and DPFIO, 7.

use budstikke_sdk::Failure;
use budstikke_sdk::http::{Method, Multipart, Piece, Reach, is_success};
use quick_xml::escape::escape;
use serde_json::json;

use crate::fault::{Fault, Kind};
use crate::forsendelse::Forsendelse;
use crate::host::{Body, Call, Caller, Content, Expect, Host};
use crate::id::is_uuid;
use crate::soap_answer::{self, Answered, Return};
use crate::soap_body;
use crate::svarut::{MAX_ANSWER, Outcome, QUESTION, Status, SvarUt, Trouble};

pub(crate) struct Soap<'a, 'b, H>(pub(crate) &'b SvarUt<'a, H>);

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const V9: &str = "http://www.ks.no/svarut/servicesV9";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Why an operation gave nothing.
enum Broken {
    /// A SOAP fault: the operation has not been done.
    Fault(Fault),
    Trouble(Trouble),
}

impl<H: Host> Soap<'_, '_, H> {
    pub(crate) fn send(&self, forsendelse: &Forsendelse<'_, H::File>, sealed: &[H::File], id: &str) -> Outcome {
        let svarut = self.0;
        let body = soap_body::write(svarut.settings, forsendelse, id, |text| svarut.host.warn(text));
        let head = "Content-Type: application/xop+xml; charset=UTF-8; type=\"application/soap+xml\"\r\n\
                    Content-Transfer-Encoding: 8bit\r\nContent-ID: <root>\r\n";
        let envelope = envelope("sendForsendelseMedId", &body);
        let mut related = Multipart::new(svarut.host.uuid()).part(head, envelope.as_bytes());
        for (place, file) in sealed.iter().enumerate() {
            let head = format!(
                "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <doc{place}>\r\n"
            );
            related = related.streamed(&head, file);
        }
        let content_type = format!(
            "multipart/related; type=\"application/xop+xml\"; start=\"<root>\"; start-info=\"application/soap+xml\"; \
             boundary=\"{}\"",
            related.boundary()
        );
        let patience = svarut.out.idle_timeout;
        match self.call(related.finish(), content_type, patience) {
            Ok(returns) => match returns.into_iter().map(|found| found.text).find(|id| is_uuid(id)) {
                Some(id) => Outcome::Taken(id),
                None => Outcome::Unknown {
                    detail: format!("SvarUt: {}: the answer has no id", self.target()),
                    under_way: false,
                },
            },
            Err(Broken::Fault(fault)) => refused(&fault, &self.target(), &said(forsendelse)),
            Err(Broken::Trouble(trouble)) => outcome(trouble),
        }
    }

    pub(crate) fn find(&self, message_id: &str) -> Result<Option<String>, Trouble> {
        let body = format!("<eksternRef>{}</eksternRef>", escape(message_id));
        let found = self.ask("retrieveForsendelseIdByEksternRef", &body)?;
        Ok(found.into_iter().map(|found| found.text).find(|id| is_uuid(id)))
    }

    pub(crate) fn types(&self) -> Result<Vec<String>, Trouble> {
        let found = self.ask("retreiveForsendelseTyper", "")?;
        Ok(found.into_iter().map(|found| found.text).collect())
    }

    pub(crate) fn statuses(&self, ids: &[&str]) -> Result<Vec<Status>, Trouble> {
        let ids = ids
            .iter()
            .map(|id| format!("<forsendelseider>{}</forsendelseider>", escape(*id)));
        let found = self.ask("retrieveForsendelseStatuser", &ids.collect::<String>())?;
        let read = |found: Return| {
            let child = |name: &str| {
                found
                    .children
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, text)| text)
            };
            let (id, name) = (child("forsendelsesid")?, child("forsendelseStatus")?);
            let changed = child("sisteStatusEndring");
            Some(Status {
                id: id.clone(),
                name: name.clone(),
                raw: json!({ "id": id, "status": name, "sisteStatusEndring": changed }).to_string(),
            })
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    fn target(&self) -> String {
        format!("POST {}", self.0.out.ws_endpoint)
    }

    /// A question without attachments.
    fn ask(&self, operation: &str, body: &str) -> Result<Vec<Return>, Trouble> {
        let pieces = vec![Piece::Bytes(envelope(operation, body).into_bytes())];
        let content_type = "application/soap+xml; charset=UTF-8".to_owned();
        self.call(pieces, content_type, QUESTION)
            .map_err(|broken| match broken {
                Broken::Trouble(trouble) => trouble,
                Broken::Fault(fault) => Trouble {
                    status: Some(500),
                    reach: Reach::Unknown,
                    failure: Failure::temporary(format!("SvarUt: {}: {operation}: {}", self.target(), fault.shown())),
                },
            })
    }

    fn call(&self, pieces: Vec<Piece<&H::File>>, content_type: String, patience: u32) -> Result<Vec<Return>, Broken> {
        let SvarUt { host, out, account, .. } = self.0;
        let answer = host.http(Call {
            method: Method::Post,
            url: &out.ws_endpoint,
            caller: Caller::Login(&account.login),
            body: Body::Content(pieces, content_type),
            expect: Expect::Text(MAX_ANSWER),
            patience,
        });
        let answer = answer.map_err(|error| Broken::Trouble(error.into()))?;
        let Content::Bytes(bytes) = &answer.content else {
            let detail = format!("SvarUt: {}: the host gave a file", self.target());
            return Err(Broken::Trouble(Trouble::unreadable(detail)));
        };
        match soap_answer::read(&answer.media_type, bytes) {
            Some(Answered::Fault(fault)) => Err(Broken::Fault(fault)),
            Some(Answered::Returns(returns)) if is_success(answer.status) => Ok(returns),
            _ if is_success(answer.status) => {
                let detail = format!("SvarUt: {}: the answer is no SOAP", self.target());
                Err(Broken::Trouble(Trouble::unreadable(detail)))
            }
            _ => {
                let mut trouble = Trouble::of_answer(&self.target(), &answer);
                if answer.status == 401 {
                    let text = format!(
                        "SvarUt: {}: 401: the user name or password of {} is wrong, or its set-up at KS is not finished",
                        self.target(),
                        self.0.number
                    );
                    trouble.failure = Failure::temporary(text);
                }
                Err(Broken::Trouble(trouble))
            }
        }
    }
}

/// What we said ourselves and may get back in a fault.
fn said<F>(forsendelse: &Forsendelse<'_, F>) -> Vec<String> {
    let names = forsendelse.documents.iter().map(|document| document.name.clone());
    let extra = forsendelse
        .metadata
        .extra
        .iter()
        .flat_map(|(key, value)| [key.clone(), value.clone()]);
    let parties = [&forsendelse.receiver, &forsendelse.answers_to];
    let parties = parties.into_iter().filter_map(|party| party.name.clone());
    let title = [Some(forsendelse.title.clone()), forsendelse.metadata.title.clone()];
    names
        .chain(extra)
        .chain(parties)
        .chain(title.into_iter().flatten())
        .collect()
}

/// Spec: DPF and DPFIO, 7.3.
fn refused(fault: &Fault, target: &str, said: &[String]) -> Outcome {
    match fault.kind(said) {
        Kind::Duplicate => Outcome::Duplicate(Failure::permanent("duplicate", fault.shown())),
        Kind::Final(code) => Outcome::Refused(Failure::permanent(code, fault.shown())),
        Kind::Passing => Outcome::Refused(Failure::temporary(format!("SvarUt: {target}: {}", fault.shown()))),
    }
}

/// An answer that is no fault comes from something on the way. Whatever it is, the message waits: only a fault is final.
fn outcome(trouble: Trouble) -> Outcome {
    match (trouble.status, trouble.reach) {
        (Some(300..=499 | 503), _) | (None, Reach::NeverLeft) => Outcome::Refused(trouble.failure.into_temporary()),
        (None, Reach::Wrong) => Outcome::Refused(trouble.failure),
        (status, _) => Outcome::Unknown {
            detail: trouble.failure.line().to_string(),
            under_way: !matches!(status, Some(500)),
        },
    }
}

fn envelope(operation: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"{ENVELOPE}\"><soap:Body>\
         <s9:{operation} xmlns:s9=\"{V9}\" xmlns:xsi=\"{XSI}\">{body}</s9:{operation}></soap:Body></soap:Envelope>"
    )
}

#[cfg(test)]
mod tests;
