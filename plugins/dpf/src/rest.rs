//! The calls of SvarUt's REST services.
//!
//! Spec: DPF and DPFIO, 6.

use budstikke_sdk::Failure;
use budstikke_sdk::http::{Method, Multipart, Piece, Reach, in_query, is_success};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::forsendelse::Forsendelse;
use crate::host::{Answer, Body, Call, Caller, Content, Expect, Host};
use crate::id::is_uuid;
use crate::rest_body;
use crate::svarut::{MAX_ANSWER, Outcome, QUESTION, Status, SvarUt, Trouble};

pub(crate) struct Rest<'a, 'b, H>(pub(crate) &'b SvarUt<'a, H>);

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    forsendelse_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Types {
    #[serde(default)]
    forsendelsestyper: Vec<String>,
}

#[derive(Deserialize)]
struct Statuses {
    #[serde(default)]
    statuser: Vec<Value>,
}

impl<H: Host> Rest<'_, '_, H> {
    pub(crate) fn send(&self, forsendelse: &Forsendelse<'_, H::File>, sealed: &[H::File]) -> Outcome {
        let svarut = self.0;
        let body = rest_body::write(svarut.settings, forsendelse, |text| svarut.host.warn(text));
        let mut form = Multipart::new(svarut.host.uuid()).typed("forsendelse", "application/json;charset=UTF-8", &body);
        for (place, (document, file)) in forsendelse.documents.iter().zip(sealed).enumerate() {
            form = form.file(&format!("filer_{place}"), &document.name, &document.media_type, file);
        }
        let content_type = format!("multipart/form-data; boundary={}", form.boundary());
        let path = self.konto("v3", "forsendelser/organisasjon");
        let pieces = form.finish();
        let asked = self.ask(
            Method::Post,
            &path,
            Some((&pieces, &content_type)),
            svarut.out.idle_timeout,
        );
        outcome(asked.and_then(|bytes| self.parse::<Sent>(Method::Post, &path, &bytes)))
    }

    pub(crate) fn find(&self, message_id: &str) -> Result<Option<String>, Trouble> {
        let path = self.konto("v2", &format!("forsendelser?eksternRef={}", in_query(message_id)));
        let found: Found = self.get(&path)?;
        Ok(found.forsendelse_ids.into_iter().find(|id| is_uuid(id)))
    }

    pub(crate) fn types(&self) -> Result<Vec<String>, Trouble> {
        let types: Types = self.get("/api/v2/forsendelsestyper")?;
        Ok(types.forsendelsestyper)
    }

    pub(crate) fn statuses(&self, ids: &[&str]) -> Result<Vec<Status>, Trouble> {
        let path = self.konto("v3", "forsendelser/status/sok");
        let body = [Piece::Bytes(json!({ "id": ids }).to_string().into_bytes())];
        let bytes = self.ask(Method::Post, &path, Some((&body, "application/json")), QUESTION)?;
        let found: Statuses = self.parse(Method::Post, &path, &bytes)?;
        let text = |line: &Value, name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
        // A line of another form says nothing; its forsendelse is asked about again.
        let read = |line: &Value| {
            Some(Status {
                id: text(line, "id")?,
                name: text(line, "status")?,
                raw: line.to_string(),
            })
        };
        Ok(found.statuser.iter().filter_map(read).collect())
    }

    fn konto(&self, version: &str, rest: &str) -> String {
        format!("/api/{version}/kontoer/{}/{rest}", self.0.account.konto)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        let bytes = self.ask(Method::Get, path, None, QUESTION)?;
        self.parse(Method::Get, path, &bytes)
    }

    fn parse<T: DeserializeOwned>(&self, method: Method, path: &str, bytes: &[u8]) -> Result<T, Trouble> {
        serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let target = self.target(method, path);
            Trouble::unreadable(format!(
                "SvarUt: {target}: the answer cannot be read: line {line}, column {column}"
            ))
        })
    }

    fn target(&self, method: Method, path: &str) -> String {
        format!("{} {}{path}", method.name(), self.0.out.endpoint)
    }

    /// The body of a 2xx answer. A token that is refused is renewed once.
    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&[Piece<&H::File>], &str)>,
        patience: u32,
    ) -> Result<Vec<u8>, Trouble> {
        let mut renewed = false;
        loop {
            let (answer, token) = self.once(method, path, body, patience)?;
            match answer.content {
                Content::Bytes(bytes) if is_success(answer.status) => return Ok(bytes),
                _ if answer.status == 401 && !renewed => {
                    self.0.host.token_was_refused(&token);
                    renewed = true;
                }
                _ => return Err(Trouble::of_answer(&self.target(method, path), &answer)),
            }
        }
    }

    fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<(&[Piece<&H::File>], &str)>,
        patience: u32,
    ) -> Result<(Answer<H::File>, String), Trouble> {
        let SvarUt { host, out, account, .. } = self.0;
        // What is wrong with the profile is the operator's to mend, and the messages wait for that.
        let token = host.token(&out.token_profile, &out.scope, self.0.subject.as_deref());
        let token = token.map_err(|failure| Trouble::of_failure(failure.into_temporary()))?;
        let answer = host.http(Call {
            method,
            url: &format!("{}{path}", out.endpoint),
            caller: Caller::Integration {
                token: &token,
                id: &account.integration,
                password: &account.integration_password,
            },
            body: match body {
                None => Body::Nothing,
                Some((pieces, content_type)) => Body::Content(pieces.to_vec(), content_type.to_owned()),
            },
            expect: Expect::Text(MAX_ANSWER),
            patience,
        })?;
        Ok((answer, token))
    }
}

/// Permanent are 400, 401 with a new token, 403, 404, 409, 413, 422 and other 4xx; 408, 429 and 503 say that it was not taken, and the rest
/// says nothing. Spec: DPF and DPFIO, 14, sharp edge 6.
fn outcome(sent: Result<Sent, Trouble>) -> Outcome {
    let trouble = match sent {
        Ok(sent) if is_uuid(&sent.id) => return Outcome::Taken(sent.id),
        Ok(_) => Trouble::unreadable("SvarUt took a forsendelse and gave no id of it".to_owned()),
        Err(trouble) => trouble,
    };
    let detail = trouble.failure.line().to_string();
    match (trouble.status, trouble.reach) {
        (Some(409), _) => Outcome::Refused(Failure::permanent("http-409", trouble.failure.detail())),
        (Some(300..=499 | 503), _) | (None, Reach::Wrong | Reach::NeverLeft) => Outcome::Refused(trouble.failure),
        // A gateway that gives up does not tell the service to.
        (Some(502 | 504) | None, _) => Outcome::Unknown {
            detail,
            under_way: true,
        },
        (Some(_), _) => Outcome::Unknown {
            detail,
            under_way: false,
        },
    }
}

#[cfg(test)]
mod tests;
