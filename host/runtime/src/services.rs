//! What a sandbox can ask of the house it runs in.
//!
//! The runtime knows WIT and limits; what a document is, how a package is sealed and where a message is stored is behind
//! these traits, one for each resource and one for everything an adapter is granted. Their rules are those of the
//! contract in `wit/`; every function here has the function of the same name there as its documentation.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// Why something did not succeed: the contract's `types.failure`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Can succeed later.
    #[error("{detail}")]
    Temporary {
        /// What happened.
        detail: String,
        /// Seconds that the other side asked us to wait.
        retry_after: Option<u32>,
    },
    /// Trying again cannot help.
    #[error("{code}: {detail}")]
    Permanent {
        /// Stable, machine-readable.
        code: String,
        /// What happened.
        detail: String,
    },
    /// The request left, and nobody knows whether the other side took it.
    #[error("{detail}")]
    Unknown {
        /// What happened.
        detail: String,
        /// Seconds that the other side asked us to wait.
        retry_after: Option<u32>,
    },
}

impl Failure {
    /// A failure that can pass by itself.
    pub fn temporary(detail: impl Into<String>) -> Self {
        Self::Temporary {
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// A failure that no retry can mend.
    pub fn permanent(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Permanent {
            code: code.into(),
            detail: detail.into(),
        }
    }
}

/// The content of a document from its first byte. An error at the end means that nothing of it may be used.
pub type ByteReader = Pin<Box<dyn AsyncRead + Send>>;
/// Where bytes from a service go.
pub type ByteWriter = Pin<Box<dyn AsyncWrite + Send>>;
/// A document that can be handed around.
pub type DocumentRef = Arc<dyn Document>;

/// `documents.document`.
#[async_trait]
pub trait Document: std::any::Any + Send + Sync {
    /// File name, at most 255 bytes.
    fn name(&self) -> &str;
    /// MIME type, empty when unknown.
    fn media_type(&self) -> &str;
    /// Title given by the fagsystem.
    fn title(&self) -> Option<&str>;
    /// Bytes; none for a recipe that has not been kept.
    fn size(&self) -> Option<u64>;
    /// `md5` or `sha-256`.
    async fn digest(&self, algorithm: &str) -> Result<Vec<u8>, Failure>;
    /// The whole content, anew for each call.
    async fn open(&self) -> Result<ByteReader, Failure>;
}

/// `documents.spool`.
#[async_trait]
pub trait Spool: Send {
    /// Once only.
    async fn writer(&mut self) -> Result<ByteWriter, Failure>;
    /// The writer must have been shut down or dropped.
    async fn finish(self: Box<Self>) -> Result<DocumentRef, Failure>;
}

/// How content is encrypted: `packaging.seal-scheme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SealScheme {
    /// RSAES-OAEP with SHA-256, AES-256-CBC.
    OaepCbc,
    /// RSAES-PKCS1-v1_5, AES-256-CBC.
    Pkcs1Cbc,
    /// RSAES-OAEP with SHA-256, AES-256-GCM.
    OaepGcm,
    /// A name that this version does not know.
    Other(String),
}

/// A bearer token: `identity.token`.
#[derive(Clone)]
pub struct Token {
    /// Goes after `Bearer `; never logged.
    pub value: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub expires: u64,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// `exchange.delivery`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The fagsystem can take it.
    New,
    /// Received before.
    AlreadyKnown,
    /// A status of a message of ours.
    Status,
    /// Its life had ended.
    Expired,
    /// Kept aside, with the reason.
    SetAside(String),
}

/// `types.status-report`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// As eFormidling writes it.
    pub status: String,
    /// For people.
    pub description: Option<String>,
    /// What the service answered.
    pub raw_receipt: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub at: Option<u64>,
}

/// `registry.postal-address`. Without `Debug`: it can say where a person lives.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PartyAddress {
    /// Street or box.
    pub street: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Place.
    pub place: Option<String>,
    /// Name or code.
    pub country: Option<String>,
}

/// `registry.party`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Name of the organisation.
    pub name: Option<String>,
    /// Where its post goes.
    pub address: Option<PartyAddress>,
}

