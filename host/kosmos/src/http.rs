//! HTTP as the supervisor speaks it: bounded in time and size, and every error in plain words.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, Url};

use crate::config::{Download, Management};

/// Redirects of one download.
const REDIRECTS: usize = 10;

/// What went wrong with a request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HttpError(pub String);

/// The words of an error and of what lies under it.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = inner.source();
    }
    text
}

/// Whether nobody listens there.
pub fn is_refused(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        let system = inner.downcast_ref::<std::io::Error>();
        if system.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        source = inner.source();
    }
    false
}

fn authorities(file: Option<&Path>) -> Result<Vec<Certificate>, HttpError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let failed = |error: String| HttpError(format!("{}: {error}", file.display()));
    let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| failed(told(&error)))
}

/// A client for an integrasjonspunkt's management: follows no redirects. Spec: KOSMOS, 5.
pub fn management_client(management: &Management) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(management.connect_time)
        .timeout(management.read_time);
    for authority in authorities(management.extra_authorities.as_deref())? {
        builder = builder.add_root_certificate(authority);
    }
    builder.build().map_err(|error| HttpError(told(&error)))
}

/// A client for downloads: follows redirects, but never from HTTPS to HTTP.
pub fn download_client(download: &Download) -> Result<Client, HttpError> {
    let policy = Policy::custom(|attempt| {
        let downgrade = attempt.url().scheme() != "https"
            && attempt
                .previous()
                .last()
                .is_some_and(|before| before.scheme() == "https");
        if downgrade {
            attempt.error("a redirect from https to http is not followed")
        } else if attempt.previous().len() > REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .redirect(policy)
        .connect_timeout(download.connect_time)
        .read_timeout(download.silence_time)
        .build()
        .map_err(|error| HttpError(told(&error)))
}

/// A response with a good status.
pub async fn get(client: &Client, url: &str) -> Result<Response, HttpError> {
    let url = Url::parse(url).map_err(|error| HttpError(format!("{url}: {error}")))?;
    let named = |words: String| HttpError(format!("{url}: {words}"));
    let response = client
        .get(url.clone())
        .send()
        .await
        .map_err(|error| named(told(&error.without_url())))?;
    let status = response.status();
    if status.is_success() {
        Ok(response)
    } else {
        Err(named(format!("answered {status}")))
    }
}

/// A small file, whole.
pub async fn get_small(client: &Client, url: &str, size: u64, time: Duration) -> Result<Bytes, HttpError> {
    let whole = async {
        let mut response = get(client, url).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| HttpError(format!("{url}: {}", told(&error.without_url()))))?
        {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > size {
                return Err(HttpError(format!("{url}: is longer than {size} bytes")));
            }
        }
        Ok(Bytes::from(body))
    };
    tokio::time::timeout(time, whole)
        .await
        .unwrap_or_else(|_| Err(HttpError(format!("{url}: was not whole after {} s", time.as_secs()))))
}
