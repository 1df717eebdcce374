//! The API as a fagsystem meets it: over HTTP, on a store and a vault of its own.
//!
//! Where the test vectors of the messaging API (spec, 13) are:
//!
//! | vector | about | test |
//! |---|---|---|
//! | 1, 2 | ping and push of webhooks | [`webhooks`]`::a_new_subscriber_gets_one_ping_that_is_signed_with_its_secret`, `…::a_status_is_told_once_without_a_service_when_there_is_none` |
//! | 3 | capabilities | [`capabilities`]`::capabilities_come_in_the_order_of_the_registry`, `…::the_type_of_a_document_type_is_told_when_it_is_known`, `…::addresses_stand_where_the_registry_gives_them` |
//! | 4 | create, and a message id again | `tests/e2e`: `vectors::two_messages_in_two_processes_and_a_third_with_an_id_again` |
//! | 5 | what create refuses | [`outgoing`]`::create_refuses_in_the_order_of_the_spec`, `…::a_message_id_is_taken_as_long_as_its_conversation_is_there`; `budstikke_message`: `sbd::tests::create::a_message_for_another_channel_is_refused_and_unchanged` |
//! | 6 | the default of the message channel | `budstikke_message`: `sbd::tests::create::the_configured_channel_is_added_or_filled_in` |
//! | 7 | on behalf of | `budstikke_message`: `sbd::tests::create::the_owner_sends_on_behalf_of_other_organisations` |
//! | 8 | rules for files | [`outgoing`]`::a_message_goes_from_draft_to_queue_and_sending_twice_is_sending_once`; `upload::tests::a_title_is_needed_where_the_service_says_so`; `store::tests::sending::the_sum_of_the_files_is_what_counts`; [`content`]`::files_may_be_as_large_together_as_the_service_takes` |
//! | 9 | print | `budstikke_message`: `body::check_tests::a_norwegian_return_address_without_postal_code_is_refused`, `body::address::tests`; [`routing`]`::a_print_…` |
//! | 10, 11, 15 | an arkivmelding over DPO and its statuses | `tests/e2e`: `main_job::an_arkivmelding_travels_and_its_statuses_travel_back` |
//! | 12 | avtalt | `tests/e2e`: `vectors::the_content_of_an_avtalt_message_passes_untouched` |
//! | 13 | one-shot | `tests/e2e`: `vectors::a_one_shot_call_sends_also_with_an_unknown_korrespondanseparttype` |
//! | 14 | too late | [`outgoing`]`::a_message_past_its_time_is_not_sent_and_says_so` |
//! | 16 | received too late, received without a message | `store::tests::remembering::a_life_that_ended_is_registered_and_nothing_is_left_to_take`; `tests/e2e`: `faults::broken_packages_are_set_aside_and_block_nobody` |
//! | 17 | filters and locks of peek | [`incoming`]`::each_filter_of_peek_selects_only_its_match`; `store::tests::receiving::a_hundred_parallel_peeks_hand_each_message_to_one` |
//! | 18 | pop | [`incoming`]`::a_message_is_peeked_popped_and_taken`, `…::nothing_to_pop_is_no_content`, `…::a_package_for_another_key_is_an_error_and_the_message_stays`, `…::a_package_that_is_gone_from_disk_is_an_error_and_the_message_stays` |
//! | 19 | dates | `budstikke_message`: `datetime::tests` |
//! | 20 | the order of the SBD's members | `budstikke_message`: `sbd::tests::parse::the_body_may_come_before_the_header_and_is_written_after_it` |
//! | 21 | error bodies | [`outgoing`]`::a_one_shot_call_that_is_refused_leaves_nothing_behind`; `error::tests`; [`subscriptions`]`::an_unknown_event_is_told_with_the_events_that_exist` |
//! | 22 | lists by date | [`lists`]`::conversations_are_found_by_day_and_statuses_by_time` |
//! | 23 | how often a service is asked | `delivery::tracker::tests::an_old_message_is_asked_about_once_an_hour` |

mod address_service;
mod anything;
mod arriving;
mod capabilities;
mod content;
mod described;
mod errors;
mod file_names;
mod granted;
mod incoming;
mod limits;
mod lists;
mod managing;
mod operating;
mod outgoing;
mod pages;
mod registered;
mod routing;
mod status_queue;
mod subscriber;
mod subscriptions;
mod webhooks;

use std::sync::{Arc, LazyLock};

pub(super) use outgoing::chunked;

use async_trait::async_trait;
use budstikke_message::document_type::MessageTypes;
use budstikke_message::keystore::{Identity, Keystore};
use budstikke_message::process::Processes;
use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use budstikke_runtime::services::ServiceRules;
use budstikke_store::files::Files;
use budstikke_store::{AttachmentRules, NewOutgoing, NewStatus, Place, Store, Vault};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::adapters::Adapters;
use crate::certificates::Checks;
use crate::config;
use crate::delivery::answer::facts_of;
use crate::front::{AnswerCounts, ServerCertificate};
use crate::node::Node;
use crate::presence::Presence;
use crate::registry::{Answer, Capability, Question, Record, Registry, RegistryError, Source, TomlRegistry};
use crate::routing::Rules;
use crate::sealed_sbd;
use crate::webhooks::Webhooks;

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

