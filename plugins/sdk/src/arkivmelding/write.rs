//! Writing `arkivmelding.xml`.

use quick_xml::escape::escape;

use super::{Arkivmelding, Dokumentbeskrivelse, Journalpost, Korrespondansepart, Metadata, NOARK5, Saksmappe, XSI};

/// What an arkivmelding says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `system`: who wrote it.
    pub system: &'a str,
    /// `meldingId`.
    pub message_id: &'a str,
    /// `tidspunkt`, an xs:dateTime.
    pub time: &'a str,
    /// `antallFiler`.
    pub file_count: u32,
}

/// A piece of metadata has a name that no element can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be the name of an element")]
pub struct NotAName(pub String);

pub(super) fn write(arkivmelding: &Arkivmelding, envelope: &Envelope<'_>) -> Result<String, NotAName> {
    let mut xml = Xml(String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n",
    ));
    xml.open("arkivmelding", &format!(" xmlns=\"{NOARK5}\" xmlns:xsi=\"{XSI}\""));
    xml.text("system", envelope.system);
    xml.text("meldingId", envelope.message_id);
    xml.text("tidspunkt", envelope.time);
    xml.text("antallFiler", &envelope.file_count.to_string());
    saksmappe(&mut xml, &arkivmelding.saksmappe, &arkivmelding.journalpost)?;
    xml.close("arkivmelding");
    Ok(xml.0)
}

/// What an extended type adds comes after all of its base, so the case's numbers follow the letter.
fn saksmappe(xml: &mut Xml, saksmappe: &Saksmappe, letter: &Journalpost) -> Result<(), NotAName> {
    xml.open("mappe", " xsi:type=\"saksmappe\"");
    xml.optional("systemID", saksmappe.system_id.as_ref());
    xml.optional("tittel", saksmappe.title.as_ref());
    xml.optional("offentligTittel", saksmappe.public_title.as_ref());
    journalpost(xml, letter)?;
    xml.number("saksaar", saksmappe.year);
    xml.number("sakssekvensnummer", saksmappe.sequence_number);
    xml.optional("administrativEnhet", saksmappe.unit.as_ref());
    xml.optional("saksansvarlig", saksmappe.responsible.as_ref());
    xml.close("mappe");
    Ok(())
}

fn journalpost(xml: &mut Xml, letter: &Journalpost) -> Result<(), NotAName> {
    xml.open("basisregistrering", " xsi:type=\"journalpost\"");
    xml.optional("systemID", letter.system_id.as_ref());
    for document in &letter.documents {
        dokumentbeskrivelse(xml, document);
    }
    xml.optional("tittel", letter.title.as_ref());
    xml.optional("offentligTittel", letter.public_title.as_ref());
    own(xml, &letter.metadata)?;
    xml.number("journalaar", letter.year);
    xml.number("journalsekvensnummer", letter.sequence_number);
    xml.number("journalpostnummer", letter.number);
    xml.optional("journalposttype", letter.kind.as_ref());
    xml.optional("journalstatus", letter.status.as_ref());
    xml.optional("journaldato", letter.date.as_ref());
    xml.optional("dokumentetsDato", letter.document_date.as_ref());
    for party in &letter.parties {
        korrespondansepart(xml, party);
    }
    xml.close("basisregistrering");
    Ok(())
}

fn dokumentbeskrivelse(xml: &mut Xml, document: &Dokumentbeskrivelse) {
    xml.open("dokumentbeskrivelse", "");
    xml.optional("systemID", document.system_id.as_ref());
    xml.optional("tittel", document.title.as_ref());
    xml.optional("tilknyttetRegistreringSom", document.role.as_ref());
    xml.number("dokumentnummer", document.number);
    for file in &document.files {
        xml.open("dokumentobjekt", "");
        xml.text("referanseDokumentfil", file);
        xml.close("dokumentobjekt");
    }
    xml.close("dokumentbeskrivelse");
}

