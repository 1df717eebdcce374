//! A scripted host: answers in the order that a test gives them, and a diary of what was asked.

mod letter;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use budstikke_sdk::http::{HttpError, Piece, Reach};
use budstikke_sdk::{Delivery, Failure};
use serde_json::Value;

use crate::host::{Answer, Call, Host};
use crate::settings::{Settings, from_json};
use crate::track::Left;

pub(crate) use letter::Letter;

pub(crate) const OWN: &str = "0192:991825827";
pub(crate) const OTHER: &str = "0192:910076787";
pub(crate) const PERSON: &str = "15847010042";
pub(crate) const MESSAGE: &str = "6a1d5f0e-3c52-4c1b-8a0e-9f2b7d3c4e55";

/// 2026-03-25T12:38:23+01:00.
pub(crate) const NOW: u64 = 1_774_438_703;

/// Settings with the address that the fake answers at. `extra` begins with a comma.
pub(crate) fn settings(extra: &str) -> Settings {
    from_json(&format!(
        r#"{{"correspondence-service-url":"https://proxy.test/v1"{extra}}}"#
    ))
    .unwrap()
}

/// A file with a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) content: String,
}

pub(crate) fn file(name: &str, content: &str) -> File {
    File {
        name: name.to_owned(),
        title: Some("Tittel".to_owned()),
        content: content.to_owned(),
    }
}

/// An `arkivmelding.xml`; `public` is an element or nothing.
pub(crate) fn arkivmelding(title: &str, public: &str, files: &[&str]) -> String {
    let documents = files.iter().fold(String::new(), |documents, name| {
        let file = format!("<dokumentobjekt><referanseDokumentfil>{name}</referanseDokumentfil></dokumentobjekt>");
        documents + "<dokumentbeskrivelse>" + &file + "</dokumentbeskrivelse>"
    });
    format!(
        r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <mappe xsi:type="saksmappe"><basisregistrering xsi:type="journalpost"><tittel>{title}</tittel>{public}{documents}</basisregistrering></mappe></arkivmelding>"#
    )
}

/// An arkivmelding that left just now.
pub(crate) fn left(reference: &str) -> Left {
    Left {
        message_id: MESSAGE.into(),
        conversation_id: "c2a4f3a0-0d5b-4c0b-9b53-1f0f5f3ad701".into(),
        document_type: "urn:no:difi:arkivmelding:xsd::arkivmelding".into(),
        sender: OWN.into(),
        receiver: OTHER.into(),
        reference: Some(reference.to_owned()),
        last_update: NOW,
    }
}

/// A request as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `POST /correspondence/upload`.
    pub(crate) call: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: Option<String>,
    /// Of a form: the head and the content of each part.
    pub(crate) parts: Vec<(String, String)>,
}

impl Asked {
    /// The text parts: name and value. Their heads must be those of plain text.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let fields = self.parts.iter().filter(|(head, _)| !head.contains("filename="));
        let fields = fields.map(|(head, value)| {
            let name = head.split('"').nth(1).unwrap();
            let expected =
                format!("Content-Disposition: form-data; name=\"{name}\"\r\nContent-Type: text/plain; charset=UTF-8");
            assert_eq!(*head, expected);
            (name.to_owned(), value.clone())
        });
        fields.collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let fields = self.fields().into_iter();
        fields.filter(|(field, _)| field == name).map(|(_, value)| value).next()
    }

    /// The parts that are files: head and content.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let files = self.parts.iter().filter(|(head, _)| head.contains("filename="));
        files.cloned().collect()
    }
}

enum Reply {
    Answer(u16, Option<u32>, String),
    Broken(Reach),
}

#[derive(Default)]
pub(crate) struct Fake {
    replies: RefCell<HashMap<String, VecDeque<Reply>>>,
    requests: RefCell<Vec<Asked>>,
    tokens: RefCell<Vec<String>>,
    refused: RefCell<Vec<String>>,
    no_token: RefCell<Option<Failure>>,
    names: RefCell<HashMap<String, Result<Option<String>, Failure>>>,
    generated: RefCell<Vec<(String, Value)>>,
    no_receipts: RefCell<Option<Failure>>,
    warnings: RefCell<Vec<String>>,
    uuids: Cell<u32>,
    pub(crate) now: Cell<u64>,
    /// Seconds that every call takes.
    pub(crate) pace: Cell<u64>,
}

impl Fake {
    /// The next answer to `METHOD /path` below the address.
    pub(crate) fn on(&self, call: &str, status: u16, body: &str) -> &Self {
        self.reply(call, Reply::Answer(status, None, body.to_owned()))
    }

    /// The same, with a wish to wait.
    pub(crate) fn busy(&self, call: &str, status: u16, seconds: u32) -> &Self {
        self.reply(call, Reply::Answer(status, Some(seconds), String::new()))
    }

    /// No answer comes.
    pub(crate) fn breaks(&self, call: &str, reach: Reach) -> &Self {
        self.reply(call, Reply::Broken(reach))
    }

