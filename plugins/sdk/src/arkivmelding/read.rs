//! Reading `arkivmelding.xml`: one walk through it, from start to end.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::{
    Arkivmelding, ArkivmeldingError, Dokumentbeskrivelse, Korrespondansepart, MAX_ATTRIBUTES, MAX_COUNT, MAX_DEPTH,
    MAX_TEXT, Metadata, NOARK5, XSI,
};

pub(super) fn read(text: &str) -> Result<Arkivmelding, ArkivmeldingError> {
    Walk::default().through(text)
}

/// Where in the document an element stands. Everything below `Other` is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Saksmappe,
    Journalpost,
    Part,
    Document,
    File,
    /// `virksomhetsspesifikkeMetadata`.
    Own,
    /// A child of it.
    OwnChild,
    Leaf(Leaf),
    Other,
}

/// An element whose text is read: where it stands, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Leaf(&'static str);

/// The elements that have others in them: parent, name, `xsi:type` if it matters, place.
#[rustfmt::skip]
const PLACES: [(Place, &str, Option<&str>, Place); 6] = [
    (Place::Root,        "mappe",                         Some("saksmappe"),   Place::Saksmappe),
    (Place::Saksmappe,   "basisregistrering",             Some("journalpost"), Place::Journalpost),
    (Place::Journalpost, "korrespondansepart",            None,                Place::Part),
    (Place::Journalpost, "virksomhetsspesifikkeMetadata", None,                Place::Own),
    (Place::Journalpost, "dokumentbeskrivelse",           None,                Place::Document),
    (Place::Document,    "dokumentobjekt",                None,                Place::File),
];

/// The elements whose text is read, by parent.
#[rustfmt::skip]
const LEAVES: [(Place, &[&str]); 5] = [
    (Place::Saksmappe,   &["systemID", "tittel", "offentligTittel", "saksaar", "sakssekvensnummer", "administrativEnhet",
                           "saksansvarlig"]),
    (Place::Journalpost, &["systemID", "tittel", "offentligTittel", "journalaar", "journalsekvensnummer",
                           "journalpostnummer", "journalposttype", "journalstatus", "journaldato", "dokumentetsDato"]),
    (Place::Part,        &["korrespondanseparttype", "korrespondansepartNavn", "postadresse", "postnummer", "poststed",
                           "land", "administrativEnhet", "saksbehandler"]),
    (Place::Document,    &["systemID", "tittel", "tilknyttetRegistreringSom", "dokumentnummer"]),
    (Place::File,        &["referanseDokumentfil"]),
];

#[derive(Default)]
struct Walk {
    found: Arkivmelding,
    path: Vec<Place>,
    rooted: bool,
    saksmappe: bool,
    journalpost: bool,
    text: String,
    /// The element of the organisation's own has elements in it.
    nested: bool,
    files: usize,
}

