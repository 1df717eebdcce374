//! A fagsystem: the client side of the API.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Who it says it is, where somebody asks.
pub(crate) const USER: &str = "fagsystem";
/// Its password.
pub(crate) const PASSWORD: &str = "hemmelig";

/// A file to send.
#[derive(Debug, Clone)]
pub struct File {
    /// File name.
    pub name: String,
    /// MIME type.
    pub mime: String,
    /// Content.
    pub content: Vec<u8>,
}

impl File {
    /// A file.
    pub fn new(name: &str, mime: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            mime: mime.into(),
            content: content.into(),
        }
    }

    /// The arkivmelding and the letter of `examples/message`.
    pub fn examples() -> anyhow::Result<Vec<Self>> {
        let folder = crate::programs::root().join("examples/message");
        Ok(vec![
            Self::new(
                "arkivmelding.xml",
                "application/xml",
                std::fs::read(folder.join("arkivmelding.xml"))?,
            ),
            Self::new("brev.pdf", "application/pdf", std::fs::read(folder.join("brev.pdf"))?),
        ])
    }
}

/// What the API answered. As an error it is one that the caller could not use.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when there is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Itself, when the status is 200.
    pub fn ok(self) -> anyhow::Result<Self> {
        if self.status == StatusCode::OK {
            return Ok(self);
        }
        Err(self.into())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "answered {}: {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }
}

impl std::error::Error for Answer {}

/// Whether a call may succeed when it is repeated: nobody answered, or the answer says that something behind it is away.
pub fn is_passing(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<reqwest::Error>()
            || cause
                .downcast_ref::<Answer>()
                .is_some_and(|answer| answer.status.is_server_error())
    })
}

/// A client of one integrasjonspunkt.
#[derive(Debug, Clone)]
pub struct Fagsystem {
    base: String,
    client: reqwest::Client,
    patience: Option<Duration>,
}

impl Fagsystem {
    /// `base` without a slash at the end.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            client: reqwest::Client::new(),
            patience: None,
        }
    }

    /// The same, which waits for no answer longer than this.
    #[must_use]
    pub fn impatient(self, patience: Duration) -> Self {
        Self {
            patience: Some(patience),
            ..self
        }
    }

    /// Name and password that it gives, with a colon between them.
    pub fn credentials(&self) -> String {
        format!("{USER}:{PASSWORD}")
    }

    /// Where the API is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Any request.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .basic_auth(USER, Some(PASSWORD));
        match self.patience {
            Some(patience) => request.timeout(patience),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await?;
        Ok(Answer {
            status: response.status(),
            body: response.bytes().await?.to_vec(),
        })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask(self.request(Method::GET, path)).await
    }

    /// An SBD with an arkivmelding.
    pub fn arkivmelding(sender: &str, receiver: &str, message_id: &str) -> Value {
        json!({
            "standardBusinessDocumentHeader": {
                "headerVersion": "1.0",
                "sender": [{ "identifier": { "authority": "iso6523-actorid-upis", "value": format!("0192:{sender}") } }],
                "receiver": [{ "identifier": { "authority": "iso6523-actorid-upis", "value": format!("0192:{receiver}") } }],
                "documentIdentification": {
                    "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding",
                    "type": "arkivmelding",
                    "typeVersion": "2.0",
                    "instanceIdentifier": message_id
                },
                "businessScope": { "scope": [{
                    "type": "ConversationId",
                    "instanceIdentifier": uuid::Uuid::new_v4().to_string(),
                    "identifier": "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
                }] }
            },
            "arkivmelding": { "sikkerhetsnivaa": 3, "hoveddokument": "brev.pdf" }
        })
    }

    /// POST /api/messages/out
    pub async fn create(&self, sbd: &Value) -> anyhow::Result<Answer> {
        self.ask(self.request(Method::POST, "/api/messages/out").json(sbd))
            .await
    }

    /// PUT /api/messages/out/{id}
    pub async fn upload(&self, message_id: &str, file: &File) -> anyhow::Result<Answer> {
        let request = self
            .request(Method::PUT, &format!("/api/messages/out/{message_id}"))
            .header("content-type", &file.mime)
            .header(
                "content-disposition",
                format!("attachment; name=\"{0}\"; filename=\"{0}\"", file.name),
            )
            .body(file.content.clone());
        self.ask(request).await
    }

    /// POST /api/messages/out/{id}
    pub async fn send(&self, message_id: &str) -> anyhow::Result<Answer> {
        self.ask(self.request(Method::POST, &format!("/api/messages/out/{message_id}")))
            .await
    }

    /// Create, upload and send; every answer must be 200.
    pub async fn send_message(&self, sbd: &Value, files: &[File]) -> anyhow::Result<String> {
        let created = self.create(sbd).await?.ok()?.json();
        let message_id = created["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"]
            .as_str()
            .context("the created message has no id")?
            .to_owned();
        for file in files {
            self.upload(&message_id, file).await?.ok()?;
        }
        self.send(&message_id).await?.ok()?;
        Ok(message_id)
    }

    /// The statuses of a message, in order; with `direction` when both sides are one installation.
    pub async fn statuses(&self, message_id: &str) -> anyhow::Result<Vec<String>> {
        let page = self
            .get(&format!("/api/statuses/{message_id}?size=100"))
            .await?
            .ok()?
            .json();
        let content = page["content"].as_array().context("no content")?;
        Ok(content
            .iter()
            .filter_map(|status| status["status"].as_str())
            .map(ToOwned::to_owned)
            .collect())
    }

    /// Waits until a message has a status; the error tells which ones it has.
    pub async fn wait_for(&self, message_id: &str, status: &str, patience: Duration) -> anyhow::Result<Vec<String>> {
        let started = Instant::now();
        loop {
            let statuses = self.statuses(message_id).await?;
            if statuses.iter().any(|has| has == status) {
                return Ok(statuses);
            }
            if started.elapsed() > patience {
                bail!("no {status} after {patience:?}; the message has {statuses:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// GET /api/messages/in/peek; None for 204.
    pub async fn peek(&self, query: &str) -> anyhow::Result<Option<Value>> {
        let answer = self.get(&format!("/api/messages/in/peek{query}")).await?;
        if answer.status == StatusCode::NO_CONTENT {
            Ok(None)
        } else {
            Ok(Some(answer.ok()?.json()))
        }
    }

    /// Waits for a message on the incoming queue and locks it.
    pub async fn wait_and_peek(&self, query: &str, patience: Duration) -> anyhow::Result<Value> {
        let started = Instant::now();
        loop {
            if let Some(sbd) = self.peek(query).await? {
                return Ok(sbd);
            }
            if started.elapsed() > patience {
                bail!("nothing on the incoming queue after {patience:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// GET /api/messages/in/pop/{id}
    pub async fn pop(&self, message_id: &str) -> anyhow::Result<Answer> {
        self.get(&format!("/api/messages/in/pop/{message_id}")).await
    }

    /// DELETE /api/messages/in/{id}
    pub async fn take(&self, message_id: &str) -> anyhow::Result<Answer> {
        self.ask(self.request(Method::DELETE, &format!("/api/messages/in/{message_id}")))
            .await
    }
}

/// The message id of an SBD.
pub fn message_id(sbd: &Value) -> Option<&str> {
    sbd["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"].as_str()
}
