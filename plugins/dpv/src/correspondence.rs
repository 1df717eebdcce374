//! The calls of the Correspondence API. Tokens, addresses and failures are dealt with here.
//!
//! Spec: DPO and DPV, 4.2 and 4.7.

use budstikke_sdk::Failure;
use budstikke_sdk::http::{Method, Reach, classify, in_query, is_success, without_secrets};
use budstikke_sdk::privacy::without_person_numbers;
use serde::de::DeserializeOwned;

use crate::host::{Answer, Call, Form, Host};
use crate::settings::Settings;
use crate::wire::{Found, Overview, Problem, Uploaded, is_id};

/// Bytes of an answer that are read. An overview repeats the texts of its letter, a body of 30 000 characters among them.
pub(crate) const MAX_ANSWER: u32 = 1024 * 1024;

/// Altinn has seen the idempotency key before.
const KEY_USED: u64 = 1034;

/// Why a call gave nothing.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The service answered, with another status than 2xx.
    Status {
        status: u16,
        /// Altinn's own number of the error.
        code: Option<u64>,
        /// Whether there was no word of why.
        silent: bool,
        failure: Failure,
    },
    /// The service answered 2xx, with something that cannot be read.
    Unreadable(Failure),
    /// There is no answer, or no token to ask with.
    NoAnswer {
        failure: Failure,
        /// Whether the service may have taken the request all the same.
        left: bool,
    },
}

impl ApiError {
    /// True when Altinn has taken a letter with this key before.
    pub(crate) fn is_known_key(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 409,
                code: None | Some(KEY_USED),
                ..
            }
        )
    }

    /// True when the letter is not there any more. A 404 in other words than Altinn's is about the address that we ask at.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::Status { status: 410, .. } => true,
            Self::Status {
                status: 404,
                code,
                silent,
                ..
            } => *silent || code.is_some(),
            _ => false,
        }
    }

    /// True when the service itself has no time for anybody, so that the next question can wait too.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Status { status, .. } => matches!(status, 429 | 502..=504),
            Self::Unreadable(_) => false,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Status { failure, .. } | ApiError::Unreadable(failure) | ApiError::NoAnswer { failure, .. } => {
                failure
            }
        }
    }
}

/// The API as we see it.
pub(crate) struct Api<'a, H> {
    host: &'a H,
    settings: &'a Settings,
}

impl<'a, H: Host> Api<'a, H> {
    pub(crate) fn new(host: &'a H, settings: &'a Settings) -> Self {
        Self { host, settings }
    }

    /// Sends a letter and gives its id. No answer, and one that cannot be read, leave open whether Altinn has it: `unknown`.
    pub(crate) fn upload(&self, form: &Form<'_, H::File>) -> Result<String, ApiError> {
        let path = "/correspondence/upload";
        let answer = self.call(Method::Post, path, Some(form));
        let id = answer.and_then(|answer| {
            let uploaded: Uploaded = self.parse(Method::Post, path, &answer.body)?;
            let letter = uploaded.correspondences.into_iter().next();
            let id = letter.map(|letter| letter.correspondence_id).filter(|id| is_id(id));
            id.ok_or_else(|| self.unreadable(Method::Post, path, "it has no id of a correspondence"))
        });
        id.map_err(|error| match error {
            ApiError::NoAnswer { failure, left: true } => ApiError::NoAnswer {
                failure: Failure::unknown(failure.detail()),
                left: true,
            },
            ApiError::Unreadable(failure) => ApiError::Unreadable(Failure::unknown(failure.detail())),
            error => error,
        })
    }

    /// Looks for a letter of ours by its key. None: Altinn has none.
    ///
    /// Spec: DPO and DPV, 8, sharp edge 18.
    pub(crate) fn find(&self, resource: &str, key: &str) -> Result<Option<String>, ApiError> {
        let path = format!(
            "/correspondence?resourceId={}&role=Sender&idempotentKey={}",
            in_query(resource),
            in_query(key)
        );
        let answer = self.call(Method::Get, &path, None)?;
        let found: Found = self.parse(Method::Get, &path, &answer.body)?;
        match found.ids.into_iter().next() {
            Some(id) if !is_id(&id) => Err(self.unreadable(Method::Get, &path, "the id is not an id")),
            id => Ok(id),
        }
    }

    /// Looks a letter up.
    pub(crate) fn overview(&self, id: &str) -> Result<Overview, ApiError> {
        let path = format!("/correspondence/{id}");
        let answer = self.call(Method::Get, &path, None)?;
        self.parse(Method::Get, &path, &answer.body)
    }

    /// One call. A refused token is renewed once: it may have been withdrawn, or the clock of the issuer may be ahead.
    fn call(&self, method: Method, path: &str, form: Option<&Form<'_, H::File>>) -> Result<Answer, ApiError> {
        let url = format!("{}{path}", self.settings.correspondence_service_url);
        let mut renewed = false;
        loop {
            let token = self
                .token()
                .map_err(|failure| ApiError::NoAnswer { failure, left: false })?;
            let headers = [
                ("authorization", format!("Bearer {token}")),
                ("accept", "application/json".to_owned()),
            ];
            let call = Call {
                method,
                url: &url,
                headers: &headers,
                form,
            };
            let answer = self.host.http(call).map_err(|error| ApiError::NoAnswer {
                left: error.reach == Reach::Unknown,
                failure: error.into(),
            })?;
            if is_success(answer.status) {
                return Ok(answer);
            }
            if answer.status == 401 && !renewed {
                self.host.token_was_refused(&token);
                renewed = true;
                continue;
            }
            return Err(self.refused(method, path, &answer));
        }
    }

