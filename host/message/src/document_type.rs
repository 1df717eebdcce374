//! The message types, their document types and what each of them asks of a message. Spec: documents and packaging, 3.

mod table;

use std::borrow::Cow;

use crate::body::schema::BodySchema;
use crate::body::{self, Field};
use crate::process::Family;

pub use table::{MessageTypeError, MessageTypes};

/// Whether a message has files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Files {
    /// The body says it all.
    None,
    /// With or without.
    Optional,
    /// A message without a file is refused when it is sent.
    Required,
}

/// What is asked of each file that is not the primary document. Spec: messaging API, 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attached {
    /// Nothing.
    Free,
    /// A title, unless `metadataFiler` names the file as the metadata of another one.
    Titled,
    /// An entry of its own in `metadataFiler`, and one of these content types.
    Described(&'static [&'static str]),
}

/// One kind of message.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row of a table; each column is a yes or no of its own"
)]
pub struct MessageType {
    /// The name in lower case, which is also the member name of the body.
    pub name: Cow<'static, str>,
    /// The usual document type. Others that end in `::` and the name are taken too.
    pub standard: Cow<'static, str>,
    /// Whether the message is a kvittering, which comes without a container.
    pub receipt: bool,
    /// Whether there are files.
    pub files: Files,
    /// Whether one file must be named by the body's `hoveddokument`.
    pub needs_primary: bool,
    /// What is asked of the other files.
    pub attached: Attached,
    /// Files of these names must be well-formed XML.
    pub xml_files: &'static [&'static str],
    /// Whether `arkivmelding.xml` and every file it refers to must be there.
    pub needs_arkivmelding: bool,
    /// Whether the receiver may be left out.
    pub receiver_optional: bool,
    /// Whether the postal addresses of the body are completed from the registry.
    pub registry_addresses: bool,
    /// Whether a missing conversation id becomes the message id instead of a random one.
    pub conversation_is_message: bool,
    /// What it belongs to, which tells where automatic statuses go. `None`: no statuses are sent.
    pub family: Option<Family>,
    /// Whether the body's `sikkerhetsnivaa` takes part in the registry look-up.
    pub security_level: bool,
    /// The members of the body. Empty: any object will do.
    pub body: &'static [Field],
    /// What the operator asks of the body beside that.
    pub schema: Option<BodySchema>,
    /// Whether a message of this type can be read at all; `feil` is a name without a body.
    pub readable: bool,
}

impl MessageType {
    /// A message type with optional files and a free body, to be adjusted member by member.
    pub const fn new(name: Cow<'static, str>, standard: Cow<'static, str>) -> Self {
        Self {
            name,
            standard,
            receipt: false,
            files: Files::Optional,
            needs_primary: false,
            attached: Attached::Free,
            xml_files: &[],
            needs_arkivmelding: false,
            receiver_optional: false,
            registry_addresses: false,
            conversation_is_message: false,
            family: None,
            security_level: false,
            body: &[],
            schema: None,
            readable: true,
        }
    }

    const fn known(name: &'static str, standard: &'static str, files: Files, body: &'static [Field]) -> Self {
        let mut row = Self::new(Cow::Borrowed(name), Cow::Borrowed(standard));
        row.files = files;
        row.body = body;
        row
    }

    const fn of(mut self, family: Family) -> Self {
        self.family = Some(family);
        self
    }

    const fn receipt(mut self) -> Self {
        self.receipt = true;
        self
    }

    const fn with_primary(mut self) -> Self {
        self.needs_primary = true;
        self
    }

    const fn with_arkivmelding(mut self) -> Self {
        self.needs_arkivmelding = true;
        self
    }

    const fn with_security_level(mut self) -> Self {
        self.security_level = true;
        self
    }

    const fn receiver_optional(mut self) -> Self {
        self.receiver_optional = true;
        self
    }

    const fn attached(mut self, rule: Attached) -> Self {
        self.attached = rule;
        self
    }

