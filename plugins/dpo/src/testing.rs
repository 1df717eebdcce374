//! A scripted host: answers in the order that a test gives them, and a diary of what was asked.

mod letter;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};

use budstikke_sdk::{Delivery, Failure};

use crate::host::{Answer, Body, Call, Content, Expect, Host};
use crate::settings::{Settings, from_json};

pub(crate) use letter::Letter;

pub(crate) const OWN: &str = "0192:991825827";
pub(crate) const CUSTOMER: &str = "0192:987464291";
pub(crate) const OTHER: &str = "0192:910076787";

/// Settings with the address that the fake answers at. `extra` begins with a comma.
pub(crate) fn settings(extra: &str) -> Settings {
    from_json(&format!(r#"{{"broker-url":"https://broker.test/v1"{extra}}}"#)).unwrap()
}

/// The list's address, as the calls are written here.
pub(crate) fn listing(status: &str) -> String {
    format!(
        "GET /filetransfer?resourceId=eformidling-dpo-meldingsutveksling&status=Published&recipientStatus={status}\
         &role=Recipient&orderAscending=true"
    )
}

/// A document: a recipe in words, or content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content: String,
    /// None: not a zip.
    pub(crate) entries: Option<Vec<File>>,
}

pub(crate) fn file(name: &str, content: &str) -> File {
    File {
        name: name.to_owned(),
        content: content.to_owned(),
        entries: None,
    }
}

pub(crate) fn archive(entries: &[File]) -> File {
    File {
        entries: Some(entries.to_vec()),
        ..file("sbd.zip", &format!("{entries:?}"))
    }
}

enum Reply {
    Answer(u16, String),
    File(File),
    Lost,
}

#[derive(Default)]
pub(crate) struct Fake {
    replies: RefCell<HashMap<String, VecDeque<Reply>>>,
    diary: RefCell<Vec<String>>,
    tokens: RefCell<Vec<String>>,
    refused: RefCell<Vec<String>>,
    no_token: RefCell<Option<Failure>>,
    subjects: RefCell<Vec<String>>,
    uploads: RefCell<Vec<File>>,
    bodies: RefCell<Vec<String>>,
    state: RefCell<BTreeMap<String, Vec<u8>>>,
    handled: RefCell<Vec<String>>,
    deliveries: RefCell<VecDeque<Result<Delivery, Failure>>>,
    delivered: RefCell<Vec<(String, String, Option<String>)>>,
    aside: RefCell<Vec<(String, String)>>,
    uuids: Cell<u32>,
    pub(crate) now: Cell<u64>,
    /// Seconds that every call takes.
    pub(crate) pace: Cell<u64>,
    /// The call in which the host kills us.
    pub(crate) deadly: RefCell<Option<String>>,
}

impl Fake {
    /// The next answer to `METHOD /path` below the broker's address.
    pub(crate) fn on(&self, call: &str, status: u16, body: &str) -> &Self {
        self.reply(call, Reply::Answer(status, body.to_owned()))
    }

    pub(crate) fn gives(&self, call: &str, file: File) -> &Self {
        self.reply(call, Reply::File(file))
    }

    /// The connection breaks.
    pub(crate) fn loses(&self, call: &str) -> &Self {
        self.reply(call, Reply::Lost)
    }

    fn reply(&self, call: &str, reply: Reply) -> &Self {
        self.replies
            .borrow_mut()
            .entry(call.to_owned())
            .or_default()
            .push_back(reply);
        self
    }

    /// The issuer, or the host, refuses us from now on.
    pub(crate) fn issues_no_token(&self, failure: Failure) -> &Self {
        *self.no_token.borrow_mut() = Some(failure);
        self
    }

    /// Nothing waits, in either list.
    pub(crate) fn lists(&self, unconfirmed: &[&str], fresh: &[&str]) -> &Self {
        self.on(
            &listing("DownloadStarted"),
            200,
            &serde_json::to_string(unconfirmed).unwrap(),
        );
        self.on(&listing("Initialized"), 200, &serde_json::to_string(fresh).unwrap())
    }

    /// An ordinary transfer with its overview, package and confirmation.
    pub(crate) fn transfer(&self, id: &str, created: &str) -> &Self {
        let sbd = file("sbd.json", &format!("sbd of {id}"));
        self.on(
            &format!("GET /filetransfer/{id}"),
            200,
            &overview("7b1c8a52-0000-4000-8000-000000000000", created),
        )
        .gives(
            &format!("GET /filetransfer/{id}/download"),
            archive(&[sbd, file("asic.zip", "sealed")]),
        )
        .on(&format!("POST /filetransfer/{id}/confirmdownload"), 204, "")
    }

    /// What `deliver` answers next; without, a message is new.
    pub(crate) fn delivery(&self, result: Result<Delivery, Failure>) -> &Self {
        self.deliveries.borrow_mut().push_back(result);
        self
    }

    pub(crate) fn with_subjects(&self, subjects: &[&str]) -> &Self {
        *self.subjects.borrow_mut() = subjects.iter().map(|&subject| subject.to_owned()).collect();
        self
    }

    pub(crate) fn was_handled_before(&self, id: &str) -> &Self {
        self.handled.borrow_mut().push(id.to_owned());
        self
    }

    /// The calls so far, and forgets them.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.diary.take()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.borrow().clone()
    }

    pub(crate) fn refused(&self) -> Vec<String> {
        self.refused.borrow().clone()
    }

    pub(crate) fn uploads(&self) -> Vec<File> {
        self.uploads.borrow().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.bodies
            .borrow()
            .iter()
            .map(|body| serde_json::from_str(body).unwrap())
            .collect()
    }

    pub(crate) fn delivered(&self) -> Vec<(String, String, Option<String>)> {
        self.delivered.borrow().clone()
    }

    pub(crate) fn aside(&self) -> Vec<(String, String)> {
        self.aside.borrow().clone()
    }

    pub(crate) fn state_keys(&self) -> Vec<String> {
        self.state.borrow().keys().cloned().collect()
    }
}

