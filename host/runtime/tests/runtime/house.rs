//! What stands behind a plugin's imports, in memory.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use budstikke_runtime::services::{
    ByteReader, ByteWriter, Delivery, Document, DocumentRef, Failure, Outgoing, OutgoingFacts, Party, PartyAddress,
    SealScheme, Services, Spool, Token,
};
use serde_json::Value;

/// The house of one plugin.
#[derive(Default)]
pub(crate) struct House {
    settings: Value,
    state: Mutex<HashMap<String, Vec<u8>>>,
    handled: Mutex<HashSet<String>>,
}

impl House {
    pub(crate) fn new(settings: Value) -> Arc<Self> {
        Arc::new(Self {
            settings,
            ..Self::default()
        })
    }
}

/// A document in memory, or one of zeros of any size.
pub(crate) struct Paper {
    name: String,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    Zeros(u64),
    /// A recipe: its size is not known.
    Zip(usize),
}

impl Paper {
    fn bytes(name: &str, content: Vec<u8>) -> DocumentRef {
        Arc::new(Self {
            name: name.into(),
            content: Content::Bytes(content),
        })
    }

    pub(crate) fn zeros(size: u64) -> DocumentRef {
        Arc::new(Self {
            name: "zeros".into(),
            content: Content::Zeros(size),
        })
    }
}

#[async_trait]
impl Document for Paper {
    fn name(&self) -> &str {
        &self.name
    }

    fn media_type(&self) -> &'static str {
        "application/octet-stream"
    }

    fn title(&self) -> Option<&str> {
        None
    }

    fn size(&self) -> Option<u64> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Zeros(size) => Some(*size),
            Content::Zip(_) => None,
        }
    }

    async fn digest(&self, algorithm: &str) -> Result<Vec<u8>, Failure> {
        match algorithm {
            "md5" => Ok(vec![0; 16]),
            "sha-256" => Ok(vec![0; 32]),
            other => Err(Failure::permanent("unknown-algorithm", other)),
        }
    }

    async fn open(&self) -> Result<ByteReader, Failure> {
        use tokio::io::AsyncReadExt as _;
        Ok(match &self.content {
            Content::Bytes(bytes) => Box::pin(Cursor::new(bytes.clone())),
            Content::Zeros(size) => Box::pin(tokio::io::repeat(0).take(*size)),
            Content::Zip(parts) => Box::pin(Cursor::new(vec![b'z'; *parts])),
        })
    }
}

/// Counts what is written, and keeps the size only.
struct Counter {
    name: String,
    size: Arc<Mutex<u64>>,
}

struct CountingWriter(Arc<Mutex<u64>>);

impl tokio::io::AsyncWrite for CountingWriter {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        *self.0.lock().unwrap() += bytes.len() as u64;
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Spool for Counter {
    async fn writer(&mut self) -> Result<ByteWriter, Failure> {
        Ok(Box::pin(CountingWriter(self.size.clone())))
    }

    async fn finish(self: Box<Self>) -> Result<DocumentRef, Failure> {
        let size = *self.size.lock().unwrap();
        Ok(Arc::new(Paper {
            name: self.name,
            content: Content::Zeros(size),
        }))
    }
}

#[async_trait]
impl Services for House {
    async fn spool(&self, name: &str, _: &str, _: u64) -> Result<Box<dyn Spool>, Failure> {
        Ok(Box::new(Counter {
            name: name.into(),
            size: Arc::default(),
        }))
    }

    fn from_bytes(&self, name: &str, _: &str, content: Vec<u8>) -> DocumentRef {
        Paper::bytes(name, content)
    }

    async fn asic(&self, name: &str, _: Vec<DocumentRef>, _: &str, _: &str) -> Result<DocumentRef, Failure> {
        Ok(Paper::bytes(name, b"asic".to_vec()))
    }

    async fn seal(&self, name: &str, _: DocumentRef, _: Vec<u8>, _: SealScheme) -> Result<DocumentRef, Failure> {
        Ok(Paper::bytes(name, b"sealed".to_vec()))
    }

    async fn seal_to_us(&self, name: &str, _: DocumentRef) -> Result<DocumentRef, Failure> {
        Ok(Paper::bytes(name, b"sealed".to_vec()))
    }

    async fn unseal(&self, name: &str, _: &str, _: DocumentRef, _: u64) -> Result<DocumentRef, Failure> {
        Ok(Paper::bytes(name, b"opened".to_vec()))
    }

    async fn zip(&self, name: &str, parts: Vec<(String, DocumentRef)>) -> Result<DocumentRef, Failure> {
        Ok(Arc::new(Paper {
            name: name.into(),
            content: Content::Zip(parts.len()),
        }))
    }