/// `exchange.draft`: one message for one call of `check`.
#[derive(Clone, Default)]
pub struct Draft {
    /// SBD instanceIdentifier.
    pub message_id: String,
    /// `urn:no:difi:profile:…`.
    pub process: String,
    /// The SBD's `standard`.
    pub document_type: String,
    /// The SBD's `type`.
    pub message_type: String,
    /// The adapter's service that was chosen.
    pub service: String,
    /// As in the SBD.
    pub sender: String,
    /// As in the SBD.
    pub receiver: String,
    /// UTF-8 JSON.
    pub sbd: Vec<u8>,
    /// What else the registry says, by name.
    pub receiver_address: Vec<(String, String)>,
    /// All of them in their order, when none can be added any more.
    pub files: Option<Vec<DocumentRef>>,
}

/// `exchange.sent-message`: one message for one call of `track`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentMessage {
    /// SBD instanceIdentifier.
    pub message_id: String,
    /// Conversation id.
    pub conversation_id: String,
    /// `urn:no:difi:profile:…`.
    pub process: String,
    /// The SBD's `standard`.
    pub document_type: String,
    /// The adapter's service that it left over.
    pub service: String,
    /// As in the SBD.
    pub sender: String,
    /// As in the SBD.
    pub receiver: String,
    /// The service's own name of it.
    pub reference: Option<String>,
    /// Its latest status, seconds since 1970-01-01T00:00:00Z.
    pub last_update: u64,
}

/// `exchange.outgoing-message`: one message for one call of `send`.
#[async_trait]
pub trait Outgoing: Send + Sync {
    /// The facts that cost nothing to tell.
    fn facts(&self) -> &OutgoingFacts;
    /// The SBD as UTF-8 JSON.
    async fn sbd(&self) -> Result<Vec<u8>, Failure>;
    /// Primary first, then in the order of upload.
    fn files(&self) -> Vec<DocumentRef>;
    /// By name.
    fn checkpoint(&self, name: &str) -> Option<Vec<u8>>;
    /// On disk when it returns.
    async fn save_checkpoint(&self, name: &str, value: Vec<u8>) -> Result<(), Failure>;
    /// Computes once, keeps with the message.
    async fn keep(&self, name: &str, document: DocumentRef) -> Result<DocumentRef, Failure>;
    /// The next `keep` computes anew.
    async fn forget(&self, name: &str);
}

/// What `exchange.outgoing-message` tells without I/O.
#[derive(Debug, Clone, Default)]
pub struct OutgoingFacts {
    /// SBD instanceIdentifier.
    pub message_id: String,
    /// Conversation id.
    pub conversation_id: String,
    /// `urn:no:difi:profile:…`.
    pub process: String,
    /// The SBD's `standard`.
    pub document_type: String,
    /// The SBD's `type`.
    pub message_type: String,
    /// The adapter's service that was chosen.
    pub service: String,
    /// As in the SBD.
    pub sender: String,
    /// As in the SBD.
    pub receiver: String,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub expires: u64,
    /// 1 at the first try.
    pub attempt: u32,
    /// An earlier attempt ended without anybody knowing whether the message had left.
    pub uncertain: bool,
    /// DER.
    pub receiver_certificate: Option<Vec<u8>>,
    /// What else the registry says, by name.
    pub receiver_address: Vec<(String, String)>,
    /// The MessageChannel of the message that this one answers.
    pub reply_channel: Option<String>,
}

/// Everything that one adapter can ask of the host; made by the server, one per adapter.
#[async_trait]
pub trait Services: Send + Sync {
    /// `documents.spool`; `limit` is the largest number of bytes that it takes.
    async fn spool(&self, name: &str, media_type: &str, limit: u64) -> Result<Box<dyn Spool>, Failure>;

