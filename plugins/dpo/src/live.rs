//! The real host.

use std::fmt::Write as _;

use budstikke_sdk::http::{Request, is_success};
use budstikke_sdk::{
    Delivery, Document, Failure, OutgoingMessage, SealScheme, SentMessage, cache, clock, exchange, identity, log,
    packaging, random,
};

use crate::SERVICE;
use crate::host::{Answer, Body, Call, Content, Expect, Host, Outgoing};
use crate::track::Left;

/// The context of our lines in the log.
const LOG: &str = "dpo";

pub(crate) struct Live;

/// A message that left, as tracking needs it.
pub(crate) fn left(message: &SentMessage) -> Left {
    Left {
        message_id: message.message_id(),
        sender: message.sender(),
        reference: message.reference().unwrap_or_default(),
    }
}

impl Host for Live {
    type File = Document;

    fn subjects(&self, profile: &str) -> Result<Vec<String>, Failure> {
        identity::subjects(profile)
    }

    fn token(&self, profile: &str, scope: &str, subject: &str) -> Result<String, Failure> {
        identity::token(profile, &[scope.to_owned()], Some(subject)).map(|token| token.value)
    }

    fn token_was_refused(&self, token: &str) {
        identity::token_was_refused(token);
    }

    fn http(&self, call: Call<'_, Document>) -> Result<Answer<Document>, Failure> {
        let mut request = Request::new(call.method, call.url).bearer(call.token);
        // Everything but the download asks for JSON. Spec: DPO and DPV, 2.4.
        if call.expect != Expect::File {
            request = request.header("accept", "application/json");
        }
        let request = match call.body {
            Body::Nothing => request.empty(),
            Body::Json(text) => request.json(*text),
            Body::File(file) => request.document(file, "application/octet-stream"),
        };
        let response = request.send()?;
        let (status, retry_after) = (response.status(), response.retry_after());
        let content = match call.expect {
            _ if !is_success(status) => Content::Bytes(response.error_body()),
            Expect::Nothing => Content::Bytes(Vec::new()),
            Expect::Json(limit) => Content::Bytes(response.bytes(limit)?),
            Expect::File => Content::File(response.into_spool("sbd.zip", "application/zip")?),
        };
        Ok(Answer {
            status,
            retry_after,
            content,
        })
    }

    fn now(&self) -> u64 {
        clock::now()
    }

    fn uuid(&self) -> String {
        random::uuid()
    }

    fn warn(&self, text: &str) {
        log::warn(LOG, text);
    }

    fn small_file(&self, name: &str, media_type: &str, content: &[u8]) -> Document {
        packaging::from_bytes(name, media_type, content)
    }

    fn asic(&self, files: &[Document], sender: &str, receiver: &str) -> Result<Document, Failure> {
        packaging::asic("asic.asice", &files.iter().collect::<Vec<_>>(), sender, receiver)
    }

    fn seal(&self, content: &Document, certificate: &[u8]) -> Result<Document, Failure> {
        packaging::seal("asic.zip", content, certificate, &SealScheme::OaepCbc)
    }

    fn zip(&self, parts: &[(&str, &Document)]) -> Result<Document, Failure> {
        let parts: Vec<_> = parts.iter().map(|(name, part)| ((*name).to_owned(), *part)).collect();
        packaging::zip("sbd.zip", &parts)
    }

    fn unzip(&self, archive: &Document) -> Result<Vec<Document>, Failure> {
        packaging::unzip(archive)
    }

    fn name(&self, file: &Document) -> String {
        file.name()
    }

    fn read(&self, file: &Document, limit: u32) -> Result<Vec<u8>, Failure> {
        file.read(limit)
    }

    fn md5(&self, file: &Document) -> Result<String, Failure> {
        let digest = file.digest("md5")?;
        Ok(digest.iter().fold(String::with_capacity(32), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    fn deliver(&self, reference: &str, sbd: &[u8], package: Option<&Document>) -> Result<Delivery, Failure> {
        exchange::deliver(SERVICE, reference, sbd, package)
    }

    fn set_aside(&self, reference: &str, reason: &str, content: Option<&Document>) -> Result<(), Failure> {
        exchange::set_aside(SERVICE, reference, reason, content)
    }

    fn was_handled(&self, reference: &str) -> Result<bool, Failure> {
        exchange::was_handled(SERVICE, reference)
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        cache::recall(LOG, key)
    }

    fn remember(&self, key: &str, value: &[u8], lifetime: u64) {
        cache::remember(LOG, key, value, lifetime);
    }

    fn forget(&self, key: &str) {
        cache::forget(LOG, key);
    }
}

impl Outgoing for OutgoingMessage {
    type File = Document;

    fn message_type(&self) -> String {
        self.message_type()
    }

    fn sender(&self) -> String {
        self.sender()
    }

    fn receiver(&self) -> String {
        self.receiver()
    }

    fn expires(&self) -> u64 {
        self.expires()
    }

    fn sbd(&self) -> Result<Vec<u8>, Failure> {
        self.sbd()
    }

    fn files(&self) -> Vec<Document> {
        self.files()
    }

    fn receiver_certificate(&self) -> Option<Vec<u8>> {
        self.receiver_certificate()
    }

    fn reply_channel(&self) -> Option<String> {
        self.reply_channel()
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        self.checkpoint(name)
    }

    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        self.save_checkpoint(name, value)
    }

    fn keep(&self, name: &str, file: &Document) -> Result<Document, Failure> {
        self.keep(name, file)
    }
}