    async fn unzip(&self, _: DocumentRef) -> Result<Vec<DocumentRef>, Failure> {
        Ok(vec![
            Paper::bytes("a.txt", b"first".to_vec()),
            Paper::bytes("b.txt", b"second".to_vec()),
        ])
    }

    fn own_organisation(&self) -> String {
        "0192:991825827".into()
    }

    async fn subjects(&self, _: &str) -> Result<Vec<String>, Failure> {
        Ok(vec![self.own_organisation()])
    }

    async fn token(&self, _: &str, _: Vec<String>, _: Option<String>) -> Result<Token, Failure> {
        Ok(Token {
            value: "secret".into(),
            expires: 0,
        })
    }

    async fn token_was_refused(&self, _: &str) {}

    async fn deliver(&self, _: &str, reference: &str, _: Vec<u8>, _: Option<DocumentRef>) -> Result<Delivery, Failure> {
        let new = self.handled.lock().unwrap().insert(reference.into());
        Ok(if new { Delivery::New } else { Delivery::AlreadyKnown })
    }

    async fn generate(&self, service: &str, reference: &str, sbd: Vec<u8>) -> Result<Delivery, Failure> {
        self.deliver(service, reference, sbd, None).await
    }

    async fn set_aside(&self, _: &str, reference: &str, _: &str, _: Option<DocumentRef>) -> Result<(), Failure> {
        self.handled.lock().unwrap().insert(reference.into());
        Ok(())
    }

    async fn was_handled(&self, _: &str, reference: &str) -> Result<bool, Failure> {
        Ok(self.handled.lock().unwrap().contains(reference))
    }

    async fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure> {
        Ok((identifier == "910076787").then(|| Party {
            name: Some("Lillevik kommune".into()),
            address: Some(PartyAddress {
                place: Some("Lillevik".into()),
                ..PartyAddress::default()
            }),
        }))
    }

    async fn queue_key(&self) -> Result<String, Failure> {
        Ok("secret".into())
    }

    async fn queue_key_was_refused(&self, value: &str) {
        assert_eq!(value, "secret");
    }

    async fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(self.state.lock().unwrap().get(key).cloned())
    }

    async fn state_set(&self, key: &str, value: Vec<u8>, _: Option<u64>) -> Result<(), Failure> {
        self.state.lock().unwrap().insert(key.into(), value);
        Ok(())
    }

    async fn state_remove(&self, key: &str) -> Result<(), Failure> {
        self.state.lock().unwrap().remove(key);
        Ok(())
    }

    fn settings(&self) -> &Value {
        &self.settings
    }
}

/// A message on its way out.
pub(crate) struct Letter {
    facts: OutgoingFacts,
    files: Vec<DocumentRef>,
    checkpoints: Mutex<HashMap<String, Vec<u8>>>,
    kept: Mutex<HashMap<String, DocumentRef>>,
    pub(crate) computed: AtomicU32,
}

impl Letter {
    pub(crate) fn with_file(file: DocumentRef) -> Arc<Self> {
        let facts = OutgoingFacts {
            message_id: "m-1".into(),
            receiver: "0192:987464291".into(),
            expires: 1_800_000_000,
            attempt: 2,
            uncertain: true,
            ..OutgoingFacts::default()
        };
        Arc::new(Self {
            facts,
            files: vec![file],
            checkpoints: Mutex::default(),
            kept: Mutex::default(),
            computed: AtomicU32::new(0),
        })
    }
}

#[async_trait]
impl Outgoing for Letter {
    fn facts(&self) -> &OutgoingFacts {
        &self.facts
    }

    async fn sbd(&self) -> Result<Vec<u8>, Failure> {
        Ok(b"{}".to_vec())
    }

    fn files(&self) -> Vec<DocumentRef> {
        self.files.clone()
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        self.checkpoints.lock().unwrap().get(name).cloned()
    }

    async fn save_checkpoint(&self, name: &str, value: Vec<u8>) -> Result<(), Failure> {
        self.checkpoints.lock().unwrap().insert(name.into(), value);
        Ok(())
    }

    async fn keep(&self, name: &str, document: DocumentRef) -> Result<DocumentRef, Failure> {
        let mut kept = self.kept.lock().unwrap();
        Ok(kept
            .entry(name.into())
            .or_insert_with(|| {
                self.computed.fetch_add(1, Relaxed);
                document
            })
            .clone())
    }

    async fn forget(&self, name: &str) {
        self.kept.lock().unwrap().remove(name);
    }
}
