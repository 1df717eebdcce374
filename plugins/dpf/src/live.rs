//! The real host.

use budstikke_sdk::http::{HttpError, Request, Timeouts, is_success};
use budstikke_sdk::{
    self as sdk, Delivery, Document, Failure, OutgoingMessage, SealScheme, SentMessage, cache, clock, exchange,
    identity, log, packaging, random, registry,
};

use crate::SERVICE;
use crate::host::{Answer, Body, Call, Caller, Content, Draft, Expect, Host, Left, Outgoing, Party};
use crate::settings::Seal;

/// The context of our lines in the log.
const LOG: &str = "dpf";

/// So much of a failed answer is read: a SOAP fault is larger than other errors.
const MAX_FAILED: u32 = 64 * 1024;

pub(crate) struct Live;

/// A message that left, as tracking needs it.
pub(crate) fn left(message: &SentMessage) -> Left {
    Left {
        message_id: message.message_id(),
        conversation_id: message.conversation_id(),
        document_type: message.document_type(),
        sender: message.sender(),
        receiver: message.receiver(),
        reference: message.reference().unwrap_or_default(),
        last_update: message.last_update(),
    }
}

/// A message before it is accepted.
pub(crate) fn draft(draft: &sdk::Draft) -> Result<Draft<Document>, Failure> {
    Ok(Draft {
        message_type: draft.message_type(),
        sender: draft.sender(),
        sbd: draft.sbd()?,
        files: draft.files(),
    })
}

impl Host for Live {
    type File = Document;

    fn own_organisation(&self) -> String {
        identity::own_organisation()
    }

    fn token(&self, profile: &str, scope: &str, subject: Option<&str>) -> Result<String, Failure> {
        identity::token(profile, &[scope.to_owned()], subject).map(|token| token.value)
    }

    fn token_was_refused(&self, token: &str) {
        identity::token_was_refused(token);
    }

    fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure> {
        let party = registry::look_up(identifier)?;
        Ok(party.map(|party| Party {
            name: party.name(),
            address: party.address(),
        }))
    }

    fn http(&self, call: Call<'_, Document>) -> Result<Answer<Document>, HttpError> {
        let request = Request::new(call.method, call.url).timeouts(Timeouts {
            first_byte: call.patience,
            between_bytes: call.patience,
            ..Timeouts::default()
        });
        let request = match call.caller {
            Caller::Integration { token, id, password } => request
                .bearer(token)
                .header("integrasjonid", id)
                .header("integrasjonpassord", password),
            Caller::Login(login) => request.basic(&login.user, &login.password),
        };
        let response = match call.body {
            Body::Nothing => request.empty().send()?,
            Body::Content(pieces, content_type) => request.pieces(pieces, &content_type).send()?,
        };
        let (status, retry_after) = (response.status(), response.retry_after());
        let media_type = response.header("content-type").unwrap_or_default();
        let content = match call.expect {
            // What is longer, or breaks off, is as good as none: the status says enough.
            _ if !is_success(status) => Content::Bytes(response.bytes(MAX_FAILED).unwrap_or_default()),
            Expect::Nothing => Content::Bytes(Vec::new()),
            Expect::Text(limit) => Content::Bytes(response.bytes(limit)?),
            Expect::File => Content::File(response.into_spool("forsendelse.zip", "application/octet-stream")?),
        };
        Ok(Answer {
            status,
            retry_after,
            media_type,
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

    fn seal(&self, content: &Document, certificate: &[u8], scheme: Seal) -> Result<Document, Failure> {
        let scheme = match scheme {
            Seal::Oaep => SealScheme::OaepCbc,
            Seal::Pkcs1 => SealScheme::Pkcs1Cbc,
        };
        packaging::seal(&content.name(), content, certificate, &scheme)
    }

    fn unseal(&self, content: &Document) -> Result<Document, Failure> {
        packaging::unseal("forsendelse.zip", "application/zip", content)
    }

    fn unzip(&self, archive: &Document) -> Result<Vec<Document>, Failure> {
        packaging::unzip(archive)
    }

    fn renamed(&self, file: &Document, name: &str, media_type: &str) -> Result<Document, Failure> {
        sdk::copy(file, name, media_type)
    }

    fn package(&self, files: &[Document], sender: &str, receiver: &str) -> Result<Document, Failure> {
        let asic = packaging::asic("asic.asice", &files.iter().collect::<Vec<_>>(), sender, receiver)?;
        packaging::seal_to_us("asic.zip", &asic)
    }

    fn name(&self, file: &Document) -> String {
        file.name()
    }

    fn media_type(&self, file: &Document) -> String {
        file.media_type()
    }

    fn size(&self, file: &Document) -> Option<u64> {
        file.size()
    }

    fn read(&self, file: &Document, limit: u32) -> Result<Vec<u8>, Failure> {
        file.read(limit)
    }

    fn sha256(&self, file: &Document) -> Result<Vec<u8>, Failure> {
        file.digest("sha-256")
    }

    fn deliver(&self, reference: &str, sbd: &[u8], package: &Document) -> Result<Delivery, Failure> {
        exchange::deliver(SERVICE, reference, sbd, Some(package))
    }

    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<(), Failure> {
        exchange::generate(SERVICE, reference, sbd).map(drop)
    }

    fn set_aside(&self, reference: &str, reason: &str, content: &Document) -> Result<(), Failure> {
        exchange::set_aside(SERVICE, reference, reason, Some(content))
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
}

impl Outgoing for OutgoingMessage {
    type File = Document;

    fn message_id(&self) -> String {
        self.message_id()
    }

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

    fn uncertain(&self) -> bool {
        self.uncertain()
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