impl Walk {
    fn through(mut self, text: &str) -> Result<Arkivmelding, ArkivmeldingError> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_end_names = true;
        loop {
            let position = reader.buffer_position();
            let broken = || ArkivmeldingError::NotWellFormed { position };
            match reader.read_event().map_err(|_| broken())? {
                Event::Start(start) => self.open(&reader, &start, position)?,
                Event::Empty(start) => {
                    self.open(&reader, &start, position)?;
                    self.close()?;
                }
                Event::End(_) => self.close()?,
                Event::Text(text) => self.push(&text.xml_content(XmlVersion::Explicit1_0), position)?,
                Event::CData(text) => self.push(&text.xml_content(XmlVersion::Explicit1_0), position)?,
                Event::GeneralRef(reference) => {
                    let resolved = match reference.resolve_char_ref().map_err(|_| broken())? {
                        Some(character) => character.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                            .ok_or_else(broken)?
                            .to_owned(),
                    };
                    self.push(&resolved, position)?;
                }
                Event::Eof if !self.path.is_empty() || !self.rooted => return Err(broken()),
                Event::Eof => return self.finish(),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
            }
        }
    }

    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        position: u64,
    ) -> Result<(), ArkivmeldingError> {
        let broken = || ArkivmeldingError::NotWellFormed { position };
        if self.path.len() >= MAX_DEPTH {
            return Err(ArkivmeldingError::TooDeep);
        }
        for (number, attribute) in start.attributes().enumerate() {
            attribute.map_err(|_| broken())?;
            if number >= MAX_ATTRIBUTES {
                return Err(broken());
            }
        }
        let place = match self.path.last() {
            None if self.rooted => return Err(broken()),
            None => Place::Root,
            Some(Place::Own) => Place::OwnChild,
            Some(Place::OwnChild) => {
                self.nested = true;
                Place::Other
            }
            Some(parent) => self.place(*parent, reader, start),
        };
        self.rooted = true;
        self.enter(place, start)?;
        self.path.push(place);
        Ok(())
    }

    fn enter(&mut self, place: Place, start: &BytesStart<'_>) -> Result<(), ArkivmeldingError> {
        let journalpost = &mut self.found.journalpost;
        match place {
            Place::Saksmappe => self.saksmappe = true,
            Place::Journalpost => self.journalpost = true,
            Place::Leaf(_) => self.text.clear(),
            Place::Part => add(
                &mut journalpost.parties,
                Korrespondansepart::default(),
                "korrespondansepart",
            )?,
            Place::Document => add(
                &mut journalpost.documents,
                Dokumentbeskrivelse::default(),
                "dokumentbeskrivelse",
            )?,
            Place::OwnChild => {
                self.text.clear();
                self.nested = false;
                let name = start.name();
                let name: &str = name.as_ref();
                let metadata = Metadata {
                    name: name.to_owned(),
                    value: None,
                };
                add(&mut journalpost.metadata, metadata, "virksomhetsspesifikkeMetadata")?;
            }
            Place::Root | Place::File | Place::Own | Place::Other => {}
        }
        Ok(())
    }

    /// Only the first saksmappe and its first journalpost count.
    fn place(&self, parent: Place, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Place {
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        if namespace != ResolveResult::Bound(Namespace(NOARK5)) {
            return Place::Other;
        }
        let name: &str = name.as_ref();
        let container = PLACES.iter().find(|(above, element, kind, _)| {
            *above == parent && *element == name && kind.is_none_or(|kind| is_of_type(reader, start, kind))
        });
        match container.map(|(.., place)| *place) {
            Some(Place::Saksmappe) if self.saksmappe => Place::Other,
            Some(Place::Journalpost) if self.journalpost => Place::Other,
            Some(place) => place,
            None => LEAVES
                .iter()
                .filter(|(above, _)| *above == parent)
                .flat_map(|(_, names)| names.iter())
                .find(|leaf| **leaf == name)
                .map_or(Place::Other, |leaf| Place::Leaf(Leaf(leaf))),
        }
    }

    fn push(&mut self, text: &str, position: u64) -> Result<(), ArkivmeldingError> {
        let name = match self.path.last() {
            None if text.chars().all(|c| c.is_ascii_whitespace() || c == '\u{feff}') => return Ok(()),
            None => return Err(ArkivmeldingError::NotWellFormed { position }),
            Some(Place::Leaf(Leaf(name))) => name,
            Some(Place::OwnChild) => "virksomhetsspesifikkeMetadata",
            Some(_) => return Ok(()),
        };
        if self.text.len() + text.len() > MAX_TEXT {
            return Err(ArkivmeldingError::TextTooLong(name));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ArkivmeldingError> {
        match self.path.pop() {
            Some(Place::Leaf(Leaf(name))) => self.keep(name),
            Some(Place::OwnChild) => {
                let text = std::mem::take(&mut self.text);
                if let Some(metadata) = self.found.journalpost.metadata.last_mut() {
                    metadata.value = (!self.nested && !text.is_empty()).then_some(text);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn keep(&mut self, name: &'static str) -> Result<(), ArkivmeldingError> {
        let text = self.text.trim().to_owned();
        let number = text.parse().ok();
        let saksmappe = &mut self.found.saksmappe;
        let journalpost = &mut self.found.journalpost;
        match (self.path.last(), name) {
            (Some(Place::Saksmappe), name) => match name {
                "systemID" => saksmappe.system_id = Some(text),
                "tittel" => saksmappe.title = Some(text),
                "offentligTittel" => saksmappe.public_title = Some(text),
                "saksaar" => saksmappe.year = number,
                "sakssekvensnummer" => saksmappe.sequence_number = number,
                "administrativEnhet" => saksmappe.unit = Some(text),
                _ => saksmappe.responsible = Some(text),
            },
            (Some(Place::Journalpost), name) => match name {
                "systemID" => journalpost.system_id = Some(text),
                "tittel" => journalpost.title = Some(text),
                "offentligTittel" => journalpost.public_title = Some(text),
                "journalaar" => journalpost.year = number,
                "journalsekvensnummer" => journalpost.sequence_number = number,
                "journalpostnummer" => journalpost.number = number,
                "journalposttype" => journalpost.kind = Some(text),
                "journalstatus" => journalpost.status = Some(text),
                "journaldato" => journalpost.date = Some(text),
                _ => journalpost.document_date = Some(text),
            },
            (Some(Place::Part), name) => {
                if let Some(part) = journalpost.parties.last_mut() {
                    return keep_in_part(part, name, text);
                }
            }
            (Some(Place::Document), name) => {
                if let Some(document) = journalpost.documents.last_mut() {
                    match name {
                        "systemID" => document.system_id = Some(text),
                        "tittel" => document.title = Some(text),
                        "dokumentnummer" => document.number = number,
                        _ => document.role = Some(text),
                    }
                }
            }
            (_, _) if text.is_empty() => {}
            (_, name) => {
                self.files += 1;
                if self.files > MAX_COUNT {
                    return Err(ArkivmeldingError::TooMany(name));
                }
                if let Some(document) = journalpost.documents.last_mut() {
                    document.files.push(text);
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Arkivmelding, ArkivmeldingError> {
        if !self.saksmappe {
            return Err(ArkivmeldingError::NoSaksmappe);
        }
        if !self.journalpost {
            return Err(ArkivmeldingError::NoJournalpost);
        }
        Ok(self.found)
    }
}

fn keep_in_part(part: &mut Korrespondansepart, name: &'static str, text: String) -> Result<(), ArkivmeldingError> {
    match name {
        "korrespondanseparttype" => part.kind = Some(text),
        "korrespondansepartNavn" => part.name = Some(text),
        "postadresse" => add(&mut part.lines, text, name)?,
        "postnummer" => part.postal_code = Some(text),
        "poststed" => part.place = Some(text),
        "land" => part.country = Some(text),
        "administrativEnhet" => part.unit = Some(text),
        _ => part.case_worker = Some(text),
    }
    Ok(())
}

fn add<T>(list: &mut Vec<T>, item: T, name: &'static str) -> Result<(), ArkivmeldingError> {
    if list.len() >= MAX_COUNT {
        return Err(ArkivmeldingError::TooMany(name));
    }
    list.push(item);
    Ok(())
}

/// Whether `xsi:type` names the type. Its prefix is not looked up: writers get it wrong, and there is only one saksmappe.
fn is_of_type(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, kind: &str) -> bool {
    start.attributes().flatten().any(|attribute| {
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        let value: &str = attribute.value.as_ref();
        namespace == ResolveResult::Bound(Namespace(XSI))
            && name.as_ref() == "type"
            && value.trim().rsplit(':').next() == Some(kind)
    })
}

#[cfg(test)]
mod tests;
