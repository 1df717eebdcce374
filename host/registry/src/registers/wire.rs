//! How a register is asked over HTTP: within limits of time and size, and what its status says.
//!
//! A question can hold a person number, also in its URL, and an answer can repeat it. So no URL goes into an error, and a piece
//! of an answer only where a register knows nothing of persons.

use budstikke_message::causes::with_causes;
use budstikke_message::identifier::without_person_numbers;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::open::OpenError;
use super::settings::Pace;
use super::{Asker, RegisterError};

/// What stays as it is in a piece of a path: RFC 3986's unreserved characters. A colon is written `%3A`, since some of the
/// services behind want it so, and the others take both.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Longest piece of an answer that goes into an error, bytes.
const QUOTED: usize = 300;

/// The way to one register.
pub(super) struct Wire {
    register: &'static str,
    client: reqwest::Client,
    /// Without a slash at the end.
    base: String,
    /// Largest answer that is read, bytes.
    largest: usize,
    quotes: bool,
    asker: Asker,
}

impl Wire {
    /// The way to the register at a base URL, with or without a slash at the end.
    pub(super) fn new(register: &'static str, base: &str, pace: &Pace) -> Result<Self, OpenError> {
        let wrong = |detail: String| OpenError::Url { register, detail };
        let url = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("it must begin with https:// or http://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must not hold a user, a query or a fragment".to_owned()));
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            tracing::warn!(
                register,
                "is asked without encryption; anybody on the way can read and change its answers"
            );
        }
        let client = reqwest::Client::builder()
            .connect_timeout(pace.connect)
            .timeout(pace.answer)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| OpenError::Client(error.to_string()))?;
        Ok(Self {
            register,
            client,
            base: base.trim_end_matches('/').to_owned(),
            largest: pace.largest,
            quotes: false,
            asker: Asker::Us,
        })
    }

    /// For a register that is shown the token of the client: what it refuses, it refuses the client.
    pub(super) fn for_the_caller(mut self) -> Self {
        self.asker = Asker::Caller;
        self
    }

    /// For a register that knows nothing of persons: errors hold a piece of its answer.
    pub(super) fn quoting(mut self) -> Self {
        self.quotes = true;
        self
    }

    /// `GET` of the base and these pieces of a path, each written so that it stays one piece.
    pub(super) fn get(&self, segments: &[&str]) -> RequestBuilder {
        self.client.get(self.url(segments))
    }

    fn url(&self, segments: &[&str]) -> String {
        let pieces = segments.iter().map(|segment| format!("/{}", encoded(segment)));
        std::iter::once(self.base.clone()).chain(pieces).collect()
    }

    /// The same with one parameter.
    pub(super) fn get_by(&self, segments: &[&str], parameter: &str, value: &str) -> RequestBuilder {
        let url = self.url(segments);
        self.client.get(format!("{url}?{parameter}={}", encoded(value)))
    }

    /// `GET` of the base, with a value in the place of `{identifier}`.
    pub(super) fn get_filled(&self, value: &str) -> RequestBuilder {
        self.client.get(self.base.replace(PLACE, &encoded(value)))
    }

    /// `POST` to the base.
    pub(super) fn post(&self) -> RequestBuilder {
        self.client.post(&self.base)
    }

    /// The body of a 200, or `None` for one of the statuses that say that nothing is there.
    pub(super) async fn find(
        &self,
        request: RequestBuilder,
        absent: &[StatusCode],
    ) -> Result<Option<Vec<u8>>, RegisterError> {
        let (status, body) = self.answer(request).await?;
        if status == StatusCode::OK {
            return Ok(Some(body));
        }
        if absent.contains(&status) {
            return Ok(None);
        }
        Err(self.refusal(status, &body))
    }

    /// The body of a 200. For registers that say with it also that nothing is there, so that a 404 is a wrong address.
    pub(super) async fn fetch(&self, request: RequestBuilder) -> Result<Vec<u8>, RegisterError> {
        let (status, body) = self.answer(request).await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(self.refusal(status, &body))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), RegisterError> {
        let failed = |error: reqwest::Error| self.unavailable(with_causes(&error.without_url()));
        let mut response = request.send().await.map_err(|error| {
            if error.is_builder() {
                // A token or key with a line break in it, say. Asking again does not help.
                return self.rejected("the question cannot be written as HTTP");
            }
            failed(error)
        })?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > self.largest {
                return Err(self.unusable(format!("it is longer than {} bytes", self.largest)));
            }
        }
        Ok((status, body))
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> RegisterError {
        let quote = if self.quotes { quoted(body) } else { String::new() };
        let detail = format!("it answered {}{quote}", status.as_u16());
        match status.as_u16() {
            401 | 403 | 407 => RegisterError::Denied {
                register: self.register,
                asker: self.asker,
                detail,
            },
            408 | 425 | 429 | 500..=599 => self.unavailable(detail),
            400..=499 => self.rejected(detail),
            _ => self.unusable(detail),
        }
    }

    /// Reads JSON. Errors name the member and never its content.
    pub(super) fn json<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, RegisterError> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let read = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let (line, column) = (error.inner().line(), error.inner().column());
            if error.inner().is_data() {
                format!("the member {}{}", error.path(), fault(&error.inner().to_string()))
            } else {
                format!("it is no whole JSON (line {line}, column {column})")
            }
        });
        let read = read.map_err(|detail| self.unusable(detail))?;
        deserializer
            .end()
            .map_err(|_| self.unusable("there is something behind the JSON"))?;
        Ok(read)
    }

    /// There is no answer now.
    pub(super) fn unavailable(&self, detail: impl Into<String>) -> RegisterError {
        RegisterError::Unavailable {
            register: self.register,
            detail: detail.into(),
        }
    }

    /// The answer is not what it should be.
    pub(super) fn unusable(&self, detail: impl Into<String>) -> RegisterError {
        RegisterError::Unusable {
            register: self.register,
            detail: detail.into(),
        }
    }

    /// The question is not one that the register takes.
    pub(super) fn rejected(&self, detail: impl Into<String>) -> RegisterError {
        RegisterError::Rejected {
            register: self.register,
            asker: self.asker,
            detail: detail.into(),
        }
    }

    /// The settings lack what the question needs.
    pub(super) fn not_set_up(&self, detail: impl Into<String>) -> RegisterError {
        RegisterError::NotSetUp {
            register: self.register,
            detail: detail.into(),
        }
    }
}