/// Knows 910076787, which takes arkivmelding, and 974760673, which takes two things over two services; fails for 999999999.
struct OneReceiver;

#[async_trait]
impl Registry for OneReceiver {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        let found = match question.receiver {
            "910076787" => Ok(vec![Capability {
                process: question.process.unwrap_or(PROCESS).to_owned(),
                service: "POST".into(),
                document_types: vec![STANDARD.into()],
                ..Capability::default()
            }]),
            "974760673" => Ok([("POST", STANDARD), ("MAIL", "urn:x::unknown")]
                .map(|(service, standard)| Capability {
                    process: PROCESS.to_owned(),
                    service: service.into(),
                    document_types: vec![standard.into(), "plain".into()],
                    certificate: Some(vec![1, 2, 3]),
                    ..Capability::default()
                })
                .into()),
            "999999999" => Err(RegistryError::Unreachable("no route".into())),
            _ => Err(RegistryError::UnknownReceiver(None)),
        };
        found.map(|capabilities| Answer {
            capabilities,
            source: Source::OwnList,
        })
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        Err(RegistryError::NeedsReceiver(process.to_owned()))
    }

    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        self.capabilities(Question::about(receiver)).await?;
        Err(RegistryError::UnknownReceiver(None))
    }

    async fn info(&self, _: &str) -> Result<Value, RegistryError> {
        Err(RegistryError::UnknownReceiver(None))
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
        Self::furnished(|_| {}).await
    }

    /// A house where messages really are created: a service `POST` that takes a megabyte and answers with statuses, what
    /// `examples/budstikke.toml` adds to the tables, and a registry of the scene's own.
    async fn with_post(registry: &str) -> Self {
        let registry: config::Registry = toml::from_str(registry).unwrap();
        let settings = example_messages();
        Self::furnished(|node| {
            node.registry = Arc::new(TomlRegistry::new(&registry).unwrap());
            node.types = settings.known_types().unwrap();
            node.processes = settings.own_processes().unwrap();
            node.adapters.pretended.push(ServiceRules {
                id: "POST".into(),
                upload_limit: Some(1024 * 1024),
                answers_with_status: true,
                ..ServiceRules::default()
            });
        })
        .await
    }

    async fn furnished(furnish: impl FnOnce(&mut Node)) -> Self {
        Self::built(config::ServerLimits::default(), furnish).await
    }

    async fn with(limits: config::ServerLimits) -> Self {
        Self::built(limits, |_| {}).await
    }

    async fn telling(webhooks: config::Webhooks) -> Self {
        Self::furnished(|node| node.webhooks = Webhooks::new(webhooks).unwrap()).await
    }

    async fn built(limits: config::ServerLimits, furnish: impl FnOnce(&mut Node)) -> Self {
        let webhooks = config::Webhooks {
            retry_seconds: vec![0],
            ..config::Webhooks::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("b.db"));
        let store = Arc::new(Store::open(place, "house").await.unwrap());
        let files = Files::folder(&folder.path().join("files"), store.key(&OWN, &[]).await.unwrap()).unwrap();
        let mut node = Node {
            own: "991825827".parse().unwrap(),
            identity: OWN.clone(),
            vault: Vault::new(files, store.clone()),
            store,
            registry: Arc::new(OneReceiver),
            routing: Rules::default(),
            certificates: Checks::default(),
            adapters: Adapters::default(),
            types: MessageTypes::standard(),
            processes: Processes::default(),
            settings: config::Messages::default(),
            retention: Vec::new(),
            webhooks: Webhooks::new(webhooks).unwrap(),
            limits,
            server_certificate: ServerCertificate::default(),
            answers: AnswerCounts::default(),
            shutdown: None,
            sealed: std::sync::Mutex::default(),
            presence: Presence::new(false),
            queued: Notify::new(),
        };
        furnish(&mut node);
        let node = Arc::new(node);
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
        self.store_draft(sbd, hours, |_| {}).await
    }

    /// A draft whose stored SBD is changed before it is stored.
    async fn draft_with(&self, sbd: Value, change: impl Fn(&mut Vec<u8>)) -> String {
        self.store_draft(sbd, 24, change).await
    }

    async fn store_draft(&self, sbd: Value, hours: i64, change: impl Fn(&mut Vec<u8>)) -> String {
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
        let mut sealed = sealed_sbd::seal(&self.node.vault, &message_id, &sbd).unwrap();
        change(&mut sealed.content);
        let new = NewOutgoing {
            sbd: sealed,
            message_type: sbd.message_type().name.to_string(),
            facts,
            reply_channel: None,
            ready: false,
            route: None,
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

/// `[messages]` of the example configuration.
fn example_messages() -> config::Messages {
    #[derive(serde::Deserialize)]
    struct File {
        messages: config::Messages,
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let text = std::fs::read_to_string(folder.join("budstikke.toml")).unwrap();
    let mut messages = toml::from_str::<File>(&text).unwrap().messages;
    for own in &mut messages.types {
        own.schema = own.schema.take().map(|schema| folder.join(schema));
    }
    messages
}

/// The status and the JSON of an answer, which must be one that the description of the API knows.
async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap()
    };
    described::assert_known(&method, &path, status, &body);
    (status, body)
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
