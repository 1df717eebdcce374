//! One question to the address service over HTTP, and its classes of answers. Spec: service registry, 8.1, 8.2 and 8.4.

use std::sync::Arc;

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
/// Digits in a row that may be a person number.
const PERSON_NUMBER: usize = 11;
const BETA: &str = "X-Enable-Beta-Features";
/// Signed, if it can be; errors never are.
const SIGNED: &str = "application/jose, application/json";

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
    pub(super) async fn ask(&self, url: &Url) -> Result<Vec<u8>, RegistryError> {
        let mut response = self.sent(url).await?;
        if response.1.status() == StatusCode::UNAUTHORIZED
            && let (Some(source), Some(token)) = (&self.token, &response.0)
        {
            // It can have been called back before its time.
            source.tokens.refused(token).await;
            response = self.sent(url).await?;
        }
        let response = response.1;
        let status = response.status();
        let text = body(response, ANSWER).await?;
        if status == StatusCode::OK {
            return match &self.signatures {
                Some(signatures) => signatures.verified(&text).await,
                None => Ok(text),
            };
        }
        Err(refusal(status, &text))
    }

    async fn sent(&self, url: &Url) -> Result<(Option<String>, Response), RegistryError> {
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
        if self.signatures.is_some() {
            request = request.header(ACCEPT, SIGNED);
        }
        let response = request.send().await.map_err(|error| unreachable("it", error))?;
        Ok((token, response))
    }
}

/// What an answer other than 200 means.
fn refusal(status: StatusCode, body: &[u8]) -> RegistryError {
    let description = description(body);
    match status {
        StatusCode::NOT_FOUND => RegistryError::UnknownReceiver(description),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            RegistryError::Unreachable(format!("it answered {}", status.as_u16()))
        }
        status if status.is_server_error() => RegistryError::Unreachable(format!("it answered {}", status.as_u16())),
        status if status.is_client_error() => RegistryError::Refused {
            status: status.as_u16(),
            description,
        },
        status => RegistryError::Unusable(format!("it answered {}", status.as_u16())),
    }
}

/// `error_description` of an error, or `message` of one about a person. Spec: service registry, 3.9.
fn description(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        error_description: Option<String>,
        message: Option<String>,
    }
    let said: Said = serde_json::from_slice(body).ok()?;
    let text = said.error_description.or(said.message)?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(SAID).collect();
    (!text.trim().is_empty()).then(|| without_person_numbers(&text))
}

/// The same with stars for eleven digits or more in a row. Spec: service registry, 10 (8).
pub(crate) fn without_person_numbers(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let others = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len() - digits);
        if digits >= PERSON_NUMBER {
            hidden.push_str("***********");
        } else {
            hidden.push_str(&rest[..digits]);
        }
        hidden.push_str(&rest[digits..digits + others]);
        rest = &rest[digits + others..];
    }
    hidden
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
    let error = error.without_url();
    let mut text = format!("{what}: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    RegistryError::Unreachable(without_person_numbers(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_of_an_error_is_repeated_without_person_numbers() {
        let body = br#"{"error_code":"","error_description":"Entity with identifier '05839012391' not found."}"#;
        let error = refusal(StatusCode::NOT_FOUND, body);
        assert_eq!(
            error.to_string(),
            "the registry does not know the receiver: Entity with identifier '***********' not found."
        );
        let body = br#"{"message":"No service record found for citizen: 05839012391"}"#;
        let error = refusal(StatusCode::NOT_FOUND, body);
        assert!(error.to_string().ends_with("citizen: ***********"), "{error}");
        assert_eq!(
            without_person_numbers("0192:910076787, æ 1 12345678901"),
            "0192:910076787, æ 1 ***********"
        );
    }

    #[test]
    fn each_class_of_error_is_told_apart() {
        let of = |status| refusal(StatusCode::from_u16(status).unwrap(), b"no json");
        assert_eq!(of(404), RegistryError::UnknownReceiver(None));
        for (status, fault) in [(400, false), (401, true), (403, true)] {
            let error = of(status);
            assert!(matches!(error, RegistryError::Refused { status: told, .. } if told == status));
            assert_eq!(error.is_fault(), fault);
        }
        for status in [408, 429, 500, 503] {
            assert!(matches!(of(status), RegistryError::Unreachable(_)), "{status}");
        }
        assert!(matches!(of(302), RegistryError::Unusable(_)));
        assert!(of(302).is_fault() && of(503).is_fault() && !of(404).is_fault());
    }
}
