//! One request to a subscriber.

use std::error::Error;
use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use jiff::Timestamp;
use reqwest::{Client, Response, redirect};
use uuid::Uuid;

use super::endpoint::{Endpoint, Refused, resolver};
use super::signature::SigningSecret;
use crate::config;

/// Unused connections that are kept for the next event.
const IDLE: Duration = Duration::from_secs(20);
/// How much of an answer's body is read, bytes: nobody looks at it, but a connection whose answer was read can be used again.
const ANSWER: usize = 64 * 1024;
/// Longest error text that is kept, bytes.
const ERROR: usize = 300;

/// Why a subscriber did not take something. The text is ASCII and fits a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// Another status than 2xx.
    #[error("answered {0}")]
    Answered(u16),
    /// Silence.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it broke off.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It may not be called.
    #[error("the URL {0}")]
    Refused(#[from] Refused),
    /// The signing secret cannot be read.
    #[error("the signing secret of the subscription cannot be opened")]
    Secret,
}

/// The client for all subscribers.
pub struct Webhooks {
    settings: config::Webhooks,
    client: Client,
}

impl Webhooks {
    /// An error when the system's certificates cannot be read.
    pub fn new(settings: config::Webhooks) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_time)
            .read_timeout(settings.read_time)
            .pool_idle_timeout(IDLE)
            .dns_resolver(resolver())
            .build()?;
        Ok(Self { settings, client })
    }

    /// Reads a URL that a client wants to be told at.
    pub fn endpoint(&self, text: &str) -> Result<Endpoint, Refused> {
        Endpoint::read(text, self.settings.allow.as_deref())
    }

    /// How long an event is kept for a subscriber that does not take it, ms.
    pub(super) fn keep_millis(&self) -> i64 {
        i64::from(self.settings.keep_hours) * 60 * 60 * 1000
    }

    /// How long to wait after an attempt that failed, ms; `before`: attempts before it.
    pub(super) fn retry_millis(&self, before: u32) -> i64 {
        let seconds = &self.settings.retry_seconds;
        let index = usize::try_from(before).unwrap_or(usize::MAX);
        let seconds = seconds.get(index).or(seconds.last()).copied().unwrap_or(0);
        i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
    }

    /// Posts a body. The status, when it is 2xx.
    pub(super) async fn post(
        &self,
        push_endpoint: &str,
        secret: &SigningSecret,
        key: Uuid,
        attempt: u32,
        body: Vec<u8>,
    ) -> Result<u16, Failed> {
        let endpoint = self.endpoint(push_endpoint)?;
        let request = self
            .client
            .post(endpoint.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("Budstikke/", env!("CARGO_PKG_VERSION")))
            .header("Budstikke-Delivery", key.to_string())
            .header("Budstikke-Attempt", attempt)
            .header("Budstikke-Signature", secret.sign(Timestamp::now().as_second(), &body))
            .body(body);
        // Header bytes that trickle in are no silence, so the whole has an end as well.
        let patience = self.settings.connect_time.saturating_add(self.settings.read_time);
        let answer = match tokio::time::timeout(patience, request.send()).await {
            Ok(answer) => answer.map_err(|error| unanswered(&error))?,
            Err(_) => return Err(Failed::TimedOut),
        };
        let status = answer.status();
        // What the body brings, or that it does not come, changes nothing.
        let _read = tokio::time::timeout(self.settings.read_time, drain(answer)).await;
        if status.is_success() {
            Ok(status.as_u16())
        } else {
            Err(Failed::Answered(status.as_u16()))
        }
    }
}

async fn drain(mut answer: Response) {
    let mut read = 0_usize;
    while let Ok(Some(piece)) = answer.chunk().await {
        read = read.saturating_add(piece.len());
        if read > ANSWER {
            return;
        }
    }
}

/// The innermost cause says most, and does not repeat the URL.
fn unanswered(error: &reqwest::Error) -> Failed {
    if error.is_timeout() {
        return Failed::TimedOut;
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    Failed::NoAnswer(cause.to_string().chars().take(ERROR).map(printable).collect())
}
