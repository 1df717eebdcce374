//! What an integrasjonspunkt says of itself. Spec: KOSMOS, 5; sharp edges 2 and 3.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use crate::config::Management;
use crate::http::{HttpError, is_refused, management_client, told};

/// Bytes of an answer.
const SIZE: usize = 1 << 20;

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It says that it is well.
    Up,
    /// It answers, and is not well.
    Unwell(String),
    /// Nobody is there.
    Gone,
    /// Somebody is there and takes too long.
    Silent(String),
    /// The connection broke off: somebody was there a moment ago.
    Broken(String),
}

impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Up => f.write_str("is up"),
            Self::Unwell(words) => write!(f, "is not well: {words}"),
            Self::Gone => f.write_str("does not run"),
            Self::Silent(words) | Self::Broken(words) => write!(f, "does not answer: {words}"),
        }
    }
}

/// Where an integrasjonspunkt answers.
#[derive(Debug, Clone)]
pub struct Actuator {
    client: Client,
    info: String,
    health: String,
    shutdown: String,
    metrics: String,
    root: String,
    login: Option<(String, String)>,
}

impl Actuator {
    /// As it is configured.
    pub fn new(management: &Management) -> Result<Self, HttpError> {
        let root = management.url.trim_end_matches('/').to_owned();
        let place = |own: &Option<String>, end: &str| own.clone().unwrap_or_else(|| format!("{root}/manage/{end}"));
        let login = match (&management.user, &management.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.value().map_err(HttpError)?)),
            _ => None,
        };
        Ok(Self {
            client: management_client(management)?,
            info: place(&management.info_url, "info"),
            health: place(&management.health_url, "health"),
            shutdown: place(&management.shutdown_url, "shutdown"),
            metrics: place(&management.metrics_url, "prometheus"),
            root,
            login,
        })
    }

    /// Its root, without a slash at the end.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The client, for other calls.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn with_login(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("accept", "application/json");
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    async fn json(&self, response: Response) -> Result<Value, HttpError> {
        let body = response
            .bytes()
            .await
            .map_err(|error| HttpError(told(&error.without_url())))?;
        if body.len() > SIZE {
            return Err(HttpError(format!("the answer is longer than {SIZE} bytes")));
        }
        serde_json::from_slice(&body).map_err(|_| HttpError("the answer is no JSON".into()))
    }

    /// All that it says it is; an error says why nothing is known.
    pub async fn info(&self) -> Result<Value, HttpError> {
        let named = |words: String| HttpError(format!("{}: {words}", self.info));
        let response = self.with_login(self.client.get(&self.info)).send().await;
        let response = response.map_err(|error| named(told(&error.without_url())))?;
        if !response.status().is_success() {
            return Err(named(format!("answered {}", response.status())));
        }
        self.json(response).await.map_err(|error| named(error.0))
    }

    /// The version that answers.
    pub async fn version(&self) -> Result<String, HttpError> {
        let info = self.info().await?;
        let version = info["build"]["version"].as_str();
        version
            .map(ToOwned::to_owned)
            .ok_or_else(|| HttpError(format!("{}: has no build.version", self.info)))
    }

    /// How it is.
    pub async fn health(&self) -> Health {
        let response = match self.with_login(self.client.get(&self.health)).send().await {
            Ok(response) => response,
            Err(error) => {
                let (refused, late) = (is_refused(&error), error.is_timeout());
                let words = told(&error.without_url());
                return match (refused, late) {
                    (true, _) => Health::Gone,
                    (false, true) => Health::Silent(words),
                    (false, false) => Health::Broken(words),
                };
            }
        };
        let status = response.status();
        match self.json(response).await {
            Ok(answer) => {
                let said = answer["status"].as_str().unwrap_or("nothing");
                if status.is_success() && said.eq_ignore_ascii_case("UP") {
                    Health::Up
                } else {
                    Health::Unwell(format!("{} with status {said}{}", status.as_u16(), parts(&answer)))
                }
            }
            Err(error) => Health::Unwell(format!("{} and {error}", status.as_u16())),
        }
    }

    /// The whole answer about its health, good or not.
    pub async fn health_in_full(&self) -> Option<Value> {
        let response = self.with_login(self.client.get(&self.health)).send().await.ok()?;
        self.json(response).await.ok()
    }

    /// Asks it to stop. An error says that it will not.
    pub async fn shut_down(&self) -> Result<(), HttpError> {
        let named = |words: String| HttpError(format!("{}: {words}", self.shutdown));
        let response = self.with_login(self.client.post(&self.shutdown)).send().await;
        let response = response.map_err(|error| named(told(&error.without_url())))?;
        if !response.status().is_success() {
            return Err(named(format!("answered {}", response.status())));
        }
        match self.json(response).await {
            Ok(Value::Object(_)) => Ok(()),
            Ok(_) => Err(named("the answer is no JSON object".into())),
            Err(error) => Err(named(error.0)),
        }
    }

    /// Its counters, in the text format of Prometheus.
    pub async fn metrics(&self) -> Result<String, HttpError> {
        let failed = |error: reqwest::Error| HttpError(format!("{}: {}", self.metrics, told(&error.without_url())));
        let response = self.with_login(self.client.get(&self.metrics)).send().await;
        let response = response.and_then(Response::error_for_status).map_err(failed)?;
        let text = response.bytes().await.map_err(failed)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The parts that are not up.
fn parts(answer: &Value) -> String {
    let parts = answer["components"].as_object().into_iter().flatten();
    let down: Vec<&str> = parts
        .filter(|(_, part)| part["status"].as_str().is_some_and(|status| status != "UP"))
        .map(|(name, _)| name.as_str())
        .collect();
    if down.is_empty() {
        String::new()
    } else {
        format!(" ({})", down.join(", "))
    }
}
