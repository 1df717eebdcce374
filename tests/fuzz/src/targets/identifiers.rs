//! Identifiers, ids, names and file names.

use budstikke_message::asic::manifest_xml;
use budstikke_message::document_type::MessageTypes;
use budstikke_message::file_name::FileName;
use budstikke_message::identifier::{
    ConversationId, DocumentType, Identifier, MessageId, OrganisationNumber, ProcessId, ServiceId,
};
use budstikke_message::mime::mime_for;
use percent_encoding::percent_decode_str;

pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(id) = Identifier::parse_any(text) {
        party(&id);
    }
    if let Ok(id) = Identifier::parse_qualified(text) {
        party(&id);
    }
    if let Ok(number) = text.parse::<OrganisationNumber>() {
        assert_eq!(
            Identifier::parse_any(number.as_str()).unwrap().primary(),
            number.as_str()
        );
    }
    if let Ok(id) = text.parse::<MessageId>() {
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        assert_eq!(ConversationId::from(&id).as_str(), text);
    }
    for name in [
        text.parse::<ProcessId>().map(String::from),
        text.parse::<DocumentType>().map(String::from),
        text.parse::<ServiceId>().map(String::from),
    ] {
        assert!(name.is_err() || name.as_deref() == Ok(text));
    }
    if let Ok(standard) = text.parse::<DocumentType>()
        && let Some(kind) = MessageTypes::standard().of_document_type(&standard)
    {
        assert!(standard.fits(&kind.name));
    }
    if let Ok(name) = FileName::parse(text) {
        assert_eq!(name.as_str(), text);
        assert!(!text.contains(['/', '\\', '\n', '\0']));
    }
    assert!(!mime_for(text, Some(text)).trim().is_empty());
}

fn party(id: &Identifier) {
    let again = Identifier::parse_qualified(&id.qualified()).expect("what is written can be read");
    assert_eq!(&again, id);
    assert_eq!(Identifier::parse(id.authority().as_str(), id.as_str()).as_ref(), Ok(id));
    assert!(id.as_str().contains(id.primary()) && id.as_str().contains(id.sender_part()));
    let url = id.url_form().replace('+', " ");
    assert_eq!(percent_decode_str(&url).decode_utf8().unwrap(), id.as_str());
    assert!(
        manifest_xml(id.as_str(), id.as_str(), None).is_ok(),
        "a party that no manifest can hold"
    );
}
