//! The API as a fagsystem meets it: over HTTP, on a store and a vault of its own.

mod incoming;
mod lists;
mod outgoing;

use std::sync::{Arc, LazyLock};

pub(super) use outgoing::chunked;

use async_trait::async_trait;
use budstikke_message::document_type::MessageTypes;
use budstikke_message::keystore::{Identity, Keystore};
use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::adapters::Adapters;
use crate::config;
use crate::delivery::answer::facts_of;
use crate::node::Node;
use crate::registry::{Capability, Registry, RegistryError};
use crate::sealed_sbd;
use crate::store::{AttachmentRules, NewOutgoing, NewStatus, Store};
use crate::vault::{StoreKey, Vault};

const STANDARD: &str = "urn:no:difi:arkivmelding:xsd::arkivmelding";
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";

/// One key is enough for all scenes: making one takes a while.
static OWN: LazyLock<Arc<Identity>> = LazyLock::new(|| Arc::new(identity()));

fn identity() -> Identity {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let mut parameters = CertificateParams::default();
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(2048, 12, 31);
    let certificate = parameters.self_signed(&key).unwrap().pem();
    Keystore::from_pem(format!("{}{certificate}", key.serialize_pem()).as_bytes()).unwrap()
}

/// Knows 910076787, which takes arkivmelding, and fails for 999999999.
struct OneReceiver;

#[async_trait]
impl Registry for OneReceiver {
    async fn capabilities(
        &self,
        receiver: &str,
        process: Option<&str>,
        _: Option<u8>,
    ) -> Result<Vec<Capability>, RegistryError> {
        match receiver {
            "910076787" => Ok(vec![Capability {
                process: process.unwrap_or(PROCESS).to_owned(),
                service: "POST".into(),
                document_types: vec![STANDARD.into()],
                certificate: None,
                address: std::collections::BTreeMap::default(),
            }]),
            "999999999" => Err(RegistryError::Unreachable("no route".into())),
            other => Err(RegistryError::UnknownReceiver(other.into())),
        }
    }
}

/// A running installation without adapters.
struct House {
    node: Arc<Node>,
    address: std::net::SocketAddr,
    client: Client,
    folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = StoreKey::open_or_create(&folder.path().join("store.key"), &OWN).unwrap();
        let node = Arc::new(Node {
            own: "991825827".parse().unwrap(),
            identity: OWN.clone(),
            store: Arc::new(Store::open(&folder.path().join("b.db")).unwrap()),
            vault: Vault::open(&folder.path().join("files"), key).unwrap(),
            registry: Arc::new(OneReceiver),
            adapters: Adapters::default(),
            types: MessageTypes::standard(),
            settings: config::Messages::default(),
            queued: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = super::router(node.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            node,
            address,
            client: Client::new(),
            folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(self.url(path))
    }

    fn create(&self, sbd: &Value) -> RequestBuilder {
        self.post("/api/messages/out")
            .header("content-type", "application/json")
            .body(sbd.to_string())
    }

    fn upload(&self, message_id: &str, filename: &str, content: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client
            .put(self.url(&format!("/api/messages/out/{message_id}")))
            .header("content-type", "text/plain")
            .header(
                "content-disposition",
                format!("attachment; name=tittel; filename=\"{filename}\""),
            )
            .body(content)
    }

    /// A draft of service `S`, past the checks that need an adapter. Returns its message id.
    async fn draft(&self, sbd: Value) -> String {
        self.draft_living(sbd, 24).await
    }

    async fn draft_living(&self, sbd: Value, hours: i64) -> String {
        let mut sbd = Sbd::parse(sbd.to_string().as_bytes(), &self.node.types).unwrap();
        sbd.fill_defaults(
            &self.node.own,
            Timestamp::now(),
            std::time::Duration::from_hours(24),
            None,
        )
        .unwrap();
        let mut facts = facts_of(&sbd, "S").unwrap();
        facts.expiry = Node::now() + hours * 3_600_000;
        let message_id = facts.message_id.clone();
        let new = NewOutgoing {
            sbd: sealed_sbd::seal(&self.node.vault, &message_id, &sbd).unwrap(),
            message_type: sbd.message_type().name.to_string(),
            facts,
            reply_channel: None,
        };
        let (rules, created) = (
            AttachmentRules { limit: 0 },
            NewStatus::plain(Status::Opprettet, Node::now()),
        );
        self.node.store.create(new, Vec::new(), rules, created).await.unwrap();
        message_id
    }

    /// Files in the vault, half-written ones included.
    fn files(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("files")).unwrap();
        folders
            .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
            .sum()
    }
}

/// The status and the JSON of an answer.
async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    (
        status,
        if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        },
    )
}

/// The last word of the exception.
fn exception(body: &Value) -> &str {
    body["exception"].as_str().unwrap().rsplit('.').next().unwrap()
}

fn sbd(kind: &str, body: &Value) -> Value {
    let standard = format!("urn:no:difi:{}:xsd::{kind}", kind.trim_end_matches("_kvittering"));
    let mut sbd = json!({ "standardBusinessDocumentHeader": {
        "headerVersion": "1.0",
        "receiver": [{ "identifier": { "authority": "iso6523-actorid-upis", "value": "0192:910076787" } }],
        "documentIdentification": { "standard": standard, "type": kind, "typeVersion": "2.0" },
        "businessScope": { "scope": [{ "type": "ConversationId", "identifier": PROCESS }] },
    }});
    sbd[kind] = body.clone();
    sbd
}

fn arkivmelding_xml(files: &[&str]) -> String {
    let mut documents = String::new();
    for file in files {
        documents.push_str("<dokumentbeskrivelse><dokumentobjekt><referanseDokumentfil>");
        documents.push_str(file);
        documents.push_str("</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>");
    }
    format!(
        r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <mappe xsi:type="saksmappe"><systemID>sak-1</systemID><basisregistrering xsi:type="journalpost">{documents}
        <offentligTittel>Svar på søknad</offentligTittel><journalpostnummer>7</journalpostnummer></basisregistrering></mappe></arkivmelding>"#
    )
}
