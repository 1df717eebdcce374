//! One question to the address service over HTTP, and its classes of answers. Spec: service registry, 8.1, 8.2 and 8.4.

use std::sync::Arc;

use budstikke_message::causes::with_causes;
use budstikke_message::identifier::without_person_numbers;
use budstikke_message::jws::Compact;
use http::StatusCode;
use http::header::ACCEPT;
use reqwest::{Client, Response, Url};
use serde::Deserialize;

use super::signature::Signatures;
use crate::abilities::tokens::Tokens;
use crate::registry::RegistryError;

/// Largest answer that is read, bytes.
const ANSWER: usize = 8 * 1024 * 1024;
/// Largest piece of an error's text that is repeated, characters.
const SAID: usize = 300;
/// The `error_code` of a 404 that says nothing about the receiver.
const NO_CERTIFICATE: &str = "certificate_not_found";
/// How a 404 about a person begins.
const NO_CITIZEN: &str = "No service record found for citizen";
const BETA: &str = "X-Enable-Beta-Features";

/// What an answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, which need not be asked for.
    Json,
    /// The same about who somebody is.
    Who,
    /// Text, which must be.
    Text,
    /// What is never given without a signature, whether it is verified or not. Spec: service registry, 10 (16).
    Jose,
}

impl Form {
    /// `Accept`. Signed, if it can be; errors never are.
    fn accept(self, signed: bool) -> Option<&'static str> {
        match (self, signed) {
            (Self::Json | Self::Who, true) => Some("application/jose, application/json"),
            (Self::Json | Self::Who, false) => None,
            (Self::Jose, _) => Some("application/jose"),
            (Self::Text, true) => Some("application/jose, text/plain"),
            (Self::Text, false) => Some("text/plain"),
        }
    }
}

/// Asks, and verifies what comes.
pub(super) struct Asker {
    pub(super) client: Client,
    pub(super) token: Option<TokenSource>,
    pub(super) beta: bool,
    /// None: answers are taken as they come.
    pub(super) signatures: Option<Signatures>,
}

/// Where the tokens come from.
pub(super) struct TokenSource {
    pub(super) tokens: Arc<Tokens>,
    pub(super) profile: String,
    pub(super) scopes: Vec<String>,
}

impl TokenSource {
    async fn token(&self) -> Result<String, RegistryError> {
        let token = self.tokens.token(&self.profile, self.scopes.clone(), None).await;
        let token = token.map_err(|failure| RegistryError::Unreachable(format!("no token: {failure}")))?;
        Ok(token.value)
    }
}

impl Asker {
    /// The verified text of a good answer.
    pub(super) async fn ask(&self, url: &Url, form: Form) -> Result<Vec<u8>, RegistryError> {
        let mut response = self.sent(url, form).await?;
        if response.1.status() == StatusCode::UNAUTHORIZED
            && let (Some(source), Some(token)) = (&self.token, &response.0)
        {
            // It can have been called back before its time.
            source.tokens.refused(token).await;
            response = self.sent(url, form).await?;
        }
        let response = response.1;
        let status = response.status();
        let text = body(response, ANSWER).await?;
        if status == StatusCode::OK {
            return match &self.signatures {
                Some(signatures) => signatures.verified(&text).await,
                None if form == Form::Jose => Compact::cut(&text)
                    .and_then(|jws| jws.unverified())
                    .map_err(|error| RegistryError::Unusable(error.to_string())),
                None => Ok(text),
            };
        }
        Err(refusal(status, &text, form))
    }

    async fn sent(&self, url: &Url, form: Form) -> Result<(Option<String>, Response), RegistryError> {
        let mut request = self.client.get(url.clone());
        let token = match &self.token {
            Some(source) => Some(source.token().await?),
            None => None,
        };
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        if self.beta {
            request = request.header(BETA, "true");
        }
        if let Some(accept) = form.accept(self.signatures.is_some()) {
            request = request.header(ACCEPT, accept);
        }
        let response = request.send().await.map_err(|error| unreachable("it", error))?;
        Ok((token, response))
    }
}

/// What an answer other than 200 means.
fn refusal(status: StatusCode, body: &[u8], form: Form) -> RegistryError {
    let said = Said::of(body);
    let answered = |how: &str| RegistryError::Unreachable(format!("it answered {}{how}", status.as_u16()));
    match status {
        // There is nobody that it could be about.
        StatusCode::NOT_FOUND if form == Form::Jose && said.error_description.is_some() => {
            RegistryError::UnknownReceiver(said.description())
        }
        StatusCode::NOT_FOUND if said.is_about_the_receiver() => RegistryError::UnknownReceiver(said.description()),
        StatusCode::NOT_FOUND if said.is_about_a_certificate() => match form {
            // That is what was asked for.
            Form::Text => RegistryError::UnknownReceiver(said.description()),
            Form::Json | Form::Who | Form::Jose => {
                RegistryError::Untold("it cannot find the receiver's certificate".into())
            }
        },
        // Its own word about somebody who is not there has no text. Spec: service registry, 3.4.
        StatusCode::NOT_FOUND if form == Form::Who && body.is_empty() => RegistryError::UnknownReceiver(None),
        // A proxy's, or that of another service at this address.
        StatusCode::NOT_FOUND => answered(", not in the words of a registry; look at [registry] url"),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => answered(""),
        status if status.is_server_error() => answered(""),
        status if status.is_client_error() => RegistryError::Refused {
            status: status.as_u16(),
            description: said.description(),
        },
        status => RegistryError::Unusable(format!("it answered {}", status.as_u16())),
    }
}