pub(crate) fn overview(reference: &str, created: &str) -> String {
    format!(
        r#"{{"sendersFileTransferReference":"{reference}","created":"{created}","fileTransferStatus":"Published"}}"#
    )
}

impl Host for Fake {
    type File = File;

    fn subjects(&self, _profile: &str) -> Result<Vec<String>, Failure> {
        let subjects = self.subjects.borrow();
        Ok(if subjects.is_empty() {
            vec![OWN.to_owned()]
        } else {
            subjects.clone()
        })
    }

    fn token(&self, _profile: &str, scope: &str, subject: &str) -> Result<String, Failure> {
        if let Some(failure) = &*self.no_token.borrow() {
            return Err(failure.clone());
        }
        let version = self.refused.borrow().len() + 1;
        self.tokens
            .borrow_mut()
            .push(format!("{scope} for {subject} #{version}"));
        Ok(format!("token-{version}"))
    }

    fn token_was_refused(&self, token: &str) {
        self.refused.borrow_mut().push(token.to_owned());
    }

    fn http(&self, call: Call<'_, File>) -> Result<Answer<File>, Failure> {
        let path = call
            .url
            .strip_prefix("https://broker.test/v1")
            .expect("the broker's address");
        let name = format!("{} {path}", call.method.name());
        self.diary.borrow_mut().push(name.clone());
        self.now.set(self.now.get() + self.pace.get());
        assert!(self.deadly.borrow().as_ref() != Some(&name), "killed in {name}");
        match call.body {
            Body::Nothing => {}
            Body::Json(text) => self.bodies.borrow_mut().push((*text).to_owned()),
            Body::File(file) => self.uploads.borrow_mut().push((*file).clone()),
        }
        let mut replies = self.replies.borrow_mut();
        let reply = replies.get_mut(&name).and_then(VecDeque::pop_front);
        let (status, content) = match reply.unwrap_or_else(|| panic!("unexpected call {name}")) {
            Reply::Answer(status, body) => (status, Content::Bytes(body.into_bytes())),
            Reply::File(file) => {
                assert_eq!(call.expect, Expect::File);
                (200, Content::File(file))
            }
            Reply::Lost => return Err(Failure::temporary(format!("{name}: the connection was broken"))),
        };
        Ok(Answer {
            status,
            retry_after: None,
            content,
        })
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    fn uuid(&self) -> String {
        self.uuids.set(self.uuids.get() + 1);
        format!("5d2a6c1e-6f0b-4a57-9c43-{:012}", self.uuids.get())
    }

    fn warn(&self, _text: &str) {}

    fn small_file(&self, name: &str, _media_type: &str, content: &[u8]) -> File {
        file(name, std::str::from_utf8(content).unwrap())
    }

    fn asic(&self, files: &[File], sender: &str, receiver: &str) -> Result<File, Failure> {
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        Ok(file(
            "asic",
            &format!("asic of {} from {sender} to {receiver}", names.join(", ")),
        ))
    }

    fn seal(&self, content: &File, certificate: &[u8]) -> Result<File, Failure> {
        Ok(file(
            "asic.zip",
            &format!(
                "{} sealed for {}",
                content.content,
                String::from_utf8_lossy(certificate)
            ),
        ))
    }

    fn zip(&self, parts: &[(&str, &File)]) -> Result<File, Failure> {
        let entries: Vec<_> = parts.iter().map(|(name, part)| file(name, &part.content)).collect();
        Ok(archive(&entries))
    }

    fn unzip(&self, archive: &File) -> Result<Vec<File>, Failure> {
        archive
            .entries
            .clone()
            .ok_or_else(|| Failure::permanent("not-a-zip", "not a zip"))
    }

    fn name(&self, file: &File) -> String {
        file.name.clone()
    }

    fn read(&self, file: &File, limit: u32) -> Result<Vec<u8>, Failure> {
        assert!(file.content.len() <= limit as usize);
        Ok(file.content.clone().into_bytes())
    }

    fn md5(&self, file: &File) -> Result<String, Failure> {
        Ok(format!(
            "{:032x}",
            file.content
                .bytes()
                .fold(7_u128, |sum, byte| sum.wrapping_mul(31) + u128::from(byte))
        ))
    }

    fn deliver(&self, reference: &str, sbd: &[u8], package: Option<&File>) -> Result<Delivery, Failure> {
        let result = self.deliveries.borrow_mut().pop_front().unwrap_or(Ok(Delivery::New));
        if result.is_ok() {
            let sbd = String::from_utf8(sbd.to_vec()).unwrap();
            let package = package.map(|file| file.content.clone());
            self.delivered.borrow_mut().push((reference.to_owned(), sbd, package));
            self.handled.borrow_mut().push(reference.to_owned());
        }
        result
    }

    fn set_aside(&self, reference: &str, reason: &str, content: Option<&File>) -> Result<(), Failure> {
        assert!(content.is_some(), "what is set aside comes with its content");
        self.aside.borrow_mut().push((reference.to_owned(), reason.to_owned()));
        self.handled.borrow_mut().push(reference.to_owned());
        Ok(())
    }

    fn was_handled(&self, reference: &str) -> Result<bool, Failure> {
        Ok(self.handled.borrow().iter().any(|handled| handled == reference))
    }

    fn recall(&self, key: &str) -> Option<Vec<u8>> {
        self.state.borrow().get(key).cloned()
    }

    fn remember(&self, key: &str, value: &[u8], _lifetime: u64) {
        self.state.borrow_mut().insert(key.to_owned(), value.to_vec());
    }

    fn forget(&self, key: &str) {
        self.state.borrow_mut().remove(key);
    }
}
