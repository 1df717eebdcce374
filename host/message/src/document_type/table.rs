//! The table that message types are looked up in.

use super::{ARKIVMELDING_KVITTERING, MessageType, STANDARD, STATUS};
use crate::identifier::DocumentType;

/// Longest name of a message type, in bytes.
const MAX_NAME: usize = 64;

/// Most rows of a table.
const MAX_ROWS: usize = 1000;

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
    use crate::document_type::Files;

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
