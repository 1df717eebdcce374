//! A message on its way out, made by a test.

use std::cell::RefCell;
use std::collections::BTreeMap;

use budstikke_sdk::Failure;

use super::{File, OTHER, OWN, file};
use crate::host::Outgoing;

/// A message with everything that a test may want to change.
pub(crate) struct Letter {
    pub(crate) kind: &'static str,
    pub(crate) sender: String,
    pub(crate) receiver: &'static str,
    pub(crate) expires: u64,
    /// Further scopes, each with a comma before it.
    pub(crate) scopes: &'static str,
    pub(crate) files: Vec<File>,
    pub(crate) certificate: Option<&'static str>,
    pub(crate) reply_channel: Option<&'static str>,
    pub(crate) checkpoints: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) kept: RefCell<BTreeMap<String, File>>,
}

impl Letter {
    pub(crate) fn arkivmelding() -> Self {
        Self {
            kind: "arkivmelding",
            sender: OWN.to_owned(),
            receiver: OTHER,
            expires: 86_400,
            scopes: "",
            files: vec![file("arkivmelding.xml", "<arkivmelding/>"), file("test.txt", "test")],
            certificate: Some("910076787"),
            reply_channel: None,
            checkpoints: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    /// A message without files.
    pub(crate) fn answer(kind: &'static str) -> Self {
        Self {
            kind,
            files: Vec::new(),
            certificate: None,
            ..Self::arkivmelding()
        }
    }

    pub(crate) fn sbd_text(&self) -> String {
        format!(
            r#"{{"standardBusinessDocumentHeader": {{"sender":[{{"identifier":{{"value":"{}"}}}}],"businessScope":{{"scope":[{{"type":"ConversationId"}}{}]}}}}, "{}": {{"content":{{"fri":1.0}}}}}}"#,
            self.sender, self.scopes, self.kind
        )
    }
}

impl Outgoing for Letter {
    type File = File;

    fn message_type(&self) -> String {
        self.kind.to_owned()
    }

    fn sender(&self) -> String {
        self.sender.clone()
    }

    fn receiver(&self) -> String {
        self.receiver.to_owned()
    }

    fn expires(&self) -> u64 {
        self.expires
    }

    fn sbd(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.sbd_text().into_bytes())
    }

    fn files(&self) -> Vec<File> {
        self.files.clone()
    }

    fn receiver_certificate(&self) -> Option<Vec<u8>> {
        self.certificate.map(|text| text.as_bytes().to_vec())
    }

    fn reply_channel(&self) -> Option<String> {
        self.reply_channel.map(str::to_owned)
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        self.checkpoints.borrow().get(name).cloned()
    }

    fn save_checkpoint(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        self.checkpoints.borrow_mut().insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    fn keep(&self, name: &str, file: &File) -> Result<File, Failure> {
        Ok(self
            .kept
            .borrow_mut()
            .entry(name.to_owned())
            .or_insert_with(|| file.clone())
            .clone())
    }
}