/// Where an identifier goes in a URL that is a template.
pub(super) const PLACE: &str = "{identifier}";

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// What serde says of a member, without what stood in it. Only the text of a missing one holds nothing of the answer.
fn fault(text: &str) -> String {
    match text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next())
    {
        Some(name) => format!(" lacks {name}"),
        None => " is not what it should be".to_owned(),
    }
}

/// The beginning of an answer on one line, with every long number hidden.
fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..QUOTED).unwrap_or(body));
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(": {}", without_person_numbers(line.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers::settings;

    fn wire() -> Wire {
        Wire::new("the register", "http://127.0.0.1:9/a/", &settings::BRREG).unwrap()
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Read {
        people: Vec<Person>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code, reason = "only whether it can be read matters")]
    struct Person {
        number: u8,
    }

    #[test]
    fn errors_name_the_member_and_not_what_stood_in_it() {
        let detail = |body: &str| wire().json::<Read>(body.as_bytes()).unwrap_err().to_string();
        let wrong = detail(r#"{"people":[{"number":1},{"number":"05839012391"}]}"#);
        assert!(
            wrong.contains("people[1].number") && !wrong.contains("05839012391"),
            "{wrong}"
        );
        assert!(detail(r#"{"people":[{}]}"#).contains("people[0] lacks number"));
        assert!(detail(r#"{"people":["#).contains("no whole JSON (line 1"));
        assert!(detail("\"05839012391\"").contains("is not what it should be"));
        assert!(detail(r#"{"people":[]} {}"#).contains("behind"));
    }

    #[test]
    fn a_piece_of_a_path_stays_one_piece() {
        let url = |segments: &[&str]| wire().get(segments).build().unwrap().url().to_string();
        assert_eq!(
            url(&["x:y", "a/b?c#d%e æ"]),
            "http://127.0.0.1:9/a/x%3Ay/a%2Fb%3Fc%23d%25e%20%C3%A6"
        );
    }

    #[test]
    fn quoted_answers_are_short_on_one_line_and_without_person_numbers() {
        assert_eq!(quoted(b" \n "), "");
        assert_eq!(
            quoted(b"no\n  such 910076787 05839012391!"),
            ": no such 910076787 ***********!"
        );
        assert!(quoted(&[b'x'; 5000]).len() < 400);
    }

    #[test]
    fn a_url_that_cannot_be_asked_is_refused_by_name() {
        for url in [
            "brreg.no",
            "ftp://brreg.no/",
            "https://a:b@brreg.no/",
            "https://brreg.no/?x=1",
            "https://brreg.no/#x",
        ] {
            let error = Wire::new("the register", url, &settings::BRREG)
                .map(|_| ())
                .unwrap_err();
            assert!(error.to_string().contains("the register"), "{error}");
        }
    }
}
