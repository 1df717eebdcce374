//! A scripted host: answers in the order that a test gives them, and a diary of what was asked.

mod configurations;
mod files;
mod letter;
pub(crate) mod referee;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};

use budstikke_sdk::http::{HttpError, Piece, Reach};
use budstikke_sdk::registry::PostalAddress;
use budstikke_sdk::{Delivery, Failure};

use crate::host::{Answer, Body, Call, Caller, Content, Expect, Host, Party};
use crate::settings::Seal;

pub(crate) use configurations::{receiving, rest, rest_for_two, soap};
pub(crate) use files::{File, file, sealed, typed};
pub(crate) use letter::{Letter, M, letter_xml};

pub(crate) const OWN: &str = "0192:991825827";
pub(crate) const OTHER: &str = "0192:910076787";
pub(crate) const KONTO: &str = "11111111-1111-4111-8111-111111111111";
/// The id that SvarUt gives in these tests.
pub(crate) const X: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

enum Reply {
    Answer(u16, String),
    File(File),
    Lost(Reach),
}

/// A request with a body, as it would have gone over the wire; files stand as `[name: content]`.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) call: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
    pub(crate) patience: u32,
}

impl Posted {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Default)]
pub(crate) struct Fake {
    replies: RefCell<HashMap<String, VecDeque<Reply>>>,
    diary: RefCell<Vec<String>>,
    callers: RefCell<Vec<String>>,
    tokens: RefCell<Vec<String>>,
    refused: Cell<u32>,
    posted: RefCell<Vec<Posted>>,
    pub(crate) state: RefCell<BTreeMap<String, Vec<u8>>>,
    handled: RefCell<Vec<String>>,
    deliveries: RefCell<VecDeque<Result<Delivery, Failure>>>,
    delivered: RefCell<Vec<Delivered>>,
    generated: RefCell<Vec<(String, serde_json::Value)>>,
    aside: RefCell<Vec<(String, String)>>,
    warnings: RefCell<Vec<String>>,
    uuids: Cell<u32>,
    /// The address service gives this address to everybody.
    pub(crate) address: RefCell<Option<PostalAddress>>,
    pub(crate) now: Cell<u64>,
    /// Seconds that every call takes.
    pub(crate) pace: Cell<u64>,
    /// The call in which the host kills us.
    pub(crate) deadly: RefCell<Option<String>>,
}

/// What was handed over.
#[derive(Debug, Clone)]
pub(crate) struct Delivered {
    pub(crate) reference: String,
    pub(crate) sbd: serde_json::Value,
    /// The files of the package.
    pub(crate) files: Vec<File>,
    /// From whom to whom.
    pub(crate) package: String,
}

impl Fake {
    /// The next answer to `METHOD /path` at SvarUt or SvarInn; to `operation` over SOAP.
    pub(crate) fn on(&self, call: &str, status: u16, body: &str) -> &Self {
        self.reply(call, Reply::Answer(status, body.to_owned()))
    }

    pub(crate) fn gives(&self, call: &str, file: File) -> &Self {
        self.reply(call, Reply::File(file))
    }

    /// There is no answer.
    pub(crate) fn loses(&self, call: &str, reach: Reach) -> &Self {
        self.reply(call, Reply::Lost(reach))
    }

    fn reply(&self, call: &str, reply: Reply) -> &Self {
        self.replies
            .borrow_mut()
            .entry(call.to_owned())
            .or_default()
            .push_back(reply);
        self
    }

    /// What `deliver` answers next; without, a message is new.
    pub(crate) fn delivery(&self, result: Result<Delivery, Failure>) -> &Self {
        self.deliveries.borrow_mut().push_back(result);
        self
    }

    /// The calls so far, and forgets them.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.diary.take()
    }

    pub(crate) fn callers(&self) -> Vec<String> {
        self.callers.borrow().clone()
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.tokens.borrow().clone()
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.borrow().clone()
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        self.delivered.borrow().clone()
    }

    pub(crate) fn generated(&self) -> Vec<(String, serde_json::Value)> {
        self.generated.borrow().clone()
    }

    pub(crate) fn aside(&self) -> Vec<(String, String)> {
        self.aside.borrow().clone()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    fn note(&self, call: &Call<'_, File>) -> String {
        let path = call.url.strip_prefix("https://svarut.test").expect("an address of KS");
        let mut name = format!("{} {path}", call.method.name());
        let caller = match call.caller {
            Caller::Integration { token, id, password } => format!("{token} {id} {password}"),
            Caller::Login(login) => format!("{}:{}", login.user, login.password),
        };
        self.callers.borrow_mut().push(caller);
        if let Body::Content(pieces, content_type) = &call.body {
            let body = flat(pieces);
            if let Some((_, rest)) = body.split_once("<s9:") {
                name = rest.split([' ', '>']).next().unwrap().to_owned();
                if name == "sendForsendelseMedId" {
                    assert_eq!(referee::invalid("servicesV9.xsd", referee::in_envelope(&body)), None);
                }
            }
            self.posted.borrow_mut().push(Posted {
                call: name.clone(),
                content_type: content_type.clone(),
                body,
                patience: call.patience,
            });
        }
        self.diary.borrow_mut().push(name.clone());
        name
    }
}