    fn reply(&self, call: &str, reply: Reply) -> &Self {
        self.replies
            .borrow_mut()
            .entry(call.to_owned())
            .or_default()
            .push_back(reply);
        self
    }

    pub(crate) fn issues_no_token(&self, failure: Failure) {
        *self.no_token.borrow_mut() = Some(failure);
    }

    /// Another answer of the registry than "Etat A".
    pub(crate) fn names(&self, organisation: &str, name: Result<Option<&str>, Failure>) -> &Self {
        let name = name.map(|name| name.map(str::to_owned));
        self.names.borrow_mut().insert(organisation.to_owned(), name);
        self
    }

    pub(crate) fn takes_no_receipts(&self, failure: Failure) {
        *self.no_receipts.borrow_mut() = Some(failure);
    }

    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.requests.borrow().clone()
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.requests.borrow().iter().map(|asked| asked.call.clone()).collect()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.borrow().clone()
    }

    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.borrow().clone()
    }

    pub(crate) fn generated(&self) -> Vec<(String, Value)> {
        self.generated.borrow().clone()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }
}

/// The parts of a form, by its boundary.
fn parts(content_type: &str, pieces: &[Piece<&File>]) -> Vec<(String, String)> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let whole: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            Piece::File(file) => file.content.clone(),
        })
        .collect();
    let inner = whole.strip_suffix(&format!("--{boundary}--\r\n")).unwrap();
    let delimiter = format!("--{boundary}\r\n");
    let parts = inner.split(&delimiter).skip(1);
    let parts = parts.map(|part| part.strip_suffix("\r\n").unwrap().split_once("\r\n\r\n").unwrap());
    parts
        .map(|(head, content)| (head.to_owned(), content.to_owned()))
        .collect()
}

impl Host for Fake {
    type File = File;

    fn token(&self, profile: &str, scope: &str) -> Result<String, Failure> {
        if let Some(failure) = &*self.no_token.borrow() {
            return Err(failure.clone());
        }
        let version = self.refused.borrow().len() + 1;
        self.tokens.borrow_mut().push(format!("{profile} {scope} #{version}"));
        Ok(format!("token-{version}"))
    }

    fn token_was_refused(&self, token: &str) {
        self.refused.borrow_mut().push(token.to_owned());
    }

    fn name_of(&self, organisation: &str) -> Result<Option<String>, Failure> {
        let names = self.names.borrow();
        names
            .get(organisation)
            .cloned()
            .unwrap_or_else(|| Ok(Some("Etat A".to_owned())))
    }

    fn http(&self, call: Call<'_, File>) -> Result<Answer, HttpError> {
        let path = call
            .url
            .strip_prefix("https://proxy.test/v1")
            .expect("the address of the API");
        let name = format!("{} {path}", call.method.name());
        self.requests.borrow_mut().push(Asked {
            call: name.clone(),
            headers: call.headers.to_vec(),
            content_type: call.form.map(|form| form.content_type.clone()),
            parts: call
                .form
                .map(|form| parts(&form.content_type, &form.pieces))
                .unwrap_or_default(),
        });
        self.now.set(self.now.get() + self.pace.get());
        let mut replies = self.replies.borrow_mut();
        let reply = replies.get_mut(&name).and_then(VecDeque::pop_front);
        match reply.unwrap_or_else(|| panic!("unexpected call {name}")) {
            Reply::Answer(status, retry_after, body) => Ok(Answer {
                status,
                retry_after,
                body: body.into_bytes(),
            }),
            Reply::Broken(reach) => Err(HttpError {
                reach,
                target: name,
                detail: "the connection was broken".to_owned(),
            }),
        }
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn uuid(&self) -> String {
        self.uuids.set(self.uuids.get() + 1);
        format!("5d2a6c1e-6f0b-4a57-9c43-{:012}", self.uuids.get())
    }

    fn info(&self, _text: &str) {}

    fn warn(&self, text: &str) {
        self.warnings.borrow_mut().push(text.to_owned());
    }

    fn name(&self, file: &File) -> String {
        file.name.clone()
    }

    fn title(&self, file: &File) -> Option<String> {
        file.title.clone()
    }

    fn size(&self, file: &File) -> Option<u64> {
        u64::try_from(file.content.len()).ok()
    }

    fn read(&self, file: &File, limit: u32) -> Result<Vec<u8>, Failure> {
        assert!(file.content.len() <= limit as usize);
        Ok(file.content.clone().into_bytes())
    }

    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<Delivery, Failure> {
        if let Some(failure) = &*self.no_receipts.borrow() {
            return Err(failure.clone());
        }
        let sbd = serde_json::from_slice(sbd).unwrap();
        self.generated.borrow_mut().push((reference.to_owned(), sbd));
        Ok(Delivery::New)
    }

    fn was_handled(&self, reference: &str) -> Result<bool, Failure> {
        Ok(self.generated.borrow().iter().any(|(made, _)| made == reference))
    }
}
