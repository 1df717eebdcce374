//! The message types, their document types and what each of them asks of a message. Spec: documents and packaging, 3.

use std::borrow::Cow;

use crate::body::{self, Field};
use crate::identifier::DocumentType;
use crate::process::Family;

/// Longest name of a message type, in bytes.
const MAX_NAME: usize = 64;

/// Most rows of a table.
const MAX_ROWS: usize = 1000;

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
    /// Whether `arkivmelding.xml` and every file it refers to must be there.
    pub needs_arkivmelding: bool,
    /// Whether the receiver may be left out.
    pub receiver_optional: bool,
    /// Whether a missing conversation id becomes the message id instead of a random one.
    pub conversation_is_message: bool,
    /// What it belongs to, which tells where automatic statuses go. `None`: no statuses are sent.
    pub family: Option<Family>,
    /// Whether the body's `sikkerhetsnivaa` takes part in the registry look-up.
    pub security_level: bool,
    /// The members of the body. Empty: any object will do.
    pub body: &'static [Field],
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
            needs_arkivmelding: false,
            receiver_optional: false,
            conversation_is_message: false,
            family: None,
            security_level: false,
            body: &[],
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

#[rustfmt::skip]
static STANDARD: [MessageType; 11] = [
    MessageType::known("arkivmelding", "urn:no:difi:arkivmelding:xsd::arkivmelding", Files::Required, body::ARKIVMELDING)
        .of(Family::Arkivmelding).with_arkivmelding().with_security_level(),
    MessageType::known("avtalt", "urn:no:difi:avtalt:xsd::avtalt", Files::Optional, body::AVTALT)
        .of(Family::Avtalt),
    MessageType::known("digital", "urn:no:difi:digitalpost:xsd:digital::digital", Files::Required, body::DIGITAL)
        .of(Family::Digitalpost).with_primary().with_security_level(),
    MessageType::known("digital_dpv", "urn:no:difi:digitalpost:xsd:digital::digital_dpv", Files::Required, body::DIGITAL_DPV)
        .of(Family::Digitalpost),
    MessageType::known("print", "urn:no:difi:digitalpost:xsd:fysisk::print", Files::Required, body::PRINT)
        .of(Family::Digitalpost).with_primary().receiver_optional(),
    MessageType::known("innsynskrav", "urn:no:difi:einnsyn:xsd::innsynskrav", Files::Required, body::INNSYNSKRAV)
        .of(Family::Einnsyn),
    MessageType::known("publisering", "urn:no:difi:einnsyn:xsd::publisering", Files::Required, body::PUBLISERING)
        .of(Family::Einnsyn),
    MessageType::known("einnsyn_kvittering", "urn:no:difi:einnsyn:xsd::einnsyn_kvittering", Files::None, body::EINNSYN_KVITTERING)
        .of(Family::Einnsyn).receipt(),
    MessageType::known("dialogmelding", "urn:no:difi:helse:xsd:schema::dialogmelding", Files::Required, body::DIALOGMELDING)
        .of(Family::Helse).with_primary().conversation_is_message(),
    MessageType::known("dialogmelding_kvittering", "urn:no:difi:helse:xsd::dialogmelding_kvittering", Files::None, body::DIALOGMELDING_KVITTERING)
        .of(Family::Helse).receipt().conversation_is_message(),
    MessageType::known("feil", "", Files::None, &[]).unreadable(),
];

/// Why a row cannot be added to the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageTypeError {
    /// The name would not do as a member name.
    #[error("the message type '{0}' must be 1 to 64 lower-case letters, digits or underscores, starting with a letter")]
    Name(String),
    /// The name is taken.
    #[error("the message type '{0}' is in the table already")]
    Known(String),
    /// The document type does not end in the name.
    #[error("the document type '{standard}' of the message type '{name}' must end in '::{name}'")]
    Standard {
        /// The message type.
        name: String,
        /// Its document type.
        standard: String,
    },
    /// The table has a limit.
    #[error("the table of message types is full")]
    Full,
}

/// The table of message types: those of eFormidling and those that the operator adds.
#[derive(Debug, Clone)]
pub struct MessageTypes(Vec<MessageType>);

impl MessageTypes {
    /// The message types of eFormidling.
    pub fn standard() -> Self {
        Self(
            STANDARD
                .iter()
                .chain([&STATUS, &ARKIVMELDING_KVITTERING])
                .cloned()
                .collect(),
        )
    }