    const fn with_xml_files(mut self, names: &'static [&'static str]) -> Self {
        self.xml_files = names;
        self
    }

    const fn with_registry_addresses(mut self) -> Self {
        self.registry_addresses = true;
        self
    }

    const fn conversation_is_message(mut self) -> Self {
        self.conversation_is_message = true;
        self
    }

    const fn unreadable(mut self) -> Self {
        self.readable = false;
        self
    }

    /// The process that automatic statuses about such a message travel in, if they exist.
    pub fn status_process(&self) -> Option<&'static str> {
        self.family.and_then(Family::status_process)
    }
}

/// `status`, which only the integrasjonspunkt itself writes.
pub(crate) static STATUS: MessageType = MessageType::known(
    "status",
    "urn:no:difi:eformidling:xsd::status",
    Files::None,
    body::STATUS,
);

/// The receipt that can be generated for an arkivmelding.
pub(crate) static ARKIVMELDING_KVITTERING: MessageType = MessageType::known(
    "arkivmelding_kvittering",
    "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering",
    Files::None,
    body::ARKIVMELDING_KVITTERING,
)
.of(Family::Arkivmelding)
.receipt();

/// Spec: messaging API, 5.2.
const DIALOGMELDING_FILES: &[&str] = &["application/pdf", "image/png", "image/jpeg"];

/// Spec: documents and packaging, 4.11.
const DIALOGMELDING_XML: &[&str] = &["dialogmelding.xml", "kvittering.xml"];

#[rustfmt::skip]
static STANDARD: [MessageType; 11] = [
    MessageType::known("arkivmelding", "urn:no:difi:arkivmelding:xsd::arkivmelding", Files::Required, body::ARKIVMELDING)
        .of(Family::Arkivmelding).with_arkivmelding().with_security_level(),
    MessageType::known("avtalt", "urn:no:difi:avtalt:xsd::avtalt", Files::Optional, body::AVTALT)
        .of(Family::Avtalt),
    MessageType::known("digital", "urn:no:difi:digitalpost:xsd:digital::digital", Files::Required, body::DIGITAL)
        .of(Family::Digitalpost).with_primary().attached(Attached::Titled).with_security_level(),
    MessageType::known("digital_dpv", "urn:no:difi:digitalpost:xsd:digital::digital_dpv", Files::Required, body::DIGITAL_DPV)
        .of(Family::Digitalpost),
    MessageType::known("print", "urn:no:difi:digitalpost:xsd:fysisk::print", Files::Required, body::PRINT)
        .of(Family::Digitalpost).with_primary().attached(Attached::Titled).receiver_optional().with_registry_addresses(),
    MessageType::known("innsynskrav", "urn:no:difi:einnsyn:xsd::innsynskrav", Files::Required, body::INNSYNSKRAV)
        .of(Family::Einnsyn),
    MessageType::known("publisering", "urn:no:difi:einnsyn:xsd::publisering", Files::Required, body::PUBLISERING)
        .of(Family::Einnsyn),
    MessageType::known("einnsyn_kvittering", "urn:no:difi:einnsyn:xsd::einnsyn_kvittering", Files::None, body::EINNSYN_KVITTERING)
        .of(Family::Einnsyn).receipt(),
    MessageType::known("dialogmelding", "urn:no:difi:helse:xsd:schema::dialogmelding", Files::Required, body::DIALOGMELDING)
        .of(Family::Helse).with_primary().attached(Attached::Described(DIALOGMELDING_FILES)).with_xml_files(DIALOGMELDING_XML).conversation_is_message(),
    MessageType::known("dialogmelding_kvittering", "urn:no:difi:helse:xsd::dialogmelding_kvittering", Files::None, body::DIALOGMELDING_KVITTERING)
        .of(Family::Helse).receipt().conversation_is_message(),
    MessageType::known("feil", "", Files::None, &[]).unreadable(),
];