/// The elements are in no namespace: a prefix whose meaning did not come along is left out.
fn own(xml: &mut Xml, metadata: &[Metadata]) -> Result<(), NotAName> {
    if metadata.is_empty() {
        return Ok(());
    }
    xml.open("virksomhetsspesifikkeMetadata", "");
    for piece in metadata {
        let local = match piece.name.split_once(':') {
            Some((prefix, local)) if is_name(prefix) => local,
            _ => piece.name.as_str(),
        };
        if !is_name(local) {
            return Err(NotAName(piece.name.clone()));
        }
        xml.open(local, " xmlns=\"\"");
        xml.characters(piece.value.as_deref().unwrap_or_default());
        xml.close(local);
    }
    xml.close("virksomhetsspesifikkeMetadata");
    Ok(())
}

fn korrespondansepart(xml: &mut Xml, party: &Korrespondansepart) {
    xml.open("korrespondansepart", "");
    xml.optional("korrespondanseparttype", party.kind.as_ref());
    xml.optional("korrespondansepartNavn", party.name.as_ref());
    for line in &party.lines {
        xml.text("postadresse", line);
    }
    xml.optional("postnummer", party.postal_code.as_ref());
    xml.optional("poststed", party.place.as_ref());
    xml.optional("land", party.country.as_ref());
    xml.optional("administrativEnhet", party.unit.as_ref());
    xml.optional("saksbehandler", party.case_worker.as_ref());
    xml.close("korrespondansepart");
}

/// XML under construction.
struct Xml(String);

impl Xml {
    fn open(&mut self, name: &str, attributes: &str) {
        for piece in ["<", name, attributes, ">"] {
            self.0.push_str(piece);
        }
    }