    /// Adds a message type.
    pub fn add(&mut self, row: MessageType) -> Result<(), MessageTypeError> {
        let name = row.name.as_ref();
        let plain = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.len() <= MAX_NAME
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !plain {
            return Err(MessageTypeError::Name(name.chars().take(MAX_NAME).collect()));
        }
        if self.get(name).is_some() {
            return Err(MessageTypeError::Known(name.to_owned()));
        }
        let fits = row
            .standard
            .parse::<DocumentType>()
            .is_ok_and(|standard| standard.fits(name));
        if !fits {
            return Err(MessageTypeError::Standard {
                name: name.to_owned(),
                standard: row.standard.into_owned(),
            });
        }
        if self.0.len() >= MAX_ROWS {
            return Err(MessageTypeError::Full);
        }
        self.0.push(row);
        Ok(())
    }

    /// The message type with exactly this name.
    pub fn get(&self, name: &str) -> Option<&MessageType> {
        self.0.iter().find(|row| row.name == name)
    }

    /// The message type with this name in any case, as the header of an SBD may write it.
    pub fn find(&self, name: &str) -> Option<&MessageType> {
        self.0.iter().find(|row| row.name.eq_ignore_ascii_case(name))
    }

    /// The message type of a document type, by what stands after its last `::`.
    pub fn of_document_type(&self, standard: &DocumentType) -> Option<&MessageType> {
        self.get(standard.type_name()?)
    }

    /// Every row.
    pub fn iter(&self) -> impl Iterator<Item = &MessageType> {
        self.0.iter()
    }
}

impl Default for MessageTypes {
    fn default() -> Self {
        Self::standard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, standard: &'static str) -> MessageType {
        MessageType::new(name.into(), standard.into())
    }

    #[test]
    fn every_message_type_of_the_standard_is_in_the_table_once() {
        let types = MessageTypes::standard();
        for name in [
            "status",
            "feil",
            "arkivmelding",
            "arkivmelding_kvittering",
            "avtalt",
            "digital",
            "digital_dpv",
            "print",
            "dialogmelding",
            "dialogmelding_kvittering",
            "innsynskrav",
            "publisering",
            "einnsyn_kvittering",
        ] {
            assert_eq!(types.iter().filter(|row| row.name == name).count(), 1, "{name}");
        }
        assert_eq!(types.iter().count(), 13);
    }

    #[test]
    fn every_document_type_leads_back_to_its_message_type() {
        let types = MessageTypes::standard();
        for row in types.iter().filter(|row| row.readable) {
            let standard = row.standard.parse().unwrap();
            assert_eq!(types.of_document_type(&standard).unwrap().name, row.name);
        }
        assert!(types.of_document_type(&"urn:x::ukjent".parse().unwrap()).is_none());
        assert!(types.of_document_type(&"arkivmelding".parse().unwrap()).is_none());
    }

    #[test]
    fn a_name_is_found_in_any_case_but_is_a_member_name_only_in_lower_case() {
        let types = MessageTypes::standard();
        assert_eq!(types.find("ArkivMelding").unwrap().name, "arkivmelding");
        assert!(types.get("ArkivMelding").is_none());
    }

    #[test]
    fn receipts_come_without_files() {
        let types = MessageTypes::standard();
        let receipts: Vec<_> = types
            .iter()
            .filter(|row| row.receipt)
            .map(|row| row.name.as_ref())
            .collect();
        assert_eq!(
            receipts,
            [
                "einnsyn_kvittering",
                "dialogmelding_kvittering",
                "arkivmelding_kvittering"
            ]
        );
        assert!(
            types
                .iter()
                .filter(|row| row.receipt)
                .all(|row| row.files == Files::None)
        );
    }

    #[test]
    fn statuses_and_post_to_citizens_are_not_answered() {
        let types = MessageTypes::standard();
        assert_eq!(types.get("status").unwrap().status_process(), None);
        assert_eq!(types.get("print").unwrap().status_process(), None);
        assert_eq!(
            types.get("innsynskrav").unwrap().status_process(),
            Some("urn:no:difi:profile:einnsyn:response:ver1.0")
        );
    }

    #[test]
    fn an_operator_can_add_a_message_type() {
        let mut types = MessageTypes::standard();
        types.add(row("byggesak", "urn:no:acme:xsd::byggesak")).unwrap();
        assert_eq!(types.find("BYGGESAK").unwrap().files, Files::Optional);
    }

    #[test]
    fn a_row_that_could_not_be_found_again_is_refused() {
        let mut types = MessageTypes::standard();
        assert!(matches!(
            types.add(row("avtalt", "urn:x::avtalt")),
            Err(MessageTypeError::Known(_))
        ));
        assert!(matches!(
            types.add(row("Byggesak", "urn:x::Byggesak")),
            Err(MessageTypeError::Name(_))
        ));
        assert!(matches!(types.add(row("", "urn:x::")), Err(MessageTypeError::Name(_))));
        assert!(matches!(
            types.add(row("byggesak", "urn:x::sak")),
            Err(MessageTypeError::Standard { .. })
        ));
    }
}
