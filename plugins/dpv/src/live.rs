//! The real host.

use budstikke_sdk::http::{HttpError, Request, is_success};
use budstikke_sdk::{
    Delivery, Document, Draft, Failure, OutgoingMessage, SentMessage, clock, exchange, identity, log, random, registry,
};

use crate::SERVICE;
use crate::correspondence::MAX_ANSWER;
use crate::host::{Answer, Call, Host, Outgoing, Proposed, Written};
use crate::track::Left;

/// The context of our lines in the log.
const LOG: &str = "dpv";

/// What the registry calls the resource of a receiver.
const RESOURCE: &str = "resource";

pub(crate) struct Live;

/// A message that left, as tracking needs it.
pub(crate) fn left(message: &SentMessage) -> Left {
    Left {
        message_id: message.message_id(),
        conversation_id: message.conversation_id(),
        document_type: message.document_type(),
        sender: message.sender(),
        receiver: message.receiver(),
        reference: message.reference(),
        last_update: message.last_update(),
    }
}

impl Host for Live {
    type File = Document;

    fn token(&self, profile: &str, scope: &str) -> Result<String, Failure> {
        identity::token(profile, &[scope.to_owned()], None).map(|token| token.value)
    }

    fn token_was_refused(&self, token: &str) {
        identity::token_was_refused(token);
    }

    fn name_of(&self, organisation: &str) -> Result<Option<String>, Failure> {
        Ok(registry::look_up(organisation)?.and_then(|party| party.name()))
    }

    fn http(&self, call: Call<'_, Document>) -> Result<Answer, HttpError> {
        let request = Request::new(call.method, call.url);
        let request = call
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value.as_str()));
        let request = match call.form {
            None => request,
            Some(form) => request.pieces(form.pieces.clone(), &form.content_type),
        };
        let response = request.send()?;
        let (status, retry_after) = (response.status(), response.retry_after());
        let body = if is_success(status) {
            response.bytes(MAX_ANSWER)?
        } else {
            response.error_body()
        };
        Ok(Answer {
            status,
            retry_after,
            body,
        })
    }

    fn now(&self) -> u64 {
        clock::now()
    }

    fn uuid(&self) -> String {
        random::uuid()
    }

    fn info(&self, text: &str) {
        log::info(LOG, text);
    }

    fn warn(&self, text: &str) {
        log::warn(LOG, text);
    }

    fn name(&self, file: &Document) -> String {
        file.name()
    }

    fn title(&self, file: &Document) -> Option<String> {
        file.title()
    }

    fn size(&self, file: &Document) -> Option<u64> {
        file.size()
    }

    fn read(&self, file: &Document, limit: u32) -> Result<Vec<u8>, Failure> {
        file.read(limit)
    }

    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<Delivery, Failure> {
        exchange::generate(SERVICE, reference, sbd)
    }

    fn was_handled(&self, reference: &str) -> Result<bool, Failure> {
        exchange::was_handled(SERVICE, reference)
    }
}

impl Written for OutgoingMessage {
    type File = Document;

    fn message_id(&self) -> String {
        self.message_id()
    }

    fn process(&self) -> String {
        self.process()
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

    fn sbd(&self) -> Result<Vec<u8>, Failure> {
        self.sbd()
    }

    fn resource(&self) -> Option<String> {
        self.receiver_address(RESOURCE)
    }
}

impl Outgoing for OutgoingMessage {
    fn expires(&self) -> u64 {
        self.expires()
    }

    fn uncertain(&self) -> bool {
        self.uncertain()
    }

    fn files(&self) -> Vec<Document> {
        self.files()
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        self.checkpoint(name)
    }

    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        self.save_checkpoint(name, value)
    }
}

impl Written for Draft {
    type File = Document;

    fn message_id(&self) -> String {
        self.message_id()
    }

    fn process(&self) -> String {
        self.process()
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

    fn sbd(&self) -> Result<Vec<u8>, Failure> {
        self.sbd()
    }

    fn resource(&self) -> Option<String> {
        self.receiver_address(RESOURCE)
    }
}

impl Proposed for Draft {
    fn files(&self) -> Option<Vec<Document>> {
        self.files()
    }
}