/// The body of an error. Spec: service registry, 3.9.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    error_code: Option<String>,
    error_description: Option<String>,
    /// Instead of these in one about a person.
    message: Option<String>,
}

impl Said {
    fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Only the registry itself can say that somebody is not there: what is known is forgotten then. It says so when a certificate
    /// cannot be had, too.
    fn is_about_the_receiver(&self) -> bool {
        match (&self.error_code, &self.error_description, &self.message) {
            (Some(code), Some(_), _) => code != NO_CERTIFICATE,
            (None, None, Some(message)) => message.starts_with(NO_CITIZEN),
            _ => false,
        }
    }

    fn is_about_a_certificate(&self) -> bool {
        self.error_code.as_deref() == Some(NO_CERTIFICATE)
    }

    /// What it said, in short and without person numbers.
    fn description(self) -> Option<String> {
        let text = self.error_description.or(self.message)?;
        let text: String = text.chars().filter(|c| !c.is_control()).take(SAID).collect();
        (!text.trim().is_empty()).then(|| without_person_numbers(&text))
    }
}

/// Reads an answer to its end.
pub(super) async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unreachable("it", error))? {
        body.extend_from_slice(&piece);
        if body.len() > limit {
            return Err(RegistryError::Unusable(format!("it is longer than {limit} bytes")));
        }
    }
    Ok(body)
}

/// No connection, or no answer in time. The URL can hold a person number, and stays out.
pub(super) fn unreachable(what: &str, error: reqwest::Error) -> RegistryError {
    let text = format!("{what}: {}", with_causes(&error.without_url()));
    RegistryError::Unreachable(without_person_numbers(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_an_error_is_repeated_without_person_numbers() {
        let body = br#"{"error_code":"","error_description":"Entity with identifier '05839012391' not found."}"#;
        let error = refusal(StatusCode::NOT_FOUND, body, Form::Json);
        assert_eq!(
            error.to_string(),
            "the registry does not know the receiver: Entity with identifier '***********' not found."
        );
        let body = br#"{"message":"No service record found for citizen: 05839012391"}"#;
        let error = refusal(StatusCode::NOT_FOUND, body, Form::Json);
        assert!(matches!(error, RegistryError::UnknownReceiver(_)));
        assert!(error.to_string().ends_with("citizen: ***********"), "{error}");
    }

    #[test]
    fn a_404_that_is_not_the_registrys_own_says_nothing_about_the_receiver() {
        for body in [
            "",
            "<html>404</html>",
            "{}",
            r#"{"message":"no Route matched with those values"}"#,
            r#"{"timestamp":"2026-03-02","status":404,"error":"Not Found","path":"/a","message":"No message available"}"#,
            r#"{"error_description":"gone"}"#,
            r#"[{"error_code":"","error_description":""}]"#,
        ] {
            let error = refusal(StatusCode::NOT_FOUND, body.as_bytes(), Form::Json);
            assert!(matches!(error, RegistryError::Unreachable(_)), "{body}: {error}");
        }
        let body = br#"{"error_code":"certificate_not_found","error_description":"Unable to find DPO certificate"}"#;
        let error = refusal(StatusCode::NOT_FOUND, body, Form::Json);
        assert!(matches!(error, RegistryError::Untold(_)), "{error}");
        let error = refusal(StatusCode::NOT_FOUND, body, Form::Text);
        assert!(matches!(error, RegistryError::UnknownReceiver(_)), "{error}");
    }

    #[test]
    fn that_nobody_has_a_name_is_told_without_a_text() {
        let of = |body: &[u8], form| refusal(StatusCode::NOT_FOUND, body, form);
        assert!(matches!(of(b"", Form::Who), RegistryError::UnknownReceiver(None)));
        assert!(matches!(of(b"<html>", Form::Who), RegistryError::Unreachable(_)));
        assert!(matches!(of(b"", Form::Json), RegistryError::Unreachable(_)));
    }

    #[test]
    fn each_class_of_error_is_told_apart() {
        let of = |status| refusal(StatusCode::from_u16(status).unwrap(), b"no json", Form::Json);
        for told in [400, 401, 403] {
            assert!(matches!(of(told), RegistryError::Refused { status, .. } if status == told));
        }
        for status in [404, 408, 429, 500, 503] {
            assert!(matches!(of(status), RegistryError::Unreachable(_)), "{status}");
        }
        assert!(matches!(of(302), RegistryError::Unusable(_)));
        for status in [302, 400, 401, 404, 503] {
            assert!(of(status).is_fault(), "{status}");
        }
        assert!(!RegistryError::UnknownReceiver(None).is_fault());
    }
}
