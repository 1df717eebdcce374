//! A message on its way out, made by a test.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use budstikke_sdk::Failure;

use super::{File, MESSAGE, NOW, OTHER, OWN, PERSON, arkivmelding, file};
use crate::host::{Outgoing, Proposed, Written};

/// A message with everything that a test may want to change.
pub(crate) struct Letter {
    pub(crate) kind: &'static str,
    pub(crate) process: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) receiver: &'static str,
    pub(crate) resource: Option<&'static str>,
    /// The business message, as JSON.
    pub(crate) body: String,
    pub(crate) files: Vec<File>,
    pub(crate) expires: u64,
    pub(crate) uncertain: bool,
    pub(crate) checkpoints: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether no file can be added any more.
    pub(crate) complete: Cell<bool>,
}

impl Letter {
    /// T15: one file besides `arkivmelding.xml`.
    pub(crate) fn arkivmelding() -> Self {
        let public = "<offentligTittel>Nye vinduer</offentligTittel>";
        let xml = arkivmelding("Nye vinduer", public, &["plan.pdf"]);
        let plan = File {
            title: Some("Plan".to_owned()),
            ..file("plan.pdf", "%PDF-1.7")
        };
        Self {
            kind: "arkivmelding",
            process: "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
            sender: OWN,
            receiver: OTHER,
            resource: Some("eformidling-dpv-administrasjon"),
            body: r#"{"sikkerhetsnivaa":3}"#.to_owned(),
            files: vec![file("arkivmelding.xml", &xml), plan],
            expires: NOW + 86_400,
            uncertain: false,
            checkpoints: RefCell::default(),
            complete: Cell::new(true),
        }
    }

    /// T16: to a person.
    pub(crate) fn digital() -> Self {
        Self {
            kind: "digital_dpv",
            process: "urn:no:difi:profile:digitalpost:info:ver1.0",
            receiver: PERSON,
            body: r#"{"tittel":"a","sammendrag":"b","innhold":"c"}"#.to_owned(),
            files: vec![file("plan.pdf", "%PDF-1.7")],
            ..Self::arkivmelding()
        }
    }

    pub(crate) fn receipt() -> Self {
        Self {
            kind: "arkivmelding_kvittering",
            process: "urn:no:difi:profile:arkivmelding:response:ver1.0",
            resource: None,
            body: r#"{"receiptType":"OK"}"#.to_owned(),
            files: Vec::new(),
            ..Self::arkivmelding()
        }
    }
}

impl Written for Letter {
    type File = File;

    fn message_id(&self) -> String {
        MESSAGE.to_owned()
    }

    fn process(&self) -> String {
        self.process.to_owned()
    }

    fn message_type(&self) -> String {
        self.kind.to_owned()
    }

    fn sender(&self) -> String {
        self.sender.to_owned()
    }

    fn receiver(&self) -> String {
        self.receiver.to_owned()
    }

    fn sbd(&self) -> Result<Vec<u8>, Failure> {
        let text = format!(
            r#"{{"standardBusinessDocumentHeader":{{}},"{}":{}}}"#,
            self.kind, self.body
        );
        Ok(text.into_bytes())
    }

    fn resource(&self) -> Option<String> {
        self.resource.map(str::to_owned)
    }
}

impl Outgoing for Letter {
    fn expires(&self) -> u64 {
        self.expires
    }

    fn uncertain(&self) -> bool {
        self.uncertain
    }

    fn files(&self) -> Vec<File> {
        self.files.clone()
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        self.checkpoints.borrow().get(name).cloned()
    }

    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        self.checkpoints.borrow_mut().insert(name.to_owned(), value.to_vec());
        Ok(())
    }
}

impl Proposed for Letter {
    fn files(&self) -> Option<Vec<File>> {
        self.complete.get().then(|| self.files.clone())
    }
}
