//! arkivmelding.xml of any archive.

use std::fmt::Write as _;

use budstikke_message::arkivmelding::{Arkivmelding, ArkivmeldingError};

pub(super) fn check(input: &[u8]) {
    let read = match Arkivmelding::read(input) {
        Ok(read) => read,
        Err(error) => {
            let text = error.to_string();
            assert!(
                text.starts_with("arkivmelding.xml") || error == ArkivmeldingError::NoJournalpost,
                "{text}"
            );
            return;
        }
    };
    assert!(read.files().len() <= 10_000);
    let again = Arkivmelding::read(written(&read).as_bytes()).expect("what is written can be read");
    assert_eq!(again.files(), read.files());
    assert_eq!(again.title(), read.title());
    assert!(read.files().iter().all(|file| !file.is_empty() && file.trim() == file));
    let missing = read.missing_files(|_| false);
    assert!(read.files().iter().all(|file| missing.contains(&file.as_str())));
    assert!(read.missing_files(|_| true).is_empty());
}

/// An arkivmelding with the same title and files.
fn written(read: &Arkivmelding) -> String {
    let mut xml = String::from(
        r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><mappe xsi:type="saksmappe"><basisregistrering xsi:type="journalpost">"#,
    );
    for file in read.files() {
        xml.push_str("<dokumentbeskrivelse><dokumentobjekt><referanseDokumentfil>");
        xml.push_str(&escaped(file));
        xml.push_str("</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>");
    }
    if let Some(title) = read.title() {
        xml.push_str("<tittel>");
        xml.push_str(&escaped(title));
        xml.push_str("</tittel>");
    }
    xml.push_str("</basisregistrering></mappe></arkivmelding>");
    xml
}

/// Every character that XML could read otherwise as a reference.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if matches!(character, '<' | '>' | '&' | '\r' | '\n' | '\u{85}' | '\u{2028}') {
            write!(out, "&#{};", u32::from(character)).unwrap();
        } else {
            out.push(character);
        }
    }
    out
}