fn flat(pieces: &[Piece<&File>]) -> String {
    let pieces = pieces.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        Piece::File(file) => format!("[{}: {}]", file.name, file.content),
    });
    pieces.collect()
}

impl Host for Fake {
    type File = File;

    fn own_organisation(&self) -> String {
        OWN.to_owned()
    }

    fn token(&self, profile: &str, scope: &str, subject: Option<&str>) -> Result<String, Failure> {
        let number = self.refused.get() + 1;
        let subject = subject.unwrap_or("ourselves");
        self.tokens
            .borrow_mut()
            .push(format!("{profile} {scope} for {subject} #{number}"));
        Ok(format!("token-{number}"))
    }

    fn token_was_refused(&self, _token: &str) {
        self.refused.set(self.refused.get() + 1);
    }

    /// Everybody but one is known.
    fn look_up(&self, identifier: &str) -> Result<Option<Party>, Failure> {
        self.diary.borrow_mut().push(format!("look up {identifier}"));
        let known = identifier != "111111111";
        Ok(known.then(|| Party {
            name: Some(format!("Organisasjon {identifier}")),
            address: self.address.borrow().clone(),
        }))
    }

    fn http(&self, call: Call<'_, File>) -> Result<Answer<File>, HttpError> {
        let name = self.note(&call);
        self.now.set(self.now.get() + self.pace.get());
        assert!(self.deadly.borrow().as_ref() != Some(&name), "killed in {name}");
        let mut replies = self.replies.borrow_mut();
        let reply = replies.get_mut(&name).and_then(VecDeque::pop_front);
        let (status, content) = match reply.unwrap_or_else(|| panic!("unexpected call {name}")) {
            Reply::Answer(status, body) => (status, Content::Bytes(body.into_bytes())),
            Reply::File(file) => {
                assert_eq!(call.expect, Expect::File);
                (200, Content::File(file))
            }
            Reply::Lost(reach) => {
                return Err(HttpError {
                    reach,
                    target: name,
                    detail: "the connection was broken".to_owned(),
                });
            }
        };
        Ok(Answer {
            status,
            retry_after: None,
            media_type: "application/json".to_owned(),
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

    fn warn(&self, text: &str) {
        self.warnings.borrow_mut().push(text.to_owned());
    }

    fn small_file(&self, name: &str, media_type: &str, content: &[u8]) -> File {
        typed(name, media_type, std::str::from_utf8(content).unwrap())
    }

    fn seal(&self, content: &File, certificate: &[u8], scheme: Seal) -> Result<File, Failure> {
        let certificate = String::from_utf8_lossy(certificate);
        let text = format!("{} sealed for {certificate} by {scheme:?}", content.content);
        Ok(file(&content.name, &text))
    }

    fn unseal(&self, content: &File) -> Result<File, Failure> {
        if content.content == "sealed to us" {
            Ok(content.clone())
        } else {
            Err(Failure::permanent("not-for-us", "it cannot be opened"))
        }
    }

    fn unzip(&self, archive: &File) -> Result<Vec<File>, Failure> {
        archive
            .entries
            .clone()
            .ok_or_else(|| Failure::permanent("not-a-zip", "not a zip"))
    }

    fn renamed(&self, file: &File, name: &str, media_type: &str) -> Result<File, Failure> {
        Ok(typed(name, media_type, &file.content))
    }

    fn package(&self, files: &[File], sender: &str, receiver: &str) -> Result<File, Failure> {
        Ok(File {
            entries: Some(files.to_vec()),
            ..file("asic.zip", &format!("from {sender} to {receiver}"))
        })
    }

    fn name(&self, file: &File) -> String {
        file.name.clone()
    }

    fn media_type(&self, file: &File) -> String {
        file.media_type.clone()
    }

    fn size(&self, file: &File) -> Option<u64> {
        // A large one is told by its content.
        match file.content.strip_prefix("bytes:") {
            Some(size) => size.parse().ok(),
            None => Some(file.content.len() as u64),
        }
    }

    fn read(&self, file: &File, limit: u32) -> Result<Vec<u8>, Failure> {
        assert!(file.content.len() <= limit as usize);
        Ok(file.content.clone().into_bytes())
    }

    fn sha256(&self, file: &File) -> Result<Vec<u8>, Failure> {
        Ok(vec![u8::try_from(file.content.len()).unwrap()])
    }

    fn deliver(&self, reference: &str, sbd: &[u8], package: &File) -> Result<Delivery, Failure> {
        let result = self.deliveries.borrow_mut().pop_front().unwrap_or(Ok(Delivery::New));
        if result.is_ok() {
            self.delivered.borrow_mut().push(Delivered {
                reference: reference.to_owned(),
                sbd: serde_json::from_slice(sbd).unwrap(),
                files: package.entries.clone().unwrap(),
                package: package.content.clone(),
            });
            self.handled.borrow_mut().push(reference.to_owned());
        }
        result
    }

    fn generate(&self, reference: &str, sbd: &[u8]) -> Result<(), Failure> {
        let sbd = serde_json::from_slice(sbd).unwrap();
        self.generated.borrow_mut().push((reference.to_owned(), sbd));
        Ok(())
    }

    fn set_aside(&self, reference: &str, reason: &str, _content: &File) -> Result<(), Failure> {
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
}