    /// `packaging.from-bytes`.
    #[expect(clippy::wrong_self_convention, reason = "the contract's name")]
    fn from_bytes(&self, name: &str, media_type: &str, content: Vec<u8>) -> DocumentRef;
    /// `packaging.asic`.
    async fn asic(
        &self,
        name: &str,
        documents: Vec<DocumentRef>,
        sender: &str,
        receiver: &str,
    ) -> Result<DocumentRef, Failure>;
    /// `packaging.seal`.
    async fn seal(
        &self,
        name: &str,
        content: DocumentRef,
        certificate: Vec<u8>,
        scheme: SealScheme,
    ) -> Result<DocumentRef, Failure>;
    /// `packaging.seal-to-us`.
    async fn seal_to_us(&self, name: &str, content: DocumentRef) -> Result<DocumentRef, Failure>;
    /// `packaging.unseal`; `limit` is the largest number of bytes that come out.
    async fn unseal(
        &self,
        name: &str,
        media_type: &str,
        content: DocumentRef,
        limit: u64,
    ) -> Result<DocumentRef, Failure>;
    /// `packaging.zip`.
    async fn zip(&self, name: &str, parts: Vec<(String, DocumentRef)>) -> Result<DocumentRef, Failure>;
    /// `packaging.unzip`.
    async fn unzip(&self, archive: DocumentRef) -> Result<Vec<DocumentRef>, Failure>;

    /// `identity.own-organisation`.
    fn own_organisation(&self) -> String;
    /// `identity.subjects`.
    async fn subjects(&self, profile: &str) -> Result<Vec<String>, Failure>;
    /// `identity.token`.
    async fn token(&self, profile: &str, scopes: Vec<String>, subject: Option<String>) -> Result<Token, Failure>;
    /// `identity.token-was-refused`.
    async fn token_was_refused(&self, value: &str);

    /// `exchange.deliver`.
    async fn deliver(
        &self,
        service: &str,
        reference: &str,
        sbd: Vec<u8>,
        package: Option<DocumentRef>,
    ) -> Result<Delivery, Failure>;
    /// `exchange.generate`.
    async fn generate(&self, service: &str, reference: &str, sbd: Vec<u8>) -> Result<Delivery, Failure>;
    /// `exchange.set-aside`.
    async fn set_aside(
        &self,
        service: &str,
        reference: &str,
        reason: &str,
        content: Option<DocumentRef>,
    ) -> Result<(), Failure>;
    /// `exchange.was-handled`.
    async fn was_handled(&self, service: &str, reference: &str) -> Result<bool, Failure>;

    /// `registry.look-up`.
    async fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure>;

    /// `queue-key.get`.
    async fn queue_key(&self) -> Result<String, Failure>;
    /// `queue-key.was-refused`.
    async fn queue_key_was_refused(&self, value: &str);

    /// `state.get`.
    async fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure>;
    /// `state.set`; life time in seconds.
    async fn state_set(&self, key: &str, value: Vec<u8>, lifetime: Option<u64>) -> Result<(), Failure>;
    /// `state.remove`.
    async fn state_remove(&self, key: &str) -> Result<(), Failure>;

    /// `settings`: the adapter's table, secrets resolved.
    fn settings(&self) -> &serde_json::Value;
}

/// A service that an adapter serves, with the host's reading of `messaging.service-rule`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceRules {
    /// The service's name.
    pub id: String,
    /// Largest sum of file sizes, bytes.
    pub upload_limit: Option<u64>,
    /// Hours that a message lives when its sender does not say.
    pub lifetime_hours: Option<u32>,
    /// The MessageChannel that outgoing messages carry.
    pub channel: Option<String>,
    /// `MOTTATT` and `LEVERT` go back to the sender.
    pub answers_with_status: bool,
    /// Every file needs a title.
    pub title_required: bool,
    /// `messaging.check` is asked before a message is accepted.
    pub checked: bool,
}

/// `messaging.description`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// Product name.
    pub name: String,
    /// Product version.
    pub version: String,
    /// What it serves.
    pub services: Vec<ServiceRules>,
    /// Seconds between polls; none when there is nothing to receive.
    pub poll_interval: Option<u32>,
}

/// `messaging.sent`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// The service's own name of the message.
    pub reference: Option<String>,
    /// Statuses besides `SENDT`.
    pub reports: Vec<StatusReport>,
    /// Seconds until the first look.
    pub track_after: Option<u32>,
}

/// `messaging.progress`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// New statuses.
    pub reports: Vec<StatusReport>,
    /// Seconds until the next look; none: no more.
    pub track_after: Option<u32>,
}

/// `messaging.received`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Handed over.
    pub handled: u32,
    /// Stays at the service.
    pub problems: Vec<String>,
    /// There is more to fetch at once.
    pub more: bool,
}