    fn close(&mut self, name: &str) {
        for piece in ["</", name, ">"] {
            self.0.push_str(piece);
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.open(name, "");
        self.characters(text);
        self.close(name);
    }

    fn optional(&mut self, name: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn number(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            self.text(name, &number.to_string());
        }
    }

    fn characters(&mut self, text: &str) {
        let text: String = text
            .chars()
            .map(|char| if is_xml_character(char) { char } else { ' ' })
            .collect();
        self.0.push_str(&escape(text));
    }
}

/// XML 1.0, production 2.
fn is_xml_character(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether a text can be the name of an element without a prefix (Namespaces in XML 1.0, production 4).
fn is_name(text: &str) -> bool {
    let starts = |char: char| {
        matches!(char, 'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
            | '\u{10000}'..='\u{effff}')
    };
    let goes_on = |char: char| {
        starts(char)
            || matches!(char, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
    };
    let mut chars = text.chars();
    chars.next().is_some_and(starts) && chars.all(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: Envelope<'static> = Envelope {
        system: "Fagsystem",
        message_id: "m-1",
        time: "2016-03-21T00:00:00+01:00",
        file_count: 0,
    };

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn full() -> Arkivmelding {
        Arkivmelding {
            saksmappe: Saksmappe {
                system_id: text("43fbe161-7aac-4c9f-a888-d8167aab4144"),
                title: text("Sak"),
                public_title: text("Åpen sak"),
                year: Some(2016),
                sequence_number: Some(3_000_000_000),
                unit: text("Postmottak"),
                responsible: text("Kari"),
            },
            journalpost: Journalpost {
                system_id: text("5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10"),
                title: text("Brev <til> \"alle\" & 'noen'"),
                public_title: text("Brev"),
                year: Some(2016),
                sequence_number: Some(25),
                number: Some(13),
                kind: text("Utgående dokument"),
                status: text("Godkjent av leder"),
                date: text("2016-03-21+01:00"),
                document_date: text("2016-03-21+01:00"),
                parties: vec![Korrespondansepart {
                    kind: text("Avsender"),
                    name: text("VARDØ KOMMUNE"),
                    lines: vec!["Pb 253".to_owned()],
                    postal_code: text("9951"),
                    place: text("VARDØ"),
                    country: text(""),
                    unit: text("Arkiv"),
                    case_worker: text("Ola"),
                }],
                metadata: vec![Metadata {
                    name: "felt".to_owned(),
                    value: text("1"),
                }],
                documents: vec![Dokumentbeskrivelse {
                    system_id: text("7b1c8a52-0000-4000-8000-000000000000"),
                    title: text("primary.html"),
                    role: text("Hoveddokument"),
                    number: Some(1),
                    files: vec!["primary.html".to_owned()],
                }],
            },
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let xml = full().write(&ENVELOPE).unwrap();
        assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<arkivmelding xmlns="));
        assert!(Arkivmelding::read(xml.as_bytes()).unwrap() == full());
        assert!(xml.contains("<land></land>"));
    }

    /// The names of the elements in the order of the schema, each with its depth before it. What the schema wants and nobody knows
    /// (opprettetAv, arkivertDato, …) is left out rather than invented.
    #[test]
    fn every_element_stands_where_the_schema_has_it() {
        let xml = full().write(&ENVELOPE).unwrap();
        let mut depth = 0;
        let mut names = String::new();
        for piece in xml.split('<').skip(2) {
            if piece.starts_with('/') {
                depth -= 1;
            } else {
                let name = piece.split([' ', '>']).next().unwrap();
                names.push_str(&format!("{depth}{name} "));
                depth += 1;
            }
        }
        assert_eq!(
            names,
            "0arkivmelding 1system 1meldingId 1tidspunkt 1antallFiler 1mappe 2systemID 2tittel 2offentligTittel \
             2basisregistrering 3systemID 3dokumentbeskrivelse 4systemID 4tittel 4tilknyttetRegistreringSom \
             4dokumentnummer 4dokumentobjekt 5referanseDokumentfil 3tittel 3offentligTittel \
             3virksomhetsspesifikkeMetadata 4felt 3journalaar 3journalsekvensnummer 3journalpostnummer 3journalposttype \
             3journalstatus 3journaldato 3dokumentetsDato 3korrespondansepart 4korrespondanseparttype \
             4korrespondansepartNavn 4postadresse 4postnummer 4poststed 4land 4administrativEnhet 4saksbehandler \
             2saksaar 2sakssekvensnummer 2administrativEnhet 2saksansvarlig "
        );
    }

    #[test]
    fn what_is_none_is_left_out() {
        let xml = Arkivmelding::default().write(&ENVELOPE).unwrap();
        assert!(
            xml.ends_with(
                "<antallFiler>0</antallFiler><mappe xsi:type=\"saksmappe\">\
                 <basisregistrering xsi:type=\"journalpost\"></basisregistrering></mappe></arkivmelding>"
            ),
            "{xml}"
        );
    }

    #[test]
    fn characters_that_xml_cannot_carry_do_not_break_it() {
        let mut arkivmelding = full();
        arkivmelding.journalpost.title = text("a\u{b}b\u{0}c\u{fffe}d");
        let xml = arkivmelding.write(&ENVELOPE).unwrap();
        let found = Arkivmelding::read(xml.as_bytes()).unwrap();
        assert_eq!(found.journalpost.title.as_deref(), Some("a b c d"));
    }

    #[test]
    fn metadata_has_elements_in_no_namespace_and_names_that_are_none_are_refused() {
        let named = |name: &str| {
            let mut arkivmelding = full();
            arkivmelding.journalpost.metadata[0].name = name.to_owned();
            arkivmelding.write(&ENVELOPE)
        };
        assert!(
            named("rammeavtale.v2")
                .unwrap()
                .contains("<rammeavtale.v2 xmlns=\"\">1</rammeavtale.v2>")
        );
        assert!(named("mål").is_ok());
        assert!(named("a:b").unwrap().contains("<b xmlns=\"\">1</b>"));
        for name in ["", "@va", "1a", "a b", "a>", "-a", ":a", "a:", "a:b:c"] {
            assert_eq!(named(name).unwrap_err(), NotAName(name.to_owned()));
        }
    }
}