    fn refused(&self, method: Method, path: &str, answer: &Answer) -> ApiError {
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        // Altinn names the receiver in some of its errors.
        let body = String::from_utf8_lossy(&answer.body);
        let body = without_person_numbers(&body);
        let prefix = format!("{}, status {}", self.place(method, path), answer.status);
        ApiError::Status {
            status: answer.status,
            code: problem.error_code,
            silent: body.trim().is_empty(),
            failure: classify(&prefix, answer.status, answer.retry_after, body.as_bytes()),
        }
    }

    /// An issuer that refuses us says nothing about the message, so only what the operator has to set right is permanent.
    fn token(&self) -> Result<String, Failure> {
        let token = self.host.token(&self.settings.token_profile, &self.settings.scope);
        token.map_err(|failure| match failure.code() {
            Some("profile" | "scope") => failure,
            _ => failure.into_temporary(),
        })
    }

    fn parse<T: DeserializeOwned>(&self, method: Method, path: &str, bytes: &[u8]) -> Result<T, ApiError> {
        // Line and column only: an answer repeats what the letter says.
        serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            self.unreadable(method, path, &place)
        })
    }

    fn unreadable(&self, method: Method, path: &str, why: &str) -> ApiError {
        let place = self.place(method, path);
        ApiError::Unreadable(Failure::temporary(format!("{place}: the answer cannot be read: {why}")))
    }

    /// What was called, for an error text. Spec: DPO and DPV, 4.7.
    fn place(&self, method: Method, path: &str) -> String {
        let url = without_secrets(&format!("{}{path}", self.settings.correspondence_service_url));
        format!("Correspondence api error: {} {url}", method.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fake, PERSON, settings};

    fn failure(host: &Fake) -> Failure {
        Api::new(host, &settings("")).overview("aa").unwrap_err().into()
    }

    #[test]
    fn a_refused_token_is_renewed_once() {
        let host = Fake::default();
        host.on("GET /correspondence/aa", 401, "")
            .on("GET /correspondence/aa", 200, "{}");
        assert!(Api::new(&host, &settings("")).overview("aa").is_ok());
        assert_eq!(
            host.tokens(),
            ["altinn eformidling:dpv #1", "altinn eformidling:dpv #2"]
        );
        assert_eq!(host.refused(), ["token-1"]);
        let asked = host.requests();
        assert_eq!(
            asked[0].headers,
            [
                ("authorization", "Bearer token-1".to_owned()),
                ("accept", "application/json".to_owned())
            ]
        );
        assert_eq!(asked[1].headers[0].1, "Bearer token-2");
    }

    #[test]
    fn a_token_that_is_refused_twice_is_a_final_failure() {
        let host = Fake::default();
        host.on("GET /correspondence/aa", 401, "")
            .on("GET /correspondence/aa", 401, "no access");
        assert_eq!(
            failure(&host).line().to_string(),
            "http-401: Correspondence api error: GET https://proxy.test/v1/correspondence/aa, status 401: no access"
        );
    }

    #[test]
    fn a_token_that_is_not_issued_can_be_asked_for_again_unless_the_settings_are_wrong() {
        for (code, permanent) in [
            ("token-refused", false),
            ("new", false),
            ("profile", true),
            ("scope", true),
        ] {
            let host = Fake::default();
            host.issues_no_token(Failure::permanent(code, "no"));
            assert_eq!(
                (failure(&host).is_permanent(), host.requests().len()),
                (permanent, 0),
                "{code}"
            );
        }
    }

    #[test]
    fn t24_the_text_of_an_error_is_its_place_and_the_body_as_it_came() {
        let place = "Correspondence api error: GET https://proxy.test/v1/correspondence/aa, status 400";
        for (body, text) in [
            ("NoJson", format!("{place}: NoJson")),
            (r#"{"unknown":"v"}"#, format!(r#"{place}: {{"unknown":"v"}}"#)),
            ("", format!("{place}: 400 Bad Request, No body returned")),
        ] {
            let host = Fake::default();
            host.on("GET /correspondence/aa", 400, body);
            assert_eq!(failure(&host).detail(), text);
        }
    }

    #[test]
    fn a_person_whom_altinn_names_does_not_reach_a_text() {
        let host = Fake::default();
        let body = format!(r#"{{"detail":"Recipient {PERSON} has reserved","errorCode":1030}}"#);
        host.on("GET /correspondence/aa", 422, &body);
        let failure = failure(&host);
        assert_eq!(failure.code(), Some("http-422"));
        assert!(
            failure.detail().contains("Recipient … has reserved"),
            "{}",
            failure.detail()
        );
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_not_shown_and_can_be_asked_for_again() {
        for body in ["<html>hemmelig", r#"{"status":["hemmelig"]}"#] {
            let host = Fake::default();
            host.on("GET /correspondence/aa", 200, body);
            let failure = failure(&host);
            assert!(!failure.is_permanent() && !failure.detail().contains("hemmelig"));
        }
    }

    #[test]
    fn a_resource_with_odd_letters_survives_the_query() {
        let host = Fake::default();
        let call = "GET /correspondence?resourceId=a%26b%3D%C3%A6&role=Sender&idempotentKey=k";
        host.on(call, 200, r#"{"ids":[]}"#);
        assert_eq!(Api::new(&host, &settings("")).find("a&b=æ", "k").unwrap(), None);
    }
}
