//! A message on its way out, made by a test.

use std::cell::RefCell;
use std::collections::BTreeMap;

use budstikke_sdk::Failure;

use super::{File, OTHER, OWN, file, typed};
use crate::host::{Draft, Outgoing};

/// The message's id.
pub(crate) const M: &str = "5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c10";

/// An arkivmelding whose journalpost has this in it.
pub(crate) fn letter_xml(journalpost: &str) -> String {
    format!(
        r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><mappe xsi:type="saksmappe"><basisregistrering xsi:type="journalpost">{journalpost}</basisregistrering></mappe></arkivmelding>"#
    )
}

/// The arkivmelding of the first test vector.
fn v1_xml() -> String {
    letter_xml(
        "<dokumentbeskrivelse><tilknyttetRegistreringSom>Hoveddokument</tilknyttetRegistreringSom><dokumentobjekt>\
         <referanseDokumentfil>test.txt</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>\
         <offentligTittel>Nye lysrør</offentligTittel><virksomhetsspesifikkeMetadata xmlns:f=\"urn:f\">\
         <f:forvaltningsnummer>20050</f:forvaltningsnummer><f:objektnavn>Campus</f:objektnavn>\
         <f:eiendom>200501</f:eiendom><f:bygning>2005001</f:bygning><f:bestilling>20050001</f:bestilling>\
         <f:rammeavtale>K-77</f:rammeavtale></virksomhetsspesifikkeMetadata>\
         <journalposttype>Utgående dokument</journalposttype><journalstatus>Journalført</journalstatus>\
         <journaldato>2017-05-23</journaldato><korrespondansepart>\
         <korrespondanseparttype>Mottaker</korrespondanseparttype><korrespondansepartNavn>Lillevik</korrespondansepartNavn>\
         </korrespondansepart>",
    )
}

/// A message with everything that a test may want to change.
pub(crate) struct Letter {
    pub(crate) kind: &'static str,
    pub(crate) sender: String,
    pub(crate) expires: u64,
    pub(crate) uncertain: bool,
    /// Further scopes, each with a comma before it.
    pub(crate) scopes: String,
    /// The business message.
    pub(crate) body: String,
    pub(crate) files: Vec<File>,
    pub(crate) certificate: Option<&'static str>,
    pub(crate) checkpoints: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) kept: RefCell<BTreeMap<String, File>>,
}

impl Letter {
    /// The first test vector.
    pub(crate) fn v1() -> Self {
        Self {
            kind: "arkivmelding",
            sender: OWN.to_owned(),
            expires: 86_400,
            uncertain: false,
            scopes: String::new(),
            body: r#"{"sikkerhetsnivaa":3,"dpf":{"forsendelseType":"type-1"}}"#.to_owned(),
            files: vec![
                file("arkivmelding.xml", &v1_xml()),
                typed("test.txt", "text/plain", "Testing 1 2 3"),
            ],
            certificate: Some("KS"),
            checkpoints: RefCell::default(),
            kept: RefCell::default(),
        }
    }

    /// The same with another arkivmelding.
    pub(crate) fn with_xml(journalpost: &str) -> Self {
        let mut letter = Self::v1();
        letter.files[0] = file("arkivmelding.xml", &letter_xml(journalpost));
        letter
    }

    pub(crate) fn with_references(mut self, sender: &str, receiver: &str) -> Self {
        self.scopes = format!(
            r#",{{"type":"SenderRef","instanceIdentifier":"{sender}"}},{{"type":"ReceiverRef","instanceIdentifier":"{receiver}"}}"#
        );
        self
    }

    pub(crate) fn sbd_text(&self) -> String {
        format!(
            r#"{{"standardBusinessDocumentHeader":{{"businessScope":{{"scope":[{{"type":"ConversationId"}}{}]}}}},"{}":{}}}"#,
            self.scopes, self.kind, self.body
        )
    }

    /// What is looked at before it is accepted, with its files or without.
    pub(crate) fn draft(&self, with_files: bool) -> Draft<File> {
        Draft {
            message_type: self.kind.to_owned(),
            sender: self.sender.clone(),
            sbd: self.sbd_text().into_bytes(),
            files: with_files.then(|| self.files.clone()),
        }
    }
}

impl Outgoing for Letter {
    type File = File;

    fn message_id(&self) -> String {
        M.to_owned()
    }

    fn message_type(&self) -> String {
        self.kind.to_owned()
    }

    fn sender(&self) -> String {
        self.sender.clone()
    }

    fn receiver(&self) -> String {
        OTHER.to_owned()
    }

    fn expires(&self) -> u64 {
        self.expires
    }

    fn uncertain(&self) -> bool {
        self.uncertain
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
